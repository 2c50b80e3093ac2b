"""Retargeting, evaluated by Blender's depsgraph: every kind of rig moves as the armature it took its motion from."""

import math

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Quaternion

from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.armature_to_armature import Side, current_pose
from blender_lift_addon.retarget.kinds import kinds
from blender_lift_addon.retarget.rig import RetargetError
from blender_lift_addon.retarget.transfer_data import Options

from . import target_rigs
from .retargeting import (
    FRAMES,
    LIMBS,
    angle,
    curves_of,
    direction,
    direction_errors,
    go,
    known,
    lifted,
    place,
    shown,
    turn_errors,
)
from .synthetic_take import synthetic_take


@pytest.mark.parametrize("name", target_rigs.FIXTURES)
def test_limbs_of_other_peoples_rigs_point_as_the_takes(name: str) -> None:
    source, target = lifted(), known(target_rigs.fixture_rig(name))
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05


@pytest.mark.parametrize("key", sorted(set(kinds()) - {"rigify"}))  # Rigify itself is below
def test_every_kind_is_recognised_and_moves_as_the_take(key: str) -> None:
    source, target = lifted(), known(target_rigs.rig_of_kind(kinds()[key]))
    assert target.kind is not None and target.kind.key == key
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05


def test_rigify_metarig() -> None:
    source, target = lifted(), known(target_rigs.metarig())
    assert target.kind is not None and target.kind.key == "rigify_metarig"
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05


def deform(rig: bpy.types.Object) -> Side:
    bones = {f"{part}.{s}": [f"DEF-{part}.{s}"] for part in (*LIMBS, "foot", "hand") for s in "LR"}
    return Side(rig, bones)


@pytest.mark.parametrize("limbs", ["fk", "ik"])
def test_rigify_deform_bones_follow_and_switches_go_back(limbs: str) -> None:
    source, rig = lifted(), target_rigs.rigify_rig()
    target = known(rig)
    assert target.kind is not None and target.kind.key == "rigify"
    result = go(source, target, limbs=limbs)
    assert rig.pose.bones["thigh_parent.L"]["IK_FK"] == (1.0 if limbs == "fk" else 0.0)
    errors = direction_errors(source, deform(rig))
    assert max(errors) < (0.1 if limbs == "fk" else 0.5), (np.median(errors), max(errors))
    from blender_lift_addon.retarget.controls import restore_switches

    assert restore_switches(rig, result.switches) > 0
    assert rig.pose.bones["torso"]["neck_follow"] == 0.5
    assert rig.pose.bones["thigh_parent.L"]["IK_FK"] == 0.0


def test_trunk_and_head_turn_as_the_takes() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    go(source, target)
    assert max(turn_errors(source, target)) < 0.1


@pytest.mark.parametrize("mode", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE", "QUATERNION"])
def test_rotation_modes_are_kept_and_their_curves_have_no_jumps(mode: str) -> None:
    source, target = lifted(frames=90), known(target_rigs.fixture_rig("game_engine"))
    for bone in target.armature.pose.bones:
        bone.rotation_mode = mode
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05
    channel = {"AXIS_ANGLE": "axis_angle", "QUATERNION": "quaternion"}.get(mode, "euler")
    rotations = [curve for curve in curves_of(target.armature) if "location" not in curve.data_path]
    assert rotations and all(curve.data_path.endswith(channel) for curve in rotations)
    for curve in rotations:
        keys = np.array([(key.co[0], key.co[1]) for key in curve.keyframe_points])
        steps = np.abs(np.diff(keys[:, 1]))[np.diff(keys[:, 0]) < 1.5]
        assert steps.max() < 2.5, (curve.data_path, curve.array_index)


def test_only_mapped_bones_get_keys_and_rest_pose_stays() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("default"))
    before = {bone.name: bone.matrix_local.copy() for bone in target.armature.data.bones}
    go(source, target)
    mapped = {name for names in target.bones.values() for name in names}
    keyed = {curve.data_path.split('"')[1] for curve in curves_of(target.armature)}
    assert keyed and keyed <= mapped
    assert sum(curve.data_path.endswith("location") for curve in curves_of(target.armature)) == 3
    assert all(bone.matrix_local == before[bone.name] for bone in target.armature.data.bones)
    assert not any(len(bone.constraints) for bone in target.armature.pose.bones)


def test_scaled_rotated_and_parented_objects() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    parent = bpy.data.objects.new("stage", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.matrix_world = Matrix.Translation((3, 2, 1)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(2, 4)
    target.armature.parent = parent
    go(source, target)
    turn = Matrix.Rotation(0.7, 3, "Z")
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        for part in LIMBS:
            there = np.array(turn) @ direction(source, part, "L")
            assert angle(there, direction(target, part, "L")) < 0.05


def test_a_rig_whose_own_up_is_y_stands_up() -> None:
    """As FBX files come in: the data lies on its back, and the object is turned and in centimetres."""
    source, rig = lifted(), target_rigs.fixture_rig("mixamo")
    lay = Matrix.Rotation(math.radians(-90), 4, "X") @ Matrix.Scale(100, 4)
    rig.data.transform(lay)
    rig.matrix_world = lay.inverted()
    target = known(rig)
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05


def test_bones_that_inherit_no_rotation_or_use_no_local_location() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    bones = target.armature.data.bones
    bones["mixamorig:LeftArm"].use_inherit_rotation = False
    bones["mixamorig:RightLeg"].use_inherit_rotation = False
    bones["mixamorig:Hips"].use_local_location = False
    bones["mixamorig:Spine"].inherit_scale = "NONE"
    go(source, target)
    assert max(direction_errors(source, target)) < 0.05
    bpy.context.scene.frame_set(1)
    first = place(target, "thigh.L")
    bpy.context.scene.frame_set(15)
    moved = place(target, "thigh.L") - first
    bpy.context.scene.frame_set(1)
    start = place(source, "thigh.L")
    bpy.context.scene.frame_set(15)
    assert angle(moved / np.linalg.norm(moved), place(source, "thigh.L") - start) < 30


def test_an_action_of_another_rig_comes_back_to_ours() -> None:
    """Any mapped pair: ours to CMU's (a BVH's), from there with Euler keys to Mixamo's, and compared with ours."""
    source, middle, last = lifted(), known(target_rigs.fixture_rig("cmu_mb")), known(target_rigs.fixture_rig("mixamo"))
    for bone in middle.armature.pose.bones:
        bone.rotation_mode = "ZXY"
    go(source, middle)
    go(middle, last)
    assert max(direction_errors(source, last)) < 0.05


def test_sparse_keys_are_carried_over_on_every_frame() -> None:
    source, target = known(target_rigs.fixture_rig("cmu_mb")), known(target_rigs.fixture_rig("mixamo"))
    arm = source.armature.pose.bones["LeftArm"]
    for frame, turn in ((1, 0.0), (21, 1.0)):
        arm.rotation_quaternion = Quaternion((0.3, 0.2, 1.0), turn)
        arm.keyframe_insert("rotation_quaternion", frame=frame)
    result = go(source, target)
    assert len(result.frames) == 21
    assert max(direction_errors(source, target, (1, 6, 11, 21))) < 0.05


def test_a_source_with_constraints_moves_as_blender_shows_it() -> None:
    source, target = lifted(frames=6), known(target_rigs.fixture_rig("mixamo"))
    track = source.armature.pose.bones["upper_arm.L"].constraints.new("LIMIT_ROTATION")
    track.use_limit_x = track.use_limit_z = True
    track.owner_space = "LOCAL"
    bpy.context.scene.frame_set(3)
    go(source, target)
    assert bpy.context.scene.frame_current == 3
    assert max(direction_errors(source, target, range(1, 7))) < 0.05


def test_a_matching_pose_stands_for_the_rest_pose() -> None:
    """The target posed as the source rests, and its own alignment switched off by that."""
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    go(source, target)
    expected = curve_values(target.armature)
    rest = known(target_rigs.fixture_rig("mixamo"))
    still = add_take(bpy.context.scene, synthetic_take(people=1, frames=3)).armatures[0]
    still.animation_data_clear()
    for bone in still.pose.bones:
        bone.matrix_basis = Matrix()
        bone.keyframe_insert("rotation_quaternion", frame=1)
    go(known(still), rest)
    bpy.context.scene.frame_set(1)
    bpy.context.view_layer.update()
    rest.matching = current_pose(rest.armature)
    go(source, rest)
    got = curve_values(rest.armature)
    for key in expected:
        assert np.allclose(np.abs(got[key]), np.abs(expected[key]), atol=2e-3), key


def curve_values(armature: bpy.types.Object) -> dict[tuple[str, int], np.ndarray]:
    return {
        (curve.data_path, curve.array_index): np.array([key.co[1] for key in curve.keyframe_points])
        for curve in curves_of(armature)
        if "rotation" in curve.data_path
    }


def test_travel_is_scaled_by_the_legs() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    legs = [
        sum(np.linalg.norm(place(side, b) - place(side, a)) for a, b in (("thigh.L", "shin.L"), ("shin.L", "foot.L")))
        for side in (source, target)
    ]
    go(source, target)

    def hips(side: Side, frame: int) -> np.ndarray:
        bpy.context.scene.frame_set(frame)
        return (place(side, "thigh.L") + place(side, "thigh.R")) / 2

    travelled = [hips(side, 60) - hips(side, 1) for side in (source, target)]
    assert np.allclose(travelled[0] * legs[1] / legs[0], travelled[1], atol=1e-3)
    go(source, target, Options(plant_feet=False, in_place=True))
    assert np.allclose((hips(target, 60) - hips(target, 1))[:2], 0, atol=1e-4)


def test_existing_motion_stays() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    rig = target.armature
    rig.pose.bones["mixamorig:LeftHandIndex1"].keyframe_insert("rotation_quaternion", frame=5)
    old = rig.animation_data.action
    keys = len(curves_of(rig))
    result = go(source, target)
    assert rig.animation_data.action == result.action != old
    assert old.use_fake_user and result.action.use_fake_user
    rig.animation_data.action = old
    assert len(curves_of(rig)) == keys


def test_layered_as_a_strip_over_what_is_there() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    rig = target.armature
    finger = rig.pose.bones["mixamorig:LeftHandIndex1"]
    finger.rotation_quaternion = Quaternion((1, 0, 0), 0.8)
    finger.keyframe_insert("rotation_quaternion", frame=1)
    finger.keyframe_insert("rotation_quaternion", frame=60)
    old = rig.animation_data.action
    result = go(source, target, as_strip=True)
    names = [strip.action for track in rig.animation_data.nla_tracks for strip in track.strips]
    assert names == [old, result.action] and rig.animation_data.action is None
    assert max(direction_errors(source, target)) < 0.05
    assert shown(rig).pose.bones[finger.name].rotation_quaternion.angle == pytest.approx(0.8, abs=1e-3)


def test_missing_bones_are_left_out() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    for role in ("neck", "shoulder.L", "hand.R", "toes.L", "spine"):
        del target.bones[role]
    go(source, target)
    assert (
        max(direction_errors(source, Side(target.armature, {**target.bones, "hand.R": ["mixamorig:RightHand"]}))) < 0.05
    )


def test_what_cannot_be_done_is_said_and_changes_nothing() -> None:
    source, target = lifted(), known(target_rigs.fixture_rig("mixamo"))
    actions = len(bpy.data.actions)
    with pytest.raises(RetargetError, match=r"Map the target rig's Thigh L first"):
        go(source, Side(target.armature, {r: n for r, n in target.bones.items() if r != "thigh.L"}, target.kind))
    with pytest.raises(RetargetError, match="no motion"):
        go(target, source)
    with pytest.raises(RetargetError, match="same armature"):
        go(source, source)
    assert len(bpy.data.actions) == actions


def test_a_twisted_forearm_shares_its_twist_with_twist_bones() -> None:
    """A hand turned by 90 degrees: the bone halfway down the forearm turns by about 45, not 0 and not 90."""
    source, target = lifted(frames=3), known(target_rigs.rig_of_kind(kinds()["unreal_ue5"]))
    source.armature.animation_data_clear()
    for bone in source.armature.pose.bones:
        bone.matrix_basis = Matrix()
    hand = source.armature.pose.bones["hand.L"]
    hand.rotation_quaternion = Quaternion((0, 1, 0), math.radians(90))
    hand.keyframe_insert("rotation_quaternion", frame=1)
    go(source, target)
    bpy.context.scene.frame_set(1)
    posed = shown(target.armature).pose.bones

    def turned(name: str) -> float:
        relative = posed["lowerarm_l"].matrix.inverted() @ posed[name].matrix
        at_rest = posed["lowerarm_l"].bone.matrix_local.inverted() @ posed[name].bone.matrix_local
        return math.degrees((relative @ at_rest.inverted()).to_quaternion().angle)

    assert turned("hand_l") == pytest.approx(90, abs=3)  # the rest hand is aligned as well
    first, second = turned("lowerarm_twist_02_l"), turned("lowerarm_twist_01_l")
    assert 15 < first < second < 75
