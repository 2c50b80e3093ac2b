# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing the clip."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, StringProperty

from ..properties.lift_settings import settings_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class LIFT_OT_choose_clip(bpy.types.Operator):
    """Chooses the clip in the file browser."""

    bl_idname = "lift.choose_clip"
    bl_label = "Choose Clip"
    bl_description = "Choose the video to lift"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    filter_movie: BoolProperty(default=True, options={"HIDDEN"})  # type: ignore[valid-type]
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Opens the file browser where the last clip was."""
        settings = settings_of(context.scene)
        if settings.clip:
            self.filepath = bpy.path.abspath(settings.clip)
        assert context.window_manager is not None
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Keeps the choice."""
        if not Path(self.filepath).is_file():
            self.report({"ERROR"}, "Choose a video file")
            return {"CANCELLED"}
        settings = settings_of(context.scene)
        settings.source, settings.clip = "FILE", self.filepath
        return {"FINISHED"}


CLASSES = (LIFT_OT_choose_clip,)
