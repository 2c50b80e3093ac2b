"""Vendors' rigs as they come into Blender move as the take, though their bones look elsewhere, and their feet stay put."""

import math

import bpy
import numpy as np
import pytest

from blender_lift_addon.retarget.motion import Options

from . import target_rigs
from .retargeting import FRAMES, direction_errors, go, known, lifted, shown
from .test_retarget_planting import walker
from .vendor_rigs import VENDORS, vendor_rig


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_rigs_are_recognised_and_their_limbs_point_as_the_takes(name: str) -> None:
    source, target = lifted(), known(vendor_rig(name))
    assert target.kind is not None and target.kind.key == VENDORS[name].kind
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_trunks_and_heads_turn_as_the_takes(name: str) -> None:
    source, target = lifted(), known(vendor_rig(name))
    go(source, target)
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        for role in ("hips", "head", "shoulder.L"):
            turned = []
            for side in (source, target):
                bone = shown(side.armature).pose.bones[side.bones[role][-1]]
                world = side.armature.matrix_world.to_quaternion()
                turn = (bone.matrix @ bone.bone.matrix_local.inverted()).to_quaternion()
                turned.append(world @ turn @ world.inverted())
            assert math.degrees(turned[0].rotation_difference(turned[1]).angle) % 360 < 0.1


def test_fingertips_whose_bones_look_sideways_are_not_bent() -> None:
    """From Mixamo, whose fingers go on, to Unreal, whose last finger bones stick out sideways."""
    source, target = known(target_rigs.fixture_rig("mixamo")), known(vendor_rig("Unreal UE5"))
    for bone in source.armature.pose.bones:
        bone.keyframe_insert("rotation_quaternion", frame=1)
    go(source, target)
    bpy.context.scene.frame_set(1)
    for finger in ("thumb", "index", "middle", "ring", "pinky"):
        tip = target.armature.pose.bones[target.bones[f"{finger}_3.L"][0]]
        assert math.degrees(tip.matrix_basis.to_quaternion().angle) < 25


def test_a_foot_without_toes_whose_bone_looks_backwards_is_not_turned() -> None:
    source, target = walker(), known(vendor_rig("SOMA"))
    for letter in "LR":
        del target.bones[f"toes.{letter}"]
    result = go(source, target, Options())
    bpy.context.scene.frame_set(1)
    foot = target.armature.pose.bones[target.bones["foot.L"][0]]
    turn = (foot.matrix @ foot.bone.matrix_local.inverted()).to_quaternion()
    assert math.degrees(turn.angle) < 20
    assert result.posed.contacts["L"].any()


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_planted_feet_stay_put(name: str) -> None:
    source, target = walker(), known(vendor_rig(name))
    result = go(source, target, Options())
    metres = target.armature.matrix_world.to_scale()[0]
    for letter in "LR":
        contacts, ball = result.posed.contacts[letter], []
        for frame in result.frames:
            bpy.context.scene.frame_set(int(frame))
            ball.append(shown(target.armature).pose.bones[target.bones[f"toes.{letter}"][0]].head)
        steps = np.linalg.norm(np.diff(np.array(ball), axis=0), axis=-1)[contacts[1:] & contacts[:-1]] * metres
        assert len(steps) > 10 and steps.max() < 0.002
    assert max(direction_errors(source, target, range(1, 61))) < 3.0
