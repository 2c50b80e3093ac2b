# SPDX-License-Identifier: GPL-3.0-or-later
"""Clip, choices, button, progress."""

from typing import Any

import bpy
from bl_ui.utils import PresetPanel

from lifter_core.declare import Place

from .. import pictures, runs
from ..clip_source import SourceError, source_of
from ..operators.clip import LIFT_OT_choose_clip
from ..operators.drop import LIFT_OT_add_clips
from ..operators.lift import LIFT_OT_video_to_armature
from ..operators.person import LIFT_OT_pick_person
from ..operators.presets import LIFT_OT_add_lift_preset
from ..properties.lift_settings import LiftSettings, settings_of, strips
from .option_rows import draw_options
from .queue import draw_queue
from .text import paragraph

HINT = (
    "Choose a video of a person, or drop one on the 3D view: one shot, head to feet in the picture, camera on a stand. "
    "Lift adds an armature that moves like them, and a camera with the clip behind it."
)


class LIFT_PT_lift_presets(PresetPanel, bpy.types.Panel):
    """The lift's presets."""

    bl_label = "Lift Presets"
    preset_subdir = "lift/settings"
    preset_operator = "script.execute_preset"
    preset_add_operator = LIFT_OT_add_lift_preset.bl_idname


class LIFT_PT_video(bpy.types.Panel):
    """The tab's main panel."""

    bl_label = "Video to Armature"
    bl_category = "Lift"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """The presets' menu."""
        LIFT_PT_lift_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """Draws the tab."""
        layout, scene = self.layout, context.scene
        assert layout is not None and scene is not None
        settings = settings_of(scene)
        draw_source(context, layout, scene, settings)
        draw_choices(layout, settings)
        waiting = any(not run.over for run in runs.lifts())
        row = layout.row(align=True)
        row.scale_y = 1.6
        text = "Add to Queue" if waiting else ""
        row.operator(LIFT_OT_video_to_armature.bl_idname, text=text or "Lift Video to Armature", icon="ARMATURE_DATA")
        row.operator(LIFT_OT_add_clips.bl_idname, text="", icon="DOCUMENTS")
        draw_queue(context, layout)


def draw_source(
    context: bpy.types.Context, layout: bpy.types.UILayout, scene: bpy.types.Scene, settings: LiftSettings
) -> None:
    """Where the clip comes from, and what it looks like."""
    column = layout.column()
    column.row(align=True).prop(settings, "source", expand=True)
    row = column.row(align=True)
    if settings.source == "CLIP":
        row.template_ID(settings, "movie_clip", open="clip.open")
    elif settings.source == "STRIP":
        if strips(scene):
            row.prop(settings, "strip", text="", icon="SEQUENCE", placeholder="Movie Strip")
        else:
            row.label(text="This scene's sequencer has no strips", icon="INFO")
    else:
        row.prop(settings, "clip", text="", icon="FILE_MOVIE", placeholder="Video")
        row.operator(LIFT_OT_choose_clip.bl_idname, text="", icon="FILEBROWSER")
    try:
        source = source_of(scene, settings, exact=False)
    except SourceError as error:
        empty = settings.source == "FILE" and not settings.clip
        if empty:
            paragraph(context, column, HINT, "INFO")
        elif settings.source == "FILE" or settings.movie_clip is not None or settings.strip:
            paragraph(context, column, str(error), "ERROR", alert=True)
        return
    start = source.start or 0.0
    if not pictures.failed(source.path, start, pictures.THUMBNAIL):
        # The room is kept from the start, so that no button moves away under the mouse when the picture comes.
        column.template_icon(icon_value=pictures.thumbnail(source.path, start) or placeholder(), scale=5.0)
        words = column.row()
        words.alignment, words.active = "CENTER", False
        words.label(text=pictures.about(source.path))


def placeholder() -> int:
    """The icon that stands for a picture to come."""
    rna: Any = bpy.types.UILayout.bl_rna
    icons = rna.functions["label"].parameters["icon"]
    return int(icons.enum_items["FILE_MOVIE"].value)


def draw_choices(layout: bpy.types.UILayout, settings: LiftSettings) -> None:
    """What may be chosen before a lift."""
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    if settings.source != "STRIP":
        column.column(heading="Range").prop(settings, "use_range")
        if settings.use_range:
            part = column.column(align=True)
            part.prop(settings, "start")
            part.prop(settings, "end")
    column.prop(settings, "quality")
    row = column.row(align=True)
    row.prop(settings, "whom")
    row.operator(LIFT_OT_pick_person.bl_idname, text="", icon="EYEDROPPER")
    draw_options(column, settings, Place.TAB)
    if settings.source != "STRIP":
        column.prop(settings, "frame_rate")


CLASSES = (LIFT_PT_lift_presets, LIFT_PT_video)
