"""A moving camera: how it turned and zoomed, seen from the background while a clip is read."""

from .background import SHORT_SIDE, Background, Tracks
from .estimate import CameraEstimate, estimate_motion
from .motion import CameraMotion, still_camera
from .self_calibration import FocalEstimate, estimate_focal

__all__ = [
    "SHORT_SIDE",
    "Background",
    "CameraEstimate",
    "CameraMotion",
    "FocalEstimate",
    "Tracks",
    "estimate_focal",
    "estimate_motion",
    "still_camera",
]
