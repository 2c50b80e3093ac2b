# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping a lift."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty

from .. import delivery, runs
from ..clip_source import SourceError, lift_options, source_of, why_not
from ..properties.lift_settings import settings_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_keys: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


class LIFT_OT_video_to_armature(bpy.types.Operator):
    """Puts the clip on the queue; the delivery adds what comes back."""

    bl_idname = "lift.video_to_armature"
    bl_label = "Lift Video to Armature"
    bl_description = (
        "Find the person in the clip and add an armature that moves like them, with the camera and the clip behind it. "
        "While another clip is being lifted, this one waits for it"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 (the undo step is pushed when the take is delivered)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Says in the tooltip why the button is grey."""
        assert context.scene is not None
        reason = why_not(context.scene)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Starts the engine; without a window (blender -b) waits for it too."""
        scene = context.scene
        assert scene is not None
        settings = settings_of(scene)
        try:
            source = source_of(scene, settings)
        except SourceError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        match = settings.frame_rate == "MATCH" and settings.source != "STRIP"
        run = delivery.lift_source(scene, source, lift_options(settings, source), match)
        if bpy.app.background:
            runs.wait_all()
        if run.outcome.failed:
            self.report({"ERROR"}, run.outcome.text)
            return {"CANCELLED"}
        return {"FINISHED"}


class LIFT_OT_cancel(bpy.types.Operator):
    """Stops the engine."""

    bl_idname = "lift.cancel"
    bl_label = "Cancel Lift"
    bl_description = "Stop lifting at once, and empty the queue. Nothing is added to the scene"
    bl_options = {"REGISTER"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while a clip is being lifted, so that Esc keeps its other meanings."""
        if not runs.busy():
            cls.poll_message_set("No clip is being lifted")
        return runs.busy()

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Stops the engine."""
        runs.cancel_all()
        self.report({"INFO"}, "Lift cancelled")
        return {"FINISHED"}


class LIFT_OT_remove_run(bpy.types.Operator):
    """Takes one clip off the queue."""

    bl_idname = "lift.remove_run"
    bl_label = "Remove from Queue"
    bl_description = "Take this clip off the queue. If it is being lifted, it is stopped; the others go on"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    index: IntProperty(options={"SKIP_SAVE"})  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Removes it."""
        queue = runs.lifts()
        if not 0 <= self.index < len(queue):
            return {"CANCELLED"}
        runs.remove(queue[self.index])
        return {"FINISHED"}


def register_keys() -> None:
    """Esc cancels, in any editor that has no use for Esc itself."""
    assert bpy.context.window_manager is not None
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is not None:  # there is none without a window
        keymap = configuration.keymaps.new(name="Window")
        _keys.append((keymap, keymap.keymap_items.new(LIFT_OT_cancel.bl_idname, "ESC", "PRESS")))


def unregister_keys() -> None:
    """Frees the key."""
    for keymap, item in _keys:
        keymap.keymap_items.remove(item)
    _keys.clear()


CLASSES = (LIFT_OT_video_to_armature, LIFT_OT_cancel, LIFT_OT_remove_run)
