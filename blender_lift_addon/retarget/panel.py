# SPDX-License-Identifier: GPL-3.0-or-later
"""Retarget, in the Lift tab of the 3D view's sidebar."""

from typing import Any

import bpy

from .export import FORM_OF_BUTTON, FORMATS, LIFT_OT_export_motion, armature_of
from .fit import LIFT_OT_retarget_fit
from .map_operators import (
    LIFT_OT_retarget_add,
    LIFT_OT_retarget_clear_pose,
    LIFT_OT_retarget_guess,
    LIFT_OT_retarget_load_map,
    LIFT_OT_retarget_match_pose,
    LIFT_OT_retarget_mirror,
    LIFT_OT_retarget_remove,
    LIFT_OT_retarget_save_map,
)
from .operators import LIFT_OT_retarget, LIFT_OT_retarget_restore_switches
from .retarget_settings import describe, kind_of, retarget_of, unsure_of
from .roles import BODY, label


class LIFT_UL_bone_map(bpy.types.UIList):
    """Part of the body, bone."""

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
        """Draws a row."""
        # Sidebars are narrow and bones' names long: no field in each row, an icon only where there is something to see to.
        split = layout.split(factor=0.37)
        split.active = bool(item.bone)
        split.label(text=label(item.role), icon="QUESTION" if item.unsure else "NONE")
        split.label(text=item.bone.rpartition(":")[2] or "none")  # all of it is in the field below

    def filter_items(self, context: bpy.types.Context, data: Any, property: str) -> Any:
        """Fingers and twist bones only if asked for; a search by part or bone."""
        rows = getattr(data, property)
        wanted = self.filter_name.lower()
        flags = []
        for row in rows:
            shown = data.show_fingers or row.role in BODY
            shown = shown and (wanted in label(row.role).lower() or wanted in row.bone.lower())
            flags.append(self.bitflag_filter_item if shown else 0)
        return flags, []


class LIFT_PT_retarget(bpy.types.Panel):
    """Source, target, options, button."""

    bl_label = "Retarget"
    bl_category = "Lift"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_order = 10
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the panel."""
        layout = self.layout
        assert layout is not None
        layout.use_property_decorate = False
        settings = retarget_of(context.scene)
        draw_side(layout, settings, "source", "ARMATURE_DATA")
        draw_side(layout, settings, "target", "OUTLINER_OB_ARMATURE")

        column = layout.column()
        column.use_property_split = True
        kind = kind_of(settings.target_rig)
        if kind is not None and kind.ik:
            column.row().prop(settings, "limbs", expand=True)
        column.prop(settings, "plant_feet")
        row = column.row()
        row.active = settings.plant_feet
        row.prop(settings, "leg_turn")
        column.prop(settings, "in_place")
        row = column.row()
        row.active = not settings.in_place
        row.prop(settings, "travel")
        column.prop(settings, "hands")
        column.row().prop(settings, "result", expand=True)
        if settings.result == "STRIP":
            column.prop(settings, "blend")

        row = layout.row()
        row.scale_y = 1.6
        row.operator(LIFT_OT_retarget.bl_idname, icon="CON_ARMATURE")
        layout.operator(LIFT_OT_retarget_fit.bl_idname, icon="CON_LOCLIKE")
        if settings.switches and settings.switched is not None:
            layout.operator(LIFT_OT_retarget_restore_switches.bl_idname, icon="LOOP_BACK")

        exported = armature_of(context)
        layout.label(text=f"Export {exported.name}" if exported else "Export")
        row = layout.row(align=True)
        for key, form in FORMATS.items():
            cell = row.row(align=True)
            cell.context_string_set(FORM_OF_BUTTON, key)
            cell.operator(LIFT_OT_export_motion.bl_idname, text=form.name).form = key


def draw_side(layout: bpy.types.UILayout, settings: Any, which: str, icon: str) -> None:
    """An armature, what it was recognised as, and its bone map."""
    rig, armature = getattr(settings, f"{which}_rig"), getattr(settings, which)
    box = layout.column(align=True)
    box.prop(settings, which, icon=icon)  # type: ignore[arg-type]
    if armature is None:
        return
    row = box.row(align=True)
    row.prop(rig, "show_map", text="", icon="DOWNARROW_HLT" if rig.show_map else "RIGHTARROW", emboss=False)
    row.label(text=describe(rig), icon="CHECKMARK" if rig.score > 0.85 and not unsure_of(rig) else "QUESTION")
    if rig.matching:
        row.label(text="", icon="POSE_HLT")
    if not rig.show_map:
        return
    box.template_list(LIFT_UL_bone_map.__name__, which, rig, "bones", rig, "active", rows=8)
    chosen = rig.bones[rig.active] if rig.active < len(rig.bones) else None
    if chosen is not None and (rig.show_fingers or chosen.role in BODY):
        box.prop_search(chosen, "bone", armature.data, "bones", text="")
    below = box.row(align=True)  # not beside the list, whose names need the width

    def button(operator: str, symbol: str) -> None:
        below.operator(operator, text="", icon=symbol).which = which  # type: ignore[arg-type]

    button(LIFT_OT_retarget_add.bl_idname, "ADD")
    button(LIFT_OT_retarget_remove.bl_idname, "REMOVE")
    below.separator()
    button(LIFT_OT_retarget_guess.bl_idname, "FILE_REFRESH")
    button(LIFT_OT_retarget_mirror.bl_idname, "MOD_MIRROR")
    below.separator()
    button(LIFT_OT_retarget_load_map.bl_idname, "FILE_FOLDER")
    button(LIFT_OT_retarget_save_map.bl_idname, "FILE_TICK")
    box.prop(rig, "show_fingers")
    row = box.row(align=True)
    if rig.matching:
        row.operator(LIFT_OT_retarget_clear_pose.bl_idname, icon="X").which = which
    else:
        row.operator(LIFT_OT_retarget_match_pose.bl_idname, icon="POSE_HLT").which = which


CLASSES = (LIFT_UL_bone_map, LIFT_PT_retarget)
