"""The path of the pelvis before the camera: from lifted joints and where they are seen, and smoothed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .filters import smooth

Array = NDArray[Any]


def root_translation(joints: Array, tangents: Array, weights: Array, rounds: int = 4) -> Array:
    """Where the pelvis is: least squares on Tx - u Tz = u Z - X, Ty - v Tz = v Z - Y (SPIN), robust.

    Args:
        joints: (T, J, 3) about the pelvis, camera axes, metres; tangents: (T, J, 2) u, v of the detected points;
        weights: (T, J) confidence.

    Returns:
        (T, 3) metres, camera axes, in front of the camera.
    """
    u, v = tangents[..., 0], tangents[..., 1]
    x, y, z = np.moveaxis(joints, -1, 0)
    right = np.stack([u * z - x, v * z - y], -1)
    ones, zeros = np.ones_like(u), np.zeros_like(u)
    rows = np.stack([np.stack([ones, zeros, -u], -1), np.stack([zeros, ones, -v], -1)], -2)  # (T, J, 2, 3)
    w = weights.copy()
    translation = np.zeros((len(joints), 3))
    for _ in range(rounds):
        a = np.einsum("tj,tjki,tjkl->til", w, rows, rows) + 1e-9 * np.eye(3)
        b = np.einsum("tj,tjki,tjk->ti", w, rows, right)
        translation = np.linalg.solve(a, b[..., None])[..., 0]
        residual = np.linalg.norm(np.einsum("tjki,ti->tjk", rows, translation) - right, axis=-1)
        middle = np.median(residual, axis=1, keepdims=True)
        w = weights / (1 + (residual / np.maximum(2 * middle, 1e-4)) ** 2)  # Cauchy
    translation[:, 2] = np.maximum(translation[:, 2], 0.3)
    return translation


def steady_path(times: Array, translation: Array, weights: Array, across: float, depth: float) -> Array:
    """Smooths a path in camera axes: depth (poorly seen) by ``depth`` seconds, the direction by ``across`` seconds."""
    w = weights[:, None]
    log_depth = smooth(times, np.log(translation[:, 2:]), w, depth, degree=1)
    ray = smooth(times, translation[:, :2] / translation[:, 2:], np.repeat(w, 2, 1), across)
    z = np.exp(log_depth)
    return np.concatenate([ray * z, z], 1)
