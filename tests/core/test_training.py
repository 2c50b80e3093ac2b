"""Training's parts: bodies, cameras, noise, metrics, and that a run can be stopped and resumed."""

import json
from pathlib import Path

import numpy as np
import pytest

from lifter_core.bends import CLASSES, flexion
from lifter_core.errors import BadInputError
from lifter_core.normalise import DERIVED, MEASURED
from lifter_core.rotations import about
from lifter_core.skeleton import JOINT, JOINT_NAMES
from lifter_core.solve.body import STANDARD
from lifter_core.training import bodies, cameras, metrics, noise
from lifter_core.training.cli import CONFIGS
from lifter_core.training.mocap import Clip, Motion, plausible, stretches, with_own
from lifter_core.training.samples import draw, look, window_rows

Y_UP = (STANDARD[: len(JOINT_NAMES)] @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]).T).astype(
    np.float32
)  # x left, y up, z forward


DETECTOR = noise.fitted()


def poses(count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    turn = about(np.array([0, 1.0, 0]), rng.uniform(-3, 3, count))
    return np.einsum("nij,kj->nki", turn, Y_UP).astype(np.float32)


def walks(count: int = 200, frames: int = 6) -> np.ndarray:
    """(count, frames, J, 3) bodies that stand anywhere and slide a little."""
    slide = np.linspace(0, 0.2, frames)[:, None, None] * np.float32([1, 0, 0])
    return (poses(count)[:, None] + slide).astype(np.float32)


def motion(clips: int = 20, frames: int = 30, fps: float = 30.0) -> Motion:
    joints = walks(clips, frames).reshape(-1, len(JOINT_NAMES), 3)
    start = np.arange(clips) * frames
    return Motion(joints, start, np.full(clips, frames), np.full(clips, fps), np.full(clips, 1 / clips))


def test_pa_mpjpe_ignores_a_similarity_and_mpjpe_does_not():
    true = poses(5).astype(float)
    turned = 1.3 * true @ about(np.array([0, 0, 1.0]), np.array(0.5)).T + [1, 2, 3]
    np.testing.assert_allclose(metrics.pa_mpjpe(turned, true), 0, atol=1e-6)
    assert (metrics.mpjpe(turned, true) > 100).all()
    np.testing.assert_allclose(metrics.mpjpe(true + [1, 2, 3], true), 0, atol=1e-6)


def test_pa_mpjpe_does_not_mirror():
    true = poses(3).astype(float) + np.random.default_rng(0).normal(0, 0.05, (3, len(JOINT_NAMES), 3))
    assert (metrics.pa_mpjpe(true * [-1, 1, 1], true) > 5).all()


def test_acceleration_error_of_a_constant_offset_is_zero():
    motion = np.cumsum(np.random.default_rng(0).normal(0, 0.01, (20, len(JOINT_NAMES), 3)), axis=0)
    np.testing.assert_allclose(metrics.acceleration_error(motion + [0, 0, 0.3], motion), 0, atol=1e-9)


def test_resized_bodies_keep_their_pose_and_are_symmetric_and_constant():
    before = walks()
    after = bodies.resize(before, np.random.default_rng(1))
    shin = lambda x: x[:, :, JOINT["left_ankle"]] - x[:, :, JOINT["left_knee"]]  # noqa: E731
    cosine = (shin(before) * shin(after)).sum(-1)
    cosine /= np.linalg.norm(shin(before), axis=-1) * np.linalg.norm(shin(after), axis=-1)
    np.testing.assert_allclose(cosine, 1, atol=1e-5)
    lengths = bodies.bone_lengths(after)
    np.testing.assert_allclose(lengths, lengths[:, :1].repeat(lengths.shape[1], 1), rtol=1e-4)
    ratio = lengths[..., JOINT["left_knee"]] / lengths[..., JOINT["right_knee"]]
    assert np.abs(ratio - 1).max() < 0.06
    assert 0.06 < np.log(lengths[:, 0, JOINT["left_knee"]]).std() < 0.25
    assert plausible(after.reshape(-1, len(JOINT_NAMES), 3)).all()


def test_straightened_arms_bend_less_and_point_the_same_way():
    before = walks(40)
    for side, sign in (("left", 1), ("right", -1)):  # forearms bent forwards
        for part in ("wrist", "hand"):
            before[:, :, JOINT[f"{side}_{part}"]] += np.float32([-sign * 0.15, 0, 0.2])
    after = bodies.straighten_arms(before, np.random.default_rng(0), share=1.0)
    was, now = np.degrees(flexion(before))[..., 2:], np.degrees(flexion(after))[..., 2:]
    assert (now < 0.7 * was + 0.1).all()
    ahead = [x[:, :, JOINT["left_wrist"]] - x[:, :, JOINT["left_shoulder"]] for x in (before, after)]
    cosine = (ahead[0] * ahead[1]).sum(-1) / np.prod([np.linalg.norm(x, axis=-1) for x in ahead], axis=0)
    assert (cosine > 0.98).all()
    untouched = [j for j in range(len(JOINT_NAMES)) if JOINT_NAMES[j].split("_")[-1] not in ("elbow", "wrist", "hand")]
    np.testing.assert_array_equal(after[:, :, untouched], before[:, :, untouched])


def test_cameras_see_the_whole_person_before_them_and_know_up():
    before = walks()
    views = cameras.place(before, np.random.default_rng(2))
    assert ((views.joints + views.root[:, :, None])[..., 2] > 0.4).all()
    body = views.joints[:, :, JOINT["head"]] - views.joints[:, :, JOINT["pelvis"]]
    height = before[:, :, JOINT["head"], 1] - before[:, :, JOINT["pelvis"], 1]
    np.testing.assert_allclose((body * views.up).sum(-1), height, atol=1e-4)


def test_most_cameras_are_still_and_the_others_turn_after_the_person():
    before = walks(300, 20)
    views = cameras.place(before, np.random.default_rng(2))
    moved = np.abs(np.diff(views.up, axis=1)).max((1, 2)) > 1e-6
    assert 0.2 < moved.mean() < 0.4


def test_a_stretch_is_the_clip_at_another_rate_and_stands_still_beyond_its_ends():
    fast = motion(clips=3, frames=60, fps=60.0)
    seen, there = stretches(fast, np.array([1]), 20, 30.0, np.random.default_rng(0), jitter=0)
    step = np.diff(fast.joints[60:120, 0, 0]).mean() * 2
    np.testing.assert_allclose(np.diff(seen[0, :, 0, 0]), step, rtol=1e-4)
    assert there.all()
    long, there = stretches(fast, np.array([1]), 50, 30.0, np.random.default_rng(0), jitter=0)
    assert 28 <= there.sum() <= 30
    outside = long[0, ~there[0]]
    assert np.isfinite(outside).all()
    assert np.ptp(outside[:, 0, 0]) <= np.ptp(fast.joints[60:120, 0, 0]) + 1e-6


def test_detector_noise_says_when_it_is_sure_and_leaves_derived_joints_alone():
    rng = np.random.default_rng(3)
    views = cameras.place(walks(400), rng)
    error, confidence = noise.detect(views.joints, np.zeros((*views.joints.shape[:3], 2)), DETECTOR, rng)
    m = list(MEASURED)
    length = np.linalg.norm(error, axis=-1)[..., m]
    sure, unsure = confidence[..., m] > 0.9, confidence[..., m] < 0.3
    assert np.median(length[sure]) < 0.8 * np.median(length[unsure])
    assert 0.005 < np.median(length) < 0.04, "metres: 0.3 to 2.3 per cent of a body"
    assert (confidence[..., list(DERIVED)] == 0).all()
    assert confidence.min() >= 0
    assert confidence.max() <= 1


def test_detector_noise_slides_rather_than_jumps():
    rng = np.random.default_rng(3)
    views = cameras.place(walks(300, 40), rng)
    error, _ = noise.detect(views.joints, np.zeros((*views.joints.shape[:3], 2)), DETECTOR, rng)
    e = error[:, :, JOINT["left_wrist"]]
    near, far = (np.mean(e[:, k:] * e[:, :-k]) / np.mean(e**2) for k in (1, 15))
    assert near > 0.8
    assert 0.2 < far < 0.7, "a part of the error is the clip's own"


def test_offsets_of_left_and_right_mirror_each_other():
    front = Y_UP[None, None].repeat(3000, 0)
    mean = noise.offsets(front, DETECTOR, np.random.default_rng(4)).mean((0, 1))
    left, right = mean[JOINT["left_hip"]], mean[JOINT["right_hip"]]
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=3e-3)
    assert mean[JOINT["left_shoulder"]][1] > 0.01, "the detector's shoulder is above the joint"


def test_the_detectors_own_3d_is_like_the_body_but_errs():
    rng = np.random.default_rng(5)
    body = cameras.place(walks(300), rng).joints
    none = np.zeros((*body.shape[:3], 2), np.float32)
    own = noise.own_3d(body, none, DETECTOR, rng)
    error = metrics.mpjpe(own.reshape(-1, *own.shape[2:]), body.reshape(-1, *body.shape[2:]))
    assert 50 < error.mean() < 250


def test_clean_samples_are_the_exact_projection():
    views = cameras.place(walks(5), np.random.default_rng(6))
    there = np.ones(views.root.shape[:2], bool)
    samples = look(views, there, DETECTOR, np.random.default_rng(7), clean=True)
    root = (samples.encoded.view.transpose(0, 2, 1) @ views.root.reshape(-1, 3, 1))[..., 0]
    true = samples.target * samples.size[:, None, None] + root[:, None]
    flat = true[..., :2] / true[..., 2:]
    m = list(MEASURED)
    ratio = samples.encoded.nodes[:, m, :2] / flat[:, m]
    np.testing.assert_allclose(np.median(ratio, axis=(1, 2), keepdims=True).repeat(2, 2)[:, 0], ratio[:, 0], rtol=0.02)
    assert (samples.encoded.nodes[..., 3:] == 0).all()


def test_windows_never_leave_their_sequence_or_its_clip():
    there = np.array([[True] * 5, [True, True, False, False, False]])
    rows = window_rows(there, (-2, 0, 1), np.array([[0, 1], [1, 1], [0, 4]]))
    np.testing.assert_array_equal(rows, [[-1, 1, 2], [-1, 6, -1], [2, 4, -1]])


def test_the_same_seed_draws_the_same_samples():
    a, b = (draw(motion(), 8, DETECTOR, np.random.default_rng([1, 2]), 40) for _ in range(2))
    np.testing.assert_array_equal(a.encoded.nodes, b.encoded.nodes)
    np.testing.assert_array_equal(a.target, b.target)
    assert np.isfinite(a.target).all()


@pytest.mark.parametrize("kind", ["residual_mlp", "temporal"])
def test_an_exported_network_is_the_network(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("onnxscript")
    from lifter_core import runtime
    from lifter_core.training.export import export
    from lifter_core.training.trainer import Config, predictor

    arguments = (
        {"taps": [-1, 0, 2], "embed": 8, "refine": 4, "channels": 6, "global_channels": 6} if kind == "temporal" else {}
    )
    windows = np.array([[-1, 0, 2], [3, 4, 5]]) if kind == "temporal" else None
    config = Config(kind, {"width": 32, **arguments}, 100, 10, 1e-3, 0)
    network = config.build()
    size = 4 * sum(p.numel() for p in network.parameters() if p.dim() > 1)
    export(network, config, "tiny", tmp_path)
    weights = (tmp_path / "tiny.safetensors").read_bytes()
    assert len(weights) < 0.75 * size, "matrices are kept with 16 bits"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.json", "tiny.onnx", "tiny.safetensors"]
    assert str(Path(__file__).parents[2]).encode() not in (tmp_path / "tiny.onnx").read_bytes(), (
        "no path of this machine"
    )
    monkeypatch.setattr(runtime, "WEIGHTS", tmp_path)
    encoded = draw(motion(), 2, DETECTOR, np.random.default_rng(0), 30).encoded
    for backend in ("torch", "onnxruntime"):
        got = runtime.load("tiny", "cpu", backend).predict(encoded, windows)
        np.testing.assert_allclose(got, predictor(network, config.network_arguments())(encoded, windows), atol=1e-5)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_config_builds_a_network_of_this_skeleton(path: Path):
    torch = pytest.importorskip("torch")
    from lifter_core.training.export import example_input
    from lifter_core.training.trainer import Config

    network = Config.read(path).build().eval()
    with torch.inference_mode():
        out = network(*example_input(Config.read(path), 2))
    assert out.shape[:2] == (2, len(JOINT_NAMES))
    assert out.shape[2] in (3, 4, 4 + CLASSES)


def test_your_own_clips_get_their_share_of_the_draws():
    mine = [Clip({"fps": 30.0, "source": "mine"}, walks(1, 20)[0])]
    both = with_own(motion(), mine, share=0.25)
    assert both.chance[-1] == pytest.approx(0.25)
    assert both.chance.sum() == pytest.approx(1)
    np.testing.assert_array_equal(both.joints[both.start[-1] :], mine[0].joints)
    with pytest.raises(BadInputError, match="your own clips"):
        with_own(motion(), [])


def packed(path: Path, frames: int) -> None:
    """A tiny file of the mocap format: one swaying body for training, one for validation."""
    names = [
        "pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "thorax", "neck", "head_top",
        "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist", "l_toe", "r_toe", "l_toe_tip",
        "r_toe_tip", "l_heel_est", "r_heel_est", "l_hand", "r_hand", "head", "nose_est",
    ]  # fmt: skip
    ours = {"head_top": "head", "head": "neck", "nose_est": "nose"}

    def of(name: str) -> str:
        plain = ours.get(name, name).removesuffix("_est").replace("toe_tip", "toe")
        return plain.replace("l_", "left_", 1).replace("r_", "right_", 1) if plain[:2] in ("l_", "r_") else plain

    body = np.stack([Y_UP[JOINT[of(name)]] for name in names])
    body[names.index("l_toe")] -= [0, 0, 0.06]
    body[names.index("r_toe")] -= [0, 0, 0.06]
    sway = about(np.array([0, 1.0, 0]), np.linspace(0, 1, 2 * frames))
    steps = np.round(np.diff(np.einsum("tij,kj->tki", sway, body), axis=0, prepend=0) / 1e-3)
    steps[[0, frames]] = 0
    clips = [
        {"split": split, "start": k * frames, "len": frames, "fps": 30.0, "source": "made here"}
        for k, split in enumerate(("train", "val"))
    ]
    meta = json.dumps({"joints": names, "clips": clips})
    np.savez(path, meta=meta, unit=1e-3, delta=steps.astype(np.int16), first=np.stack([body, body]))


def test_a_run_that_was_stopped_goes_on_as_if_it_never_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch = pytest.importorskip("torch")
    from lifter_core.training import trainer

    for name in ("cmu_60.npz", "cmu_full_30.npz"):
        packed(tmp_path / name, 20)
    monkeypatch.setattr(trainer, "_SEQUENCES", 16)
    monkeypatch.setattr(trainer, "_EACH", 4)
    monkeypatch.setattr(trainer, "_CHECKPOINT_SECONDS", 0)
    config = trainer.Config("residual_mlp", {"width": 16, "dropout": 0.2}, 256, 32, 1e-3, 3)
    straight = trainer.train(config, tmp_path, tmp_path / "straight").state_dict()

    calls = []

    def stops(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments)

    original = trainer.draw_chunk
    monkeypatch.setattr(trainer, "draw_chunk", stops)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(config, tmp_path, tmp_path / "stopped")
    resumed = trainer.train(config, tmp_path, tmp_path / "stopped").state_dict()
    assert len(calls) == 5, "two chunks, the stop, the two that were left"
    for name, value in straight.items():
        torch.testing.assert_close(resumed[name], value)
    assert len((tmp_path / "stopped" / "log.jsonl").read_text().splitlines()) == 4
