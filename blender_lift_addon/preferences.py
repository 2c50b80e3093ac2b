# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set once for this computer."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from .retarget.suggest import ANY, kind_items


class LiftPreferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = __package__ or ""

    python: StringProperty(  # type: ignore[valid-type]
        name="Engine Python",
        description=(
            "Another Python program to run the engine with, for example one that has lifter_core and PyTorch with "
            "CUDA. Empty: Blender's own Python and the packages that came with the add-on"
        ),
        subtype="FILE_PATH",
    )
    processes: IntProperty(  # type: ignore[valid-type]
        name="Clips at a Time",
        description=(
            "How many clips of the queue are lifted at the same time. Each takes about one processor core and 1 GB "
            "of memory"
        ),
        min=1,
        max=32,
        default=1,
    )
    cache: StringProperty(  # type: ignore[valid-type]
        name="Cache Folder",
        description=(
            "Where takes are kept until their .blend file is saved. Empty: in Blender's folder for extensions"
        ),
        subtype="DIR_PATH",
    )

    rig: EnumProperty(  # type: ignore[valid-type]
        name="Default Rig",
        description=(
            "After a lift, an armature of this kind in the scene becomes the Retarget panel's target, if none is "
            "chosen yet"
        ),
        items=kind_items(),
        default=ANY,
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the preferences."""
        from . import store
        from .operators.cache import LIFT_OT_clear_cache, LIFT_OT_tidy_takes

        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "python")
        note = layout.column(align=True)
        note.active = False
        note.label(text="Leave it empty unless the engine shall run on a graphics card:")
        note.label(text="then choose a Python that has lifter_core and PyTorch (the manual says how)")
        layout.prop(self, "processes")
        layout.prop(self, "rig")
        layout.separator()
        layout.prop(self, "cache")
        row = layout.row()
        split = row.split(factor=0.4)
        size = split.row()
        size.alignment = "RIGHT"
        size.label(text=f"Holds {store.cache_size() / 1e6:.1f} MB")
        buttons = split.column(align=True)
        buttons.operator(LIFT_OT_clear_cache.bl_idname, icon="TRASH")
        buttons.operator(LIFT_OT_tidy_takes.bl_idname, icon="FOLDER_REDIRECT")


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


CLASSES = (LiftPreferences,)
