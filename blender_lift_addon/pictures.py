# SPDX-License-Identifier: GPL-3.0-or-later
"""Single pictures of a clip, made by the engine in the background: the panel's thumbnail, and the one to click on.

The engine makes them, not Blender: so they are upright in every version, and their times are the true ones.
"""

import tempfile
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import bpy
import bpy.utils.previews

from . import status
from .engine import EngineError, end_child, find_python, start_child
from .preferences import engine_python

INTERVAL = 0.1  # s
THUMBNAIL = 384  # px
PICTURE = 1600  # px
MOST = 2  # pictures made at a time
FORGET = 60  # pictures kept

_pictures: dict[tuple[str, float, int], Path | None] = {}  # None: it could not be made
_making: dict[tuple[str, float, int], "tuple[Popen[bytes], Path]"] = {}
_about: dict[str, str] = {}
_previews: Any = None
_folder = ""


def picture(clip: Path, time: float = 0.0, size: int = PICTURE) -> Path | None:
    """The picture's file if it is there; else it is begun, and None is returned until it is there. Never waits."""
    key = (str(clip), round(time, 3), size)
    if key not in _pictures and key not in _making and len(_making) < MOST:
        _begin(key)
    return _pictures.get(key)


def about(clip: Path) -> str:
    """The clip's size, rate and length in words, nothing until a picture of it is there."""
    return _about.get(str(clip), "")


def failed(clip: Path, time: float = 0.0, size: int = PICTURE) -> bool:
    """Whether there will never be such a picture."""
    key = (str(clip), round(time, 3), size)
    return key in _pictures and _pictures[key] is None


def thumbnail(clip: Path, time: float = 0.0) -> int:
    """The icon of the clip's picture at a time, 0 until it is there."""
    file = picture(clip, time, THUMBNAIL)
    if file is None or _previews is None:
        return 0
    if file.name not in _previews:
        _previews.load(file.name, str(file), "IMAGE")
    return int(_previews[file.name].icon_id)


def _begin(key: tuple[str, float, int]) -> None:
    global _folder
    if not _folder or not Path(_folder).is_dir():
        _folder = tempfile.mkdtemp(prefix="lift-pictures-", dir=bpy.app.tempdir)
    if len(_pictures) > FORGET:
        _pictures.clear()
    clip, time, size = key
    out = Path(_folder, f"{Path(clip).stem}-{abs(hash(key)):x}.png")
    words = ["frame", clip, "-o", str(out), "--time", f"{time:g}", "--size", str(size)]
    try:
        python = engine_python()
        _making[key] = (
            start_child([find_python(python), "-m", "lifter_core", *words], Path(_folder), python, DEVNULL),
            out,
        )
    except EngineError:
        _pictures[key] = None
        return
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=INTERVAL)


def collect() -> bool:
    """Takes in the pictures that are finished; returns whether some are still being made."""
    for key, (process, out) in list(_making.items()):
        if process.poll() is not None:
            _pictures[key] = out if process.returncode == 0 and out.exists() else None
            said = process.stdout.read().decode("utf-8", "replace").strip() if process.stdout is not None else ""
            _about[key[0]] = said.splitlines()[-1] if said and process.returncode == 0 else ""
            del _making[key]
            _close(process)
            status.redraw()
    return bool(_making)


def _tick() -> float | None:
    return INTERVAL if collect() else None


def _close(process: "Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def register() -> None:
    """Makes room for the thumbnails."""
    global _previews
    _previews = bpy.utils.previews.new()


def unregister() -> None:
    """Ends what is being made; the files go with Blender's temporary folder."""
    global _previews
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    for process, _ in _making.values():
        end_child(process)
        _close(process)
    _making.clear()
    _pictures.clear()
    _about.clear()
    if _previews is not None:
        bpy.utils.previews.remove(_previews)
        _previews = None
