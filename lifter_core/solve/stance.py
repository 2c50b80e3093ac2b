"""Which foot stands: heels and balls of the feet that rest on the floor, from how they move and how low they are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT
from .filters import smooth

Array = NDArray[Any]

POINTS = tuple(JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "ball"))
_SPEED, _SPEED_SPREAD = 0.40, 0.12  # m/s: half and how sharply
_HEIGHT, _HEIGHT_SPREAD = 0.06, 0.02  # m above the lowest point of late and soon
_ABOVE_FLOOR, _ABOVE_SPREAD = 0.16, 0.03  # m above the floor, which may be off where the depth is
_OF_PACE = 0.25  # of the body's own speed: runners' feet hardly rest
_LOWER = 0.05  # m
_HEEL = np.array([0.04, 0.0, 0.04, 0.0])  # m: how a foot is pitched is ill seen, and few stand on tiptoe
_NEAR = 0.45  # s: late and soon
_DEPTH_SHARE = 0.4  # how much of a speed along the line of sight counts: it is hardly seen
_SIGMA = 0.04  # s, of the smoothing before velocities
_CHANGE = 3.5  # log odds a change of state costs


def find_stance(
    joints: Array, times: Array, up: Array, floor: float | None, root: Array, present: NDArray[np.bool_]
) -> Array:
    """(T, 4) 0 to 1: left heel, left ball, right heel, right ball rest on the floor.

    Args:
        joints: (T, J, 3) m in the first frame's camera axes (the camera in the origin); up: (3,) there; floor: m along it,
            None = not known yet.
    """
    count = len(times)
    out = np.zeros((count, len(POINTS)))
    points = joints[:, list(POINTS)]
    if count < 3:
        return out
    flat = smooth(times, points.reshape(count, -1), np.ones((count, 3 * len(POINTS))), _SIGMA)
    velocity = np.gradient(flat, times, axis=0).reshape(points.shape)
    sight = root / np.linalg.norm(root, axis=-1, keepdims=True)
    along = (velocity * sight[:, None]).sum(-1, keepdims=True)
    speed = np.linalg.norm(velocity - (1 - _DEPTH_SHARE) * along * sight[:, None], axis=-1)
    pace = np.linalg.norm(np.gradient(smooth(times, root, np.ones_like(root), 0.3), times, axis=0), axis=-1)
    limit = np.maximum(_SPEED, _OF_PACE * pace)[:, None]
    height = points @ up
    lowest = height.min(1)
    reach = max(1, round(_NEAR / float(np.median(np.diff(times)))))
    padded = np.pad(lowest, reach, mode="edge")
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(-1)
    odds = (limit - speed) / (_SPEED_SPREAD / _SPEED * limit)
    lower = height < lowest[:, None] + 0.03  # bears the weight unless the body flies: believed a good deal higher
    odds = np.minimum(odds, 4) + np.minimum(
        (_HEIGHT + _HEEL + _LOWER * lower - (height - near[:, None])) / _HEIGHT_SPREAD, 2
    )
    if floor is not None:
        odds += np.minimum((_ABOVE_FLOOR + 3 * _LOWER * lower - (height - floor)) / _ABOVE_SPREAD, 0)
    odds[~present] = -10
    rate = float(np.median(np.diff(times))) * 30
    return likely(np.clip(odds * rate, -6, 6), _CHANGE)


def likely(odds: Array, change: float) -> Array:
    """(T, N) 1 where on: the likeliest course of states (Viterbi) with log odds (T, N), each change costing ``change``."""
    count, n = odds.shape
    came_from_on = np.zeros((count, 2, n), bool)
    off, on = np.zeros(n), odds[0].copy()
    for t in range(1, count):
        from_on_off, from_on_on = on - change > off, on > off - change
        came_from_on[t, 0], came_from_on[t, 1] = from_on_off, from_on_on
        off, on = np.where(from_on_off, on - change, off), np.where(from_on_on, on, off - change) + odds[t]
    state = on > off
    out = np.zeros((count, n))
    for t in range(count - 1, -1, -1):
        out[t] = state
        state = np.where(state, came_from_on[t, 1], came_from_on[t, 0])
    return out
