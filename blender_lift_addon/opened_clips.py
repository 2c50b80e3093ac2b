# SPDX-License-Identifier: GPL-3.0-or-later
"""Movie clips opened ahead of time, when the user clicks, so that a take that arrives later holds Blender up less.

Opening a movie takes Blender a tenth of a second or more, and cannot be done in parts or beside it. A reel is the movie
clip as a small .blend in memory: no data block waits in the user's file meanwhile, and bringing it in opens nothing.
"""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import bpy

MOST = 200  # clips; each takes 60 kB


class Reel(NamedTuple):
    """A movie clip kept aside.

    Attributes:
        blend: the contents of a .blend file that holds it.
        rate: frames a second at which Blender counts its frames.
        frames: how many it has.
    """

    blend: bytes
    rate: float
    frames: int


def reel(path: Path) -> Reel | None:
    """The clip's, opened now unless it was before; None if Blender cannot read it."""
    try:
        state = path.stat()
    except OSError:
        return None
    return _open(str(path), state.st_mtime_ns, state.st_size)


def bring_in(opened: Reel) -> bpy.types.MovieClip:
    """A new movie clip; its file is opened when it is first shown."""
    with tempfile.TemporaryDirectory(dir=bpy.app.tempdir, prefix="lift-reel-") as folder:
        blend = Path(folder, "reel.blend")
        blend.write_bytes(opened.blend)
        libraries: Any = bpy.data.libraries
        with libraries.load(str(blend), link=False) as (there, wanted):
            wanted.movieclips = list(there.movieclips)
        for library in [library for library in libraries if Path(library.filepath) == blend]:
            libraries.remove(library)
    (clip,) = wanted.movieclips
    assert isinstance(clip, bpy.types.MovieClip)
    return clip


@lru_cache(MOST)
def _open(path: str, _changed: int, _size: int) -> Reel | None:
    try:
        clip = bpy.data.movieclips.load(path, check_existing=False)
    except RuntimeError:
        return None
    try:
        if 0 in tuple(clip.size) or clip.frame_duration <= 0:
            return None
        with tempfile.TemporaryDirectory(dir=bpy.app.tempdir, prefix="lift-reel-") as folder:
            blend = Path(folder, "reel.blend")
            bpy.data.libraries.write(str(blend), {clip}, path_remap="ABSOLUTE", compress=True)
            return Reel(blend.read_bytes(), clip.fps, clip.frame_duration)
    finally:
        bpy.data.movieclips.remove(clip)
