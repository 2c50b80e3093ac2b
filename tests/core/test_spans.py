from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifter_core.spans import runs


@given(st.lists(st.booleans()))
def test_runs_cover_the_true_values_and_are_apart(values: list[bool]) -> None:
    mask = np.array(values, bool)
    covered = np.zeros(len(mask), bool)
    found = runs(mask)
    for run in found:
        assert run.start < run.stop
        covered[run] = True
    assert (covered == mask).all()
    assert all(a.stop < b.start for a, b in pairwise(found))
