# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting and the rig's switches."""

from typing import TYPE_CHECKING, Any

import bpy

from .armature_to_armature import retarget
from .controls import restore_switches
from .retarget_settings import map_of, options_of, retarget_of, side_of_settings
from .rig import RetargetError
from .roles import NEEDED, label

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


def why_not(settings: Any) -> str:
    """Why nothing can be retargeted, in words for a tooltip, or nothing if it can."""
    for which in ("source", "target"):
        armature = getattr(settings, which)
        if armature is None:
            return f"Choose a {which} armature first"
        missing = [role for role in NEEDED if role not in map_of(getattr(settings, f"{which}_rig"))]
        if missing:
            return f"Map the {which}'s {', '.join(map(label, missing))} first"
    if settings.source == settings.target:
        return "Source and target are the same armature"
    animation = settings.source.animation_data
    if animation is None or (animation.action is None and not len(animation.nla_tracks)):
        return f"{settings.source.name} has no motion; choose an armature with an action"
    if not settings.target.is_editable:
        return f"{settings.target.name} is linked; make a library override of it first"
    return ""


class LIFT_OT_retarget(bpy.types.Operator):
    """Carries the source's motion over to the target."""

    bl_idname = "lift.retarget"
    bl_label = "Retarget to Rig"
    bl_description = "Give the target a new action in which it moves as the source does. Nothing of it is overwritten"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Says in the tooltip why the button is grey."""
        reason = why_not(retarget_of(context.scene))
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Retargets."""
        scene = context.scene
        assert scene is not None
        settings = retarget_of(scene)
        source = side_of_settings(settings.source, settings.source_rig)
        target = side_of_settings(settings.target, settings.target_rig)
        animation = settings.source.animation_data
        motion = animation.action.name if animation and animation.action else settings.source.name
        try:
            result = retarget(
                scene,
                source,
                target,
                options_of(settings),
                f"{motion} on {settings.target.name}",
                settings.limbs,
                settings.result == "STRIP",
                settings.blend,
            )
        except RetargetError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if result.switches and not (settings.switches and settings.switched == settings.target):
            settings.switches, settings.switched = result.switches, settings.target
        self.report({"INFO"}, f"{settings.target.name}: {len(result.frames)} frames in action {result.action.name}")
        return {"FINISHED"}


class LIFT_OT_retarget_restore_switches(bpy.types.Operator):
    """Puts the rig's switches back."""

    bl_idname = "lift.retarget_restore_switches"
    bl_label = "Restore Rig Switches"
    bl_description = "Put the rig's FK, IK and follow switches back to what they were before retargeting"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Says in the tooltip why the button is grey."""
        settings = retarget_of(context.scene)
        there = bool(settings.switches) and settings.switched is not None
        if not there:
            cls.poll_message_set("No switches were changed")
        return there

    def execute(self, context: bpy.types.Context) -> "set[OperatorReturnItems]":
        """Restores them."""
        settings = retarget_of(context.scene)
        count = restore_switches(settings.switched, settings.switches)
        settings.switches, settings.switched = "", None
        self.report({"INFO"}, f"{count} switches put back")
        return {"FINISHED"}


CLASSES: tuple[type, ...] = (LIFT_OT_retarget, LIFT_OT_retarget_restore_switches)
