"""The camera: its matrix from a field of view or the prior, and where the person stands before it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .filters import smooth

Array = NDArray[Any]


def camera_matrix(image_size: tuple[int, int], fov: float | None = None) -> NDArray[np.float64]:
    """(3, 3) pixels, principal point in the middle.

    Args:
        fov: horizontal field of view in degrees; None = the prior, a focal length of the picture's diagonal (53 degrees
            across the diagonal; GVHMR, WHAM).
    """
    width, height = image_size
    focal = np.hypot(width, height) if fov is None else width / 2 / np.tan(np.radians(fov) / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


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


def project(points: Array, matrix: Array) -> Array:
    """(..., 2) pixels of points (..., 3) in camera axes."""
    return points[..., :2] / points[..., 2:] * np.array([matrix[0, 0], matrix[1, 1]]) + matrix[:2, 2]
