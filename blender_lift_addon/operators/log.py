# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what went wrong."""

from typing import TYPE_CHECKING

import bpy

from .. import delivery

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

LOG_NAME = "Lift engine log"


class LIFT_OT_show_log(bpy.types.Operator):
    """Shows why a lift failed."""

    bl_idname = "lift.show_log"
    bl_label = "Show Log"
    bl_description = "Open the end of the engine's log in a text editor"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only after a failure."""
        there = delivery.outcome is not None and bool(delivery.outcome.log)
        if not there:
            cls.poll_message_set("The last lift left no log")
        return there

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Puts the log into a text block, and that into a new window where there are windows."""
        assert delivery.outcome is not None
        text = bpy.data.texts.get(LOG_NAME) or bpy.data.texts.new(LOG_NAME)
        text.clear()
        text.write(f"{delivery.outcome.text}\n\n{delivery.outcome.log}\n")
        if not bpy.app.background:
            assert context.window_manager is not None
            bpy.ops.wm.window_new()
            area = context.window_manager.windows[-1].screen.areas[0]
            area.type = "TEXT_EDITOR"
            space = area.spaces.active
            assert isinstance(space, bpy.types.SpaceTextEditor)
            space.text = text
            text.cursor_set(0)
            space.top = 0
            space.show_word_wrap = True
        return {"FINISHED"}


CLASSES = (LIFT_OT_show_log,)
