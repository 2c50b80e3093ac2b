# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys on the target: a new action, or an NLA strip over what is there. Nothing that was there is lost."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, continuous, to_quaternion

from ..keyframes import add_curves
from .controls import Channels
from .rotation_modes import axis_angle_of_matrix, euler_of_matrix


def rotation_curves(mode: str, rotation: Floats) -> tuple[str, Floats]:
    """The channel that a rotation mode keys, and its values (T, 3 or 4)."""
    if mode == "QUATERNION":
        return "rotation_quaternion", continuous(to_quaternion(rotation))
    if mode == "AXIS_ANGLE":
        return "rotation_axis_angle", axis_angle_of_matrix(rotation)
    return "rotation_euler", euler_of_matrix(rotation, mode)


def make_action(owner: bpy.types.Object, name: str) -> tuple[Any, Any, Any]:
    """A new action that stays in the file: itself, its slot (none before Blender 4.4) and what holds its F-curves."""
    action: Any = bpy.data.actions.new(name)
    action.use_fake_user = True
    if not hasattr(action, "slots"):
        action.id_root = "OBJECT"
        return action, None, action
    slot = action.slots.new("OBJECT", owner.name)
    strip: Any = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return action, slot, strip.channelbag(slot, ensure=True)


def fill(
    curves: Any, owner: bpy.types.Object, channels: list[Channels], frames: Floats, shapes: NDArray[np.intp]
) -> None:
    """F-curves for the channels, in the rotation mode each bone has."""
    assert owner.pose is not None
    for channel in channels:
        bone = owner.pose.bones[channel.name]
        path = f'pose.bones["{bpy.utils.escape_identifier(channel.name)}"]'
        if channel.location is not None:
            add_curves(curves, f"{path}.location", channel.name, frames, channel.location, shapes)
        if channel.rotation is not None:
            name, values = rotation_curves(bone.rotation_mode, channel.rotation)
            add_curves(curves, f"{path}.{name}", channel.name, frames, values, shapes)


def _keep(animation: Any) -> None:
    """The action that gives way stays in the file."""
    if animation.action is not None and animation.action.library is None:
        animation.action.use_fake_user = True


def assign(owner: bpy.types.Object, action: Any, slot: Any) -> None:
    """Makes it the object's action."""
    animation = owner.animation_data or owner.animation_data_create()
    assert animation is not None
    _keep(animation)
    animation.action = action
    if slot is not None:
        animation.action_slot = slot


def layer(owner: bpy.types.Object, action: Any, slot: Any, blend: str) -> Any:
    """Adds it as a strip on a new track above all others; the object's own action becomes a strip below.

    Returns the strip.
    """
    animation: Any = owner.animation_data or owner.animation_data_create()
    old, old_slot = animation.action, getattr(animation, "action_slot", None)
    if old is not None:
        _keep(animation)
        animation.action = None
        track = animation.nla_tracks.new()
        track.name = old.name
        strip = track.strips.new(old.name, round(old.frame_range[0]), old)
        if old_slot is not None:
            strip.action_slot = old_slot
    track = animation.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, round(action.frame_range[0]), action)
    if slot is not None:
        strip.action_slot = slot
    strip.blend_type = blend
    strip.extrapolation = "NOTHING" if blend == "REPLACE" else "HOLD_FORWARD"
    return strip
