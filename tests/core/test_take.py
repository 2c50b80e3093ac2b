"""The take file: what is saved is loaded, and what is no take is refused."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lifter_core.errors import BadInputError
from lifter_core.take import FORMAT, Take, load_take, save_take

from .walker import walking_take


def test_a_take_survives_the_file(tmp_path: Path):
    take = walking_take()
    save_take(take, tmp_path / "a.npz")
    again = load_take(tmp_path / "a.npz")
    for field in fields(Take):
        a, b = getattr(take, field.name), getattr(again, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype, field.name
        else:
            assert a == b, field.name


def test_other_programs_can_read_it_without_pickle(tmp_path: Path):
    save_take(walking_take(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as z:
        assert str(z["format"]) == FORMAT
        assert z["positions"].shape[2] == len(z["joint_names"])
        assert z["rotations"].shape[2] == len(z["bone_names"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"], "no temporary file is left"


@pytest.mark.parametrize("content", [b"", b"not a take", b"PK\x03\x04 half a zip"])
def test_what_is_no_take_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BadInputError, match="not a take"):
        load_take(tmp_path / "a.npz")


def test_a_missing_take_and_another_format_are_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match="cannot be read"):
        load_take(tmp_path / "none.npz")
    np.savez(tmp_path / "b.npz", format=np.array("lift-take/9"))
    with pytest.raises(BadInputError, match="lift the clip again"):
        load_take(tmp_path / "b.npz")
