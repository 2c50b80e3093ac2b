"""The solver's parts, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lifter_core import rotations
from lifter_core.pinhole import camera_matrix, project
from lifter_core.skeleton import BONE, BONE_NAMES, JOINT, JOINT_NAMES
from lifter_core.solve import filters, world
from lifter_core.solve.body import STANDARD, STANDARD_PARTS, body_of, measure
from lifter_core.solve.chain import POINT
from lifter_core.solve.evidence import OFFSETS
from lifter_core.solve.pose import forward, local, pose_from_joints
from lifter_core.solve.root_path import root_translation
from lifter_core.training.noise import fitted

from .walker import walk

directions = arrays(np.float64, 3, elements=st.floats(-1, 1)).filter(lambda v: np.linalg.norm(v) > 0.1)
BODY = body_of(STANDARD_PARTS)


@given(directions, directions)
def test_least_rotation_turns_one_direction_into_the_other(a: np.ndarray, b: np.ndarray):
    a, b = rotations.unit(a), rotations.unit(b)
    rotation = rotations.least_rotation(a[None], b[None])[0]
    np.testing.assert_allclose(rotation @ a, b, atol=1e-5)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)


@given(directions, st.floats(-3, 3))
def test_quaternions_and_matrices_say_the_same(axis: np.ndarray, angle: float):
    matrix = rotations.about(rotations.unit(axis), np.array(angle))
    quaternion = rotations.to_quaternion(matrix)
    expected = np.array([np.cos(angle / 2), *(np.sin(angle / 2) * rotations.unit(axis))])
    assert abs(abs(quaternion @ expected) - 1) < 1e-9
    np.testing.assert_allclose(rotations.to_matrix(quaternion), matrix, atol=1e-9)


def test_continuous_quaternions_never_jump_to_the_other_side():
    angle = np.linspace(0, 4 * np.pi, 200)
    quaternion = rotations.to_quaternion(rotations.about(np.array([0, 0, 1.0]), angle))
    steps = np.diff(rotations.continuous(quaternion), axis=0)
    assert np.abs(steps).max() < 0.05 < np.abs(np.diff(quaternion, axis=0)).max()


@given(directions, st.floats(-3, 3))
def test_fit_rotation_finds_the_rotation_of_a_rigid_part(axis: np.ndarray, angle: float):
    matrix = rotations.about(rotations.unit(axis), np.array(angle))
    rest = np.array([[1, 0, 0], [0, 2, 0], [0, 0.5, 1.0]])
    fitted = rotations.fit_rotation(rest, (rest @ matrix.T)[None], np.ones(3))[0]
    np.testing.assert_allclose(fitted, matrix, atol=1e-6)


def test_smoothing_leaves_a_line_alone_on_uneven_timestamps_and_bridges_what_has_no_weight():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 2, 80))
    line = (3 + 2 * times)[:, None]
    broken, weights = line.copy(), np.ones_like(line)
    broken[40], weights[40] = 99, 0
    np.testing.assert_allclose(filters.smooth(times, broken, weights, 0.1, degree=1)[5:-5], line[5:-5], atol=0.02)


def test_long_clips_are_filtered_in_blocks_without_seams(monkeypatch: pytest.MonkeyPatch):
    times = np.arange(100) / 30
    values = np.random.default_rng(0).normal(size=(100, 4))
    weights = np.random.default_rng(1).uniform(size=(100, 4))
    whole = filters.smooth(times, values, weights, 0.1), filters.outliers(times, values)
    monkeypatch.setattr(filters, "_BLOCK", 7)
    np.testing.assert_allclose(filters.smooth(times, values, weights, 0.1), whole[0], atol=1e-9)
    np.testing.assert_array_equal(filters.outliers(times, values), whole[1])


def test_smoothing_has_no_lag():
    times = np.arange(200) / 60
    wave = np.sin(2 * np.pi * times)[:, None]
    noisy = wave + np.random.default_rng(0).normal(0, 0.05, wave.shape)
    smoothed = filters.smooth(times, noisy, np.ones_like(noisy), 0.05)
    shifts = range(-3, 4)
    errors = [np.abs(smoothed[20 + s : 180 + s] - wave[20:180]).mean() for s in shifts]
    assert list(shifts)[int(np.argmin(errors))] == 0
    assert np.abs(smoothed - wave).mean() < 0.5 * np.abs(noisy - wave).mean()


def test_a_spike_is_an_outlier_and_a_fast_move_is_not():
    times = np.arange(60) / 30
    values = np.sin(4 * times)[:, None]
    assert not filters.outliers(times, values, floor=0.06).any()
    values[30] += 0.5  # the running median of its neighbours moves a little, so they may be suspected too
    found = np.flatnonzero(filters.outliers(times, values, floor=0.06))
    assert 30 in found
    assert len(found) < 6


def test_field_of_view_sets_the_focal_length():
    assert np.isclose(camera_matrix((1000, 600), 90.0)[0, 0], 500)
    assert np.isclose(camera_matrix((300, 400))[0, 0], 500), "the prior is the diagonal"


def test_the_root_is_found_exactly_from_exact_points_and_despite_a_wrong_limb():
    joints = STANDARD[None] @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T
    place = np.array([0.4, -0.2, 5.0])
    matrix = camera_matrix((1280, 720))
    tangents = (project(joints + place, matrix) - matrix[:2, 2]) / matrix[0, 0]
    weights = np.ones(tangents.shape[:2])
    np.testing.assert_allclose(root_translation(joints, tangents, weights)[0], place, atol=1e-3)
    tangents[:, [JOINT["left_wrist"], JOINT["left_hand"]]] += 0.3
    np.testing.assert_allclose(root_translation(joints, tangents, weights, rounds=10)[0], place, atol=0.05)


def test_forward_kinematics_of_no_rotation_is_the_rest_pose():
    still = np.broadcast_to(np.eye(3), (1, len(BONE_NAMES), 3, 3))
    np.testing.assert_allclose(forward(BODY, still, np.zeros((1, 3)))[0], STANDARD, atol=1e-12)


def test_the_rest_pose_has_no_rotation():
    found = pose_from_joints(BODY, STANDARD[None].repeat(5, 0), np.arange(5) / 30)
    np.testing.assert_allclose(found, np.broadcast_to(np.eye(3), found.shape), atol=1e-6)


def test_rotations_put_the_bones_where_the_joints_are():
    w = walk()
    found = pose_from_joints(w.body, w.world, np.arange(len(w.world)) / 30)
    again = forward(w.body, found, w.world[:, JOINT["pelvis"]])
    assert np.linalg.norm(again - w.world, axis=-1).max() < 1e-3


def test_local_rotations_multiply_back_to_global_ones():
    w = walk(5)
    found = pose_from_joints(w.body, w.world, np.arange(5) / 30)
    relative = local(found)
    chain = relative[:, BONE["pelvis"]]
    for bone in ("left_thigh", "left_shin", "left_foot"):
        chain = chain @ relative[:, BONE[bone]]
    np.testing.assert_allclose(chain, found[:, BONE["left_foot"]], atol=1e-9)


def test_a_straight_limb_does_not_spin():
    """An arm that stays straight while it swings: the twist about its own axis stays where it was."""
    frames = 60
    joints = STANDARD[None].repeat(frames, 0).copy()
    angle = 0.6 * np.sin(np.linspace(0, 6, frames))
    turn = rotations.about(np.array([0, 1.0, 0]), angle)
    shoulder = JOINT["left_shoulder"]
    jitter = np.random.default_rng(0).normal(0, 0.004, (frames, 3, 3))
    for k, name in enumerate(("left_elbow", "left_wrist", "left_hand")):
        offset = STANDARD[JOINT[name]] - STANDARD[shoulder]
        joints[:, JOINT[name]] = STANDARD[shoulder] + turn @ offset + jitter[:, k]
    found = pose_from_joints(BODY, joints, np.arange(frames) / 30)[:, BONE["left_upper_arm"]]
    between = found[1:] @ found[:-1].transpose(0, 2, 1)
    degrees = np.degrees(np.arccos(np.clip((np.trace(between, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert degrees.max() < 8


def test_a_foot_does_not_roll_over_when_heel_and_toe_are_noisy():
    w = walk(90)
    joints = w.world.copy()
    feet = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "toe")]
    joints[:, feet] += np.random.default_rng(0).normal(0, 0.025, joints[:, feet].shape)
    found = pose_from_joints(w.body, joints, np.arange(90) / 30)[:, BONE["left_foot"]]
    between = found[1:] @ found[:-1].transpose(0, 2, 1)
    degrees = np.degrees(np.arccos(np.clip((np.trace(between, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    assert degrees.max() < 45


def test_measured_bones_are_symmetric_and_robust():
    joints = STANDARD[None].repeat(30, 0) * 1.1
    joints[:4] += np.random.default_rng(0).normal(0, 0.2, joints[:4].shape)
    body = measure(joints, np.ones(joints.shape[:2]))
    np.testing.assert_allclose(body.rest, STANDARD * 1.1, atol=2e-3)
    assert abs(body.height - 1.1 * np.ptp(STANDARD[:, 2])) < 0.01


def test_planted_feet_level_a_tilted_floor():
    rng = np.random.default_rng(1)
    up = rotations.unit(np.array([0, -np.cos(0.15), -np.sin(0.15)]))
    level = np.cross(up, [1.0, 0, 0])
    points = rng.uniform(-1, 1, (100, 1)) * [1.0, 0, 0] + rng.uniform(-2, 2, (100, 1)) * level - 1.4 * up + [0, 0, 4]
    found = world.fit_floor(points, np.full(100, 0.1), np.array([0, -1.0, 0]))
    assert np.degrees(np.arccos(found @ up)) < 2


def test_the_solver_knows_where_the_detectors_points_lie_beside_the_joints():
    model = fitted()
    for name in JOINT_NAMES:
        left, up, forward = model.offset[JOINT[name]]
        np.testing.assert_allclose(OFFSETS[POINT[name]], (left, -forward, up), atol=0.003, err_msg=name)
