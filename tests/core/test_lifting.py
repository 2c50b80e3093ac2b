"""Keypoints to joints, and the shipped networks on both runtimes."""

import numpy as np
import pytest

from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.errors import BadInputError
from lifter_core.keypoints import Keypoints
from lifter_core.lifting import joints_2d, lift, predict_poses
from lifter_core.normalise import Encoded
from lifter_core.runtime import Model, load, shipped
from lifter_core.skeleton import JOINT, JOINT_MIRROR, mirror_index
from lifter_core.solve.camera import camera_matrix

SIZE = (640, 480)


def random_keypoints(frames: int = 6) -> Keypoints:
    rng = np.random.default_rng(3)
    points = rng.uniform(100, 400, (1, len(KEYPOINT_NAMES), 2)) + rng.normal(0, 3, (frames, len(KEYPOINT_NAMES), 2))
    confidence = rng.uniform(0.3, 1, points.shape[:2])
    return Keypoints(
        KEYPOINT_NAMES, points.astype(np.float32), confidence.astype(np.float32), np.arange(frames) / 30, SIZE, 30.0
    )


def random_poses(count: int) -> Encoded:
    rng = np.random.default_rng(5)
    nodes, flat = rng.normal(size=(count, len(JOINT), 3)), rng.normal(size=(count, 3))
    return Encoded(nodes.astype(np.float32), flat.astype(np.float32), np.broadcast_to(np.eye(3), (count, 3, 3)))


def test_the_hand_is_between_the_knuckles_and_the_toe_is_the_foot_index():
    keypoints = random_keypoints()
    points, confidence = joints_2d(keypoints)
    rows = [keypoints.index("left_index"), keypoints.index("left_pinky")]
    np.testing.assert_allclose(points[:, JOINT["left_hand"]], keypoints.points[:, rows].mean(1))
    np.testing.assert_allclose(confidence[:, JOINT["left_hand"]], keypoints.confidence[:, rows].min(1))
    np.testing.assert_allclose(points[:, JOINT["right_toe"]], keypoints.points[:, keypoints.index("right_foot_index")])
    assert (confidence[:, JOINT["spine"]] == 0).all()


@pytest.mark.parametrize("name", sorted(shipped()))
def test_torch_and_onnxruntime_agree_within_a_tenth_of_a_millimetre(name: str):
    pytest.importorskip("torch")
    poses = random_poses(50)
    a, b = load(name, "cpu", "torch").predict(poses), load(name, "cpu", "onnxruntime").predict(poses)
    assert np.abs(a).max() > 0.05
    assert np.abs(a - b).max() < 1e-4


def test_lifting_a_mirrored_clip_gives_the_mirrored_joints():
    model, keypoints = load(backend="onnxruntime"), random_keypoints()
    mirrored = random_keypoints()
    mirrored.points = keypoints.points[:, mirror_index(KEYPOINT_NAMES)] * [-1, 1] + np.float32([SIZE[0], 0])
    mirrored.confidence = keypoints.confidence[:, mirror_index(KEYPOINT_NAMES)]
    matrix = camera_matrix(SIZE)
    there = lift(keypoints, matrix, model)
    back = lift(mirrored, matrix, model)[:, JOINT_MIRROR] * [-1, 1, 1]
    np.testing.assert_allclose(there, back, atol=1e-4)


def test_frames_without_a_person_stay_empty():
    keypoints = random_keypoints()
    keypoints.points[2], keypoints.confidence[2] = np.nan, 0
    joints = lift(keypoints, camera_matrix(SIZE), load(backend="onnxruntime"))
    assert np.isnan(joints[2]).all()
    assert np.isfinite(joints[[0, 1, 3, 4, 5]]).all()


def test_flip_averaging_calls_the_network_once():
    calls = []

    def predict(poses: Encoded) -> np.ndarray:
        calls.append(len(poses.nodes))
        return np.zeros((len(poses.nodes), len(JOINT), 3), np.float32)

    predict_poses(Model("test", "cpu", predict), random_poses(4))
    assert calls == [8]


def test_an_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(BadInputError, match="residual_mlp"):
        load("no_such_model")
