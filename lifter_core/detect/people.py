"""A whole clip's detection: looks who is there, follows the main person, and says how sure each point is."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..camera_motion import SHORT_SIDE, Background
from ..detection import ClipFacts, Detection, DetectorSettings
from ..errors import NobodyFoundError
from ..focal import tagged_focal
from ..keypoints import Keypoints
from ..options import DetectOptions
from ..progress import Report, silent
from ..spans import runs
from ..video import ClipInfo, clip_sha256, probe, read_frames
from .detector import Detector, Pose, make_detector
from .flip import make_follower
from .follow import Expectation, follow
from .survey import MOST_PEOPLE, Track, parts_of, survey

_OUTSIDE = 0.3  # a point outside the picture is a guess, however sure the detector is

_LEAST_INSIDE = 0.3  # of the limbs' joints: with fewer in the picture the whole pose is a guess
_SHORTEST_RUN = 3, 0.15  # frames and seconds: a shorter sight of somebody is none
_BLINK = 2  # frames: a shorter loss is none
_OFF = 0.8  # extents between the place pointed at and the middle of the trunk: beyond, it was somebody else or nobody
_AWAY = 1.0  # s: whoever was not seen for longer than this is not who was pointed at


def detect(
    clip: Path,
    detector: str = "heavy",
    start: float | None = None,
    end: float | None = None,
    person: tuple[float, float, float] | None = None,
    flip: bool = True,
    report: Report = silent,
    models: Path | None = None,
) -> Detection:
    """Finds the people in a clip (for now one of them), and all else that lifting needs of it.

    Args:
        detector: a registered name (detector.detector_names()); models: a folder to look for its model in first.
        start, end: seconds of the clip.
        person: whom to follow when there are several: where in the picture they are (x, y from its upper left corner,
            0 to 1) and at which second of the clip. None = the main person: seen most and largest.
        flip: the mirror image of every picture is looked at too, and both answers are averaged: better, for a second
            core's work.

    Raises:
        BadInputError: the clip, the range or the detector's name is not usable, or its model is not to be found.
        NobodyFoundError: no person in the whole range.
    """
    DetectOptions(detector=detector, start=start, end=end, person=person, flip=flip)  # checks them
    clip = Path(clip)
    info = probe(clip)
    total = _frames_in(info, start, end)
    nobody = NobodyFoundError(f"Nobody was found in {info.name}; a person must be in full view and not too far away.")
    with closing(make_detector(detector, MOST_PEOPLE, models)) as finder:
        tracks = survey(finder, clip, info, start, end, total, report)
    if not tracks:
        raise nobody
    track = tracks[0] if person is None else nearest(tracks, info, *person)
    others = [other for other in tracks if other is not track]
    background = Background((info.width, info.height))
    times: list[float] = []
    poses: list[Pose | None] = []
    damaged = 0
    with closing(make_follower(detector, flip, models)) as follower:
        expected, rivals = Expectation(track), [Expectation(other) for other in others]
        frames = read_frames(clip, start, end, grey_side=SHORT_SIDE)
        for frame, pose in follow(follower, frames, track, rivals):
            assert frame.grey is not None
            background(frame.grey, _whereabouts(frame.time, pose, expected, rivals))
            times.append(frame.time)
            poses.append(pose)
            damaged = frame.damaged
            report("detect", len(times), max(total, len(times)))
        report("detect", len(times), len(times))
        keypoints = keypoints_of(times, poses, info, follower)
    if not keypoints.found.any():
        raise nobody
    return Detection(
        clip=ClipFacts(info.name, clip_sha256(clip), info.rotation, damaged, tagged_focal(clip)),
        settings=DetectorSettings(detector, flip, start, end, person),
        image_size=keypoints.image_size,
        fps=keypoints.fps,
        timestamps=keypoints.timestamps,
        keypoint_names=keypoints.names,
        points=keypoints.points[None],
        confidence=keypoints.confidence[None],
        world=None if keypoints.world is None else keypoints.world[None],
        others=tuple(np.array([[s.time, *s.centre, s.extent] for s in other.sightings]) for other in others),
        background=background.tracks(),
    )


def _whereabouts(
    time: float, pose: Pose | None, expected: Expectation, others: list[Expectation]
) -> list[NDArray[np.floating[Any]]]:
    """(K, 2) px around each person in a frame: the followed one's pose, for the others about where they should be."""
    found: list[NDArray[np.floating[Any]]] = [] if pose is None else [pose.points]
    for expectation in others if pose is not None else [expected, *others]:
        place = expectation(time)
        if place is not None:
            centre, extent, _ = place
            found.append(centre + np.array([[-0.35, -0.5], [0.35, 0.65]]) * extent)
    return found


def nearest(tracks: list[Track], info: ClipInfo, x: float, y: float, time: float) -> Track:
    """The track whose person is nearest to a place of the picture (0 to 1) at a time, in sizes of that person.

    Raises:
        NobodyFoundError: nobody is near it.
    """
    place = np.array([x * info.width, y * info.height])

    def distance(track: Track) -> tuple[float, float]:
        times = [s.time for s in track.sightings]
        away = max(times[0] - time, time - times[-1], 0.0)
        expected = Expectation(track)(min(max(time, times[0]), times[-1]))
        assert expected is not None
        centre, extent, _ = expected
        return away, float(np.linalg.norm(place - centre)) / extent

    there = [track for track in tracks if distance(track)[0] <= _AWAY] or tracks
    found = min(there, key=lambda track: distance(track)[1])
    if distance(found)[1] > _OFF:
        raise NobodyFoundError(
            "Nobody was found at the place that was pointed at; point at the middle of a person who is in full view."
        )
    return found


def _frames_in(info: ClipInfo, start: float | None, end: float | None) -> int:
    """An estimate of the frames in the range, 0 if unknown."""
    if not info.duration:
        return 0
    first, last = start or 0.0, info.duration if end is None else min(end, info.duration)
    return min(max(round((last - first) * info.fps), 0), info.frame_count)


def keypoints_of(times: list[float], poses: list[Pose | None], info: ClipInfo, detector: Detector) -> Keypoints:
    """One person's poses (None = not found) as Keypoints: points outside the picture are less sure, and poses mostly outside
    or there for moments only are dropped.
    """
    count, limbs = len(detector.names), parts_of(detector).limbs
    points = np.full((len(times), count, 2), np.nan, np.float32)
    confidence = np.zeros((len(times), count), np.float32)
    world = np.full((len(times), count, 3), np.nan, np.float32) if detector.has_world else None
    for t, pose in enumerate(poses):
        if pose is not None:
            points[t], confidence[t] = pose.points, np.clip(pose.visibility, 0, 1)
            if world is not None:
                world[t] = pose.world
    inside = np.all((points >= 0) & (points <= np.array([info.width, info.height])), axis=-1)
    confidence[~inside] *= _OUTSIDE
    dropped = (inside[:, limbs].mean(1) < _LEAST_INSIDE) | _fleeting(np.isfinite(points[:, 0, 0]), info.fps)
    points[dropped], confidence[dropped] = np.nan, 0.0
    if world is not None:
        world[dropped] = np.nan
    return Keypoints(detector.names, points, confidence, np.array(times), (info.width, info.height), info.fps, world)


def _fleeting(found: NDArray[np.bool_], fps: float) -> NDArray[np.bool_]:
    """(T,) true in stretches of found frames too short to be believed, unless there are only such."""
    stretches: list[tuple[int, int]] = []
    for run in runs(found):
        if stretches and run.start - stretches[-1][1] <= _BLINK:
            stretches[-1] = stretches[-1][0], run.stop
        else:
            stretches.append((run.start, run.stop))
    frames, seconds = _SHORTEST_RUN
    shortest = max(frames, round(seconds * fps))
    fleeting = np.zeros(len(found), np.bool_)
    if max((b - a for a, b in stretches), default=0) >= 2 * shortest:
        for a, b in stretches:
            fleeting[a:b] = found[a:b] & (b - a < shortest)
    return fleeting
