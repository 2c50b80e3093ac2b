# SPDX-License-Identifier: GPL-3.0-or-later
# mypy: ignore-errors
"""The fastest detection."""

import bpy

bpy.context.scene.lift.quality = "DRAFT"
bpy.context.scene.lift.camera = "auto"
