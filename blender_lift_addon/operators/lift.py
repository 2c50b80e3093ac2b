# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping a lift."""

from typing import TYPE_CHECKING

import bpy

from .. import delivery
from ..engine import EngineError
from ..preferences import engine_python
from ..properties import clip_path, lift_options, settings_of, why_not

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

_keys: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


class LIFT_OT_video_to_armature(bpy.types.Operator):
    """Starts the engine on the clip; the delivery adds what comes back."""

    bl_idname = "lift.video_to_armature"
    bl_label = "Lift Video to Armature"
    bl_description = (
        "Find the person in the clip and add an armature that moves like them, with the camera and the clip behind it"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 (the undo step is pushed when the take is delivered)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Says in the tooltip why the button is grey."""
        if delivery.current is not None:
            cls.poll_message_set("A clip is being lifted; wait for it or cancel it")
            return False
        reason = why_not(settings_of(context.scene))
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Starts the engine; without a window (blender -b) waits for it too."""
        scene = context.scene
        assert scene is not None
        settings = settings_of(scene)
        try:
            lift = delivery.begin(
                scene,
                clip_path(settings),
                lift_options(settings),
                settings.frame_rate == "MATCH",
                engine_python(),
            )
        except EngineError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not bpy.app.background:
            delivery.watch()
            return {"FINISHED"}
        lift.engine.wait(lambda progress: None)
        delivery.finish()
        if delivery.outcome is not None and delivery.outcome.failed:
            self.report({"ERROR"}, delivery.outcome.text)
            return {"CANCELLED"}
        return {"FINISHED"}


class LIFT_OT_cancel(bpy.types.Operator):
    """Stops the engine."""

    bl_idname = "lift.cancel"
    bl_label = "Cancel Lift"
    bl_description = "Stop lifting at once. Nothing is added to the scene"
    bl_options = {"REGISTER"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only while a clip is being lifted, so that Esc keeps its other meanings."""
        if delivery.current is None:
            cls.poll_message_set("No clip is being lifted")
        return delivery.current is not None

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Stops the engine."""
        delivery.cancel()
        self.report({"INFO"}, "Lift cancelled")
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


CLASSES = (LIFT_OT_video_to_armature, LIFT_OT_cancel)
