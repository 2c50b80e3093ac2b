"""2D detection: a clip in, the keypoints of each person out."""

from .people import Watch, detect_keypoints

__all__ = ["Watch", "detect_keypoints"]
