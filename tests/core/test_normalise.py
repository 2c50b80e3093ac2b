"""What the networks see: perspective kept, place in the picture told apart, missing points marked."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifter_core.normalise import DERIVED, MEASURED, STANDARD_LENGTH, encode, look_at, standard_scale
from lifter_core.skeleton import JOINT, JOINT_NAMES
from lifter_core.solve.body import STANDARD

angles = st.floats(-0.5, 0.5)


def body_in_camera() -> np.ndarray:
    """A standing body 4 m before the camera: (1, J, 3), camera axes."""
    joints = STANDARD @ np.diag([1, 1, -1])[[0, 2, 1]].T.astype(float) + [0, 0.2, 4]
    return joints[None].astype(np.float32)


@given(angles, angles)
def test_look_at_turns_the_axis_into_the_direction(x: float, y: float):
    rotation = look_at(np.array([[x, y, 1.0]]))[0]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) > 0
    np.testing.assert_allclose(rotation[:, 2], np.array([x, y, 1]) / np.linalg.norm([x, y, 1]), atol=1e-9)


@given(angles)
def test_turning_the_camera_changes_the_torso_ray_and_nothing_else(turn: float):
    level = body_in_camera()
    level[..., 1] -= level[:, [JOINT["left_hip"], JOINT["left_shoulder"]], 1].mean()
    c, s = np.cos(turn), np.sin(turn)
    turned = level @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T
    ones = np.ones(level.shape[:2], np.float32)
    a = encode(level[..., :2] / level[..., 2:], ones)
    b = encode(turned[..., :2] / turned[..., 2:], ones)
    # the torso's middle in the picture moves a little with perspective: not exact, but far below a pixel
    np.testing.assert_allclose(a.nodes, b.nodes, atol=0.02)
    np.testing.assert_allclose(b.globals[0, 1], np.tan(turn + np.arctan(a.globals[0, 1])), atol=0.02)


def test_missing_points_are_zero_and_so_is_what_is_derived_from_them():
    joints = body_in_camera()
    confidence = np.ones(joints.shape[:2], np.float32)
    confidence[0, JOINT["left_hip"]] = 0
    nodes = encode(joints[..., :2] / joints[..., 2:], confidence).nodes[0]
    assert (nodes[JOINT["left_hip"]] == 0).all()
    assert (nodes[JOINT["pelvis"]] == 0).all()
    assert (nodes[JOINT["right_hip"], 2]) == 1


def test_a_pose_without_points_is_finite():
    nothing = np.zeros((1, len(STANDARD), 2), np.float32)
    encoded = encode(nothing, np.zeros((1, len(STANDARD)), np.float32))
    assert all(np.isfinite(part).all() for part in encoded)


def test_measured_and_derived_joints_are_all_joints():
    assert sorted(MEASURED + DERIVED) == list(range(len(JOINT_NAMES)))


@given(st.floats(0.3, 3))
def test_standard_scale_undoes_size(size: float):
    scale = standard_scale(STANDARD[None].astype(np.float32) * size)[0]
    np.testing.assert_allclose(scale * size, standard_scale(STANDARD[None].astype(np.float32))[0], rtol=1e-4)
    assert abs(standard_scale(STANDARD[None].astype(np.float32))[0] - 1) < 0.02, STANDARD_LENGTH


def test_up_is_turned_into_the_virtual_camera_and_the_detectors_own_3d_goes_in_as_it_is():
    joints = body_in_camera() + np.float32([1.5, 0, 0])
    ones = np.ones(joints.shape[:2], np.float32)
    own = np.random.default_rng(0).normal(size=joints.shape).astype(np.float32)
    encoded = encode(joints[..., :2] / joints[..., 2:], ones, own, np.array([[0.0, -1, 0]]))
    np.testing.assert_allclose(encoded.view[0] @ encoded.globals[0, 3:], [0, -1, 0], atol=1e-6)
    np.testing.assert_array_equal(encoded.nodes[..., 3:], own)
