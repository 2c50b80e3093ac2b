# SPDX-License-Identifier: GPL-3.0-or-later
"""The bone map's buttons and matching poses."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty

from .export import file_name
from .kinds import MapFileError, load_map, save_map
from .name_matching import mirrored
from .retarget_settings import OWN, fill, kind_of, map_of, retarget_of, set_map, store_pose
from .rig import data_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems

WHICH = (("source", "Source", "The armature that moves"), ("target", "Target", "The rig that shall move"))


class _RigOperator:
    """Works on the source's or the target's bone map."""

    which: EnumProperty(items=WHICH, name="Armature", options={"HIDDEN"})  # type: ignore[valid-type]

    def rig(self, context: bpy.types.Context) -> tuple[Any, bpy.types.Object | None]:
        """The map's settings and the armature."""
        settings = retarget_of(context.scene)
        return getattr(settings, f"{self.which}_rig"), getattr(settings, self.which)


class _FileOperator(_RigOperator):
    """Reads or writes a bone map."""

    saves = False
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> "set[OperatorReturnItems]":
        """Opens the file browser."""
        _, armature = self.rig(context)
        if not self.filepath:
            folder = os.path.join(os.path.dirname(bpy.data.filepath), "") if bpy.data.filepath else ""
            self.filepath = folder + (f"{file_name(armature.name) if armature else 'rig'}.json" if self.saves else "")
        assert context.window_manager is not None
        context.window_manager.fileselect_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}


class LIFT_OT_retarget_guess(_RigOperator, bpy.types.Operator):
    """Recognises the armature anew."""

    bl_idname = "lift.retarget_guess"
    bl_label = "Guess Bone Map"
    bl_description = "Find the bones anew by their names. Changes made to the list are lost"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Fills the list."""
        rig, armature = self.rig(context)
        matching = rig.matching
        fill(rig, armature)
        rig.matching = matching
        return {"FINISHED"}


class LIFT_OT_retarget_mirror(_RigOperator, bpy.types.Operator):
    """Fills in the other side."""

    bl_idname = "lift.retarget_mirror"
    bl_label = "Fill Other Side"
    bl_description = "Map the parts of one side as those of the other side are, by the bones' names"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Fills the list."""
        rig, armature = self.rig(context)
        if armature is None:
            return {"CANCELLED"}
        before = map_of(rig)
        after = mirrored(before, [bone.name for bone in data_of(armature).bones])
        set_map(rig, after)
        self.report({"INFO"}, f"{len(after) - len(before)} parts filled in")
        return {"FINISHED"}


class LIFT_OT_retarget_add(_RigOperator, bpy.types.Operator):
    """One more bone for the same part."""

    bl_idname = "lift.retarget_add"
    bl_label = "Add Bone to Part"
    bl_description = "Add a row for the chosen part, for spines, necks and limbs of several bones"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Adds a row below the chosen one."""
        rig, _ = self.rig(context)
        if not len(rig.bones):
            return {"CANCELLED"}
        row = rig.bones.add()
        row.role = rig.bones[rig.active].role
        rig.bones.move(len(rig.bones) - 1, rig.active + 1)
        rig.active += 1
        return {"FINISHED"}


class LIFT_OT_retarget_remove(_RigOperator, bpy.types.Operator):
    """Takes a row off."""

    bl_idname = "lift.retarget_remove"
    bl_label = "Remove Row"
    bl_description = "Take the chosen row off the bone map"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Removes it."""
        rig, _ = self.rig(context)
        if not 0 <= rig.active < len(rig.bones):
            return {"CANCELLED"}
        rig.bones.remove(rig.active)
        rig.active = max(0, rig.active - 1)
        return {"FINISHED"}


class LIFT_OT_retarget_save_map(_FileOperator, bpy.types.Operator):
    """Writes the bone map to a file."""

    bl_idname = "lift.retarget_save_map"
    bl_label = "Save Bone Map"
    bl_description = "Write the bone map to a file, to use it again or to share it"
    saves = True
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Writes it."""
        rig, armature = self.rig(context)
        try:
            save_map(Path(self.filepath).with_suffix(".json"), armature.name if armature else "Rig", map_of(rig))
        except OSError as error:
            self.report({"ERROR"}, f"The bone map could not be written: {error.strerror}; choose another folder")
            return {"CANCELLED"}
        return {"FINISHED"}


class LIFT_OT_retarget_load_map(_FileOperator, bpy.types.Operator):
    """Reads a bone map."""

    bl_idname = "lift.retarget_load_map"
    bl_label = "Load Bone Map"
    bl_description = "Read a bone map from a file that Save Bone Map wrote"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Reads it; names that the armature lacks are left out."""
        rig, armature = self.rig(context)
        try:
            kind = load_map(Path(self.filepath))
        except MapFileError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        there = set(data_of(armature).bones.keys()) if armature else set()
        bones = {role: [name for name in names if name in there] for role, names in kind.bones.items()}
        lost = sum(map(len, kind.bones.values())) - sum(map(len, bones.values()))
        set_map(rig, {role: names for role, names in bones.items() if names})
        known = kind_of(rig)
        if known is None or not (known.carrier or known.ik):  # a map of controls still needs what is known of the rig
            rig.kind, rig.score = OWN, 1.0
        if lost:
            self.report(
                {"WARNING"}, f"{lost} of the file's bones are not in {armature.name if armature else 'the rig'}"
            )
        return {"FINISHED"}


class LIFT_OT_retarget_match_pose(_RigOperator, bpy.types.Operator):
    """Sets the matching pose."""

    bl_idname = "lift.retarget_match_pose"
    bl_label = "Set Matching Pose"
    bl_description = (
        "Take the armature's present pose as the one that matches the other armature's rest or matching pose. "
        "Only needed where the automatic alignment of the rest poses is not what you want"
    )
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Stores it."""
        rig, armature = self.rig(context)
        if armature is None:
            self.report({"ERROR"}, f"Choose a {self.which} armature first")
            return {"CANCELLED"}
        store_pose(rig, armature)
        return {"FINISHED"}


class LIFT_OT_retarget_clear_pose(_RigOperator, bpy.types.Operator):
    """Forgets the matching pose."""

    bl_idname = "lift.retarget_clear_pose"
    bl_label = "Clear Matching Pose"
    bl_description = "Align the rest poses automatically again"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}  # noqa: RUF012

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Forgets it."""
        self.rig(context)[0].matching = ""
        return {"FINISHED"}


CLASSES: tuple[type, ...] = (
    LIFT_OT_retarget_guess,
    LIFT_OT_retarget_mirror,
    LIFT_OT_retarget_add,
    LIFT_OT_retarget_remove,
    LIFT_OT_retarget_save_map,
    LIFT_OT_retarget_load_map,
    LIFT_OT_retarget_match_pose,
    LIFT_OT_retarget_clear_pose,
)
