"""Reads clips with PyAV: upright, square-pixel RGB frames with their true timestamps.

The frame counts, rates and durations that containers state are often wrong. Only the frames' own timestamps are used for
timing; the figures of ``ClipInfo`` are for progress bars and scene settings.
"""

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import av.filter
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .errors import BadInputError
from .files import replaced

_PICTURE_OR_TEXT = ("image2", "tty")  # demuxers that open pictures and text files as if they were videos
_FALLBACK_FPS = 25.0  # frame rate assumed where the file states none
_RANGE_SLACK = 1e-3  # s: tolerance of comparisons with start and end, because containers round to milliseconds
_SEEK_MARGIN = 1.0  # s decoded before the start, because frames after a seek may lack their reference frames


@dataclass(frozen=True)
class ClipInfo:
    """Properties of a clip, as its file states them.

    Attributes:
        name: the file's name.
        width, height: of the upright, square-pixel picture in pixels, as ``read_frames`` gives it.
        fps: average frame rate (a fallback of 25 where the file states none).
        duration: seconds, 0 if unknown.
        frame_count: an estimate, 0 if unknown.
        rotation: degrees in the file's metadata that bring the stored picture upright (PyAV's sign; phones: -90).
    """

    name: str
    width: int
    height: int
    fps: float
    duration: float
    frame_count: int
    rotation: int = 0


@dataclass(frozen=True)
class Frame:
    """One frame of a clip.

    Attributes:
        index: its number, counted from the first frame of the range read; time: seconds from the clip's first frame.
        image: (h, w, 3) uint8 RGB.
        damaged: how many packets could not be decoded up to here.
        grey: (h, w) uint8: the same picture, small, if it was requested.
    """

    index: int
    time: float
    image: NDArray[np.uint8]
    damaged: int = 0
    grey: NDArray[np.uint8] | None = None


def clip_sha256(path: str | os.PathLike[str]) -> str:
    """The file's sha256 in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def probe(path: str | os.PathLike[str]) -> ClipInfo:
    """Opens the clip, decodes its first frame and returns size, rate and length.

    Raises:
        BadInputError: the file is missing or empty, is not a video, or none of its pictures can be decoded.
    """
    path = Path(path)
    with _open(path) as container:
        stream = _video_stream(container, path)
        first = next(_decoded(container, stream), None)
        if first is None:
            raise _undecodable(path)
        width, height = _upright_size(first[0], stream)
        fps = _rate(stream)
        duration = 0.0
        if stream.duration and stream.time_base:
            duration = float(stream.duration * stream.time_base)
        elif container.duration:
            duration = container.duration / 1e6
        count = stream.frames or max(round(duration * fps), 0)
        return ClipInfo(path.name, width, height, fps, duration, count, int(first[0].rotation))


def read_frames(
    path: str | os.PathLike[str],
    start: float | None = None,
    end: float | None = None,
    interval: float = 0.0,
    grey_side: int = 0,
) -> Iterator[Frame]:
    """The clip's frames with start <= time < end (seconds from its first frame), in order, times strictly increasing.

    Packets that cannot be decoded are skipped and counted. All frames are scaled to the size of the clip's first frame.

    Args:
        interval: seconds between the frames returned, 0 = all frames; ``index`` still counts the skipped ones.
        grey_side: px: the shorter side of a small grey picture that comes with each frame, 0 = none.

    Raises:
        BadInputError: as ``probe``; or the range is empty, negative, or after the clip's end.
    """
    path = Path(path)
    check_range(start, end)
    with _open(path) as container:
        stream = _video_stream(container, path)
        index = 0
        last = due = -1.0
        for frame, time, size, damaged in _timed(container, stream, start or 0.0):
            last = time
            if start is not None and time < start - _RANGE_SLACK:
                continue
            if end is not None and time >= end - _RANGE_SLACK:
                break
            if time >= due - _RANGE_SLACK:
                grey = _upright(frame, _small(size, grey_side), "gray") if grey_side else None
                yield Frame(index, time, _upright(frame, size), damaged, grey)
                due = time + interval
            index += 1
        if last < 0:
            raise _undecodable(path)
        if index == 0:
            raise BadInputError(
                f"{path.name} has no frame between {start or 0:g} s and {'its end' if end is None else f'{end:g} s'}; "
                f"its last one is at {last:.2f} s."
            )


def write_picture(
    path: str | os.PathLike[str], out: str | os.PathLike[str], time: float = 0.0, size: int | None = None
) -> ClipInfo:
    """Writes one picture of the clip as PNG, upright.

    Args:
        time: seconds from the clip's first frame; beyond its end, a picture close to the end is written.
        size: px: limit of the longer side, None = full size.

    Returns:
        the clip's properties.

    Raises:
        BadInputError: as ``probe``.
    """
    info = probe(path)
    # the stated duration may be too long, so stay two frames before it
    latest = max(0.0, info.duration - 2 / info.fps) if info.duration else time
    image = next(read_frames(path, min(time, latest) or None)).image
    picture = VideoFrame.from_ndarray(image, format="rgb24")
    scale = min(1.0, size / max(picture.width, picture.height)) if size else 1.0
    picture = picture.reformat(width=max(1, round(picture.width * scale)), height=max(1, round(picture.height * scale)))
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "rgb24"
    encoder.time_base = Fraction(1, 25)
    with replaced(out) as temporary:
        temporary.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)]))
    return info


def check_range(start: float | None, end: float | None) -> None:
    """Checks a range in seconds.

    Raises:
        BadInputError: it is negative, not finite, or ends before it starts.
    """
    for name, value in (("start", start), ("end", end)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise BadInputError(f"The {name} of the range must be a number of seconds from 0 up, not {value:g}.")
    if end is not None and end <= (start or 0.0):
        raise BadInputError(f"The range ends ({end:g} s) before it starts ({start or 0:g} s).")


def _open(path: Path) -> InputContainer:
    try:
        with open(path, "rb") as stream:
            head = stream.read(64)
    except FileNotFoundError:
        raise BadInputError(f"The clip {path} does not exist.") from None
    except OSError as error:
        if path.is_dir():
            raise BadInputError(f"{path} is a folder; give a video file.") from None
        raise BadInputError(f"The clip {path} cannot be read: {error.strerror}.") from None
    if not head:
        raise BadInputError(f"{path.name} is empty (0 bytes); copy or export it again.")
    try:
        # "file:" and the whitelist keep a name or a playlist from reaching for the network or other files.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError, OSError):
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
            raise _cut_short(path) from None
        raise BadInputError(f"{path.name} is not a video that can be read; give an MP4, MOV, MKV or WebM.") from None
    kind = container.format.name
    if kind in _PICTURE_OR_TEXT or kind.endswith("_pipe"):
        container.close()
        raise BadInputError(f"{path.name} is a picture or text, not a video; give a video file.")
    return container


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The video stream with the largest pictures, except cover pictures."""
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not len(container.streams):
        raise _cut_short(path)
    if not moving:
        what = "has sound but no moving picture" if container.streams.audio else "has no moving picture"
        raise BadInputError(f"{path.name} {what}; give a video file.")
    stream = max(moving, key=lambda s: s.codec_context.width * s.codec_context.height)
    stream.thread_type = "AUTO"
    return stream


def _cut_short(path: Path) -> BadInputError:
    return BadInputError(f"{path.name} is cut short or damaged: its index is missing; copy or export it again.")


def _undecodable(path: Path) -> BadInputError:
    return BadInputError(
        f"No frame of {path.name} can be decoded; it is damaged or of an unknown kind; export it again."
    )


def _rate(stream: VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0.1 <= rate <= 1000:
            return float(rate)
    return _FALLBACK_FPS


def _packets(container: InputContainer, stream: VideoStream) -> Iterator["av.Packet[Any]"]:
    """The stream's packets. After an error, reading goes on with the next packet; the last is the empty one that flushes."""
    for _ in range(100):  # limited, because a demuxer that always fails would loop for ever
        try:
            yield from container.demux(stream)
            return
        except av.error.FFmpegError:
            continue


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[tuple[VideoFrame, int]]:
    """Frames in display order, deinterlaced, each with the number of packets lost so far."""
    damaged = 0
    deinterlace: av.filter.Graph | None = None
    flushed = False
    for packet in _packets(container, stream):
        flushed = packet.size == 0
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            damaged += 1
            continue
        for frame in frames:
            if deinterlace is None and frame.interlaced_frame:
                deinterlace = _deinterlacer(stream)
            if deinterlace is None:
                yield frame, damaged
            else:
                yield from ((f, damaged) for f in _filtered(deinterlace, frame))
    if not flushed:
        yield from ((f, damaged) for f in stream.codec_context.decode(None))
    if deinterlace is not None:
        yield from ((f, damaged) for f in _filtered(deinterlace, None))


def _deinterlacer(stream: VideoStream) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(template=stream), graph.add("yadif", "deint=interlaced"), graph.add("buffersink")
    ).configure()
    return graph


def _filtered(graph: av.filter.Graph, frame: VideoFrame | None) -> Iterator[VideoFrame]:
    graph.vpush(frame)
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _timed(
    container: InputContainer, stream: VideoStream, start: float
) -> Iterator[tuple[VideoFrame, float, tuple[int, int], int]]:
    """Yields (frame, time, size, damaged): seconds from the clip's first frame, upright size of the first frame, packets lost.

    Frames long before ``start`` may be left out by seeking; the caller drops the others.
    """
    frames = _decoded(container, stream)
    first = next(frames, None)
    if first is None:
        return
    origin = first[0].time
    size = _upright_size(first[0], stream)
    yield first[0], 0.0, size, first[1]
    if origin is not None and start > 2 * _SEEK_MARGIN and stream.time_base:
        sought = _sought(container, stream, origin, start)
        if sought is not None:
            frames = sought
    step = 1.0 / _rate(stream)
    previous = 0.0
    for frame, damaged in frames:
        if frame.time is None or origin is None:
            time = previous + step  # raw streams have no timestamps
        else:
            time = frame.time - origin
            if time <= previous:  # repeated or going back: half a step, so that the next frame keeps its own time
                time = previous + step / 2
        previous = time
        yield frame, time, size, damaged


def _sought(
    container: InputContainer, stream: VideoStream, origin: float, start: float
) -> Iterator[tuple[VideoFrame, int]] | None:
    """Frames from a key frame before ``start`` on; None if the file cannot seek there (the container is then rewound)."""
    assert stream.time_base is not None
    target = origin + start - _SEEK_MARGIN
    for time in (target, origin - 1.0):
        try:
            container.seek(int(time / stream.time_base), stream=stream)
        except av.error.FFmpegError:
            return None
        frames = _decoded(container, stream)
        landed = next(frames, None)
        if landed is not None and landed[0].time is not None and landed[0].time <= origin + start:
            return _chain(landed, frames)
    return None


def _chain(first: tuple[VideoFrame, int], rest: Iterator[tuple[VideoFrame, int]]) -> Iterator[tuple[VideoFrame, int]]:
    yield first
    yield from rest


def _orientation(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Whether to transpose, then flip left and right, then flip top and bottom, to make the frame upright."""
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    # x' = a x + c y, y' = b x + d y, rows (a b u) (c d v) (x y w), in 16.16 fixed point
    a, b, _, c, d = (float(v) for v in np.frombuffer(bytes(data), np.int32)[:5])
    if abs(b) > abs(a):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


def _upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height, upright and with square pixels; the direction with fewer pixels is enlarged, so no detail is lost."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width, height = frame.width, frame.height
    if 1 < aspect < 10:
        width = round(width * aspect)
    elif 0.1 < aspect < 1:
        height = round(height / aspect)
    return (height, width) if _orientation(frame)[0] else (width, height)


def _small(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """Width and height with the given shorter side; never larger than ``size``."""
    factor = min(shorter / min(size), 1.0)
    return max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)


def _upright(frame: VideoFrame, size: tuple[int, int], format: str = "rgb24") -> NDArray[np.uint8]:
    """(h, w, 3) RGB, or (h, w) grey, of the given upright size."""
    transpose, mirror, upside_down = _orientation(frame)
    width, height = size[::-1] if transpose else size
    how = Interpolation.AREA if format == "gray" else None  # averages over areas, which avoids aliasing
    image = frame.reformat(width=width, height=height, format=format, interpolation=how).to_ndarray()
    if transpose:
        image = image.swapaxes(0, 1)
    if mirror:
        image = image[:, ::-1]
    if upside_down:
        image = image[::-1]
    return np.ascontiguousarray(image, dtype=np.uint8)
