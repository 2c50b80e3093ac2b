"""A whole clip's keypoints: looks who is there, follows the main person, and says how sure each point is."""

from pathlib import Path

import numpy as np

from ..errors import NobodyFoundError
from ..keypoints import Keypoints
from ..progress import Report, silent
from ..video import ClipInfo, probe, read_frames
from .follow import follow
from .mediapipe import KEYPOINT_NAMES, Landmarker, Pose
from .models import find_model
from .survey import survey

_OUTSIDE = 0.3  # a point outside the picture is a guess, however sure the detector is


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
    total = _frames_in(info, start, end)
    nobody = NobodyFoundError(f"Nobody was found in {info.name}; a person must be in full view and not too far away.")
    tracks = survey(clip, info, model, start, end, total, report)
    if not tracks:
        raise nobody
    times: list[float] = []
    poses: list[Pose | None] = []
    with Landmarker(model) as landmarker:
        for time, pose in follow(landmarker, read_frames(clip, start, end), tracks[0]):
            times.append(time)
            poses.append(pose)
            report("detect", len(times), max(total, len(times)))
    report("detect", len(times), len(times))
    if not any(poses):
        raise nobody
    return [_keypoints(times, poses, info)]


def _frames_in(info: ClipInfo, start: float | None, end: float | None) -> int:
    """An estimate of the frames in the range, 0 if unknown."""
    if not info.duration:
        return 0
    first, last = start or 0.0, info.duration if end is None else min(end, info.duration)
    return min(max(round((last - first) * info.fps), 0), info.frame_count)


def _keypoints(times: list[float], poses: list[Pose | None], info: ClipInfo) -> Keypoints:
    count = len(KEYPOINT_NAMES)
    points = np.full((len(times), count, 2), np.nan, np.float32)
    confidence = np.zeros((len(times), count), np.float32)
    world = np.full((len(times), count, 3), np.nan, np.float32)
    for t, pose in enumerate(poses):
        if pose is not None:
            points[t], confidence[t], world[t] = pose
    outside = ((points < 0) | (points > np.array([info.width, info.height]))).any(-1)
    confidence[outside] *= _OUTSIDE
    return Keypoints(KEYPOINT_NAMES, points, confidence, np.array(times), (info.width, info.height), info.fps, world)
