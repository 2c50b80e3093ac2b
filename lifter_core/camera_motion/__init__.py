"""Camera motion: the rotation and zoom of a camera that does not change its place, estimated from the background."""

from .background_tracker import SHORT_SIDE, Background
from .estimate import CameraEstimate, estimate_motion
from .rotation_and_zoom import CameraMotion, still_camera
from .self_calibration import FocalEstimate, estimate_focal
from .tracks import Measurement, Tracks

__all__ = [
    "SHORT_SIDE",
    "Background",
    "CameraEstimate",
    "CameraMotion",
    "FocalEstimate",
    "Measurement",
    "Tracks",
    "estimate_focal",
    "estimate_motion",
    "still_camera",
]
