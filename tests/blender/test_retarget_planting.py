"""Planted feet stay where they stand and hands meet, whatever the rig's proportions."""

import math

import bpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mathutils import Matrix, Quaternion, Vector

from blender_lift_addon.armature import editing
from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.armature_to_armature import Side
from blender_lift_addon.retarget.feet import slowed
from blender_lift_addon.retarget.transfer_data import Options

from . import target_rigs
from .retargeting import (
    angle,
    direction,
    direction_errors,
    go,
    known,
    lifted,
    place,
    shown,
)
from .synthetic_take import synthetic_take


def key(side: Side, name: str, angle_: float, frame: int) -> None:
    """Turns a bone about the armature's X axis, on top of what its parent does."""
    bone = side.armature.pose.bones[name]
    turn = bone.bone.matrix_local.to_quaternion()
    bone.rotation_quaternion = turn.inverted() @ Quaternion((1, 0, 0), angle_) @ turn
    bone.keyframe_insert("rotation_quaternion", frame=frame)


def still() -> Side:
    """A person at rest, to be keyed."""
    take = synthetic_take(people=1, frames=3, moving_camera=False)
    side = known(add_take(bpy.context.scene, take).armatures[0])
    side.armature.animation_data_clear()
    for bone in side.armature.pose.bones:
        bone.matrix_basis = Matrix()
    return side


def heel_raiser(frames: int = 50, most: float = 50.0) -> Side:
    """A person on straight legs whose left heel goes up in six frames, the foot rolling over a ball that stays."""
    side = still()
    bones = side.armature.data.bones
    thigh, shin, foot, toes = (bones[f"{part}.L"].head_local for part in ("thigh", "shin", "foot", "toes"))
    upper, lower, ahead, high = thigh.z - shin.z, shin.z - foot.z, foot.y - toes.y, foot.z - toes.z
    for frame in range(1, frames + 1):
        pitch = math.radians(most) * min(max((frame - 25) / 6, 0), 1)
        rise = ahead * math.sin(pitch) - high * (1 - math.cos(pitch))
        forward = ahead * (1 - math.cos(pitch)) + high * math.sin(pitch)
        bend = math.acos(1 - rise / (upper + lower))
        lean = math.atan2(forward, upper + lower - rise)
        key(side, "thigh.L", -bend - lean, frame)
        key(side, "shin.L", 2 * bend, frame)
        key(side, "foot.L", pitch - bend + lean, frame)
    return side


def walker(frames: int = 60, bend: float = 0.35, lunge: float = 0.0) -> Side:
    """A person who shifts their weight with both feet planted, then lifts the left one and puts it down elsewhere.

    In a lunge the left thigh is forward and the right shin is back.
    """
    side = still()
    pelvis = side.armature.pose.bones["pelvis"]
    turn = pelvis.bone.matrix_local.to_quaternion()
    for frame in range(1, frames + 1):
        step = math.sin(math.pi * min(max((frame - 25) / 15, 0), 1))  # frames 25 to 40
        sway = 0.08 * math.sin(frame / 9)
        for letter in "LR":
            lift = bend + (0.5 * step if letter == "L" else 0.0)
            ahead, behind = (lunge, 0.0) if letter == "L" else (0.0, lunge)
            key(side, f"thigh.{letter}", -lift - sway - ahead, frame)
            key(side, f"shin.{letter}", 2 * lift + lunge, frame)
            key(side, f"foot.{letter}", -lift + sway - behind, frame)
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


def test_legs_of_other_proportions_are_planted_if_they_may_turn_further() -> None:
    """Short thighs and long shins: in a lunge, the ankles would come out at heights of their own."""
    source, rig = walker(bend=0.2, lunge=0.8), target_rigs.fixture_rig("mixamo")
    with editing(rig) as data:
        for letter in ("Left", "Right"):
            knee = data.edit_bones[f"mixamorig:{letter}Leg"]
            knee.head = knee.head + Vector((0, 0, 0.12))
    target = known(rig)
    floats = []
    for degrees in (2.9, 25.0):
        posed = go(source, target, Options(leg_turn=math.radians(degrees))).posed
        slides, heights = [], []
        for letter in "LR":
            toes, standing = posed.rig.chain(f"toes.{letter}")[0], posed.contacts[letter]
            ball = posed.places[toes]
            slides.append(np.linalg.norm(np.diff(ball, axis=0), axis=-1)[standing[1:] & standing[:-1]].max())
            heights.append(np.abs(ball[standing, 2] - posed.rig.heads[toes, 2]).max())
        assert max(slides) < 0.002 * posed.rig.leg / 0.85
        floats.append(max(heights))
        assert max(direction_errors(source, target, range(1, 61))) < degrees + 0.1
    assert floats[0] > 0.01 and floats[1] < 0.002


@given(arrays(np.float64, (40, 3), elements=st.floats(-1, 1)), st.floats(0.01, 0.5))
def test_a_slowed_way_is_slow_and_a_slow_way_is_left_alone(way: np.ndarray, step: float) -> None:
    slow = slowed(way, step)
    assert np.linalg.norm(np.diff(slow, axis=0), axis=-1).max() <= step * 1.0001
    assert np.allclose(slowed(slow, step), slow, atol=1e-9)


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


def bends(side: Side, letter: str, frames: range) -> np.ndarray:
    """Degrees that the knee is bent by."""
    out = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        out.append(angle(direction(side, "thigh", letter), direction(side, "shin", letter)))
    return np.array(out)


@pytest.mark.parametrize("name", ["vrm_addon", "mixamo"])
def test_a_heel_that_goes_up_quickly_leaves_the_ball_in_place_and_does_not_jerk_the_knee(name: str) -> None:
    """Feet half as long again as the person's would push the ankle up by more than straight legs may bend for."""
    source, target = heel_raiser(), known(target_rigs.fixture_rig(name))
    posed = go(source, target, Options()).posed
    rig, scale = posed.rig, posed.rig.leg / 0.85
    for letter in "LR":
        assert posed.contacts[letter].all()
        toes = rig.chain(f"toes.{letter}")[0]
        ball = posed.places[toes]
        assert np.linalg.norm(np.diff(ball, axis=0), axis=-1).max() < 0.002 * scale
        assert np.abs(ball[:, 2] - rig.heads[toes, 2]).max() < 0.005 * scale
    frames = range(1, 51)
    assert max(direction_errors(source, target, frames)) < 3.0
    assert np.abs(np.diff(bends(target, "L", frames) - bends(source, "L", frames))).max() < 3.0


def test_toes_that_point_down_after_toe_off_do_not_go_into_the_floor() -> None:
    source, target = heel_raiser(), known(target_rigs.fixture_rig("mixamo"))
    for frame in range(31, 51):
        key(source, "toes.L", math.radians(20.0), frame)
    posed = go(source, target, Options()).posed
    toes, rig = posed.rig.chain("toes.L")[-1], posed.rig
    way = rig.tails[toes] - rig.heads[toes]
    tip = posed.places[toes] + (posed.deltas[toes] @ way[:, None])[..., 0]
    assert way[2] < 0.5 * np.linalg.norm(way) and (tip[:, 2] - rig.tails[toes, 2]).min() > -0.01 * rig.leg


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
