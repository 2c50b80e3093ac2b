"""A moving camera: how it turned and zoomed, seen from the background while a clip is read."""

from .motion import CameraMotion, still_camera

__all__ = ["CameraMotion", "still_camera"]
