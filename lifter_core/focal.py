"""The focal length of a clip: as the user says, as the file says, as the background's movement shows, or assumed."""

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import av
import av.error

from .camera_motion import Tracks, estimate_focal
from .pinhole import assumed_focal, focal_of_view

_FILM_WIDTH = 36.0  # mm
_PLAUSIBLE = (8.0, 1000.0)  # mm, of a 35 mm equivalent
_TAG = re.compile(r"focal.*35 ?mm|35 ?mm.*focal", re.IGNORECASE)
_LARGEST_TAGS = 1 << 20  # bytes of a metadata atom that are read
_NUMBERS = {21: "i", 22: "u", 23: ">f", 24: ">d", 65: "i", 66: "i", 67: "i", 75: "u", 76: "u", 77: "u"}


class Focal(NamedTuple):
    """A focal length in px of the upright picture, and where it is from: option, file, motion or assumed."""

    pixels: float
    source: str


def find_focal(
    image_size: tuple[int, int],
    fov: float | None = None,
    tagged: float | None = None,
    tracks: Tracks | None = None,
) -> Focal:
    """The best that is known of a clip's focal length (its first frame's, if it zooms).

    Args:
        image_size: width, height of the upright picture, px; fov: horizontal degrees, as the user says.
        tagged: the 35 mm equivalent in mm that the file names (tagged_focal); tracks: the clip's background.

    Returns:
        If nothing is known, ``assumed_focal``.
    """
    width, height = image_size
    if fov is not None:
        return Focal(focal_of_view(width, fov), "option")
    if tagged is not None:
        # Equivalents are by the diagonal of the whole sensor, of which a video uses a part: 4:3 or 3:2 cut to 16:9,
        # and a margin for steadying. The longer side taken as 36 mm is between the readings, within 5 % of each.
        return Focal(tagged / _FILM_WIDTH * max(width, height), "file")
    found = estimate_focal(tracks) if tracks is not None else None
    if found is not None:
        return Focal(found.focal, "motion")
    return Focal(assumed_focal(image_size), "assumed")


def tagged_focal(clip: str | os.PathLike[str]) -> float | None:
    """The 35 mm equivalent focal length in mm that a file's metadata names, None if it names none.

    Read are the container's and the video's tags as FFmpeg gives them, and in QuickTime files those of the tracks, where
    newer iPhones write ``com.apple.quicktime.camera.focal_length.35mm_equivalent`` and FFmpeg does not look.
    """
    tags: list[tuple[str, str | float]] = []
    try:
        with av.open(
            f"file:{Path(clip)}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        ) as container:
            tags += container.metadata.items()
            for stream in container.streams.video:
                tags += stream.metadata.items()
        with open(clip, "rb") as stream_of_bytes:
            tags += _quicktime_keys(stream_of_bytes)
    except (av.error.FFmpegError, OSError, ValueError, struct.error):
        pass
    for name, value in tags:
        if _TAG.search(name):
            number = re.search(r"\d+(\.\d+)?", str(value))
            if number and _PLAUSIBLE[0] <= float(number[0]) <= _PLAUSIBLE[1]:
                return float(number[0])
    return None


def _atoms(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the contents of the atoms between two places of a QuickTime file."""
    while start + 8 <= end:
        stream.seek(start)
        size, kind = struct.unpack(">I4s", stream.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", stream.read(8))[0], 16
        elif size == 0:
            size = end - start
        if size < head:
            return
        yield kind, start + head, min(start + size, end)
        start += size


def _quicktime_keys(stream: BinaryIO) -> Iterator[tuple[str, str | float]]:
    """Names and values of the metadata atoms (keys and ilst) of the movie and its tracks."""
    stream.seek(4)
    if stream.read(4) not in (b"ftyp", b"wide", b"moov", b"mdat", b"free", b"skip"):
        return
    end = stream.seek(0, os.SEEK_END)
    movie = next((atom for atom in _atoms(stream, 0, end) if atom[0] == b"moov"), None)
    places = [movie] if movie else []
    while places:
        _, start, stop = places.pop()
        for kind, a, b in list(_atoms(stream, start, stop)):
            if kind in (b"trak", b"udta"):
                places.append((kind, a, b))
            elif kind == b"meta" and b - a <= _LARGEST_TAGS:
                yield from _keys_and_values(stream, a, b)


def _keys_and_values(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[str, str | float]]:
    stream.seek(start)
    if stream.read(4) == b"\0\0\0\0":  # the ISO form has a version and flags, QuickTime's own has none
        start += 4
    inside = {kind: (a, b) for kind, a, b in _atoms(stream, start, end)}
    if not {b"keys", b"ilst"} <= inside.keys():
        return
    names = []
    for _, a, b in _atoms(stream, inside[b"keys"][0] + 8, inside[b"keys"][1]):
        stream.seek(a)
        names.append(stream.read(b - a).decode("utf-8", "replace"))
    for index, a, b in list(_atoms(stream, *inside[b"ilst"])):
        number = int.from_bytes(index, "big")
        for kind, first, last in list(_atoms(stream, a, b)):
            if kind == b"data" and 0 < number <= len(names):
                stream.seek(first)
                type_, _ = struct.unpack(">II", stream.read(8))
                yield names[number - 1], _value(type_, stream.read(last - first - 8))


def _value(type_: int, raw: bytes) -> str | float:
    how = _NUMBERS.get(type_)
    if how is None:
        return raw.decode("utf-8", "replace")
    if how in "iu":
        return int.from_bytes(raw, "big", signed=how == "i")
    return float(struct.unpack(how, raw)[0])
