# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences."""

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from .. import store
from ..operators.cache import LIFT_OT_clear_cache, LIFT_OT_tidy_takes
from ..retarget.suggest import ANY, kind_items


class LiftPreferences(bpy.types.AddonPreferences):
    """What is set once for this computer."""

    bl_idname = (__package__ or "").removesuffix(".panels")  # the add-on's

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


CLASSES = (LiftPreferences,)
