"""How far off a pose is, defined once. All take (N, J, 3) in metres and return millimetres a pose."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT

Array = NDArray[Any]

# the joints every data set agrees on
LIMBS = [
    JOINT[f"{side}_{part}"]
    for side in ("left", "right")
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
]


def about_hips(joints: Array) -> Array:
    """Joints relative to the middle of the hips."""
    root = (joints[..., JOINT["left_hip"], :] + joints[..., JOINT["right_hip"], :]) / 2
    return joints - root[..., None, :]


def mpjpe(predicted: Array, true: Array, joints: list[int] = LIMBS) -> Array:
    """(N,) mean distance of ``joints``, both poses about the middle of their hips, mm."""
    d = about_hips(predicted)[..., joints, :] - about_hips(true)[..., joints, :]
    return np.linalg.norm(d, axis=-1).mean(-1) * 1000


def pa_mpjpe(predicted: Array, true: Array, joints: list[int] = LIMBS) -> Array:
    """(N,) mean distance after the best similarity (scale, rotation, translation; Umeyama 1991) of each pose, mm."""
    p, q = predicted[:, joints].astype(np.float64), true[:, joints].astype(np.float64)
    p, q = p - p.mean(1, keepdims=True), q - q.mean(1, keepdims=True)
    u, s, vt = np.linalg.svd(p.transpose(0, 2, 1) @ q)
    sign = np.ones_like(s)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (s * sign).sum(1) / np.maximum((p**2).sum((1, 2)), 1e-12)
    return np.linalg.norm(scale[:, None, None] * (p @ rotation) - q, axis=-1).mean(-1) * 1000


def mpjve(predicted: Array, true: Array, joints: list[int] = LIMBS) -> Array:
    """(T-1,) mean velocity error over a clip (T, J, 3), about the hips, mm a frame."""
    d = np.diff(about_hips(predicted)[:, joints] - about_hips(true)[:, joints], axis=0)
    return np.linalg.norm(d, axis=-1).mean(-1) * 1000


def acceleration_error(predicted: Array, true: Array, joints: list[int] = LIMBS) -> Array:
    """(T-2,) mean distance of second differences over a clip (T, J, 3), about the hips, mm a frame squared."""
    d = np.diff(about_hips(predicted)[:, joints] - about_hips(true)[:, joints], 2, axis=0)
    return np.linalg.norm(d, axis=-1).mean(-1) * 1000
