"""The types and shapes of a file's arrays: compared with what they should be, before and after they are read."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError

Layout = Mapping[str, tuple[type[np.generic], str]]
"""By name an array's type, and its axes: a digit is the length of one, a letter a length that it has in all arrays."""


def check_shapes(
    shapes: Mapping[str, tuple[int, ...]], layout: Layout, longest: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Compares arrays' shapes with a layout; arrays that are not in it are passed over.

    Args:
        longest: by letter how long such an axis may be.

    Returns:
        By letter how long the axes are.

    Raises:
        BadInputError: an array is missing, or is not as it should be.
    """
    lengths: dict[str, int] = {}
    for name, (_, axes) in layout.items():
        if name not in shapes:
            raise BadInputError(f"it lacks {name}")
        shape = shapes[name]
        for axis, length in zip(axes, shape, strict=False):
            lengths.setdefault(axis, int(axis) if axis.isdigit() else length)
        if shape != tuple(lengths.get(axis, 0) for axis in axes):
            wanted = ", ".join(str(lengths.get(axis, axis)) for axis in axes)
            raise BadInputError(f"{name} has the shape {shape} and not ({wanted})")
    for axis, most in (longest or {}).items():
        if lengths.get(axis, 0) > most:
            raise BadInputError(f"axis {axis} of its arrays is {lengths[axis]} long, and at most {most} is read")
    return lengths


def typed(name: str, array: NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    """A read-only view of an array in its type; a copy if it comes in another one that holds the same numbers.

    Raises:
        BadInputError: it is of another kind, or its numbers do not fit.
    """
    dtype = np.dtype(kind)
    allowed = {"f": "fiu", "i": "iu", "b": "b", "U": "U"}[dtype.kind]
    if array.dtype.kind not in allowed:
        raise BadInputError(f"{name} has the type {array.dtype} and not {dtype}")
    if dtype.kind == "i":
        limits = np.iinfo(kind)  # type: ignore[type-var]
        if ((array < limits.min) | (array > limits.max)).any():
            raise BadInputError(f"{name} is out of range")
    with np.errstate(all="ignore"):
        view = array.astype(array.dtype if dtype.kind == "U" else dtype, copy=False).view()
    view.flags.writeable = False
    return view
