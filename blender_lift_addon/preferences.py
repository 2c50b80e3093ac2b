# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set once for this computer."""

import bpy
from bpy.props import StringProperty


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

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "python")
        note = layout.column(align=True)
        note.active = False
        note.label(text="Leave it empty unless the engine shall run on a graphics card:")
        note.label(text="then choose a Python that has lifter_core and PyTorch (the manual says how)")


def engine_python() -> str:
    """The Python chosen in the preferences, or nothing for Blender's own."""
    assert bpy.context.preferences is not None
    addon = bpy.context.preferences.addons.get(__package__ or "")
    chosen = getattr(addon.preferences, "python", "") if addon else ""
    return bpy.path.abspath(chosen) if chosen else ""


CLASSES = (LiftPreferences,)
