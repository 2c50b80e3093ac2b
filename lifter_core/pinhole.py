"""The pinhole camera: focal length and field of view, the camera matrix, and where points are seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def focal_of_view(pixels: float, view: float) -> float:
    """Focal length in px of a picture ``pixels`` wide (or tall) whose angle of view in that direction is ``view`` degrees."""
    return float(pixels / 2 / np.tan(np.radians(view) / 2))


def view_of_focal(pixels: float, focal: float) -> float:
    """Angle of view in degrees across a picture ``pixels`` wide (or tall), from the focal length in px."""
    return float(2 * np.degrees(np.arctan(pixels / 2 / focal)))


def assumed_focal(image_size: tuple[int, int]) -> float:
    """The prior where nothing is known: the picture's diagonal, 53 degrees across it (as GVHMR and WHAM assume); px."""
    return float(np.hypot(*image_size))


def camera_matrix(image_size: tuple[int, int], fov: float | None = None) -> NDArray[np.float64]:
    """(3, 3) in pixels, principal point in the middle.

    Args:
        image_size: width, height in px.
        fov: horizontal field of view in degrees; None for the prior, ``assumed_focal``.
    """
    width, height = image_size
    focal = assumed_focal(image_size) if fov is None else focal_of_view(width, fov)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def project(points: Array, matrix: Array) -> Array:
    """(..., 2) pixels of points (..., 3) in camera axes, through a camera matrix (3, 3)."""
    return points[..., :2] / points[..., 2:] * np.array([matrix[0, 0], matrix[1, 1]]) + matrix[:2, 2]
