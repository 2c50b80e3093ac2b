# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands in Blender's menus: File > Import, and a menu in the 3D view, where F3 finds them."""

from typing import Any

import bpy

from ..operators.drop import LIFT_OT_add_clips
from ..operators.lift import LIFT_OT_cancel, LIFT_OT_video_to_armature
from ..operators.log import LIFT_OT_show_log
from ..operators.person import LIFT_OT_pick_person
from ..operators.takes import LIFT_OT_apply_take, LIFT_OT_remove_take, LIFT_OT_solve_take


class LIFT_MT_lift(bpy.types.Menu):
    """Object > Lift and Pose > Lift. F3 searches menus."""

    bl_idname = "LIFT_MT_lift"
    bl_label = "Lift"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the menu; what opens a dialog or takes a click does so here too."""
        layout = self.layout
        assert layout is not None
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator(LIFT_OT_video_to_armature.bl_idname, icon="ARMATURE_DATA")
        layout.operator(LIFT_OT_add_clips.bl_idname, icon="DOCUMENTS")
        layout.operator(LIFT_OT_pick_person.bl_idname, icon="EYEDROPPER")
        layout.operator(LIFT_OT_cancel.bl_idname, icon="CANCEL")
        layout.separator()
        layout.operator(LIFT_OT_apply_take.bl_idname)
        layout.operator(LIFT_OT_solve_take.bl_idname, icon="BRUSH_DATA")
        layout.operator(LIFT_OT_remove_take.bl_idname)
        layout.separator()
        layout.operator("lift.retarget")
        layout.operator("lift.export_motion")
        layout.separator()
        layout.operator(LIFT_OT_show_log.bl_idname, icon="TEXT")


def _in_view(menu: Any, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu(LIFT_MT_lift.bl_idname)


def _in_import(menu: Any, context: bpy.types.Context) -> None:
    menu.layout.operator(LIFT_OT_add_clips.bl_idname, text="Video to Armature (Lift)")


def register() -> None:
    """Adds to Blender's menus."""
    bpy.types.VIEW3D_MT_object.append(_in_view)
    bpy.types.VIEW3D_MT_pose.append(_in_view)
    bpy.types.TOPBAR_MT_file_import.append(_in_import)


def unregister() -> None:
    """Takes them away."""
    bpy.types.VIEW3D_MT_object.remove(_in_view)
    bpy.types.VIEW3D_MT_pose.remove(_in_view)
    bpy.types.TOPBAR_MT_file_import.remove(_in_import)


CLASSES = (LIFT_MT_lift,)
