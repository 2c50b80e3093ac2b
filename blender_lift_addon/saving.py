# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving the .blend takes the takes' files along."""

import atexit
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import seen_keypoints, status, store
from .properties.lift_settings import settings_of
from .properties.takes import clip_file, take_file


def takes() -> list[Any]:
    """All takes of the open file."""
    return [take for scene in bpy.data.scenes for take in settings_of(scene).takes]


@persistent  # type: ignore[untyped-decorator]
def _before_save(path: str) -> None:
    """Copies the takes' files next to the .blend, and has the takes name them relative to it."""
    blend = Path(path) if path else None
    if blend is None or not blend.suffix.startswith(".blend"):
        return
    for take in takes():
        file, clip = take_file(take), clip_file(take)
        if file is not None:
            try:
                take.path = store.gather(file, take.uid, take.name, blend)
            except OSError as error:
                status.tell(f"The take {take.name} could not be saved next to the file: {error.strerror}", "ERROR")
        if clip is not None:
            try:
                take.clip = bpy.path.relpath(str(clip), start=str(blend.parent))
            except ValueError:  # on another drive
                take.clip = str(clip)
    seen_keypoints.forget()


@persistent  # type: ignore[untyped-decorator]
def _after_save(path: str) -> None:
    """A copy saved elsewhere leaves the open file where it was, and its paths must fit that."""
    if not path or path == bpy.data.filepath:
        return
    for take in takes():
        for name in ("path", "clip"):
            value = getattr(take, name)
            if value.startswith("//"):
                setattr(take, name, str(Path(bpy.path.abspath(value, start=str(Path(path).parent))).resolve()))
    seen_keypoints.forget()


@persistent  # type: ignore[untyped-decorator]
def _before_load(_path: str) -> None:
    seen_keypoints.forget()
    store.drop_saved()


_HANDLERS = (("save_pre", _before_save), ("save_post", _after_save), ("load_pre", _before_load))


def register() -> None:
    """Follows saving and loading."""
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).append(handler)
    atexit.register(store.drop_saved)


def unregister() -> None:
    """Stops following."""
    store.drop_saved()
    atexit.unregister(store.drop_saved)
    for event, handler in _HANDLERS:
        getattr(bpy.app.handlers, event).remove(handler)
