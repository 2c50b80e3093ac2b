# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: ignore-errors
"""The most careful detection, the camera known to stand still."""

import bpy

bpy.context.scene.lift.quality = "BEST"
bpy.context.scene.lift.camera = "still"
