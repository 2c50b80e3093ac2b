"""Preview picture and video to check a take: the skeleton over the footage, and beside it a side view.

Left limbs are blue, right limbs orange, the trunk and head white. The side view is that of the camera turned by 90 degrees
about a vertical axis through the person, so it shows the depth that the footage does not.
The grid is the floor, 0.5 m a cell.
"""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..errors import BadInputError
from ..files import replaced
from ..progress import Report, silent
from ..take import Take
from ..video import read_frames

_HIGHEST, _WIDEST = 960, 1280  # px: limits of the footage's height and width in the video
_LEFT, _RIGHT, _MIDDLE = (60, 160, 255), (255, 140, 40), (240, 240, 240)
_FLOOR, _BACKGROUND = (84, 88, 94), (38, 40, 44)
_EYE_DISTANCE, _EYE_HEIGHT = 6.0, 1.5  # m: the side view's camera, from the person and above the floor
_CELL, _CELLS = 0.5, 6  # the grid: size of a cell in m; cells on each side of the person
_CLOCK = 90_000  # ticks a second of the video's time base: finer than any frame rate
_TILE = 480  # px, the width of a frame in the still picture


def write_preview(
    take: Take, clip: str | os.PathLike[str], mp4: str | os.PathLike[str], report: Report = silent
) -> None:
    """Writes a video of the take's frames with their own timestamps: the footage with the skeleton, and the side view.

    H.264 where PyAV has an encoder for it, else MPEG-4. Written to a temporary name and moved into place.

    Raises:
        BadInputError: the clip cannot be read, or has none of the take's frames.
    """
    stream = None
    with replaced(mp4) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        for t, image in _frames(take, clip):
            width, height = _fitted(image, _WIDEST, _HIGHEST)
            panel = _even(height * 3 / 4)
            picture = Image.new("RGB", (width + panel, height))
            picture.paste(_over_footage(take, t, image, (width, height)), (0, 0))
            picture.paste(_from_the_side(take, t, (panel, height)), (width, 0))
            stream = stream or _stream(container, picture.size, take.fps)
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            frame.time_base = Fraction(1, _CLOCK)
            frame.pts = round((take.timestamps[t] - take.timestamps[0]) * _CLOCK)
            container.mux(stream.encode(frame))
            report("write", t + 1, len(take.timestamps), "preview")
        if stream is None:
            raise _no_frames(clip)
        container.mux(stream.encode(None))


def write_preview_picture(
    take: Take, clip: str | os.PathLike[str], png: str | os.PathLike[str], count: int = 4
) -> None:
    """Writes a picture of ``count`` frames, each above its side view, evenly chosen from those with a person in them.

    Raises:
        BadInputError: the clip cannot be read, or has none of the take's frames.
    """
    somebody = np.flatnonzero(take.present.any(0))
    if not len(somebody):
        somebody = np.arange(len(take.timestamps))
    wanted = set(somebody[np.linspace(0, len(somebody) - 1, count + 2).round().astype(int)[1:-1]].tolist())
    columns = []
    for t, image in _frames(take, clip):
        if t not in wanted:
            continue
        width, height = _fitted(image, _TILE, 2 * _TILE)
        column = Image.new("RGB", (width, height + _TILE))
        column.paste(_over_footage(take, t, image, (width, height)), (0, 0))
        column.paste(_from_the_side(take, t, (width, _TILE)), (0, height))
        columns.append(column)
        if len(columns) == len(wanted):
            break
    if not columns:
        raise _no_frames(clip)
    strip = Image.new("RGB", (sum(c.width for c in columns), columns[0].height))
    for i, column in enumerate(columns):
        strip.paste(column, (i * column.width, 0))
    with replaced(png) as temporary:
        strip.save(temporary, format="PNG")


def _stream(container: OutputContainer, size: tuple[int, int], fps: float) -> VideoStream:
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    options = {"crf": "20", "preset": "veryfast"} if codec == "libx264" else {"qscale": "3"}
    stream = container.add_stream(codec, Fraction(fps).limit_denominator(1001), options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, _CLOCK)
    return stream


def _frames(take: Take, clip: str | os.PathLike[str]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yields (frame number in the take, picture) for the clip's frames that the take has."""
    times = take.timestamps
    t = 0
    for frame in read_frames(clip, float(times[0])):
        while t < len(times) and times[t] < frame.time - 1e-3:
            t += 1
        if t == len(times):
            return
        if abs(times[t] - frame.time) <= 1e-3:
            yield t, frame.image


def _over_footage(take: Take, t: int, image: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    picture = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    scale = np.array(size) / np.array(take.image_size)
    for positions in take.positions[:, t]:
        in_camera = positions @ take.camera_rotation[t].T + take.camera_translation[t]
        _draw_skeleton(draw, take, _pixels(in_camera, take.camera_matrix) * scale, max(2, size[1] // 240))
    return picture


def _from_the_side(take: Take, t: int, size: tuple[int, int]) -> Image.Image:
    """The side view: what is farther from the clip's camera is farther to the right."""
    picture = Image.new("RGB", size, _BACKGROUND)
    draw = ImageDraw.Draw(picture)
    forward = take.camera_rotation[t][2, :2]  # the camera's axis, on the floor
    length = float(np.linalg.norm(forward))
    forward = forward / length if length > 1e-6 else np.array([0.0, 1.0])
    middle = _place(take, t)
    across = np.array([forward[0], forward[1], 0.0])
    eye = np.array([middle[0], middle[1], _EYE_HEIGHT]) + _EYE_DISTANCE * np.cross(across, [0.0, 0.0, 1.0])
    ahead = np.array([middle[0], middle[1], 0.9]) - eye
    ahead /= np.linalg.norm(ahead)
    rotation = np.stack([across, np.cross(ahead, across), ahead])
    focal = 0.9 * min(size[1] / 2.4, size[0] / 2.2) * _EYE_DISTANCE  # 2.4 m of height and 2.2 m of depth fit
    intrinsics = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1.0]])

    def project(points: NDArray[np.floating]) -> NDArray[np.float64]:
        return _pixels((points - eye) @ rotation.T, intrinsics)

    origin = np.floor(middle[:2] / _CELL) * _CELL
    steps = np.arange(-_CELLS, _CELLS + 1) * _CELL
    for step in steps:
        for line in ([(step, steps[0]), (step, steps[-1])], [(steps[0], step), (steps[-1], step)]):
            ends = np.column_stack([origin + np.array(line), np.zeros(2)])
            draw.line([tuple(p) for p in project(ends)], fill=_FLOOR, width=1)
    for positions in take.positions[:, t]:
        _draw_skeleton(draw, take, project(positions), max(2, size[1] // 200))
    draw.text((8, 6), f"side view   {take.timestamps[t]:.2f} s", fill=_MIDDLE)
    return picture


def _place(take: Take, t: int) -> NDArray[np.float64]:
    """(3,) m, world: the target of the side view: the first person present, averaged over one second so that it is steady."""
    near = np.abs(take.timestamps - take.timestamps[t]) <= 0.5
    for root in take.root_positions:
        if np.isfinite(root[near]).any():
            return np.asarray(np.nanmean(root[near], 0), np.float64)
    return np.zeros(3)


def _pixels(in_camera: NDArray[np.floating], intrinsics: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) camera axes -> (N, 2) px; NaN behind the camera."""
    depth = np.where(in_camera[:, 2:] > 0.05, in_camera[:, 2:], np.nan)
    return np.asarray((in_camera / depth @ intrinsics.T)[:, :2], np.float64)


def _draw_skeleton(draw: ImageDraw.ImageDraw, take: Take, points: NDArray[np.float64], width: int) -> None:
    for joint, parent in enumerate(take.joint_parents):
        ends = points[[joint, parent]]
        if parent >= 0 and np.isfinite(ends).all() and np.abs(ends).max() < 1e5:
            name = take.joint_names[joint]
            colour = _LEFT if name.startswith("left_") else _RIGHT if name.startswith("right_") else _MIDDLE
            draw.line([tuple(p) for p in ends], fill=colour, width=width)


def _fitted(image: NDArray[np.uint8], widest: int, highest: int) -> tuple[int, int]:
    """Width and height, both even, of the picture scaled to these limits (to twice its size at most)."""
    height, width = image.shape[:2]
    scale = min(widest / width, highest / height, 2.0)
    return _even(width * scale), _even(height * scale)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _no_frames(clip: str | os.PathLike[str]) -> BadInputError:
    return BadInputError(f"{Path(clip).name} has none of the take's frames; give the clip that the take was made from.")
