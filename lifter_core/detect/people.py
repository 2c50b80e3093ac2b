"""A whole clip's keypoints: looks who is there, follows the main person, and says how sure each point is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NobodyFoundError
from ..keypoints import Keypoints
from ..progress import Report, silent
from ..video import ClipInfo, Frame, probe, read_frames
from .flip import FlipAveraged
from .follow import Expectation, follow
from .mediapipe import KEYPOINT_NAMES, Landmarker, Pose
from .models import find_model
from .survey import LIMBS, Track, survey

# what is shown every frame, and (K, 2) px about each person who is or should be in it
Watch = Callable[[Frame, list[NDArray[np.floating[Any]]]], None]

_OUTSIDE = 0.3  # a point outside the picture is a guess, however sure the detector is

_LEAST_INSIDE = 0.3  # of the limbs' joints: with fewer in the picture the whole pose is a guess
_SHORTEST_RUN = 3, 0.15  # frames and seconds: a shorter sight of somebody is none
_BLINK = 2  # frames: a shorter loss is none
_OFF = 0.8  # extents between the place pointed at and the middle of the trunk: beyond, it was somebody else or nobody
_AWAY = 1.0  # s: whoever was not seen for longer than this is not who was pointed at


def detect_keypoints(
    clip: Path,
    detector: str = "heavy",
    start: float | None = None,
    end: float | None = None,
    report: Report = silent,
    models: Path | None = None,
    person: tuple[float, float, float] | None = None,
    watch: Watch | None = None,
    grey_side: int = 0,
    flip: bool = False,
) -> list[Keypoints]:
    """The keypoints of each person in the clip (for now of one), over all frames of the range.

    Args:
        person: whom to follow when there are several: where in the picture they are (x, y from its upper left corner,
            0 to 1) and at which second of the clip. None = the main person: seen most and largest.
        flip: the mirror image of every picture is looked at too, and both answers are averaged.
        watch: is shown every frame, with a small grey picture of ``grey_side`` px, and where people are in it.

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
    track = tracks[0] if person is None else nearest(tracks, info, *person)
    times: list[float] = []
    poses: list[Pose | None] = []
    with FlipAveraged(model) if flip else Landmarker(model) as landmarker:
        frames = _Counted(read_frames(clip, start, end, grey_side=grey_side))
        expected = [(other is track, Expectation(other)) for other in tracks]
        others = [expectation for followed, expectation in expected if not followed]
        for time, pose in follow(landmarker, frames, track, others):
            times.append(time)
            poses.append(pose)
            if watch and frames.last:
                watch(frames.last, _whereabouts(time, pose, expected))
            report("detect", len(times), max(total, len(times)))
    report("detect", len(times), len(times))
    keypoints = keypoints_of(times, poses, info)
    keypoints.damaged = frames.damaged
    if not keypoints.found.any():
        raise nobody
    return [keypoints]


class _Counted:
    """Passes frames on, keeps the last one and how many packets of the clip were lost."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self.damaged = 0
        self.last: Frame | None = None

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.damaged, self.last = frame.damaged, frame
            yield frame


def _whereabouts(
    time: float, pose: Pose | None, expected: list[tuple[bool, Expectation]]
) -> list[NDArray[np.floating[Any]]]:
    """(K, 2) px around each person in a frame: the followed one's pose, for the others about where they should be."""
    found: list[NDArray[np.floating[Any]]] = [] if pose is None else [pose.points]
    for followed, expectation in expected:
        place = None if followed and pose is not None else expectation(time)
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


def keypoints_of(times: list[float], poses: list[Pose | None], info: ClipInfo) -> Keypoints:
    """One person's poses (None = not found) as Keypoints: points outside the picture are less sure, and poses mostly outside
    or there for moments only are dropped.
    """
    count = len(KEYPOINT_NAMES)
    points = np.full((len(times), count, 2), np.nan, np.float32)
    confidence = np.zeros((len(times), count), np.float32)
    world = np.full((len(times), count, 3), np.nan, np.float32)
    for t, pose in enumerate(poses):
        if pose is not None:
            points[t], confidence[t], world[t] = pose
    inside = np.all((points >= 0) & (points <= np.array([info.width, info.height])), axis=-1)
    confidence[~inside] *= _OUTSIDE
    dropped = (inside[:, LIMBS].mean(1) < _LEAST_INSIDE) | _fleeting(np.isfinite(points[:, 0, 0]), info.fps)
    points[dropped], confidence[dropped], world[dropped] = np.nan, 0.0, np.nan
    return Keypoints(KEYPOINT_NAMES, points, confidence, np.array(times), (info.width, info.height), info.fps, world)


def _fleeting(found: NDArray[np.bool_], fps: float) -> NDArray[np.bool_]:
    """(T,) true in stretches of found frames too short to be believed, unless there are only such."""
    edges = np.flatnonzero(np.diff(found, prepend=False, append=False))
    begins, ends = edges[::2], edges[1::2]
    apart = np.flatnonzero(begins[1:] - ends[:-1] > _BLINK) + 1
    stretches = [
        (int(part[0, 0]), int(part[-1, 1])) for part in np.split(np.stack([begins, ends], 1), apart) if len(part)
    ]
    frames, seconds = _SHORTEST_RUN
    shortest = max(frames, round(seconds * fps))
    fleeting = np.zeros(len(found), np.bool_)
    if max((b - a for a, b in stretches), default=0) >= 2 * shortest:
        for a, b in stretches:
            fleeting[a:b] = found[a:b] & (b - a < shortest)
    return fleeting
