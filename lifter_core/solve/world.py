"""From camera axes to the world: which way is up, where the floor is, which foot stands on it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT
from .rotations import unit

Array = NDArray[Any]

_LEVEL_UP = np.array([0.0, -1.0, 0.0])  # camera axes
# seconds of standing that outweigh the prior of a level camera; roll shows in the picture, pitch hardly does
_PRIOR_ROLL, _PRIOR_PITCH = 0.2, 0.7
_PITCH_MEAN = np.radians(4.0)  # cameras look slightly down
# how well the upright poses tell up, how far a planted foot strays from the floor, how many steps a second say something
_TILT_SD, _TILT_MOST = np.radians(3.5), np.radians(12.0)
_FOOT_SD, _FEET_PER_SECOND = 0.08, 2.0
_CONTACT_SPEED = 0.35  # m/s
_CONTACT_HEIGHT = 0.07  # m above the floor


def up_direction(joints: Array, seconds: Array) -> Array:
    """(3,) up in camera axes: from upright poses over the clip, drawn towards a level camera when there are few.

    Args:
        joints: (T, J, 3) about the pelvis, camera axes; seconds: (T,) how long each frame counts.
    """
    j = JOINT
    trunk = unit(joints[:, j["thorax"]] - joints[:, j["pelvis"]])
    stretch = np.zeros(len(joints))
    for side in ("left", "right"):  # one straight leg under the trunk is enough: the one that bears the weight
        hip, knee, ankle = (joints[:, j[f"{side}_{p}"]] for p in ("hip", "knee", "ankle"))
        whole = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
        straight = np.linalg.norm(hip - ankle, axis=-1) / np.maximum(whole, 1e-6)
        aligned = (unit(hip - ankle) * trunk).sum(-1)
        upright = np.clip((straight - 0.9) / 0.08, 0, 1) * np.clip((aligned - 0.8) / 0.15, 0, 1)
        stretch = np.maximum(stretch, upright)
    body = unit(joints[:, j["thorax"]] - (joints[:, j["left_ankle"]] + joints[:, j["right_ankle"]]) / 2)
    weight = stretch * seconds
    up = _LEVEL_UP
    for _ in range(10):
        off = np.arccos(np.clip(body @ up, -1, 1))
        w = weight / (1 + (off / np.radians(12)) ** 2)
        if w.sum() < 1e-6:
            return _tilted(0.0, _PITCH_MEAN)
        up = unit((w[:, None] * body).sum(0))
    roll, pitch = np.arctan2(up[0], -up[1]), np.arctan2(-up[2], np.hypot(up[0], up[1]))
    standing = float(weight.sum())
    roll = roll * standing / (standing + _PRIOR_ROLL)
    pitch = (pitch * standing + _PITCH_MEAN * _PRIOR_PITCH) / (standing + _PRIOR_PITCH)
    return _tilted(float(roll), float(pitch))


def _tilted(roll: float, pitch: float) -> Array:
    return np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def camera_to_world(up: Array) -> Array:
    """(3, 3) turns camera axes to the world's: Z along ``up``, Y along the camera's view laid level."""
    view = np.array([0.0, 0.0, 1.0])
    level = unit(view - (view @ up) * up)
    return np.stack([np.cross(level, up), level, up])


def feet(joints: Array, times: Array, up: Array) -> tuple[Array, Array]:
    """Height (T, 2) along ``up`` of the lower of heel and toe, and speed (T, 2) m/s of the slower; left, right foot.

    Args:
        joints: (T, J, 3) metres; up: (3,) in the same axes.
    """
    heights, speeds = [], []
    for side in ("left", "right"):
        points = joints[:, [JOINT[f"{side}_heel"], JOINT[f"{side}_toe"]]]
        heights.append((points @ up).min(1))
        velocity = np.gradient(points, times, axis=0) if len(times) > 1 else np.zeros_like(points)
        speeds.append(np.linalg.norm(velocity, axis=-1).min(1))
    return np.stack(heights, 1), np.stack(speeds, 1)


def planted(heights: Array, speeds: Array) -> NDArray[np.bool_]:
    """(T, 2) true where a foot is slow and the lower one of the two: it likely bears the weight."""
    return np.asarray((speeds < _CONTACT_SPEED) & (heights < heights.min(1, keepdims=True) + 0.03))


def fit_floor(points: Array, weights: Array, up: Array) -> Array:
    """(3,) up in camera axes, corrected so that planted feet lie on one level plane, as far as they spread out in depth.

    Args:
        points: (N, 3) planted foot points in camera axes, metres; weights: (N,) seconds each counts; up: (3,) the prior.
            The plane up . x + h = 0 is linear in h and in two small tilts of ``up``; robust least squares.
    """
    if len(points) < 5:
        return up
    sideways = unit(np.cross(up, [0, 0, 1.0]))
    axes = np.stack([sideways, np.cross(sideways, up)])
    unknowns = np.concatenate([points @ axes.T, np.ones((len(points), 1))], 1)
    right = -points @ up
    prior = np.diag([1 / _TILT_SD**2, 1 / _TILT_SD**2, 0])
    w, solution = weights, np.zeros(3)
    for _ in range(8):
        w_point = w * _FEET_PER_SECOND / _FOOT_SD**2
        solution = np.linalg.solve((unknowns.T * w_point) @ unknowns + prior, (unknowns.T * w_point) @ right)
        residual = unknowns @ solution - right
        w = weights / (1 + (residual / _FOOT_SD) ** 2)
    tilt = solution[:2] * min(1.0, _TILT_MOST / max(float(np.linalg.norm(solution[:2])), 1e-9))
    result: Array = unit(up + tilt @ axes)
    return result


def floor_height(heights: Array, speeds: Array) -> float:
    """Height of the floor under planted feet: of slow feet that are the lower one, the median; else the lowest tenth."""
    slow = heights[planted(heights, speeds)]
    if len(slow) < 5:
        return float(np.quantile(heights.min(1), 0.1))
    # feet on furniture, or in the air while somebody sits, are above the floor: the lower ones count
    return float(np.quantile(slow, 0.4))


def contacts(heights: Array, speeds: Array, times: Array) -> NDArray[np.bool_]:
    """(T, 2) true where a foot stands on the floor (z = 0); states shorter than a tenth of a second are dropped."""
    raw = (speeds < _CONTACT_SPEED) & (heights < _CONTACT_HEIGHT)
    if len(times) < 3:
        return np.asarray(raw)
    radius = max(1, round(0.1 / float(np.median(np.diff(times))) / 2))
    padded = np.pad(raw.astype(float), ((radius, radius), (0, 0)), mode="edge")
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)
    return np.asarray(window.mean(-1) > 0.5)
