# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be lifted: a file, a movie clip that is in the .blend already, or a strip of the sequencer."""

from dataclasses import dataclass
from pathlib import Path

import bpy

from lifter_core.declare import Place

from .arguments import LiftOptions
from .opened_clips import reel
from .properties.lift_settings import LiftSettings, settings_of, strips
from .properties.option_properties import option_values

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv",
                  ".flv", ".ogv", ".3gp", ".mxf", ".dv", ".gif")  # fmt: skip


class SourceError(Exception):
    """Why there is nothing to lift, in words for a tooltip."""


@dataclass(frozen=True)
class Source:
    """A clip and the part of it to lift.

    Attributes:
        path: absolute.
        start, end: seconds from the clip's first frame, None = from its first, to its last.
        first_frame: the scene frame at which it shall begin, None = the scene's first.
        name: what its take is called after.
    """

    path: Path
    start: float | None = None
    end: float | None = None
    first_frame: int | None = None
    name: str = ""


def source_of(scene: bpy.types.Scene, settings: LiftSettings, exact: bool = True) -> Source:
    """What the Lift tab is set to. Without ``exact`` a strip's range stays open, which is quick enough for drawing.

    Raises:
        SourceError: nothing that can be lifted.
    """
    if settings.source == "STRIP":
        return _strip_source(scene, settings.strip, exact)
    if settings.source == "CLIP":
        clip = settings.movie_clip
        if clip is None:
            raise SourceError("Choose a movie clip first")
        if clip.source != "MOVIE":
            raise SourceError("The movie clip is an image sequence; choose a video")
        path = Path(bpy.path.abspath(clip.filepath, library=clip.library))
    else:
        if not settings.clip:
            raise SourceError("Choose a video first")
        path = Path(bpy.path.abspath(settings.clip))
    if not path.is_file():
        raise SourceError("There is no file at the clip's path; choose it again")
    if not settings.use_range:
        return Source(path, name=path.stem)
    if settings.end <= settings.start:
        raise SourceError("The part of the clip must end after it starts")
    return Source(path, settings.start, settings.end, name=path.stem)


def why_not(scene: bpy.types.Scene) -> str:
    """Why this cannot be lifted, in words for a tooltip, or nothing if it can."""
    settings = settings_of(scene)
    try:
        source_of(scene, settings, exact=False)
    except SourceError as error:
        return str(error)
    if settings.whom == "PICKED" and settings.person[0] < 0:
        return "Click on the person to lift first, with Pick Person"
    return ""


def lift_options(settings: LiftSettings, source: Source) -> LiftOptions:
    """The choices as the engine takes them."""
    return LiftOptions(
        settings.quality,
        {
            **option_values(settings, Place.TAB),
            "start": source.start,
            "end": source.end,
            "person": tuple(settings.person) if settings.whom == "PICKED" else None,
        },
    )


def _strip_source(scene: bpy.types.Scene, name: str, exact: bool) -> Source:
    strip = (strips(scene) or {}).get(name)
    if strip is None:
        raise SourceError("Choose a movie strip first")
    if strip.type != "MOVIE":
        raise SourceError("The strip is no movie; choose a movie strip")
    path = Path(bpy.path.abspath(strip.filepath))
    if not path.is_file():
        raise SourceError("There is no file at the strip's path; choose it again")
    new = hasattr(strip, "left_handle")  # 5.2 names them anew and warns of the old names
    first = strip.left_handle if new else strip.frame_final_start
    source = Source(path, first_frame=int(first), name=Path(strip.name).stem)
    if not exact:
        return source
    length = strip.content_duration if new else strip.frame_duration
    left = strip.left_handle_offset if new else strip.frame_offset_start
    right = strip.right_handle_offset if new else strip.frame_offset_end
    cut_left = strip.content_trim_start if new else strip.animation_offset_start
    cut_right = strip.content_trim_end if new else strip.animation_offset_end
    opened = reel(path)
    if opened is None or opened.rate < 1 or not (cut_left or cut_right or left > 0 or right > 0):
        return source
    # A strip shows its clip in real time or frame by frame; how many of the clip's frames its whole length shows tells.
    speed = (opened.frames - cut_left - cut_right) / max(1, length)
    start = (cut_left + max(0.0, left) * speed) / opened.rate
    end = (opened.frames - cut_right - max(0.0, right) * speed) / opened.rate
    if end <= start:
        raise SourceError("The strip shows nothing of its clip; choose another")
    return Source(path, start, end, source.first_frame, source.name)
