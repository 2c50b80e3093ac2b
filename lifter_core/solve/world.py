"""From camera axes to the world: which way is up, where the floor is, which foot stands on it."""

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT
from .rotations import unit

Array = NDArray[np.floating]

_LEVEL_UP = np.array([0.0, -1.0, 0.0])  # camera axes
# seconds of standing that outweigh the prior of a level camera; roll shows in the picture, pitch hardly does
_PRIOR_ROLL, _PRIOR_PITCH = 0.3, 2.0
_PITCH_MEAN = np.radians(4.0)  # cameras look slightly down
_CONTACT_SPEED = 0.35  # m/s
_CONTACT_HEIGHT = 0.07  # m above the floor


def up_direction(joints: Array, seconds: Array) -> Array:
    """(3,) up in camera axes: from upright poses over the clip, drawn towards a level camera when there are few.

    Args:
        joints: (T, J, 3) about the pelvis, camera axes; seconds: (T,) how long each frame counts.
    """
    j = JOINT
    legs = [joints[:, j[f"{s}_hip"]] - joints[:, j[f"{s}_ankle"]] for s in ("left", "right")]
    trunk = unit(joints[:, j["thorax"]] - joints[:, j["pelvis"]])
    stretch = np.ones(len(joints))
    for side, leg in zip(("left", "right"), legs, strict=True):
        hip, knee, ankle = (joints[:, j[f"{side}_{p}"]] for p in ("hip", "knee", "ankle"))
        whole = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
        straight = np.linalg.norm(leg, axis=-1) / np.maximum(whole, 1e-6)
        aligned = (unit(leg) * trunk).sum(-1)
        stretch *= np.clip((straight - 0.9) / 0.08, 0, 1) * np.clip((aligned - 0.85) / 0.1, 0, 1)
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


def feet(joints: Array, times: Array) -> tuple[Array, Array]:
    """Height (T, 2) of the lower of heel and toe, and speed (T, 2) m/s of the slower; left, right foot; world axes."""
    heights, speeds = [], []
    for side in ("left", "right"):
        points = joints[:, [JOINT[f"{side}_heel"], JOINT[f"{side}_toe"]]]
        heights.append(points[..., 2].min(1))
        if len(times) > 1:
            velocity = np.gradient(points, times, axis=0)
        else:
            velocity = np.zeros_like(points)
        speeds.append(np.linalg.norm(velocity, axis=-1).min(1))
    return np.stack(heights, 1), np.stack(speeds, 1)


def floor_height(heights: Array, speeds: Array) -> float:
    """Height of the floor under planted feet: of slow feet that are the lower one, the median; else the lowest tenth."""
    lowest = heights.min(1)
    planted = (speeds < _CONTACT_SPEED) & (heights < lowest[:, None] + 0.03)
    slow = heights[planted]
    if len(slow) < 5:
        return float(np.quantile(lowest, 0.1))
    # feet that rest on furniture, or sit in the air while somebody sits, are above the floor: leave them out
    return float(np.median(slow[slow <= np.quantile(slow, 0.6)]))


def contacts(heights: Array, speeds: Array, times: Array) -> NDArray[np.bool_]:
    """(T, 2) true where a foot stands on the floor (z = 0); states shorter than a tenth of a second are dropped."""
    raw = (speeds < _CONTACT_SPEED) & (heights < _CONTACT_HEIGHT)
    if len(times) < 3:
        return np.asarray(raw)
    radius = max(1, round(0.1 / float(np.median(np.diff(times))) / 2))
    padded = np.pad(raw.astype(float), ((radius, radius), (0, 0)), mode="edge")
    window = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0)
    return np.asarray(window.mean(-1) > 0.5)
