# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set once for this computer, as the rest of the add-on reads it (the preferences: panels/preferences.py)."""

from pathlib import Path
from typing import Any

import bpy

from .retarget.suggest import ANY


def _own() -> Any:
    assert bpy.context.preferences is not None
    addon = bpy.context.preferences.addons.get(__package__ or "")
    return addon.preferences if addon else None


def engine_python() -> str:
    """The Python chosen in the preferences, or nothing for Blender's own."""
    chosen = getattr(_own(), "python", "")
    return bpy.path.abspath(chosen) if chosen else ""


def processes() -> int:
    """How many clips are lifted at a time."""
    return int(getattr(_own(), "processes", 1))


def default_rig() -> str:
    """The kind of rig that a take is meant for, in capitals; suggest.ANY for none."""
    return str(getattr(_own(), "rig", ANY))


def chosen_cache() -> Path | None:
    """The folder for the cache, None for the add-on's own."""
    chosen = getattr(_own(), "cache", "")
    return Path(bpy.path.abspath(chosen)) if chosen else None
