# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what went wrong."""

from typing import TYPE_CHECKING

import bpy

from ..runs import Outcome, runs

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

LOG_NAME = "Lift engine log"


def last_failure() -> Outcome | None:
    """How the last run that failed and left a log ended."""
    return next((run.outcome for run in reversed(runs) if run.outcome.failed and run.outcome.log), None)


class LIFT_OT_show_log(bpy.types.Operator):
    """Shows why a lift failed."""

    bl_idname = "lift.show_log"
    bl_label = "Show Log"
    bl_description = "Open the end of the engine's log in a text editor"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only after a failure."""
        if last_failure() is None:
            cls.poll_message_set("No lift has failed")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Puts the log into a text block, and that into a new window where there are windows."""
        outcome = last_failure()
        assert outcome is not None
        text = bpy.data.texts.get(LOG_NAME) or bpy.data.texts.new(LOG_NAME)
        text.clear()
        text.write(f"{outcome.text}\n\n{outcome.log}\n")
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
