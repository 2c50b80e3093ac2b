"""Following one person through every frame, on a crop that moves with them.

The crop keeps other people out, keeps the person large enough to be found again when lost, and steadies them for the
landmarker, which expects them where they were in the picture before.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..video import Frame
from .mediapipe import Landmarker, Pose
from .survey import Sighting, Track, is_plausible, sighting

_CROP = 2.2  # side of the crop, in extents of the person
_VISIBLE = 0.2  # mean visibility of the limbs; lower than for finding somebody, since where they are is known
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


def follow(landmarker: Landmarker, frames: Iterable[Frame], track: Track) -> Iterator[tuple[float, Pose | None]]:
    """Each frame's time and the person's pose in pixels of the whole picture; None where they were not found."""
    expectation = Expectation(track)
    last: Sighting | None = None
    for frame in frames:
        expected = expectation(frame.time)
        pose = None
        if expected is not None:
            centre, extent, slack = expected
            x, y, w, h = crop(
                last.centre if last else centre, _CROP * extent, frame.image.shape[1], frame.image.shape[0]
            )
            poses = landmarker(frame.image[y : y + h, x : x + w])
            if poses:
                pose = poses[0]._replace(points=poses[0].points + np.array([x, y], np.float32))
                seen = sighting(frame.time, pose)
                distance = float(np.linalg.norm(seen.centre - centre)) / extent
                if distance < slack and 0.25 < seen.extent / extent < 2 and is_plausible(seen, _VISIBLE):
                    last = seen
                else:
                    pose = None
                    landmarker.forget()
        if pose is None:
            last = None
        yield frame.time, pose


def crop(centre: NDArray[np.floating], side: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The square (x, y, w, h) about a centre, pushed into the picture, cut where the picture is smaller than it."""
    w, h = min(round(side), width), min(round(side), height)
    x = min(max(round(float(centre[0]) - w / 2), 0), width - w)
    y = min(max(round(float(centre[1]) - h / 2), 0), height - h)
    return x, y, w, h
