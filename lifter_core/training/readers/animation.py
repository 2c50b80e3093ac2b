"""A hierarchy in motion, as BVH and ASF/AMC files describe it: what the readers give and ``joint_names.py`` understands."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...rotations import about

Array = NDArray[Any]

_AXES = {"x": np.array([1.0, 0, 0]), "y": np.array([0, 1.0, 0]), "z": np.array([0, 0, 1.0])}


class Animation(NamedTuple):
    """N nodes over T frames, in the file's own axes and units.

    Attributes:
        names: of the nodes; a chain's end is its last node's name with ``_end``.
        parents: (N,) index of each node's parent, -1 for the root; parents come first.
        rest: (N, 3) where nodes are when nothing is turned.
        positions: (T, N, 3); rotations: (T, N, 3, 3) global, identity in the rest pose.
        fps: frames a second.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Array
    positions: Array
    rotations: Array
    fps: float


def euler(order: str, degrees: Array) -> Array:
    """(..., 3, 3) rotations R = R_a R_b R_c for the order "abc", from (..., len(order)) angles in degrees."""
    out = np.broadcast_to(np.eye(3), (*degrees.shape[:-1], 3, 3))
    for i, axis in enumerate(order):
        out = out @ about(_AXES[axis], np.radians(degrees[..., i]))
    return out


def fault(path: Path, line: int, what: str) -> BadInputError:
    """The error for a file that cannot be read."""
    return BadInputError(f"{path}, line {line}: {what}.")


def numbers(words: list[str], path: Path, line: int) -> list[float]:
    """Words as finite numbers.

    Raises:
        BadInputError: one of them is none.
    """
    out = []
    for word in words:
        try:
            out.append(float(word))
        except ValueError:
            raise fault(path, line, f"{word!r} is not a number") from None
    if not np.isfinite(out).all():
        raise fault(path, line, "a number is not finite")
    return out


def read_lines(path: Path) -> list[str]:
    """The file's lines as text.

    Raises:
        BadInputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from None
