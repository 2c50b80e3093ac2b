# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig's object put where the source stands and made as tall, so that it covers the person in the footage."""

from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix

from .armature_to_armature import Side
from .retarget_settings import retarget_of, side_of_settings
from .rig import RetargetError, read_rig

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


def fitted(source: Side, target: Side) -> Matrix:
    """The target object's world matrix with which its legs are as long as the source's and both stand on one floor.

    Raises:
        RetargetError: a map lacks what nothing works without.
    """
    theirs = read_rig(source.armature, source.bones, None, source.matching, "source")
    own = read_rig(target.armature, target.bones, target.kind)
    scale = theirs.leg / max(own.leg, 1e-9)
    turn = np.eye(4)
    turn[:3, :3] = scale * theirs.frame.T @ own.frame
    turn[:3, 3] = theirs.frame.T @ (0.0, 0.0, theirs.floor - scale * own.floor)
    return source.armature.matrix_world @ Matrix(turn.tolist())


class LIFT_OT_retarget_fit(bpy.types.Operator):
    """Puts the target where the source is."""

    bl_idname = "lift.retarget_fit"
    bl_label = "Stand on Footage"
    bl_description = (
        "Scale, turn and place the target's object so that it stands where the source does and its legs are as long, "
        "to cover the person in the footage. Its action and rest pose stay as they are"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Says in the tooltip why the button is grey."""
        settings = retarget_of(context.scene)
        reason = ""
        if settings.source is None or settings.target is None:
            reason = "Choose source and target armatures first"
        elif not settings.target.is_editable:
            reason = f"{settings.target.name} is linked; make a library override of it first"
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Moves the object."""
        settings = retarget_of(context.scene)
        source = side_of_settings(settings.source, settings.source_rig)
        target = side_of_settings(settings.target, settings.target_rig)
        try:
            settings.target.matrix_world = fitted(source, target)
        except RetargetError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{settings.target.name} stands where {settings.source.name} does")
        return {"FINISHED"}


CLASSES: tuple[type, ...] = (LIFT_OT_retarget_fit,)
