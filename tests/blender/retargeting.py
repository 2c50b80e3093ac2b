"""What the retargeting tests share: a lifted source, a target, and how far apart their limbs are as Blender shows them."""

import math
from typing import Any

import bpy
import numpy as np

from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.armature_to_armature import Side, retarget
from blender_lift_addon.retarget.kinds import recognise
from blender_lift_addon.retarget.roles import NEXT
from blender_lift_addon.retarget.transfer_data import Options

from .synthetic_take import synthetic_take

TRUE_TO_SOURCE = Options(plant_feet=False)
FRAMES = (1, 9, 17, 32, 45, 60)  # 21 to 30 are a gap
LIMBS = ("upper_arm", "forearm", "thigh", "shin")


def known(armature: bpy.types.Object) -> Side:
    match = recognise([bone.name for bone in armature.data.bones])
    return Side(armature, match.bones, match.kind)


def lifted(people: int = 1, **options: Any) -> Side:
    take = synthetic_take(people=people, **options)
    return known(add_take(bpy.context.scene, take).armatures[0])


def shown(armature: bpy.types.Object) -> bpy.types.Object:
    return armature.evaluated_get(bpy.context.evaluated_depsgraph_get())


def place(side: Side, role: str) -> np.ndarray:
    posed = shown(side.armature)
    return np.array(posed.matrix_world @ posed.pose.bones[side.bones[role][0]].head)


def direction(side: Side, part: str, letter: str) -> np.ndarray:
    v = place(side, f"{NEXT[part]}.{letter}") - place(side, f"{part}.{letter}")
    return v / np.linalg.norm(v)


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(math.atan2(np.linalg.norm(np.cross(a, b)), float(a @ b)))


def direction_errors(source: Side, target: Side, frames: Any = FRAMES) -> list[float]:
    """Degrees between the limbs of the two, as Blender shows them."""
    errors = []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        for part in LIMBS:
            for letter in "LR":
                errors.append(angle(direction(source, part, letter), direction(target, part, letter)))
    return errors


def turn_errors(source: Side, target: Side, roles: tuple[str, ...] = ("hips", "head", "shoulder.L")) -> list[float]:
    """Degrees between the bones' turns from rest, in the world, at FRAMES."""
    errors = []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        for role in roles:
            turned = []
            for side in (source, target):
                bone = shown(side.armature).pose.bones[side.bones[role][-1]]
                world = side.armature.matrix_world.to_quaternion()
                turn = (bone.matrix @ bone.bone.matrix_local.inverted()).to_quaternion()
                turned.append(world @ turn @ world.inverted())
            errors.append(math.degrees(turned[0].rotation_difference(turned[1]).angle) % 360)
    return errors


def curves_of(armature: bpy.types.Object) -> list[Any]:
    from blender_lift_addon.tags import curves_of

    return list(curves_of(armature.animation_data.action, armature).fcurves)


def go(source: Side, target: Side, options: Options = TRUE_TO_SOURCE, **more: Any) -> Any:
    return retarget(bpy.context.scene, source, target, options, "test", **more)
