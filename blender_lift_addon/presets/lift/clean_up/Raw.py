# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: ignore-errors
"""As detected: nothing smoothed, feet free."""

import bpy

bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.smooth = 0.0
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.by_part = False
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.foot_lock = 0.0
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.root = "MOTION"
bpy.context.scene.lift.takes[bpy.context.scene.lift.active_take].clean_up.turn = False
