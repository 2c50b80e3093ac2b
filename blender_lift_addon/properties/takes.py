# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of a scene: each names its file and how it was cleaned up."""

from pathlib import Path

import bpy
from bpy.props import FloatProperty, IntProperty, PointerProperty, StringProperty

from .. import store
from .clean_up import LiftCleanUp


class LiftTake(bpy.types.PropertyGroup):
    """One take in the list. What it made in the scene bears its uid (see tags)."""

    uid: StringProperty()  # type: ignore[valid-type]
    name: StringProperty(  # type: ignore[valid-type]
        name="Name", description="What the take is called in this list. Double-click it to rename"
    )
    path: StringProperty()  # type: ignore[valid-type]
    clip: StringProperty()  # type: ignore[valid-type]
    note: StringProperty()  # type: ignore[valid-type]
    frames: IntProperty()  # type: ignore[valid-type]
    first_frame: IntProperty()  # type: ignore[valid-type]
    rate: FloatProperty(default=24.0)  # type: ignore[valid-type]
    clean_up: PointerProperty(type=LiftCleanUp)  # type: ignore[valid-type]


def take_file(take: LiftTake) -> Path | None:
    """The take's file, None if it is gone."""
    return store.find(take.path, take.uid)


def clip_file(take: LiftTake) -> Path | None:
    """The clip it was lifted from, None if it is gone."""
    path = Path(bpy.path.abspath(take.clip)) if take.clip else None
    return path if path and path.is_file() else None


CLASSES = (LiftTake,)
