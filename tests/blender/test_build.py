"""What add_take makes, looked at through Blender's own evaluation."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from blender_lift_addon.armature import bone_name, rest_heads
from blender_lift_addon.build import add_take, first_whole
from blender_lift_addon.motion_curves import scene_frames
from blender_lift_addon.timing import scene_rate
from lifter_core.take import Take

from .synthetic_take import synthetic_take


def evaluated_joints(armature: bpy.types.Object, take: Take, person: int) -> np.ndarray:
    """(J, 3) m, each joint carried by its evaluated pose bone from where it is at rest."""
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    rest = rest_heads(take, person)[take.joint_bones] + take.joint_offsets[person]
    places = []
    for joint, bone in enumerate(take.joint_bones):
        pose_bone = shown.pose.bones[bone_name(take.bone_names[bone])]
        moved = pose_bone.matrix @ pose_bone.bone.matrix_local.inverted()
        places.append(shown.matrix_world @ moved @ Vector(rest[joint]))
    return np.array(places)


def set_frame(frame: float) -> None:
    bpy.context.scene.frame_set(int(frame // 1), subframe=float(frame % 1))


def all_curves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [c for layer in action.layers for strip in layer.strips for bag in strip.channelbags for c in bag.fcurves]


@pytest.mark.parametrize("match_rate", [True, False])
def test_joints_are_where_the_take_says(match_rate: bool) -> None:
    take = synthetic_take(fps=29.97)
    lifted = add_take(bpy.context.scene, take, match_rate=match_rate)
    frames = scene_frames(take.timestamps, 29.97 if match_rate else 24.0, 1)
    for t in (0, 7, 19, 30, 41, 59):
        set_frame(frames[t])
        for person, armature in enumerate(lifted.armatures):
            if take.present[person, t]:
                error = np.abs(evaluated_joints(armature, take, person) - take.positions[person, t]).max()
                assert error < 1e-3, (t, person, error)


def test_a_gap_holds_the_last_pose() -> None:
    take = synthetic_take()
    lifted = add_take(bpy.context.scene, take)
    set_frame(1 + 25)
    assert np.abs(evaluated_joints(lifted.armatures[0], take, 0) - take.positions[0, 19]).max() < 1e-3


def test_quaternions_are_continuous_and_grouped_by_bone() -> None:
    lifted = add_take(bpy.context.scene, synthetic_take(), name="walk")
    action = lifted.armatures[0].animation_data.action
    assert action.use_fake_user and action.name == "walk person 1 motion"
    curves = all_curves(action)
    assert len(curves) == len(synthetic_take().bone_names) * 4 + 3
    by_path: dict[str, list[bpy.types.FCurve]] = {}
    for curve in curves:
        assert curve.group.name == curve.data_path.split('"')[1]
        by_path.setdefault(curve.data_path, []).append(curve)
    for path, four in by_path.items():
        if path.endswith("rotation_quaternion"):
            q = np.array([[k.co[1] for k in curve.keyframe_points] for curve in four])
            assert ((q[:, 1:] * q[:, :-1]).sum(0) > 0).all()
            assert np.allclose(np.linalg.norm(q, axis=0), 1, atol=1e-5)


def test_bones_join_up_and_mirror() -> None:
    armature = add_take(bpy.context.scene, synthetic_take(people=1)).armatures[0].data
    connected = {bone.name for bone in armature.bones if bone.use_connect}
    spine = {"spine_1", "spine_2", "spine_3", "neck", "head"}
    assert spine | {"shin.L", "foot.R", "toes.L", "forearm.L", "hand.R", "clavicle.L"} <= connected
    for bone in armature.bones:
        assert bone.length > 0.01
        if bone.name.endswith(".L"):
            other = armature.bones[bpy.utils.flip_name(bone.name)]
            mirrored = np.diag((-1, 1, 1)) @ np.array(bone.matrix_local.to_3x3()) @ np.diag((-1, 1, 1))
            assert np.abs(mirrored - np.array(other.matrix_local.to_3x3())).max() < 1e-4, bone.name
    assert min(bone.head_local.z for bone in armature.bones) >= 0


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (500, 500)])
@pytest.mark.parametrize("moving", [True, False])
def test_camera_projects_like_the_take(size: tuple[int, int], moving: bool) -> None:
    take = synthetic_take(size=size, moving_camera=moving)
    lifted = add_take(bpy.context.scene, take)
    scene = bpy.context.scene
    assert scene.camera == lifted.camera
    assert (lifted.camera.animation_data is not None) == moving
    for t in (0, 33, 59):
        set_frame(1 + t)
        camera = lifted.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        joints = take.positions[0, t].astype(float)
        seen = joints @ take.camera_rotation[t].T + take.camera_translation[t]
        pixels = seen @ take.camera_matrix.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        views = np.array([world_to_camera_view(scene, camera, Vector(joint)) for joint in joints])
        shown = np.stack((views[:, 0], 1 - views[:, 1]), -1) * take.image_size
        assert np.abs(shown - pixels).max() < 0.5
    assert (scene.render.resolution_x, scene.render.resolution_y) == size


def test_a_zooming_lens_is_keyed() -> None:
    take = synthetic_take(moving_camera=False)
    take = replace(take, camera_zoom=np.linspace(1.0, 2.0, len(take.timestamps)))
    lifted = add_take(bpy.context.scene, take)
    for frame in (1, 31, 60):
        set_frame(frame)
        lens = lifted.camera.data.evaluated_get(bpy.context.evaluated_depsgraph_get()).lens
        assert lens == pytest.approx(36 * 0.9 * take.camera_zoom[frame - 1], rel=1e-4)


def test_the_clip_lies_behind_the_camera_in_step(clip: Path) -> None:
    take = synthetic_take(frames=20, start=0.5, size=(320, 180))
    bpy.context.scene.frame_start = 11
    lifted = add_take(bpy.context.scene, take, clip)
    background = lifted.camera.data.background_images[0]
    assert background.clip == lifted.clip and lifted.camera.data.show_background_images
    # The take begins at the clip's frame 15 (half a second in), and stands at scene frame 11.
    assert lifted.clip.frame_start == 11 - 15
    assert scene_rate(bpy.context.scene) == pytest.approx(30)
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (11, 30)
    assert lifted.first_seen == 11


def test_the_scene_opens_where_the_person_is_in_view() -> None:
    take = synthetic_take(frames=60, people=1)
    assert first_whole(take) == 0, "without keypoints, the first pose counts"
    keypoints = np.tile(np.array((-5.0, 300.0, 0.9), np.float32), (1, 60, 10, 1))  # left of the picture
    for frame in range(35, 60):
        keypoints[0, frame, : frame - 34, 0] = 100.0  # walks in from frame 35 on
    names = tuple(f"point_{i}" for i in range(10))
    assert first_whole(replace(take, keypoint_names=names, keypoints=keypoints)) == 42
    keypoints[0, 42, :, 2] = 0.1
    assert first_whole(replace(take, keypoint_names=names, keypoints=keypoints)) == 43


def test_a_take_of_a_single_frame() -> None:
    lifted = add_take(bpy.context.scene, synthetic_take(frames=1, people=1))
    assert lifted.armatures[0].animation_data.action.frame_range[:] == (1, 1)


def test_nothing_of_the_users_is_overwritten() -> None:
    scene = bpy.context.scene
    bpy.ops.object.mode_set(mode="EDIT")
    first, second = (add_take(scene, synthetic_take(people=1), name="walk") for _ in range(2))
    assert first.armatures[0].animation_data.action != second.armatures[0].animation_data.action
    assert bpy.context.mode == "EDIT_MESH" and len(bpy.data.scenes) == 1
    assert bpy.context.view_layer.objects.active.name == "Cube"


def python_calls(frames: int) -> int:
    """How many functions Python calls, built-in ones too, to add a take of so many frames."""
    take, calls = synthetic_take(frames=frames, people=1), 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        add_take(bpy.context.scene, take)
    finally:
        sys.setprofile(None)
    return calls


def test_no_more_is_done_a_frame_for_a_long_take() -> None:
    python_calls(100)  # what is done the first time only
    assert python_calls(10_000) < 1.1 * python_calls(100), "keys are handed to Blender a curve at a time"


def test_at_another_rate_the_footage_follows(clip: Path) -> None:
    take = synthetic_take(frames=20, start=0.5, size=(320, 180))
    scene = bpy.context.scene
    scene.frame_start = 11
    lifted = add_take(scene, take, clip, match_rate=False)
    assert scene_rate(scene) == 24
    background = lifted.camera.data.background_images[0]
    assert background.source == "IMAGE" and not bpy.data.movieclips
    driver = lifted.camera.data.animation_data.drivers[0].driver
    assert driver.is_valid and driver.is_simple_expression
    for frame in (11, 17, 26):
        set_frame(frame)
        shown = lifted.camera.data.evaluated_get(bpy.context.evaluated_depsgraph_get())
        offset = shown.background_images[0].image_user.frame_offset
        # Half a second is skipped: the clip's frame 15, which an image user counts as 16.
        assert frame + offset == 16 + round((frame - 11) / 24 * 30 + 1e-6)
