"""The solved people in the world as the user wants it: on the floor, facing where told, walking or in place."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..options import SolveOptions
from ..rotations import about

Array = NDArray[Any]

_FIRST = 0.5  # s over which a person's first facing is taken


class Placed(NamedTuple):
    """The world: x_world = turn @ x + shift_t for x in the first frame's camera axes; turn (3, 3), shift (T, 3) m."""

    turn: Array
    shift: Array

    def points(self, x: Array) -> Array:
        """Points (T, ..., 3) of the first frame's camera axes in the world."""
        moved: Array = x @ self.turn.T + self.shift.reshape(-1, *(1,) * (x.ndim - 2), 3)
        return moved


def camera_to_world(up: Array) -> Array:
    """(3, 3) turns camera axes to the world's: Z along ``up``, Y along the camera's view laid level."""
    view = np.array([0.0, 0.0, 1.0])
    if abs(view @ up) > 0.999:  # a camera that looks straight down: the top of its picture is ahead
        view = np.array([0.0, -1.0, 0.0])
    level = view - (view @ up) * up
    level = level / np.linalg.norm(level)
    return np.stack([np.cross(level, up), level, up])


def place(
    up: Array, floor: float, root: Array, pelvis: Array, present: NDArray[np.bool_], times: Array, options: SolveOptions
) -> Placed:
    """Lays the world.

    Args:
        up: (3,) in the first frame's camera axes; floor: m along it; root: (T, 3) the main person's pelvis there;
        pelvis: (T, 3, 3) its rotation.
    """
    turn = camera_to_world(up)
    rows = np.flatnonzero(present)
    start = turn @ root[rows[0]]
    tilt = np.radians(options.floor_tilt)
    x, y, z = np.eye(3)
    after = about(x, np.array(tilt[0])) @ about(y, np.array(tilt[1]))
    if options.facing is not None:
        early = rows[times[rows] <= times[rows[0]] + _FIRST]
        ahead = after @ turn @ (pelvis[early] @ -y).mean(0)  # at rest people face -Y
        now = np.arctan2(ahead[0], -ahead[1])
        after = about(z, np.array(np.radians(options.facing) - now)) @ after
    shift = np.broadcast_to(after @ np.array([-start[0], -start[1], -floor]), root.shape).copy()
    shift[:, 2] -= options.floor_height
    turn = after @ turn
    if options.in_place:
        path = root @ turn.T + shift
        path[~present] = np.stack([np.interp(times[~present], times[present], path[present, k]) for k in range(3)], 1)
        shift[:, :2] -= path[:, :2]
    return Placed(turn, shift)
