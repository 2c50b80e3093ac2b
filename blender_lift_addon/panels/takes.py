# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of takes."""

from typing import Any

import bpy

from ..operators.takes import LIFT_OT_apply_take, LIFT_OT_remove_take
from ..properties.lift_settings import active_take, settings_of
from ..properties.takes import take_file
from .text import paragraph


class LIFT_UL_takes(bpy.types.UIList):
    """A line a take."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        """Its name and length in frames."""
        line = layout.split(factor=0.76)
        line.prop(item, "name", text="", icon="ERROR" if item.note else "ARMATURE_DATA", emboss=False)
        right = line.row()
        right.alignment = "RIGHT"
        right.active = False
        right.label(text=f"{item.frames} f")


class LIFT_PT_takes(bpy.types.Panel):
    """What was lifted in this scene."""

    bl_label = "Takes"
    bl_category = "Lift"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the list."""
        layout = self.layout
        assert layout is not None
        settings = settings_of(context.scene)
        takes: Any = settings.takes
        if not len(takes):
            paragraph(
                context, layout, "Each clip that you lift is listed here, to be cleaned up or applied again.", "INFO"
            )
            return
        row = layout.row()
        row.template_list("LIFT_UL_takes", "", settings, "takes", settings, "active_take", rows=3)
        row.column(align=True).operator(LIFT_OT_remove_take.bl_idname, text="", icon="REMOVE")
        take = active_take(context.scene)
        if take is None:
            return
        layout.operator(LIFT_OT_apply_take.bl_idname, text="Apply Take...", icon="ARMATURE_DATA")
        if take_file(take) is None:
            paragraph(
                context, layout, "Its file is gone: it cannot be applied or cleaned up. Lift the clip again", "ERROR"
            )
        elif take.note:
            paragraph(context, layout, take.note, "ERROR")


CLASSES = (LIFT_UL_takes, LIFT_PT_takes)
