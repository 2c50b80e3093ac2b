# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in the status bar."""

from typing import TYPE_CHECKING, Any

import bpy

from .. import status

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class LIFT_OT_tell(bpy.types.Operator):
    """Reports the message that waits (see status.tell)."""

    bl_idname = "lift.tell"
    bl_label = "Lift Message"
    bl_description = "Show how a lift ended"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Waits for Blender's next event."""
        assert context.window_manager is not None
        self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Reports and ends."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        assert context.window_manager is not None
        context.window_manager.event_timer_remove(self._timer)
        message = status.next_message()
        if message is not None:
            text, kind = message
            kinds: Any = {kind}
            self.report(kinds, text)
        return {"FINISHED"}


CLASSES = (LIFT_OT_tell,)
