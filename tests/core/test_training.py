"""Training's parts: bodies, cameras, noise, metrics, and that a run can be stopped and resumed."""

import json
from pathlib import Path

import numpy as np
import pytest

from lifter_core.normalise import DERIVED, MEASURED
from lifter_core.skeleton import JOINT
from lifter_core.solve.body import STANDARD
from lifter_core.solve.rotations import about
from lifter_core.training import bodies, cameras, metrics, noise
from lifter_core.training.cli import CONFIGS
from lifter_core.training.mocap import Poses, plausible
from lifter_core.training.samples import draw

Y_UP = (STANDARD @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]).T).astype(np.float32)  # x left, y up, z forward


def poses(count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    turn = about(np.array([0, 1.0, 0]), rng.uniform(-3, 3, count))
    return np.einsum("nij,kj->nki", turn, Y_UP).astype(np.float32)


def test_pa_mpjpe_ignores_a_similarity_and_mpjpe_does_not():
    true = poses(5).astype(float)
    turned = 1.3 * true @ about(np.array([0, 0, 1.0]), np.array(0.5)).T + [1, 2, 3]
    np.testing.assert_allclose(metrics.pa_mpjpe(turned, true), 0, atol=1e-6)
    assert (metrics.mpjpe(turned, true) > 100).all()
    np.testing.assert_allclose(metrics.mpjpe(true + [1, 2, 3], true), 0, atol=1e-6)


def test_pa_mpjpe_does_not_mirror():
    true = poses(3).astype(float) + np.random.default_rng(0).normal(0, 0.05, (3, len(STANDARD), 3))
    assert (metrics.pa_mpjpe(true * [-1, 1, 1], true) > 5).all()


def test_acceleration_error_of_a_constant_offset_is_zero():
    motion = np.cumsum(np.random.default_rng(0).normal(0, 0.01, (20, len(STANDARD), 3)), axis=0)
    np.testing.assert_allclose(metrics.acceleration_error(motion + [0, 0, 0.3], motion), 0, atol=1e-9)


def test_resized_bodies_keep_their_pose_and_are_symmetric():
    before = poses()
    after = bodies.resize(before, np.zeros(len(before), bool), np.random.default_rng(1))
    shin = lambda x: x[:, JOINT["left_ankle"]] - x[:, JOINT["left_knee"]]  # noqa: E731
    cosine = (
        (shin(before) * shin(after)).sum(-1)
        / np.linalg.norm(shin(before), axis=-1)
        / np.linalg.norm(shin(after), axis=-1)
    )
    np.testing.assert_allclose(cosine, 1, atol=1e-5)
    lengths = bodies.bone_lengths(after)
    ratio = lengths[:, JOINT["left_knee"]] / lengths[:, JOINT["right_knee"]]
    assert np.abs(ratio - 1).max() < 0.06
    assert 0.04 < np.log(lengths[:, JOINT["left_knee"]]).std() < 0.12
    assert plausible(after).all()


def test_cameras_see_the_whole_person_before_them():
    views = cameras.place(poses(), np.random.default_rng(2))
    assert ((views.joints + views.root[:, None])[..., 2] > 0.4).all()


def test_detector_noise_says_when_it_is_sure_and_leaves_derived_joints_alone():
    rng = np.random.default_rng(3)
    views = cameras.place(poses(4000), rng)
    points = views.joints + views.root[:, None]
    true = points[..., :2] / points[..., 2:]
    seen, confidence = noise.detect(true, views.root[:, 2], np.zeros(true.shape[:2], np.float32), rng)
    error = np.linalg.norm(seen - true, axis=-1) * views.root[:, None, 2]
    m = list(MEASURED)
    sure, unsure = confidence[:, m] > 0.9, (confidence[:, m] > 0) & (confidence[:, m] < 0.3)
    assert np.median(error[:, m][sure]) < 0.5 * np.median(error[:, m][unsure])
    assert 0.005 < np.median(error[:, m]) < 0.04, "metres: 0.3 to 2.3 per cent of a body"
    assert (confidence[:, list(DERIVED)] == 0).all()
    assert confidence.min() >= 0
    assert confidence.max() <= 1


def test_mirrored_offsets_are_the_offsets_mirrored():
    front = Y_UP[None].repeat(3000, 0)
    mean = noise.offsets(front, np.random.default_rng(4)).mean(0)
    left, right = mean[JOINT["left_hip"]], mean[JOINT["right_hip"]]
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=2e-3)
    assert mean[JOINT["left_shoulder"]][1] > 0.01, "the detector's shoulder is above the joint"


def test_the_same_seed_draws_the_same_samples():
    some = poses(50)
    table = Poses(some, np.zeros(some.shape[:2], np.float32), np.ones(50, bool), np.full(50, 1 / 50))
    a, b = (draw(table, 64, np.random.default_rng([1, 2])) for _ in range(2))
    np.testing.assert_array_equal(a.encoded.nodes, b.encoded.nodes)
    np.testing.assert_array_equal(a.target, b.target)
    assert np.isfinite(a.target).all()


def test_an_exported_network_is_the_network(tmp_path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("onnxscript")
    from lifter_core import runtime
    from lifter_core.training.export import export
    from lifter_core.training.trainer import Config, predictor

    config = Config("residual_mlp", {"width": 32}, 100, 10, 1e-3, 0)
    network = config.build()
    export(network, config, "tiny", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.json", "tiny.onnx", "tiny.safetensors"]
    assert str(Path(__file__).parents[2]).encode() not in (tmp_path / "tiny.onnx").read_bytes(), (
        "no path of this machine"
    )
    monkeypatch.setattr(runtime, "WEIGHTS", tmp_path)
    some = poses(10)
    table = Poses(some, np.zeros(some.shape[:2], np.float32), np.ones(10, bool), np.full(10, 0.1))
    encoded = draw(table, 8, np.random.default_rng(0)).encoded
    for backend in ("torch", "onnxruntime"):
        got = runtime.load("tiny", "cpu", backend).predict(encoded)
        np.testing.assert_allclose(got, predictor(network)(encoded), atol=1e-5)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_config_builds_a_network_of_this_skeleton(path: Path):
    torch = pytest.importorskip("torch")
    from lifter_core.training.trainer import Config

    network = Config.read(path).build().eval()
    with torch.inference_mode():
        out = network(torch.randn(2, len(STANDARD), 3), torch.randn(2, 3))
    assert out.shape == (2, len(STANDARD), 3)


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
    monkeypatch.setattr(trainer, "_CHUNK", 64)
    monkeypatch.setattr(trainer, "_CHECKPOINT_SECONDS", 0)
    config = trainer.Config("residual_mlp", {"width": 16, "dropout": 0.2}, 256, 32, 1e-3, 3)
    straight = trainer.train(config, tmp_path, tmp_path / "straight").state_dict()

    calls = []

    def stops(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return draw(*arguments)

    monkeypatch.setattr(trainer, "draw", stops)
    with pytest.raises(KeyboardInterrupt):
        trainer.train(config, tmp_path, tmp_path / "stopped")
    resumed = trainer.train(config, tmp_path, tmp_path / "stopped").state_dict()
    assert len(calls) == 5, "two chunks, the stop, the two that were left"
    for name, value in straight.items():
        torch.testing.assert_close(resumed[name], value)
    assert len((tmp_path / "stopped" / "log.jsonl").read_text().splitlines()) == 4
