# SPDX-License-Identifier: GPL-3.0-or-later
"""The active take's clean-up."""

import bpy
from bl_ui.utils import PresetPanel

from lifter_core.declare import Place

from .. import runs
from ..operators.presets import LIFT_OT_add_clean_up_preset
from ..operators.takes import LIFT_OT_reset_clean_up, LIFT_OT_solve_take
from ..properties.lift_settings import active_take, settings_of
from ..runs import State
from .option_rows import draw_options
from .text import paragraph


class LIFT_PT_clean_up_presets(PresetPanel, bpy.types.Panel):
    """The clean-up's presets."""

    bl_label = "Clean-Up Presets"
    preset_subdir = "lift/clean_up"
    preset_operator = "script.execute_preset"
    preset_add_operator = LIFT_OT_add_clean_up_preset.bl_idname


class LIFT_PT_clean_up(bpy.types.Panel):
    """Smoothing, feet, floor, root: solved anew in seconds."""

    bl_label = "Clean-Up"
    bl_category = "Lift"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_parent_id = "LIFT_PT_takes"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a take."""
        return active_take(context.scene) is not None

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """The presets' menu."""
        LIFT_PT_clean_up_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the settings, the button and how it went."""
        layout, take = self.layout, active_take(context.scene)
        assert layout is not None and take is not None
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        draw_options(column, take.clean_up, Place.CLEAN_UP)
        run = runs.solving(take.uid)
        row = layout.row(align=True)
        row.prop(settings_of(context.scene), "live", icon="FILE_REFRESH", toggle=True)
        row.operator(LIFT_OT_solve_take.bl_idname, text="Clean Up", icon="BRUSH_DATA")
        row.operator(LIFT_OT_reset_clean_up.bl_idname, text="", icon="LOOP_BACK")
        if run is None:
            return
        if run.waiting_for:
            layout.label(text=f"Leave {run.waiting_for} to receive the motion", icon="INFO")
        elif not run.over:
            layout.label(text="Solving...", icon="SORTTIME")
        elif run.state is State.FAILED:
            paragraph(context, layout, run.outcome.text, "ERROR", alert=True)
        elif run.outcome.warning:
            paragraph(context, layout, run.outcome.warning, "INFO")


CLASSES = (LIFT_PT_clean_up_presets, LIFT_PT_clean_up)
