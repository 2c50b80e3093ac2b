# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: for the lift, and for the clean-up of a take; a few come with the add-on, in the folder presets.

The values are named in full: Blender 4.3 with Python 3.13 loses what a preset's defines define.
"""

from pathlib import Path

import bpy
from bl_operators.presets import AddPresetBase

from lifter_core.declare import Place

from ..properties.option_properties import property_names

_ADDON = Path(__file__).parents[1]


class LIFT_OT_add_lift_preset(AddPresetBase, bpy.types.Operator):  # type: ignore[misc]
    """Adds or removes a preset of the lift's settings."""

    bl_idname = "lift.add_lift_preset"
    bl_label = "Add Lift Preset"
    bl_description = "Keep these settings under a name, for other clips and files"
    preset_menu = "LIFT_PT_lift_presets"
    preset_subdir = "lift/settings"
    preset_values = tuple(
        f"bpy.context.scene.lift.{name}" for name in ("quality", *property_names(Place.TAB, presets=True), "frame_rate")
    )


class LIFT_OT_add_clean_up_preset(AddPresetBase, bpy.types.Operator):  # type: ignore[misc]
    """Adds or removes a preset of the clean-up's settings."""

    bl_idname = "lift.add_clean_up_preset"
    bl_label = "Add Clean-Up Preset"
    bl_description = "Keep these settings under a name, for other takes and files"
    preset_menu = "LIFT_PT_clean_up_presets"
    preset_subdir = "lift/clean_up"
    preset_values = tuple(
        f"bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.{name}"
        for name in property_names(Place.CLEAN_UP, presets=True)
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a take."""
        assert context.scene is not None
        return 0 <= context.scene.lift.active_take < len(context.scene.lift.takes)  # type: ignore[attr-defined]


def register_folder() -> None:
    """Lists the presets that come with the add-on before the user's."""
    bpy.utils.register_preset_path(str(_ADDON))


def unregister_folder() -> None:
    """Takes them off the lists."""
    bpy.utils.unregister_preset_path(str(_ADDON))


CLASSES = (LIFT_OT_add_lift_preset, LIFT_OT_add_clean_up_preset)
