# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with a take of the list."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty

from lifter_core.errors import LiftError
from lifter_core.take import load_take

from .. import delivery, live_clean_up, runs, scene_view, seen_keypoints, store
from ..add_again import add_again, fits, key_on
from ..properties.lift_settings import active_take, settings_of
from ..properties.takes import take_file
from ..removal import remove_made

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class _OnTake(bpy.types.Operator):
    """An operator on the active take."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only with a take."""
        if active_take(context.scene) is None:
            cls.poll_message_set("There is no take yet: lift a clip first")
            return False
        return True


class LIFT_OT_apply_take(_OnTake):
    """Brings a take into the scene once more."""

    bl_idname = "lift.apply_take"
    bl_label = "Apply Take"
    bl_description = "Bring the take into the scene again. Nothing is overwritten: the motion is always a new action"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    target: EnumProperty(  # type: ignore[valid-type]
        name="To",
        description="What gets the motion",
        items=(
            ("NEW", "New Armature", "Add a new armature, a new camera and the clip behind it"),
            ("ACTIVE", "Active Armature", "Give the active armature a new action. It must be one that Lift made"),
        ),
    )
    as_strip: BoolProperty(  # type: ignore[valid-type]
        name="As NLA Strip",
        description="Put the motion into an NLA track of its own instead of making it the active action",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Asks where to."""
        assert context.window_manager is not None
        return context.window_manager.invoke_props_dialog(self, confirm_text="Apply")

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Builds it."""
        scene, entry = context.scene, active_take(context.scene)
        assert scene is not None and entry is not None
        file = take_file(entry)
        if file is None:
            self.report({"ERROR"}, "The take's file is gone; lift its clip again")
            return {"CANCELLED"}
        if reason := scene_view.obstacle():
            self.report({"ERROR"}, f"Leave {reason} first")
            return {"CANCELLED"}
        try:
            take = load_take(file)
        except LiftError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if self.target == "NEW":
            lifted = add_again(scene, entry, take, self.as_strip)
            if context.window is not None and context.window.scene == scene:
                scene_view.show(context.window, lifted)
            return {"FINISHED"}
        active = context.view_layer.objects.active if context.view_layer else None
        if active is None or not fits(active, take):
            self.report({"ERROR"}, "Make an armature that Lift made the active object first")
            return {"CANCELLED"}
        action = key_on(active, entry, take, self.as_strip)
        self.report({"INFO"}, f"{active.name} moves by the action {action.name}")
        return {"FINISHED"}


class LIFT_OT_solve_take(_OnTake):
    """Solves the active take anew."""

    bl_idname = "lift.solve_take"
    bl_label = "Clean Up Motion"
    bl_description = (
        "Solve the take anew with these settings, in seconds, and renew its armature's keys. Keys that you changed by "
        "hand are kept: the new motion is then an action of its own"
    )

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Starts the engine; without a window waits for it."""
        entry = active_take(context.scene)
        assert entry is not None and context.scene is not None
        run = delivery.solve_take(context.scene, entry)
        if run is None:
            self.report({"ERROR"}, "The take's file is gone; lift its clip again")
            return {"CANCELLED"}
        if bpy.app.background:
            runs.wait_all()
        if run.outcome.failed:
            self.report({"ERROR"}, run.outcome.text)
            return {"CANCELLED"}
        return {"FINISHED"}


class LIFT_OT_reset_clean_up(_OnTake):
    """Back to the standard."""

    bl_idname = "lift.reset_clean_up"
    bl_label = "Reset Clean-Up"
    bl_description = "Set everything in this panel back to the standard"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Resets, and solves anew if Live is on."""
        entry = active_take(context.scene)
        assert entry is not None and context.scene is not None
        clean_up: Any = entry.clean_up
        with live_clean_up.quiet():
            for setting in clean_up.bl_rna.properties:
                if not setting.is_readonly and setting.identifier != "name":
                    clean_up.property_unset(setting.identifier)
        live_clean_up.changed(clean_up, context)
        return {"FINISHED"}


class LIFT_OT_remove_take(_OnTake):
    """Takes the active take off the list."""

    bl_idname = "lift.remove_take"
    bl_label = "Remove Take"
    bl_description = "Take it off the list; asks whether its armature and its file shall go too"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    from_scene: BoolProperty(  # type: ignore[valid-type]
        name="From the Scene Too",
        description="Remove its armatures, its camera with the footage, and their actions",
        options={"SKIP_SAVE"},
    )
    file_too: BoolProperty(  # type: ignore[valid-type]
        name="Its File Too",
        description=(
            "Move the take's file from the folder next to the .blend into the cache. There an undo still finds it, "
            "until the cache is cleared"
        ),
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Asks what else shall go."""
        assert context.window_manager is not None
        return context.window_manager.invoke_props_dialog(self, title="Remove Take", confirm_text="Remove")

    def draw(self, context: bpy.types.Context) -> None:
        """The dialog."""
        layout, entry = self.layout, active_take(context.scene)
        assert layout is not None
        if entry is not None:
            layout.label(text=entry.name, icon="ARMATURE_DATA")
        layout.prop(self, "from_scene")
        row = layout.row()
        row.active = entry is not None and entry.path.startswith("//")
        row.prop(self, "file_too")

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Removes it."""
        scene, entry = context.scene, active_take(context.scene)
        assert scene is not None and entry is not None
        run = runs.solving(entry.uid)
        if run is not None:
            runs.remove(run)
        settings = settings_of(scene)
        file = take_file(entry) if self.file_too and entry.path.startswith("//") else None
        if self.from_scene:
            if reason := scene_view.obstacle():
                self.report({"ERROR"}, f"Leave {reason} first")
                return {"CANCELLED"}
            remove_made(scene, entry.uid)
        takes: Any = settings.takes
        takes.remove(settings.active_take)
        settings.active_take = max(0, min(settings.active_take, len(takes) - 1))
        if file is not None:
            seen_keypoints.forget()
            try:
                store.retire(file)
            except OSError as error:
                self.report({"WARNING"}, f"Its file could not be moved: {error.strerror}")
        return {"FINISHED"}


CLASSES = (
    LIFT_OT_apply_take,
    LIFT_OT_solve_take,
    LIFT_OT_reset_clean_up,
    LIFT_OT_remove_take,
)
