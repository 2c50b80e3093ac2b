# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes, a whole curve at a time, through the action API of whichever Blender runs this (4.2 to 5.x)."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats

from .motion_curves import Channel, Motion, channels
from .tags import curves_of, sign


def blank_action(name: str, kind: str) -> Any:
    """A new action without curves; from Blender 4.4 on with a slot for that kind of data block, and a place for curves."""
    action: Any = bpy.data.actions.new(name)
    if hasattr(action, "slots"):
        slot = action.slots.new(kind, name)
        action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    return action


def assign(owner: bpy.types.Object | bpy.types.Camera, action: Any) -> None:
    """Has the action animate the object (or its data), and keeps it in the file."""
    action.use_fake_user = True
    animation: Any = owner.animation_data or owner.animation_data_create()
    animation.action = action
    if hasattr(action, "slots"):
        action.slots[0].name_display = owner.name
        animation.action_slot = action.slots[0]


def new_action(owner: bpy.types.Object | bpy.types.Camera, name: str) -> Any:
    """Gives the object (or its data) a new action that stays in the file, and returns what holds its F-curves.

    That is the action itself up to Blender 4.3, and the object's channel bag in it from 4.4 on; both have fcurves and
    groups.
    """
    action = blank_action(name, owner.id_type)
    assign(owner, action)
    return curves_of(action, owner)


def write_curve(curves: Any, channel: Channel, interpolation: NDArray[np.int32]) -> None:
    """Writes one F-curve; keys that are there are replaced."""
    curve = curves.fcurves.find(channel.path, index=channel.index)
    if curve is None:
        curve = curves.fcurves.new(channel.path, index=channel.index)
        curve.group = curves.groups.get(channel.group) or curves.groups.new(channel.group)
    points = curve.keyframe_points
    if len(points) != len(interpolation):
        points.clear()
        points.add(len(interpolation))
    points.foreach_set("co", channel.keys)
    points.foreach_set("interpolation", interpolation)
    curve.update()


def add_curves(curves: Any, path: str, group: str, frames: Floats, values: Floats, interpolation: NDArray[Any]) -> None:
    """One F-curve for each column of values (N, C), keyed at the scene frames (N,); keys that are there are replaced."""
    for channel in channels(path, group, frames, values):
        write_curve(curves, channel, interpolation.astype(np.int32))


def key_pose(
    armature: bpy.types.Object, motion: Motion | None, name: str, action: bpy.types.Action | None = None
) -> None:
    """Keys a person's motion on an armature that has its bones.

    Args:
        armature: the armature.
        motion: the motion, None if the person is never there: then nothing is keyed.
        name: of the new action.
        action: the armature's action, whose keys are replaced, instead of a new one.
    """
    if motion is None:
        return
    curves = curves_of(action, armature) if action else new_action(armature, name)
    for channel in motion.channels:
        write_curve(curves, channel, motion.interpolation)
    animation = armature.animation_data
    made = action or (animation.action if animation is not None else None)
    assert made is not None
    sign(made, motion.check)
