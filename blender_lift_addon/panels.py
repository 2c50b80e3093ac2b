# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lift tab in the 3D view's sidebar."""

from typing import Any

import blf
import bpy

from . import delivery
from .engine import Progress
from .operators.clip import LIFT_OT_choose_clip
from .operators.lift import LIFT_OT_cancel, LIFT_OT_video_to_armature
from .operators.log import LIFT_OT_show_log
from .properties import LiftSettings, settings_of

STAGES = {  # in the engine's order
    "start": "Starting",
    "read": "Reading the clip",
    "detect": "Finding the person",
    "lift": "Lifting to 3D",
    "solve": "Solving the motion",
    "write": "Writing the take",
}
HINT = (
    "Choose a video of a person: one shot, head to feet in the picture, camera on a stand. "
    "Lift adds an armature that moves like them, and a camera with the clip behind it."
)
MARGIN = 78  # px at interface scale 1: the sidebar's edges, its tabs, a box's edges and an icon


class LIFT_PT_video(bpy.types.Panel):
    """Clip, choices, button, progress."""

    bl_label = "Video to Armature"
    bl_category = "Lift"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the tab."""
        layout = self.layout
        assert layout is not None
        settings = settings_of(context.scene)
        idle = delivery.current is None

        column = layout.column()
        column.enabled = idle
        row = column.row(align=True)
        row.prop(settings, "clip", text="", icon="FILE_MOVIE", placeholder="Video")
        row.operator(LIFT_OT_choose_clip.bl_idname, text="", icon="FILEBROWSER")
        if not settings.clip:
            paragraph(context, column, HINT, "INFO")
        self.draw_choices(column, settings)

        if delivery.current is not None:
            draw_progress(layout, delivery.current)
            return
        row = layout.row()
        row.scale_y = 1.6
        row.operator(LIFT_OT_video_to_armature.bl_idname, icon="ARMATURE_DATA")
        if delivery.outcome is not None:
            draw_outcome(context, layout, delivery.outcome)

    def draw_choices(self, layout: bpy.types.UILayout, settings: LiftSettings) -> None:
        """What may be chosen before a lift."""
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.column(heading="Range").prop(settings, "use_range")
        if settings.use_range:
            part = column.column(align=True)
            part.prop(settings, "start")
            part.prop(settings, "end")
        column.prop(settings, "quality")
        for heading, known, name in (
            ("Person's Height", "use_height", "height"),
            ("Field of View", "use_fov", "fov"),
        ):
            row = column.row(heading=heading)
            row.prop(settings, known, text="")
            value = row.row()
            value.active = getattr(settings, known)
            value.prop(settings, name, text="")
        column.prop(settings, "frame_rate")


def draw_progress(layout: bpy.types.UILayout, lift: delivery.Lift) -> None:
    """How far the lift is, and the way out."""
    column = layout.column(align=True)
    progress = lift.engine.progress
    if lift.waiting_for:
        column.label(text="Ready", icon="CHECKMARK")
        column.label(text=f"Leave {lift.waiting_for} to receive the armature")
    else:
        column.progress(factor=fraction(progress), text=bar_text(progress))
        row = column.row()
        row.label(text=step_text(progress))
        right = row.row()
        right.alignment = "RIGHT"
        right.label(text=left_text(progress))
    row = column.row()
    row.scale_y = 1.4
    row.operator(LIFT_OT_cancel.bl_idname, text="Cancel (Esc)", icon="CANCEL")


def draw_outcome(context: bpy.types.Context, layout: bpy.types.UILayout, outcome: delivery.Outcome) -> None:
    """How the last lift ended."""
    if not outcome.failed:
        layout.label(text=outcome.text, icon="CHECKMARK" if outcome.text != "Cancelled" else "INFO")
        return
    box = layout.box()
    paragraph(context, box, outcome.text, "ERROR", alert=True)
    if outcome.log:
        box.operator(LIFT_OT_show_log.bl_idname, icon="TEXT")


def fraction(progress: Progress) -> float:
    """The part of the stage that is done, 0 to 1."""
    return min(1.0, progress.done / progress.total) if progress.total else 0.0


def bar_text(progress: Progress) -> str:
    """What stands in the bar: the frames done of all."""
    if not progress.total:
        return STAGES.get(progress.stage, progress.stage)
    return f"{progress.done} of {progress.total} frames"


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


def paragraph(
    context: bpy.types.Context, layout: bpy.types.UILayout, text: str, icon: Any, alert: bool = False
) -> None:
    """Text on as many lines as the sidebar's width asks for; Blender's labels do not wrap."""
    assert context.preferences is not None
    scale = context.preferences.system.ui_scale
    width = (context.region.width if context.region else 300) - MARGIN * scale
    blf.size(0, 11.5 * scale)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and blf.dimensions(0, longer)[0] > width:
            lines.append(word)
        else:
            lines[-1] = longer
    column = layout.column(align=True)
    column.alert = alert
    column.scale_y = 0.8
    for number, line in enumerate(lines):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")


CLASSES = (LIFT_PT_video,)
