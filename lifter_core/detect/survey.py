"""Who is in the clip, and roughly where: a look at a few frames a second, linked into one track a person.

A detector that follows one person takes the first one it sees and misses small ones, so before anybody is followed
the clip is searched for everybody. MediaPipe's person detector sees the picture at 224 x 224: square tiles show it
people twice as large as a whole wide picture does (on one clip with two people: 31 sightings against 15).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..progress import Report
from ..video import ClipInfo, read_frames
from .detector import Detector, Pose

MOST_PEOPLE = 4  # in one tile
_INTERVAL = 0.5  # s between the frames looked at
_TILE_STEP = 0.8  # of a tile's side
_LONGEST_GAP = 2.0  # s without a sighting after which a track ends
_LONGEST_STAY = 10.0  # s after which somebody seen at the same place is still the same person


class Parts(NamedTuple):
    """Which of a detector's points are shoulders, hips, and ends of limbs."""

    shoulders: list[int]
    hips: list[int]
    limbs: list[int]


@dataclass(frozen=True)
class Sighting:
    """A person in one frame: (2,) trunk's middle in px, trunk's length and whole extent in px, mean visibility."""

    time: float
    centre: NDArray[np.float32]
    trunk: float
    extent: float
    visibility: float


@dataclass
class Track:
    """One person's sightings in order of time."""

    sightings: list[Sighting] = field(default_factory=list)

    @property
    def size(self) -> float:
        """The usual length of the trunk in px, bending and turning aside."""
        return float(np.percentile([s.trunk for s in self.sightings], 75))


def parts_of(detector: Detector) -> Parts:
    """The parts of the body among a detector's points.

    Raises:
        ValueError: it has no shoulders, hips or limbs.
    """
    index = {name: i for i, name in enumerate(detector.names)}
    try:
        shoulders, hips = ([index[f"{side}_{part}"] for side in ("left", "right")] for part in ("shoulder", "hip"))
        limbs = sorted({index[name] for limb in detector.limbs for name in limb})
    except KeyError as error:
        raise ValueError(f"a detector must have a point named {error}") from None
    if not limbs:
        raise ValueError("a detector must name some limbs")
    return Parts(shoulders, hips, limbs)


def sighting(time: float, pose: Pose, parts: Parts) -> Sighting:
    """What a pose says of where its person is."""
    shoulders, hips = pose.points[parts.shoulders].mean(0), pose.points[parts.hips].mean(0)
    extent = float((pose.points.max(0) - pose.points.min(0)).max())
    trunk = float(np.linalg.norm(shoulders - hips))
    return Sighting(time, (shoulders + hips) / 2, trunk, extent, float(pose.visibility[parts.limbs].mean()))


def is_plausible(seen: Sighting, visibility: float = 0.35) -> bool:
    """Whether this may be a person, and not a piece of furniture: limbs seen, a trunk of some length."""
    return seen.visibility > visibility and seen.trunk > 0.12 * seen.extent


def survey(
    detector: Detector, clip: Path, info: ClipInfo, start: float | None, end: float | None, total: int, report: Report
) -> list[Track]:
    """The people seen in the range, the main person first; empty if nobody was.

    Small people are looked for (in smaller tiles) only when there are no larger ones.

    Args:
        detector: made for MOST_PEOPLE; start, end: seconds of the clip.
        total: an estimate of the frames in the range, 0 if unknown.
    """
    interval = min(_INTERVAL, total / info.fps / 8) if total else _INTERVAL
    parts = parts_of(detector)
    for rows in (1, 2):
        tracks: list[Track] = []
        for frame in read_frames(clip, start, end, interval):
            seen = _seen(detector, parts, frame.image, frame.time, rows)
            _link(tracks, seen)
            report("read", frame.index + 1, max(total, frame.index + 1), "looking for people")
        tracks = ranked(_joined(tracks), interval)
        if tracks:
            return tracks
    return []


def tiles(width: int, height: int, rows: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping squares (x, y, width, height) that cover the picture, ``rows`` of them along its shorter side.

    With one row a picture that is higher than wide comes first as a whole: standing people fill such pictures.
    """
    if rows == 1 and height > width:
        yield 0, 0, width, height
    side = round(min(width, height) / (1 + (rows - 1) * _TILE_STEP))
    for y in _offsets(height, side):
        for x in _offsets(width, side):
            yield x, y, side, side


def _offsets(length: int, side: int) -> list[int]:
    count = 1 + int(np.ceil((length - side) / (_TILE_STEP * side) - 0.05))
    return [round(v) for v in np.linspace(0, length - side, max(count, 1))]


def _seen(detector: Detector, parts: Parts, image: NDArray[np.uint8], time: float, rows: int) -> list[Sighting]:
    """Everybody in one frame, each once."""
    height, width = image.shape[:2]
    found: list[Sighting] = []
    for x, y, w, h in tiles(width, height, rows):
        for pose in detector(image[y : y + h, x : x + w]):
            seen = sighting(time, pose._replace(points=pose.points + np.array([x, y], np.float32)), parts)
            if is_plausible(seen):
                found.append(seen)
        if found and (w, h) == (width, height):
            break
    found.sort(key=lambda s: -s.visibility * s.extent)
    distinct: list[Sighting] = []
    for s in found:
        if all(np.linalg.norm(s.centre - d.centre) > max(s.trunk, d.trunk) for d in distinct):
            distinct.append(s)
    return distinct


def _link(tracks: list[Track], seen: list[Sighting]) -> None:
    """Adds each sighting to the track it continues, nearest pairs first, or begins a track with it."""
    pairs = []
    for s in seen:
        for track in tracks:
            last = track.sightings[-1]
            elapsed = s.time - last.time
            if not 0 < elapsed <= _LONGEST_GAP or not 0.5 < s.extent / last.extent < 2:
                continue
            distance = float(np.linalg.norm(s.centre - _ahead(track, s.time))) / max(s.extent, last.extent)
            if distance < min(0.4 + 2 * elapsed, 1.5):
                pairs.append((distance, id(s), id(track), s, track))
    taken: set[int] = set()
    for _, a, b, s, track in sorted(pairs, key=lambda pair: pair[0]):
        if a not in taken and b not in taken:
            taken |= {a, b}
            track.sightings.append(s)
    tracks += [Track([s]) for s in seen if id(s) not in taken]


def _ahead(track: Track, time: float) -> NDArray[np.float32]:
    """Where the track would be after its last sighting, going on as before for a short while."""
    last = track.sightings[-1]
    if len(track.sightings) < 2:
        return last.centre
    before = track.sightings[-2]
    velocity = (last.centre - before.centre) / (last.time - before.time)
    return np.asarray(last.centre + velocity * min(time - last.time, _INTERVAL), np.float32)


def _joined(tracks: list[Track]) -> list[Track]:
    """Tracks of somebody who was lost and seen again at the same place, made one."""
    joined: list[Track] = []
    for track in sorted(tracks, key=lambda t: t.sightings[0].time):
        first = track.sightings[0]
        for earlier in joined:
            last = earlier.sightings[-1]
            near = np.linalg.norm(first.centre - last.centre) < 0.5 * max(first.extent, last.extent)
            alike = 0.7 < first.extent / last.extent < 1.4
            if near and alike and 0 < first.time - last.time <= _LONGEST_STAY:
                earlier.sightings += track.sightings
                break
        else:
            joined.append(track)
    return joined


def ranked(tracks: list[Track], interval: float) -> list[Track]:
    """The main person first: the most sightings times size. A single sighting counts only in a very short clip."""
    several = [t for t in tracks if len(t.sightings) > 1] or (tracks if interval < _INTERVAL else [])
    return sorted(several, key=lambda t: -len(t.sightings) * t.size)
