# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: ignore-errors
"""In place, looking along -Y."""

import bpy

bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.smooth = 0.5
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.by_part = False
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.foot_lock = 1.0
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.root = "IN_PLACE"
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.turn = True
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.facing = 0.0
