"""A moving camera: how it turned and zoomed, seen from the background while a clip is read."""

from .background import SHORT_SIDE, Background, Tracks
from .estimate import Estimate, estimate_motion
from .motion import CameraMotion, still_camera

__all__ = ["SHORT_SIDE", "Background", "CameraMotion", "Estimate", "Tracks", "estimate_motion", "still_camera"]
