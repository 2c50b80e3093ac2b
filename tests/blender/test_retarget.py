"""Retargeting, evaluated by Blender's depsgraph: every kind of rig moves as the armature it took its motion from."""

import math
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Quaternion, Vector

from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.apply import Side, current_pose, retarget
from blender_lift_addon.retarget.kinds import kinds, recognise
from blender_lift_addon.retarget.motion import Options
from blender_lift_addon.retarget.rig import RetargetError
from blender_lift_addon.retarget.roles import NEXT

from . import target_rigs
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


def curves_of(armature: bpy.types.Object) -> list[Any]:
    from blender_lift_addon.tags import curves_of

    return list(curves_of(armature.animation_data.action, armature).fcurves)


def go(source: Side, target: Side, options: Options = TRUE_TO_SOURCE, **more: Any) -> Any:
    return retarget(bpy.context.scene, source, target, options, "test", **more)


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
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        for role in ("hips", "head", "shoulder.L"):
            turned = []
            for side in (source, target):
                bone = shown(side.armature).pose.bones[side.bones[role][-1]]
                turned.append((bone.matrix @ bone.bone.matrix_local.inverted()).to_quaternion())
            assert math.degrees(turned[0].rotation_difference(turned[1]).angle) % 360 < 0.1


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


def walker(frames: int = 60, bend: float = 0.35) -> Side:
    """A person who shifts their weight with both feet planted, then lifts the left one and puts it down elsewhere."""
    take = synthetic_take(people=1, frames=3, moving_camera=False)
    side = known(add_take(bpy.context.scene, take).armatures[0])
    side.armature.animation_data_clear()
    rest = {bone.name: bone.matrix_local.copy() for bone in side.armature.data.bones}
    for bone in side.armature.pose.bones:
        bone.matrix_basis = Matrix()

    def key(name: str, axis: tuple[float, float, float], angle_: float, frame: int) -> None:
        turn = rest[name].to_quaternion()
        bone = side.armature.pose.bones[name]
        bone.rotation_quaternion = turn.inverted() @ Quaternion(axis, angle_) @ turn
        bone.keyframe_insert("rotation_quaternion", frame=frame)

    pelvis = side.armature.pose.bones["pelvis"]
    turn = rest["pelvis"].to_quaternion()
    for frame in range(1, frames + 1):
        step = math.sin(math.pi * min(max((frame - 25) / 15, 0), 1))  # frames 25 to 40
        sway = 0.08 * math.sin(frame / 9)
        for letter in "LR":
            lift = bend + (0.5 * step if letter == "L" else 0.0)
            key(f"thigh.{letter}", (1, 0, 0), -lift - sway, frame)
            key(f"shin.{letter}", (1, 0, 0), 2 * lift, frame)
            key(f"foot.{letter}", (1, 0, 0), -lift + sway, frame)
        pelvis.location = turn.inverted() @ Vector((0.0, 0.87 * math.sin(-sway) * 0.9, 0.87 * (math.cos(bend) - 1)))
        pelvis.keyframe_insert("location", frame=frame)
    return side


@pytest.mark.parametrize("name", target_rigs.FIXTURES)
def test_planted_feet_stay_put_and_above_the_floor(name: str) -> None:
    source, target = walker(), known(target_rigs.fixture_rig(name))
    result = go(source, target, Options())
    scale = result.posed.rig.leg / 0.85  # the fixtures' units are not all metres
    for letter in "LR":
        contacts = result.posed.contacts[letter]
        assert contacts.mean() > 0.25
        feet = []
        for frame in result.frames:
            bpy.context.scene.frame_set(int(frame))
            posed = shown(target.armature).pose.bones[target.bones[f"foot.{letter}"][-1]]
            ball = target.bones.get(f"toes.{letter}")
            rest = posed.bone.matrix_local.inverted() @ (
                target.armature.data.bones[ball[0]].head_local if ball else posed.bone.tail_local
            )
            feet.append(posed.matrix @ rest)
        ball_at = np.array(feet)
        both = contacts[1:] & contacts[:-1]
        assert np.linalg.norm(np.diff(ball_at, axis=0), axis=-1)[both].max() < 0.002 * scale
        assert ball_at[:, 2].min() > ball_at[contacts][:, 2].min() - 0.003 * scale
    errors = direction_errors(source, target, range(1, 61))
    assert np.median(errors) < 1.0 and max(errors) < 3.0


def test_planted_feet_do_not_bend_straight_legs_by_more_than_three_degrees() -> None:
    """A straight leg bends by degrees to be millimetres shorter; the hips give way instead."""
    source, target = walker(bend=0.0), known(target_rigs.fixture_rig("mixamo"))
    result = go(source, target, Options())
    assert max(direction_errors(source, target, range(1, 61))) < 3.0
    for letter in "LR":
        contacts = result.posed.contacts[letter]
        rig = result.posed.rig
        toes = rig.chain(f"toes.{letter}")[0]
        steps = np.linalg.norm(np.diff(result.posed.places[toes], axis=0), axis=-1)[contacts[1:] & contacts[:-1]]
        assert len(steps) > 10 and steps.max() < 0.002 * rig.leg / 0.85


def test_hands_at_proportionate_places_touch_on_a_rig_with_other_arms() -> None:
    source, target = lifted(frames=3), known(target_rigs.fixture_rig("mixamo"))
    source.armature.animation_data_clear()
    for bone in source.armature.pose.bones:
        bone.matrix_basis = Matrix()
    pose = source.armature.pose.bones
    for letter, sign in (("L", 1), ("R", -1)):
        for part, angle_ in (("upper_arm", -1.2), ("forearm", -0.65)):
            turn = pose[f"{part}.{letter}"].bone.matrix_local.to_quaternion()
            pose[f"{part}.{letter}"].rotation_quaternion = turn.inverted() @ Quaternion((0, 0, 1), sign * angle_) @ turn
            pose[f"{part}.{letter}"].keyframe_insert("rotation_quaternion", frame=1)
    gaps = []
    for amount in (0.0, 1.0):
        go(source, target, Options(plant_feet=False, hands=amount))
        bpy.context.scene.frame_set(1)
        gaps.append([float(np.linalg.norm(place(s, "hand.L") - place(s, "hand.R"))) for s in (source, target)])
    trunk = [
        float(
            np.linalg.norm(
                place(s, "upper_arm.L") + place(s, "upper_arm.R") - place(s, "thigh.L") - place(s, "thigh.R")
            )
        )
        for s in (source, target)
    ]
    assert gaps[1][1] == pytest.approx(gaps[1][0] * trunk[1] / trunk[0], abs=0.01)
    assert abs(gaps[0][1] - gaps[1][1]) > 0.01
