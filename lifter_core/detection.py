"""The detection: all that was seen in a clip, and its file (``lift-detection/1``, a plain .npz; docs/detection.md).

Pixels are those of the upright, square-pixel picture. Camera axes: x right, y down, z forward.
"""

import json
import math
import os
from dataclasses import asdict, dataclass, fields
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from . import __version__
from .camera_motion.tracks import TRACKS_LAYOUT, Tracks, check_tracks, tracks_from_arrays, tracks_to_arrays
from .errors import BadInputError
from .files import replaced
from .keypoints import Keypoints
from .layout import Layout, check_shapes, typed
from .npz import Shapes, read_npz

FORMAT = "lift-detection/1"
MINOR = 0  # a newer minor version only adds arrays and facts

_PEOPLE: Layout = {
    "timestamps": (np.float64, "T"),
    "keypoint_names": (np.str_, "K"),
    "points": (np.float32, "PTK2"),
    "confidence": (np.float32, "PTK"),
}
_WORLD: Layout = {"world": (np.float32, "PTK3")}
_FACTS: Layout = {
    "minor": (np.int32, ""),
    "image_size": (np.int32, "2"),
    "fps": (np.float64, ""),
    "meta": (np.str_, ""),
}
_OTHERS: Layout = {"others": (np.float64, "S4"), "others_person": (np.int32, "S")}
_EVERY: Layout = {**_FACTS, **_PEOPLE, **_WORLD, **_OTHERS, **TRACKS_LAYOUT}
_LONGEST = {"P": 64, "T": 5_000_000, "K": 1000, "S": 1_000_000, "M": 20_000_000, "R": 100_000}
_LONGEST_SIDE = 65_536  # px
_LARGEST = 1e15  # of the numbers in meta


@dataclass(frozen=True)
class ClipFacts:
    """What is kept of the clip itself.

    Attributes:
        name: the file's name, without its folder; sha256: of the file, in hex; both may be empty if unknown.
        rotation: degrees that bring the stored picture upright, as video.ClipInfo has it.
        damaged: packets that could not be decoded; their pictures are missing.
        focal_35mm: the 35 mm equivalent focal length in mm that the file's tags name, None if they name none.
    """

    name: str = ""
    sha256: str = ""
    rotation: int = 0
    damaged: int = 0
    focal_35mm: float | None = None

    def __post_init__(self) -> None:
        """Checks the facts."""
        if not isinstance(self.name, str) or not isinstance(self.sha256, str) or len(self.sha256) not in (0, 64):
            raise BadInputError("the clip's name must be text, and its sha256 64 hexadecimal digits")
        if not _is_whole(self.rotation):
            raise BadInputError("the clip's rotation must be whole degrees")
        if not _is_whole(self.damaged) or self.damaged < 0:
            raise BadInputError("the number of damaged packets must be a whole number from 0 up")
        if self.focal_35mm is not None and not (_is_number(self.focal_35mm) and self.focal_35mm > 0):
            raise BadInputError("the clip's focal length must be above 0 mm")


@dataclass(frozen=True)
class DetectorSettings:
    """How the clip was looked at.

    Attributes:
        detector: the name it is registered by; flip: each picture's mirror image was looked at too.
        start, end: the range in seconds of the clip; None = from its beginning, to its end.
        person: who was pointed at: x, y (0 to 1 from the upper left) and second; None = the main person was taken.
        version: of lifter_core.
    """

    detector: str
    flip: bool = True
    start: float | None = None
    end: float | None = None
    person: tuple[float, float, float] | None = None
    version: str = __version__

    def __post_init__(self) -> None:
        """Checks the settings."""
        if not isinstance(self.detector, str) or not isinstance(self.version, str):
            raise BadInputError("the detector's name and the program's version must be text")
        if not isinstance(self.flip, bool):
            raise BadInputError("flip must be true or false")
        if not all(end is None or _is_number(end) for end in (self.start, self.end)):
            raise BadInputError("start and end must be seconds")
        if self.person is not None:
            place = self.person
            if not isinstance(place, tuple | list) or len(place) != 3 or not all(_is_number(x) for x in place):
                raise BadInputError("person must be two places from 0 to 1 and a second")
            object.__setattr__(self, "person", tuple(place))


@dataclass(frozen=True, eq=False)
class Detection:
    """P people followed through T frames of a clip, K keypoints each. Checked when made.

    Attributes:
        clip: what is kept of the file; settings: how it was looked at.
        image_size: width, height of the upright picture in px; fps: the clip's average frame rate.
        timestamps: (T,) s from the clip's first frame, rising.
        keypoint_names: (``left_knee``, ...; left and right are the person's own).
        points: (P, T, K, 2) px; in a frame in which a person was not found all of theirs are NaN.
        confidence: (P, T, K) 0 to 1; 0 where not found.
        world: (P, T, K, 3) m about the hips, camera axes: the detector's own 3D, NaN where not found; None = it gives none.
        others: who else was in the clip, an (S, 4) array a person, a row a sighting: s, x and y px of the trunk's middle,
            extent in px. They were looked for twice a second or so, and not followed.
        background: what was measured of the background, for the camera's motion; None = nothing was.

    Raises:
        BadInputError: the parts do not belong together, or something in them cannot be.
    """

    clip: ClipFacts
    settings: DetectorSettings
    image_size: tuple[int, int]
    fps: float
    timestamps: NDArray[np.float64]
    keypoint_names: tuple[str, ...]
    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    world: NDArray[np.float32] | None = None
    others: tuple[NDArray[np.float64], ...] = ()
    background: Tracks | None = None

    def __post_init__(self) -> None:
        """Checks the detection."""
        names = np.array(self.keypoint_names, dtype=np.str_)
        arrays: dict[str, NDArray[Any]]
        arrays = {"timestamps": self.timestamps, "points": self.points, "confidence": self.confidence}
        layout = dict(_PEOPLE)
        if self.world is not None:
            arrays["world"] = self.world
            layout |= _WORLD
        shapes = {name: array.shape for name, array in arrays.items()} | {"keypoint_names": names.shape}
        if 0 in check_shapes(shapes, layout, _LONGEST).values():
            raise BadInputError("it has no people, no frames or no keypoints")
        for name, array in arrays.items():
            object.__setattr__(self, name, typed(name, array, layout[name][0]))
        self._check_numbers()
        if self.background is not None:
            check_tracks(self.background)
            if self.background.frames != len(self.timestamps):
                raise BadInputError("the background has another number of frames than the people")

    def _check_numbers(self) -> None:
        width, height = self.image_size
        if not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
            raise BadInputError(
                f"the picture's size is {width} x {height} pixels; it must be 1 to {_LONGEST_SIDE} a side"
            )
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise BadInputError(f"the frame rate is {self.fps:g}; it must be above 0")
        if not np.isfinite(self.timestamps).all() or (np.diff(self.timestamps) <= 0).any():
            raise BadInputError("the timestamps do not rise")
        if len(set(self.keypoint_names)) < len(self.keypoint_names):
            raise BadInputError("two keypoints have the same name")
        finite = np.isfinite(self.points).all(-1)
        found = finite.all(-1)
        if np.isinf(self.points).any() or (finite.any(-1) != found).any():
            raise BadInputError("in each frame a person's points must be all finite, or all NaN")
        if not found.any(-1).all():
            raise BadInputError("a person is found in no frame")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all() or self.confidence[~found].any():
            raise BadInputError("the confidence must be from 0 to 1, and 0 where the person was not found")
        if self.world is not None and not np.isfinite(self.world[found]).all():
            raise BadInputError("world must be finite where the person was found")
        if any(other.ndim != 2 or other.shape[1] != 4 or not np.isfinite(other).all() for other in self.others):
            raise BadInputError("the others' sightings must be rows of 4 finite numbers")

    @property
    def people(self) -> list[Keypoints]:
        """Each person's keypoints over the clip."""
        return [
            Keypoints(
                self.keypoint_names,
                self.points[p],
                self.confidence[p],
                self.timestamps,
                self.image_size,
                self.fps,
                None if self.world is None else self.world[p],
            )
            for p in range(len(self.points))
        ]


def save_detection(detection: Detection, path: str | os.PathLike[str]) -> None:
    """Writes the detection to a temporary name beside ``path`` and moves it into place."""
    sightings = [np.empty((0, 4)), *detection.others]
    meta = {"clip": asdict(detection.clip), "settings": asdict(detection.settings)}
    arrays: dict[str, Any] = {
        "format": np.array(FORMAT),
        "minor": np.array(MINOR, np.int32),
        "meta": np.array(json.dumps(meta)),
        "image_size": np.array(detection.image_size, np.int32),
        "fps": np.array(detection.fps, np.float64),
        "timestamps": detection.timestamps,
        "keypoint_names": np.array(detection.keypoint_names),
        "points": detection.points,
        "confidence": detection.confidence,
        "others": np.concatenate(sightings).astype(np.float64),
        "others_person": np.repeat(
            np.arange(len(detection.others), dtype=np.int32), [len(other) for other in detection.others]
        ),
    }
    if detection.world is not None:
        arrays["world"] = detection.world
    if detection.background is not None:
        arrays |= tracks_to_arrays(detection.background)
    with replaced(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def load_detection(path: str | os.PathLike[str]) -> Detection:
    """Reads a detection file.

    Raises:
        BadInputError: the file is missing, is no detection, is damaged, or is of another format version.
    """
    try:
        with open(path, "rb") as stream:
            return read_detection(stream)
    except OSError as error:
        raise BadInputError(f"The detection {path} cannot be read: {error.strerror}.") from None
    except BadInputError as error:
        raise BadInputError(f"{path} is not a detection that can be read: {error}; detect the clip again.") from None


def read_detection(stream: BinaryIO) -> Detection:
    """Reads a detection from an open file of any minor version; what it does not know is ignored.

    Raises:
        BadInputError: what is wrong, as a clause without the file's name.
    """
    said = _format(stream)
    if said != FORMAT:
        raise BadInputError(f"it is not a {FORMAT} file (it says {ascii(said)[:40]})")
    arrays = read_npz(stream, list(_EVERY), _check_file)
    arrays = {name: typed(name, array, _EVERY[name][0]) for name, array in arrays.items()}
    try:
        meta = json.loads(str(arrays["meta"][()]))
    except (ValueError, RecursionError):
        raise BadInputError("its meta is no JSON") from None
    size = int(arrays["image_size"][0]), int(arrays["image_size"][1])
    background = None
    if "background_size" in arrays:
        background = tracks_from_arrays(arrays, len(arrays["timestamps"]), size)
    whose = arrays["others_person"]
    if (np.diff(whose, prepend=0) < 0).any():
        raise BadInputError("the others are not in order")
    return Detection(
        clip=ClipFacts(**_known(ClipFacts, meta, "clip")),
        settings=DetectorSettings(**_known(DetectorSettings, meta, "settings")),
        image_size=size,
        fps=float(arrays["fps"]),
        timestamps=arrays["timestamps"],
        keypoint_names=tuple(arrays["keypoint_names"].tolist()),
        points=arrays["points"],
        confidence=arrays["confidence"],
        world=arrays.get("world"),
        others=tuple(arrays["others"][whose == person] for person in np.unique(whose)),
        background=background,
    )


def is_detection(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it is a detection, of whatever version."""
    try:
        with open(path, "rb") as stream:
            return _format(stream).startswith("lift-detection/")
    except (OSError, BadInputError):
        return False


def _format(stream: BinaryIO) -> str:
    array = read_npz(stream, ("format",)).get("format", np.array(0))
    return str(array[()]) if array.dtype.kind == "U" and array.ndim == 0 else ""


def _check_file(shapes: Shapes) -> None:
    """Compares the shapes of a file's arrays before they are read."""
    layout = {**_FACTS, **_PEOPLE, **_OTHERS}
    for optional in (_WORLD, TRACKS_LAYOUT):
        if not optional.keys().isdisjoint(shapes):
            layout |= optional
    check_shapes(shapes, layout, _LONGEST)


def _known(kind: type[ClipFacts] | type[DetectorSettings], meta: Any, part: str) -> dict[str, Any]:
    """Those of a part of a file's facts that this version knows; a newer one may have added some."""
    values = meta.get(part) if isinstance(meta, dict) else None
    if not isinstance(values, dict):
        raise BadInputError(f"the facts of its {part} are missing")
    return {f.name: values[f.name] for f in fields(kind) if f.name in values}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)
