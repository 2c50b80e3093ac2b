"""2D detection: a clip in, the keypoints of each person out."""

from .people import detect_keypoints

__all__ = ["detect_keypoints"]
