"""People over a whole clip: runs the detector, follows the main person, fills in what the first pass missed."""

from pathlib import Path

import numpy as np

from ..errors import NobodyFoundError
from ..keypoints import Keypoints
from ..progress import Report, silent
from ..video import probe, read_frames
from .mediapipe import KEYPOINT_NAMES, Landmarker, Pose
from .models import find_model


def detect_keypoints(
    clip: Path,
    detector: str = "heavy",
    start: float | None = None,
    end: float | None = None,
    report: Report = silent,
    models: Path | None = None,
) -> list[Keypoints]:
    """The keypoints of each person in the clip (for now of the main person), over all frames of the range.

    Raises:
        BadInputError: the clip, the range or the detector's name is not usable, or its model is not to be found.
        NobodyFoundError: no person in the whole range.
    """
    model = find_model(detector, models)
    info = probe(clip)
    total = info.frame_count
    times: list[float] = []
    poses: list[Pose | None] = []
    with Landmarker(model, tracking=True) as landmarker:
        for frame in read_frames(clip, start, end):
            times.append(frame.time)
            poses.append(landmarker(frame.image))
            report("detect", len(times), max(total, len(times)))
    if not any(poses):
        raise NobodyFoundError(f"Nobody was found in {info.name}; the person must be seen whole and large enough.")
    count = len(KEYPOINT_NAMES)
    points = np.full((len(times), count, 2), np.nan, np.float32)
    confidence = np.zeros((len(times), count), np.float32)
    world = np.full((len(times), count, 3), np.nan, np.float32)
    for t, pose in enumerate(poses):
        if pose is not None:
            points[t], confidence[t], world[t] = pose
    size = (info.width, info.height)
    return [Keypoints(KEYPOINT_NAMES, points, confidence, np.array(times), size, info.fps, world)]
