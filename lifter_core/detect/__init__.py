"""2D detection: a clip in, the keypoints of each person out."""

from . import mediapipe  # registers its detectors
from .detector import Detector, Pose, detector_names, register
from .people import detect

__all__ = ["Detector", "Pose", "detect", "detector_names", "mediapipe", "register"]
