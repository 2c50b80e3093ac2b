"""Following one person through every frame, on a crop that moves with them.

The crop keeps other people out, keeps the person large enough to be found again when lost, and steadies them for the
detector, which expects them where they were in the picture before.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..video import Frame
from .detector import Detector, Pose
from .survey import Parts, Sighting, Track, is_plausible, parts_of, sighting

_CROP = 2.2  # side of the crop, in extents of the person
_VISIBLE = 0.2  # mean visibility of the limbs; lower than for finding somebody, since where they are is known
_SURELY = 0.25  # extents; a pose no further than this from where the person should be is theirs
_BESIDE = 0.3  # extents; whoever is further to a side can be cut off the crop
_BEYOND = 1.0  # s before the first and after the last sighting in which the person is still looked for


class Expectation:
    """Where a track's person should be at any time: straight lines between sightings, a little beyond at both ends."""

    def __init__(self, track: Track) -> None:
        seen = track.sightings
        self._times = np.array([s.time for s in seen])
        self._centres = np.array([s.centre for s in seen], np.float64)
        # who crouches at one sighting may stand at the next: the larger of neighbours
        extents = np.array([s.extent for s in seen])
        padded = np.pad(extents, 1, mode="edge")
        self._extents = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])

    def __call__(self, time: float) -> tuple[NDArray[np.float64], float, float] | None:
        """Centre px, extent px, and how far off the centre may be in extents; None where nobody is to be looked for."""
        times, centres = self._times, self._centres
        if not times[0] - _BEYOND <= time <= times[-1] + _BEYOND:
            return None
        centre = np.array([np.interp(time, times, centres[:, axis]) for axis in range(2)])
        outside = max(times[0] - time, time - times[-1], 0.0)
        if outside and len(times) > 1:
            near, next_ = (0, 1) if time < times[0] else (-1, -2)
            velocity = (centres[near] - centres[next_]) / (times[near] - times[next_])
            centre += velocity * (time - times[near])
        after = int(np.searchsorted(times, time))
        neighbours = times[max(after - 1, 0) : after + 1]
        unsure = float(np.abs(neighbours - time).min())
        return centre, float(np.interp(time, times, self._extents)), 0.6 + min(unsure, 1.0)


def follow(
    detector: Detector,
    frames: Iterable[Frame],
    track: Track,
    others: Sequence[Expectation] = (),
) -> Iterator[tuple[Frame, Pose | None]]:
    """Each frame and the person's pose in pixels of the whole picture; None where they were not found.

    Whoever is nearer to where one of the ``others`` should be is not taken for the person; from then on the other is cut
    off the crop for as long as they are in it.
    """
    expectation, parts = Expectation(track), parts_of(detector)
    last: Sighting | None = None
    apart = False
    for frame in frames:
        expected = expectation(frame.time)
        pose = None
        if expected is not None:
            centre, extent, slack = expected
            around = last.centre if last else centre
            height, width = frame.image.shape[:2]
            whole = crop(around, _CROP * extent, width, height)
            rivals = [place[0] for other in others if (place := other(frame.time)) is not None]
            box = _without(whole, around, rivals, extent) if apart else whole
            apart = box != whole
            pose, seen = _look(detector, parts, frame, box)
            if seen is not None and _is_another(seen, centre, extent, rivals):
                detector.forget()
                pose, box = None, _without(whole, around, rivals, extent)
                apart = box != whole
                pose, seen = _look(detector, parts, frame, box) if apart else (None, None)
            if seen is not None:
                distance = float(np.linalg.norm(seen.centre - centre)) / extent
                fits = distance < slack and 0.25 < seen.extent / extent < 2 and is_plausible(seen, _VISIBLE)
                if fits and not _is_another(seen, centre, extent, rivals):
                    last = seen
                else:
                    pose = None
                    detector.forget()
        if pose is None:
            last = None
        yield frame, pose


def _look(
    detector: Detector, parts: Parts, frame: Frame, box: tuple[int, int, int, int]
) -> tuple[Pose | None, Sighting | None]:
    """Whoever the detector finds in a box of the frame, in pixels of the whole picture."""
    x, y, w, h = box
    poses = detector(frame.image[y : y + h, x : x + w])
    if not poses:
        return None, None
    pose = poses[0]._replace(points=poses[0].points + np.array([x, y], np.float32))
    return pose, sighting(frame.time, pose, parts)


def _is_another(seen: Sighting, centre: NDArray[np.float64], extent: float, rivals: list[NDArray[np.float64]]) -> bool:
    """Whether it is rather one of the others; while people cross, places cannot tell."""
    own = float(np.linalg.norm(seen.centre - centre))
    return own > _SURELY * extent and any(np.linalg.norm(seen.centre - rival) < own for rival in rivals)


def _without(
    box: tuple[int, int, int, int], centre: NDArray[np.floating], rivals: list[NDArray[np.float64]], extent: float
) -> tuple[int, int, int, int]:
    """The box, cut half-way to each of the others in it who stands well to the left or right of the person."""
    x, y, w, h = box
    left, right = x, x + w
    for rival in rivals:
        if x <= rival[0] <= x + w and abs(rival[0] - centre[0]) > _BESIDE * extent:
            middle = round(float(rival[0] + centre[0]) / 2)
            left, right = (max(left, middle), right) if rival[0] < centre[0] else (left, min(right, middle))
    return (left, y, right - left, h) if right - left > _BESIDE * extent else box


def crop(centre: NDArray[np.floating], side: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The square (x, y, w, h) about a centre, pushed into the picture, cut where the picture is smaller than it."""
    w, h = min(round(side), width), min(round(side), height)
    x = min(max(round(float(centre[0]) - w / 2), 0), width - w)
    y = min(max(round(float(centre[1]) - h / 2), 0), height - h)
    return x, y, w, h
