# SPDX-License-Identifier: GPL-3.0-or-later
"""Videos dropped on the 3D view: one becomes the chosen clip, several go on the queue."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import CollectionProperty, StringProperty

from .. import delivery
from ..clip_source import VIDEO_SUFFIXES, Source, lift_options
from ..properties.lift_settings import settings_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class _TakesClips(bpy.types.Operator):
    """Takes one or several videos, from a drop or from the file browser."""

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]
    files: CollectionProperty(  # type: ignore[valid-type]
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        default=";".join(f"*{suffix}" for suffix in VIDEO_SUFFIXES), options={"HIDDEN"}
    )

    def clips(self) -> list[Path]:
        """The files given that are there."""
        files: Any = self.files
        paths = [Path(bpy.path.abspath(self.directory), file.name) for file in files]
        return [path for path in paths if path.is_file()]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Asks before several dropped clips are lifted; opens the file browser if none were dropped."""
        assert context.window_manager is not None
        clips = self.clips()
        if not clips:
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        if len(clips) == 1:
            return self.execute(context)
        return context.window_manager.invoke_props_dialog(self, title=f"Lift {len(clips)} Clips", confirm_text="Lift")

    def draw(self, context: bpy.types.Context) -> None:
        """The dialog for several dropped clips."""
        layout = self.layout
        assert layout is not None
        if context.area is not None and context.area.type == "FILE_BROWSER":
            return
        clips = self.clips()
        for clip in clips[:8]:
            layout.label(text=clip.name, icon="FILE_MOVIE")
        if len(clips) > 8:
            layout.label(text=f"and {len(clips) - 8} more", icon="BLANK1")
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings_of(context.scene), "quality")

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """One clip is chosen, several are put on the queue."""
        scene = context.scene
        assert scene is not None
        settings = settings_of(scene)
        clips = self.clips()
        if not clips:
            self.report({"ERROR"}, "Choose video files")
            return {"CANCELLED"}
        if len(clips) == 1:
            settings.source, settings.clip = "FILE", str(clips[0])
            bpy.ops.ed.undo_push(message="Choose Clip")
            _open_tab(context)
            self.report({"INFO"}, f"{clips[0].name}: press Lift Video to Armature in the sidebar's Lift tab")
            return {"FINISHED"}
        for clip in clips:
            source = Source(clip, name=clip.stem)
            options = lift_options(settings, source)
            delivery.lift_source(scene, source, options, settings.frame_rate == "MATCH")
        _open_tab(context)
        self.report({"INFO"}, f"{len(clips)} clips are on the queue")
        if bpy.app.background:
            from ..runs import wait_all

            wait_all()
        return {"FINISHED"}


def _open_tab(context: bpy.types.Context) -> None:
    """Opens the sidebar, and in it the Lift tab once the sidebar knows its tabs."""
    area = context.area
    if area is None or area.type != "VIEW_3D":
        return
    space = area.spaces.active
    assert isinstance(space, bpy.types.SpaceView3D)
    space.show_region_ui = True
    region: Any = next((region for region in area.regions if region.type == "UI"), None)

    def turn() -> None:
        try:
            region.active_panel_category = "Lift"
            region.tag_redraw()
        except (AttributeError, TypeError, ReferenceError):
            pass  # the area is gone, or it has no tabs yet

    if region is not None:
        bpy.app.timers.register(turn, first_interval=0.5)


class LIFT_OT_add_clips(_TakesClips):
    """From the file browser."""

    bl_idname = "lift.add_clips"
    bl_label = "Lift Several Clips"
    bl_description = "Choose several videos: they are lifted one after the other, each to an armature of its own"
    bl_options = {"REGISTER"}  # noqa: RUF012


class LIFT_OT_drop_clips(_TakesClips):
    """From a drop, under the name that Blender then shows."""

    bl_idname = "lift.drop_clips"
    bl_label = "Lift Video to Armature"
    bl_description = "Choose this video for the Lift tab. Several videos are lifted one after the other"
    bl_options = {"REGISTER", "INTERNAL"}  # noqa: RUF012


class LIFT_FH_video(bpy.types.FileHandler):
    """Videos dropped on the 3D view."""

    bl_idname = "LIFT_FH_video"
    bl_label = "Lift Video to Armature"
    bl_import_operator = LIFT_OT_drop_clips.bl_idname
    bl_file_extensions = ";".join(VIDEO_SUFFIXES)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Only on the 3D view."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (LIFT_OT_add_clips, LIFT_OT_drop_clips, LIFT_FH_video)
