"""The whole solver on a walk whose truth is known."""

import numpy as np
import pytest

from lifter_core.lifting import Lifted
from lifter_core.pinhole import project
from lifter_core.rotations import to_matrix
from lifter_core.skeleton import BONE_PARENTS, JOINT, TAKE_JOINT_BONES
from lifter_core.solve import SolveOptions, solve_joints

from .walker import walk, walking_take


def test_the_skeleton_projects_onto_the_person():
    w = walk()
    take = solve_joints(
        [w.keypoints], [Lifted(w.lifted)], w.matrix, SolveOptions(foot_lock=0)
    )  # this walker's feet slide
    camera = np.einsum("tij,tkj->tki", take.camera_rotation, take.positions[0]) + take.camera_translation[:, None]
    truth = project(w.world @ w.rotation.T + w.translation, w.matrix)
    height = np.ptp(truth[..., 1], axis=1).mean()
    assert np.linalg.norm(project(camera, w.matrix) - truth, axis=-1).max() < 0.03 * height


def test_the_world_stands_on_its_floor_and_the_path_is_in_metres():
    w = walk()
    take = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix, SolveOptions(height=w.body.height))
    feet = take.positions[0][:, [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "toe")], 2]
    assert abs(np.median(feet.min(1))) < 0.05
    travelled = np.linalg.norm(np.diff(take.root_positions[0][[0, -1], :2], axis=0))
    expected = np.linalg.norm(np.diff(w.world[[0, -1], JOINT["pelvis"], :2], axis=0))
    assert abs(travelled - expected) < 0.05 * expected
    assert np.isclose(take.meta.heights[0], w.body.height, atol=2e-3)


@pytest.mark.parametrize("pitch", [0.0, 20.0])
def test_a_pitched_camera_does_not_make_a_leaning_world(pitch: float):
    w = walk(90, pitch=pitch)
    take = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix)
    trunk = (take.positions[0][:, JOINT["thorax"]] - take.positions[0][:, JOINT["pelvis"]]).mean(0)
    lean = np.degrees(np.arccos(trunk[2] / np.linalg.norm(trunk)))
    assert lean < 8


def test_bones_keep_their_length_and_positions_are_the_rotations_forward_kinematics():
    take = walking_take()
    rotation = to_matrix(take.rotations[0])
    world, head = np.empty_like(rotation), np.empty((*rotation.shape[:2], 3))
    for b, parent in enumerate(BONE_PARENTS):
        world[:, b] = rotation[:, b] if parent < 0 else world[:, parent] @ rotation[:, b]
        offset = take.rest_offsets[0, b]
        head[:, b] = take.root_positions[0] if parent < 0 else head[:, parent] + world[:, parent] @ offset
    bones = list(TAKE_JOINT_BONES)
    joints = head[:, bones] + np.einsum("tjab,jb->tja", world[:, bones], take.joint_offsets[0])
    np.testing.assert_allclose(joints, take.positions[0], atol=1e-4)


def test_the_height_sets_the_scale():
    take = walking_take(height=2.0)
    assert np.isclose(take.meta.heights[0], 2.0, atol=1e-3)
    standing = np.ptp(take.positions[0][..., 2], axis=1).max()
    assert 1.8 < standing < 2.1


def test_a_short_gap_is_bridged_and_marked_and_a_long_one_is_an_absence():
    w = walk(120)
    gone = np.zeros(120, bool)
    gone[10:20] = gone[50:100] = True
    w.keypoints.points[gone], w.keypoints.confidence[gone] = np.nan, 0
    w.lifted[gone] = np.nan
    take = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix)
    assert not take.observed[0, gone].any()
    assert take.present[0, 10:20].all()
    assert not take.present[0, 50:100].any()
    assert np.isnan(take.positions[0, 50:100]).all()
    assert np.isfinite(take.positions[0, take.present[0]]).all()
    truth = w.world[10:20, JOINT["pelvis"]] - w.world[9, JOINT["pelvis"]]
    found = take.root_positions[0, 10:20] - take.root_positions[0, 9]
    assert np.linalg.norm(found - truth, axis=-1).max() < 0.1


def test_one_frame_is_enough():
    w = walk(1)
    take = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix)
    assert np.isfinite(take.positions).all()


def test_nobody_cannot_be_solved():
    w = walk(3)
    with pytest.raises(ValueError, match="at least one person"):
        solve_joints([w.keypoints], [Lifted(np.full_like(w.lifted, np.nan))], w.matrix)
