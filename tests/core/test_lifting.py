"""Keypoints to joints, and the shipped networks on both runtimes."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.errors import BadInputError
from lifter_core.keypoints import Keypoints
from lifter_core.lifting import joints_2d, lift, predict_poses, tap_windows
from lifter_core.normalise import GLOBAL_CHANNELS, NODE_CHANNELS, Encoded
from lifter_core.pinhole import camera_matrix
from lifter_core.runtime import Model, load, mean_of, shipped
from lifter_core.skeleton import JOINT, JOINT_MIRROR, JOINT_NAMES, mirror_index

SIZE = (640, 480)


def random_keypoints(frames: int = 6) -> Keypoints:
    rng = np.random.default_rng(3)
    points = rng.uniform(100, 400, (1, len(KEYPOINT_NAMES), 2)) + rng.normal(0, 3, (frames, len(KEYPOINT_NAMES), 2))
    confidence = rng.uniform(0.3, 1, points.shape[:2])
    world = rng.normal(0, 0.3, (frames, len(KEYPOINT_NAMES), 3))
    return Keypoints(
        KEYPOINT_NAMES,
        points.astype(np.float32),
        confidence.astype(np.float32),
        np.arange(frames) / 30,
        SIZE,
        30.0,
        world.astype(np.float32),
    )


def random_poses(count: int) -> Encoded:
    rng = np.random.default_rng(5)
    nodes, flat = rng.normal(size=(count, len(JOINT_NAMES), NODE_CHANNELS)), rng.normal(size=(count, GLOBAL_CHANNELS))
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
    one, other = load(name, "cpu", "torch"), load(name, "cpu", "onnxruntime")
    windows = np.random.default_rng(6).integers(-1, 50, (20, len(one.taps))) if one.taps else None
    a, b = one.predict(poses, windows)[..., :3], other.predict(poses, windows)[..., :3]
    assert np.abs(a).max() > 0.05
    assert np.abs(a - b).max() < 1e-4


@pytest.mark.parametrize("missing", [("safetensors", "safetensors.torch"), ("torch",)])
def test_without_all_that_torch_needs_onnxruntime_runs_the_network(
    missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)  # importing it now raises ImportError
    assert load().device == "onnxruntime cpu"
    with pytest.raises(BadInputError, match="pip install torch safetensors"):
        load(device="cuda")


def test_lifting_a_mirrored_clip_gives_the_mirrored_joints():
    model, keypoints = load(backend="onnxruntime"), random_keypoints()
    mirrored = random_keypoints()
    mirrored.points = keypoints.points[:, mirror_index(KEYPOINT_NAMES)] * [-1, 1] + np.float32([SIZE[0], 0])
    mirrored.confidence = keypoints.confidence[:, mirror_index(KEYPOINT_NAMES)]
    assert keypoints.world is not None
    mirrored.world = keypoints.world[:, mirror_index(KEYPOINT_NAMES)] * np.float32([-1, 1, 1])
    matrix = camera_matrix(SIZE)
    there = lift(keypoints, matrix, model)
    back = lift(mirrored, matrix, model)
    np.testing.assert_allclose(there.joints, back.joints[:, JOINT_MIRROR] * [-1, 1, 1], atol=1e-4)
    np.testing.assert_allclose(there.sigma, back.sigma[:, JOINT_MIRROR], atol=1e-4)


def test_frames_without_a_person_stay_empty():
    keypoints = random_keypoints()
    keypoints.points[2], keypoints.confidence[2] = np.nan, 0
    joints = lift(keypoints, camera_matrix(SIZE), load(backend="onnxruntime")).joints
    assert np.isnan(joints[2]).all()
    assert np.isfinite(joints[[0, 1, 3, 4, 5]]).all()


def test_flip_averaging_calls_the_network_once():
    calls = []

    def predict(poses: Encoded, windows: np.ndarray | None) -> np.ndarray:
        calls.append(len(poses.nodes))
        return np.zeros((len(poses.nodes), len(JOINT_NAMES), 3), np.float32)

    predict_poses(Model("test", "cpu", predict), random_poses(4))
    assert calls == [8]


def test_networks_together_answer_with_the_mean_of_their_joints():
    def answering(value: float, width: int) -> Callable[[Encoded, np.ndarray | None], np.ndarray]:
        def predict(poses: Encoded, windows: np.ndarray | None) -> np.ndarray:
            first = poses.nodes[:, 0, 0] if windows is None else poses.nodes[windows[:, 1], 0, 0]
            return (value + first[:, None, None] * np.ones((1, len(JOINT_NAMES), width))).astype(np.float32)

        return predict

    poses = random_poses(6)
    windows = np.array([[0, 4, 1], [3, 2, -1]])
    both = mean_of(
        "both", [Model("a", "cpu", answering(1, 5), (-1, 0, 1), True), Model("b", "cpu", answering(3, 3))], [3, 1]
    )
    out = both.predict(poses, windows)
    np.testing.assert_allclose(
        out[..., 0], np.broadcast_to(1.5 + poses.nodes[[4, 2], 0, 0][:, None], (2, 26)), rtol=1e-5
    )
    np.testing.assert_allclose(out[:, 0, 4], 1 + poses.nodes[[4, 2], 0, 0], rtol=1e-5)
    assert both.taps == (-1, 0, 1) and both.knows_up and both.name == "both"


def test_an_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(BadInputError, match="residual_mlp"):
        load("no_such_model")


def test_a_window_of_a_30_fps_clip_is_its_frames_and_nothing_beyond_its_ends():
    times = np.arange(10) / 30
    moments, windows = tap_windows(times, np.ones(10, bool), (-3, -1, 0, 2))
    seen = np.where(windows < 0, np.nan, moments[windows])
    want = times[:, None] + np.array([-3, -1, 0, 2]) / 30
    want[(want < -0.01) | (want > times[-1] + 0.01)] = np.nan
    np.testing.assert_allclose(seen, want, atol=1e-9)


@pytest.mark.parametrize("fps", [24.0, 25.0, 50.0, 59.94, 120.0])
def test_a_window_holds_the_same_moments_at_any_frame_rate(fps: float):
    times = np.arange(200) / fps
    moments, windows = tap_windows(times, np.ones(200, bool), (-4, 0, 4))
    np.testing.assert_allclose(moments[windows[100]], times[100] + np.array([-4, 0, 4]) / 30, atol=0.5 / 120 + 1e-9)
    assert (windows[:, 1] == np.arange(200)).all(), "the middle frame is the frame itself"


def test_lifting_a_part_of_a_clip_gives_what_lifting_all_of_it_gives():
    model, whole = load(backend="onnxruntime"), random_keypoints(200)
    reach = max((abs(t) for t in model.taps), default=0) + 1
    part = Keypoints(
        whole.names, whole.points[20:], whole.confidence[20:], whole.timestamps[20:], SIZE, 30.0, whole.world[20:]
    )
    matrix = camera_matrix(SIZE)
    a, b = lift(whole, matrix, model).joints[20:], lift(part, matrix, model).joints
    np.testing.assert_allclose(a[reach:], b[reach:], atol=1e-4)
