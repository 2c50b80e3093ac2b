"""The tracks of a clip's background: the type, its checks, and its arrays in a detection file."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError


class Measurement(NamedTuple):
    """The points of a reference frame found in another frame, in px of the grey picture from its middle."""

    frame: int
    reference: int
    before: NDArray[np.float32]  # (N, 2) in the reference
    after: NDArray[np.float32]  # (N, 2) in the frame
    share: NDArray[np.float32]  # (N,) robust weight of each point in the camera's fit, 0..1


@dataclass
class Tracks:
    """All measurements of a clip's background.

    Attributes:
        frames: how many frames there were.
        size: width, height of the grey pictures in px; scale: their width divided by the clip's.
        births: the frame from which each reference was made.
        measurements: in order of frames; a frame may have several (links between references), one or none.
        poor: the number of frames that could not be registered.
    """

    frames: int
    size: tuple[int, int]
    scale: float
    births: list[int]
    measurements: list[Measurement]
    poor: int


# of a detection file; M measurements, N points of all of them, R references
TRACKS_LAYOUT: dict[str, tuple[type[np.generic], str]] = {
    "background_size": (np.int32, "2"),
    "background_poor": (np.int32, ""),
    "background_references": (np.int32, "R"),
    "background_measurements": (np.int32, "M3"),
    "background_before": (np.float32, "N2"),
    "background_after": (np.float32, "N2"),
    "background_shares": (np.float32, "N"),
}


def tracks_to_arrays(tracks: Tracks) -> dict[str, NDArray[Any]]:
    """The arrays of TRACKS_LAYOUT. A row of ``background_measurements`` is frame, reference, number of points."""
    rows = [(m.frame, m.reference, len(m.before)) for m in tracks.measurements]
    before, after, shares = (
        [m.before for m in tracks.measurements],
        [m.after for m in tracks.measurements],
        [m.share for m in tracks.measurements],
    )
    return {
        "background_size": np.array(tracks.size, np.int32),
        "background_poor": np.array(tracks.poor, np.int32),
        "background_references": np.array(tracks.births, np.int32),
        "background_measurements": np.array(rows, np.int32).reshape(-1, 3),
        "background_before": np.concatenate([np.empty((0, 2), np.float32), *before]),
        "background_after": np.concatenate([np.empty((0, 2), np.float32), *after]),
        "background_shares": np.concatenate([np.empty(0, np.float32), *shares]),
    }


def tracks_from_arrays(arrays: Mapping[str, NDArray[Any]], frames: int, image_size: tuple[int, int]) -> Tracks:
    """The tracks of a clip with so many ``frames``; ``image_size``: width, height of its upright picture in px.

    Raises:
        BadInputError: the arrays do not belong together.
    """
    if image_size[0] < 1:
        raise BadInputError("the clip's picture has no width")
    rows = arrays["background_measurements"]
    ends = rows[:, 2].astype(np.int64).cumsum()
    points = [arrays[f"background_{name}"] for name in ("before", "after", "shares")]
    if (rows[:, 2] < 1).any() or len(points[0]) != (ends[-1] if len(ends) else 0):
        raise BadInputError("the background has another number of points than its measurements say")
    parts = [np.split(array, ends[:-1]) if len(rows) else [] for array in points]
    width, height = (int(side) for side in arrays["background_size"])
    tracks = Tracks(
        frames,
        (width, height),
        width / image_size[0],
        arrays["background_references"].tolist(),
        [
            Measurement(int(frame), int(reference), before, after, share)
            for (frame, reference, _), before, after, share in zip(rows, *parts, strict=True)
        ],
        int(arrays["background_poor"]),
    )
    check_tracks(tracks)
    return tracks


def check_tracks(tracks: Tracks) -> None:
    """Checks that sizes, frame numbers and points of the tracks fit together.

    Raises:
        BadInputError: they do not.
    """
    if min(tracks.size) < 1 or tracks.scale <= 0:
        raise BadInputError("the background's pictures have no size")
    if not 0 <= tracks.poor <= tracks.frames:
        raise BadInputError("the background is poor in more frames than there are")
    if any(not 0 <= birth < tracks.frames for birth in tracks.births):
        raise BadInputError("a reference of the background is no frame of the clip")
    for m in tracks.measurements:
        if not (0 <= m.frame < tracks.frames and 0 <= m.reference < len(tracks.births)):
            raise BadInputError("a measurement of the background names a frame or a reference that is not there")
        if not len(m.before) == len(m.after) == len(m.share) > 0:
            raise BadInputError("a measurement of the background has no points, or not as many before as after")
        if not all(np.isfinite(part).all() for part in m[2:]):
            raise BadInputError("the background's points must be finite")
    if any(a.frame > b.frame for a, b in pairwise(tracks.measurements)):
        raise BadInputError("the background's measurements are not in order of frames")
