# SPDX-License-Identifier: GPL-3.0-or-later
"""A take's skeleton as a Blender armature in its rest pose: a T-pose facing -Y, feet on the floor."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from lifter_core.rotations import to_quaternion, unit
from lifter_core.skeleton import BONES
from lifter_core.take import Take

Rest = tuple[NDArray[np.float64], NDArray[np.float64]]  # (B, 4) bones' axes at rest, wxyz; (B, 3) m, where they begin

SHORTEST = 1e-3  # m; Blender drops bones without length
TAILS = {bone.name: bone.tail for bone in BONES}


def bone_name(name: str) -> str:
    """A take's bone name as animators (and Blender's mirror tools) write it: left_upper_arm is upper_arm.L."""
    for side, suffix in (("left_", ".L"), ("right_", ".R")):
        if name.startswith(side):
            return name.removeprefix(side) + suffix
    return name


def rest_heads(take: Take, person: int) -> NDArray[np.float64]:
    """(B, 3) m, where the bones begin in the rest pose: the lowest joint on the floor, the pelvis above 0, 0."""
    heads = np.zeros((len(take.bone_names), 3))
    for bone, parent in enumerate(take.bone_parents):
        if parent >= 0:
            heads[bone] = heads[parent] + take.rest_offsets[person, bone]
    joints = heads[take.joint_bones] + take.joint_offsets[person]
    heads[:, 2] -= joints[:, 2].min()
    return heads


def rest_tails(take: Take, person: int, heads: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, 3) m, where the bones end in the rest pose."""
    tails = heads.copy()
    for bone, name in enumerate(take.bone_names):
        tip = TAILS.get(name, "")
        if tip in take.joint_names:
            joint = take.joint_names.index(tip)
            tails[bone] = heads[take.joint_bones[joint]] + take.joint_offsets[person, joint]
        if np.linalg.norm(tails[bone] - heads[bone]) < SHORTEST:
            tails[bone] = heads[bone] + (0.0, 0.0, 0.05)
    return tails


def roll_axis(direction: NDArray[np.float64]) -> Vector:
    """Where a bone's Z axis looks at rest: to the front, or up for bones that point to the front themselves (feet).

    So knees and elbows bend about X, and the two sides mirror each other.
    """
    along_front = abs(direction[1]) > 0.7 * np.linalg.norm(direction)
    return Vector((0.0, 0.0, 1.0)) if along_front else Vector((0.0, -1.0, 0.0))


@contextmanager
def editing(armature_object: bpy.types.Object) -> Iterator[bpy.types.Armature]:
    """Edit mode in a scene of its own, so that the user's mode, selection and active object stay as they are."""
    scene = bpy.data.scenes.new("lift")
    view_layer = scene.view_layers[0]
    scene.collection.objects.link(armature_object)
    view_layer.objects.active = armature_object
    try:
        with bpy.context.temp_override(
            scene=scene, view_layer=view_layer, active_object=armature_object, object=armature_object
        ):
            bpy.ops.object.mode_set(mode="EDIT")
            data = armature_object.data
            assert isinstance(data, bpy.types.Armature)
            yield data
            bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        bpy.data.scenes.remove(scene)


def set_bones(armature_object: bpy.types.Object, take: Take, person: int) -> None:
    """Gives the armature the bones of one person of the take; those it has are moved to where they belong."""
    heads = rest_heads(take, person)
    tails = rest_tails(take, person, heads)
    with editing(armature_object) as data:
        for bone, parent in enumerate(take.bone_parents):
            name = bone_name(take.bone_names[bone])
            edit = data.edit_bones.get(name) or data.edit_bones.new(name)
            edit.use_connect = False
            edit.head, edit.tail = Vector(heads[bone]), Vector(tails[bone])
            edit.align_roll(roll_axis(tails[bone] - heads[bone]))
            if parent >= 0:
                edit.parent = data.edit_bones[bone_name(take.bone_names[parent])]
                edit.use_connect = bool(np.allclose(heads[bone], tails[parent], atol=1e-5))


def make_armature(take: Take, person: int, name: str) -> bpy.types.Object:
    """A new armature object for one person of the take, in no collection yet."""
    armature = bpy.data.armatures.new(name)
    armature_object = bpy.data.objects.new(name, armature)
    set_bones(armature_object, take, person)
    armature.display_type = "STICK"  # thin, so that the person behind it stays in sight
    armature_object.show_in_front = True
    assert armature_object.pose is not None
    for pose_bone in armature_object.pose.bones:
        pose_bone.rotation_mode = "QUATERNION"
    return armature_object


def take_rest(take: Take, person: int) -> Rest:
    """What rest_of says of an armature that make_armature makes, without making it."""
    heads = rest_heads(take, person)
    along = unit(rest_tails(take, person, heads) - heads)
    front = np.array([roll_axis(direction) for direction in along])
    across = unit(np.cross(along, front))
    return to_quaternion(np.stack((across, along, np.cross(across, along)), -1)), heads


def rest_of(armature_object: bpy.types.Object, names: tuple[str, ...]) -> Rest:
    """The rest pose of the take's bones (B) of an armature that has them, in its own space."""
    armature = armature_object.data
    assert isinstance(armature, bpy.types.Armature)
    bones = [armature.bones[bone_name(name)] for name in names]
    axes = np.array([bone.matrix_local.to_quaternion() for bone in bones])
    return axes, np.array([bone.head_local for bone in bones], float)
