"""A rig of controls as Auto-Rig Pro makes them: FK and IK chains, poles, and deform bones that a switch lets follow either.

Built from its bones' names and properties; the add-on itself is sold and cannot be shipped.
"""

from typing import Any

import bpy
from mathutils import Vector

from blender_lift_addon.armature import editing
from blender_lift_addon.retarget.kinds import kinds

from .target_rigs import rig_of_kind

LIMBS = {  # FK controls, IK chain, deform bones, IK control, pole, where the middle joint goes
    "arm": (("c_arm_fk", "c_forearm_fk", "c_hand_fk"), ("arm_ik", "forearm_ik"), ("arm_stretch", "forearm_stretch", "hand"),
            "c_hand_ik", "c_arms_pole", Vector((0, 1, 0))),
    "leg": (("c_thigh_fk", "c_leg_fk", "c_foot_fk"), ("thigh_ik", "leg_ik"), ("thigh_stretch", "leg_stretch", "foot"),
            "c_foot_ik", "c_leg_pole", Vector((0, -1, 0))),
}  # fmt: skip


def _follow(rig: bpy.types.Object, name: str, target: str, control: str, expression: str) -> None:
    constraint: Any = rig.pose.bones[name].constraints.new("COPY_TRANSFORMS")  # type: ignore[union-attr]
    constraint.target, constraint.subtarget = rig, target
    driver: Any = constraint.driver_add("influence").driver
    variable = driver.variables.new()
    variable.targets[0].id = rig
    variable.targets[0].data_path = f'pose.bones["{control}"]["ik_fk_switch"]'
    driver.expression = expression.replace("switch", variable.name)


def auto_rig_pro(hinges: bool = True) -> bpy.types.Object:
    """The rig, in IK as it comes. ``hinges``: whether elbows and knees may only turn about one axis in IK."""
    rig = rig_of_kind(kinds()["auto_rig_pro"])
    with editing(rig) as data:
        edit = data.edit_bones
        for fk, ik, deform, control, pole, bend in LIMBS.values():
            for side in (".l", ".r"):
                joints = [edit[name + side].head.copy() for name in fk]
                joints[1] += bend * 0.01  # bent a little, so that IK knows where to
                end = edit[fk[2] + side]
                parent = edit[fk[0] + side].parent
                for k, name in enumerate(ik):
                    bone = edit.new(name + side)
                    bone.head, bone.tail = joints[k], joints[k + 1]
                    bone.parent = parent if k == 0 else edit[ik[0] + side]
                    bone.align_roll(bend)
                for k, name in enumerate(deform):
                    bone = edit.new(name + side)
                    like = edit[(*ik, fk[2])[k] + side]
                    bone.head, bone.tail, bone.roll, bone.parent = like.head, like.tail, like.roll, parent
                for k in (0, 1):
                    own = edit[fk[k] + side]
                    own.head, own.tail, own.roll = joints[k], joints[k + 1], edit[ik[k] + side].roll
                bone = edit.new(control + side)
                bone.head, bone.tail, bone.roll = end.head, end.tail, end.roll
                bone = edit.new(pole + side)
                bone.head = joints[1] + bend * 0.5
                bone.tail = bone.head + bend * 0.1
    for fk, ik, deform, control, pole, _ in LIMBS.values():
        for side in (".l", ".r"):
            bones = rig.pose.bones  # type: ignore[union-attr]
            bones[control + side]["ik_fk_switch"] = 0.0
            bones[control + side]["auto_stretch"] = 0.0
            solver: Any = bones[ik[1] + side].constraints.new("IK")
            solver.target, solver.subtarget, solver.chain_count = rig, control + side, 2
            solver.pole_target, solver.pole_subtarget, solver.pole_angle = rig, pole + side, 1.5707963
            if hinges:
                bones[ik[1] + side].lock_ik_y = bones[ik[1] + side].lock_ik_z = True
            for k, name in enumerate(deform):
                _follow(rig, name + side, fk[k] + side, control + side, "1")
                _follow(rig, name + side, (*ik, control)[k] + side, control + side, "1 - switch")
    return rig
