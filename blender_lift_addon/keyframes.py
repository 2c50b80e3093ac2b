# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes, a whole curve at a time, through the action API of whichever Blender runs this (4.2 to 5.x)."""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.take import Take

from .armature import bone_heads, bone_name, rest_rotations
from .tags import curves_of, sign

CONSTANT, LINEAR = 0, 1  # values of Keyframe.interpolation
NEARLY_WHOLE = 0.1  # frames; containers round their timestamps to milliseconds

Floats = NDArray[np.float64]


def scene_frames(seconds: Floats, fps: float, first_frame: int) -> Floats:
    """(T,) scene frames of times counted from the take's first frame; whole where they are whole but for rounding."""
    frames = seconds * fps
    whole = np.round(frames)
    return first_frame + np.where(np.abs(frames - whole) < NEARLY_WHOLE, whole, frames)


def multiply(a: Floats, b: Floats) -> Floats:
    """(..., 4) products of quaternions, wxyz."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        -1,
    )


def conjugate(q: Floats) -> Floats:
    """(..., 4) inverses of unit quaternions, wxyz."""
    inverse: Floats = q * np.array((1.0, -1.0, -1.0, -1.0))
    return inverse


def continuous(q: Floats) -> Floats:
    """(T, ..., 4) the same rotations, with the sign chosen that is nearer to the frame before."""
    flips = np.where((q[1:] * q[:-1]).sum(-1) < 0, -1.0, 1.0)
    signs = np.concatenate((np.ones(q[:1].shape[:-1]), np.cumprod(flips, 0))).astype(float)
    near: Floats = q * signs[..., None]
    return near


def holds(present: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(N,) interpolation of the keys at the present frames: constant where a gap follows, so that the pose is held."""
    at = np.flatnonzero(present)
    return np.where(np.diff(at, append=at[-1] + 1) > 1, CONSTANT, LINEAR)


def new_action(owner: bpy.types.Object | bpy.types.Camera, name: str) -> Any:
    """Gives the object (or its data) a new action that stays in the file, and returns what holds its F-curves.

    That is the action itself up to Blender 4.3, and the object's channel bag in it from 4.4 on; both have fcurves and
    groups.
    """
    action = bpy.data.actions.new(name)
    action.use_fake_user = True
    animation = owner.animation_data or owner.animation_data_create()
    assert animation is not None
    animation.action = action
    if not hasattr(action, "slots"):
        return action
    slot = action.slots.new(owner.id_type, owner.name)
    animation.action_slot = slot
    strip: Any = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def add_curves(
    curves: Any, path: str, group: str, frames: Floats, values: Floats, interpolation: NDArray[np.intp]
) -> None:
    """One F-curve for each column of values (N, C), keyed at the scene frames (N,); keys that are there are replaced."""
    home = curves.groups.get(group) or curves.groups.new(group)
    for index, column in enumerate(values.T):
        curve = curves.fcurves.find(path, index=index)
        if curve is None:
            curve = curves.fcurves.new(path, index=index)
            curve.group = home
        if len(curve.keyframe_points) != len(frames):
            curve.keyframe_points.clear()
            curve.keyframe_points.add(len(frames))
        curve.keyframe_points.foreach_set("co", np.stack((frames, column), -1).astype(np.float32).ravel())
        curve.keyframe_points.foreach_set("interpolation", interpolation.astype(np.int32))
        curve.update()


def pose_channels(take: Take, person: int, rest: Floats, heads: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """What the bones' channels must be for the armature to move like the person.

    Args:
        take: the take.
        person: which of its people.
        rest: (B, 4) the armature bones' rest rotations, wxyz.
        heads: (B, 3) m, the bones' heads at rest.

    Returns:
        (N, B, 4) rotations, (N, 3) locations of the root bone, and (T,) which frames these N are: those with a pose.
    """
    present = take.present[person]
    local = take.rotations[person, present].astype(np.float64)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    rotations = continuous(multiply(multiply(conjugate(rest), local), rest))
    root = int(np.flatnonzero(take.bone_parents < 0)[0])
    moved = take.root_positions[person, present].astype(np.float64) - heads[root]
    pure = np.concatenate((np.zeros((len(moved), 1)), moved), -1)
    locations = multiply(multiply(conjugate(rest[root]), pure), rest[root])[:, 1:]
    return rotations, locations, present


def key_pose(
    armature_object: bpy.types.Object,
    take: Take,
    person: int,
    frames: Floats,
    name: str,
    action: bpy.types.Action | None = None,
) -> None:
    """Keys one person's motion on an armature made for them.

    Args:
        armature_object: the armature.
        take: the take.
        person: which of its people.
        frames: (T,) scene frames of the take's frames.
        name: of the new action.
        action: the armature's action, whose keys are replaced, instead of a new one.
    """
    armature = armature_object.data
    assert isinstance(armature, bpy.types.Armature)
    rest = rest_rotations(armature, take.bone_names)
    rotations, locations, present = pose_channels(take, person, rest, bone_heads(armature, take.bone_names))
    if not present.any():
        return
    interpolation, keyed = holds(present), frames[present]
    curves = curves_of(action, armature_object) if action else new_action(armature_object, name)
    for bone, take_name in enumerate(take.bone_names):
        group = bone_name(take_name)
        path = f'pose.bones["{bpy.utils.escape_identifier(group)}"]'
        if take.bone_parents[bone] < 0:
            add_curves(curves, f"{path}.location", group, keyed, locations, interpolation)
        add_curves(curves, f"{path}.rotation_quaternion", group, keyed, rotations[:, bone], interpolation)
    animation = armature_object.animation_data
    assert animation is not None and animation.action is not None
    sign(animation.action, armature_object)
