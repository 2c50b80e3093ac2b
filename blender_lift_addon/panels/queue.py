# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being lifted, what waits, and how it ended."""

from typing import Any

import bpy

from .. import runs
from ..engine import Progress
from ..operators.lift import LIFT_OT_cancel, LIFT_OT_remove_run
from ..operators.log import LIFT_OT_show_log
from ..runs import Run, State
from .text import paragraph

STAGES = {  # in the engine's order
    "start": "Starting",
    "read": "Reading the clip",
    "detect": "Finding the person",
    "lift": "Lifting to 3D",
    "solve": "Solving the motion",
    "write": "Writing the take",
}
ICONS = {
    State.WAITING: "TIME",
    State.RUNNING: "PLAY",
    State.READY: "CHECKMARK",
    State.DONE: "CHECKMARK",
    State.FAILED: "ERROR",
    State.CANCELLED: "CANCEL",
}


def draw_queue(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """The queue, and the way out."""
    queue = runs.lifts()
    several = len(queue) > 1
    for index, run in enumerate(queue):
        box = layout.box() if several or run.state is State.FAILED else layout.column()
        if several:
            icons: Any = ICONS[run.state]
            row = box.row()
            row.label(text=run.name, icon=icons)
            if run.state is not State.FAILED:
                right = row.row()
                right.alignment = "RIGHT"
                right.label(text=run.state.value)
            row.operator(LIFT_OT_remove_run.bl_idname, text="", icon="X", emboss=False).index = index
        if run.state in (State.RUNNING, State.READY):
            draw_progress(box, run)
        elif run.over:
            draw_outcome(context, box, run, several)
    if any(not run.over for run in queue):
        row = layout.row()
        row.scale_y = 1.4
        text = "Cancel All (Esc)" if sum(not run.over for run in queue) > 1 else "Cancel (Esc)"
        row.operator(LIFT_OT_cancel.bl_idname, text=text, icon="CANCEL")


def draw_progress(layout: bpy.types.UILayout, run: Run) -> None:
    """How far a run is."""
    column = layout.column(align=True)
    if run.waiting_for:
        column.label(text=f"Leave {run.waiting_for} to receive the armature", icon="INFO")
        return
    progress = run.engine.progress if run.engine is not None else Progress()
    column.progress(factor=fraction(progress), text=bar_text(progress))
    row = column.row()
    row.label(text=step_text(progress))
    right = row.row()
    right.alignment = "RIGHT"
    right.label(text=left_text(progress))


def draw_outcome(context: bpy.types.Context, layout: bpy.types.UILayout, run: Run, several: bool) -> None:
    """How a run ended."""
    outcome = run.outcome
    if outcome.failed:
        paragraph(context, layout, outcome.text, "BLANK1" if several else "ERROR", alert=True)
        if outcome.log:
            layout.operator(LIFT_OT_show_log.bl_idname, icon="TEXT")
        return
    if not several or run.state is State.DONE:
        icon = "BLANK1" if several else "CHECKMARK" if run.state is State.DONE else "INFO"
        paragraph(context, layout, outcome.text, icon)
    if outcome.warning:
        paragraph(context, layout, outcome.warning, "INFO")


def draw_status(header: Any, context: bpy.types.Context) -> None:
    """In the status bar, for when the sidebar is closed."""
    going = [run for run in runs.lifts() if run.state in (State.RUNNING, State.READY)]
    if not going or going[0].engine is None:
        return
    run, progress = going[0], going[0].engine.progress
    row = header.layout.row(align=True)
    row.label(text=f"{run.name}: {STAGES.get(progress.stage, progress.stage)}", icon="ARMATURE_DATA")
    bar = row.row()
    bar.ui_units_x = 8
    bar.progress(factor=fraction(progress), text="Ready" if run.waiting_for else left_text(progress))
    row.operator(LIFT_OT_cancel.bl_idname, text="", icon="X", emboss=False)


def fraction(progress: Progress) -> float:
    """The part of the stage that is done, 0 to 1."""
    return min(1.0, progress.done / progress.total) if progress.total else 0.0


def bar_text(progress: Progress) -> str:
    """What stands in the bar: the frames done of all, and how fast."""
    if not progress.total:
        return STAGES.get(progress.stage, progress.stage)
    rate = f", {progress.fps:.0f} a second" if progress.fps and 1 <= progress.fps < 1000 else ""
    return f"{progress.done} of {progress.total} frames{rate}"


def step_text(progress: Progress) -> str:
    """Which stage it is, and how many there are."""
    names = list(STAGES)
    if progress.stage not in names[1:]:
        return STAGES.get(progress.stage, progress.stage)
    return f"{names.index(progress.stage)}/{len(names) - 1}  {STAGES[progress.stage]}"


def left_text(progress: Progress) -> str:
    """The time that this stage will still take."""
    if progress.eta is None:
        return ""
    minutes, seconds = divmod(round(progress.eta), 60)
    return f"{minutes}:{seconds:02d} left"
