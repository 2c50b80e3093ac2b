"""Runs of true values in a mask over frames."""

import numpy as np
from numpy.typing import NDArray


def runs(mask: NDArray[np.bool_]) -> list[slice]:
    """The longest stretches of consecutive true values of a mask (T,), first to last."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return [slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True)]
