"""The command line as its users meet it: exit codes, one sentence, nothing half written."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lifter_core.cli import main
from lifter_core.detect import models
from lifter_core.detection import save_detection
from lifter_core.take import load_take, save_take

from .conftest import MakeVideo
from .walker import walking_detection, walking_take


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lifter_core", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def one_sentence(stderr: str) -> bool:
    return len(stderr.strip().splitlines()) == 1 and "Traceback" not in stderr


@pytest.mark.parametrize("content", [None, b"", b"this is no video\n" * 100])
def test_a_clip_that_cannot_be_read_ends_with_2_and_one_sentence(tmp_path: Path, content: bytes | None, detector: str):
    clip = tmp_path / "clip.mp4"
    if content is not None:
        clip.write_bytes(content)
    result = run("lift", clip, "-o", tmp_path / "out" / "take.npz", "--detector", detector)
    assert result.returncode == 2
    assert one_sentence(result.stderr), result.stderr
    assert not (tmp_path / "out").exists()


def test_a_clip_with_nobody_in_it_ends_with_3(make_video: MakeVideo, tmp_path: Path, detector: str):
    clip = make_video([np.full((96, 128, 3), 40, np.uint8)] * 12, [40 * i for i in range(12)])
    result = run("lift", clip, "-o", tmp_path / "take.npz", "--detector", detector, "--progress", "json")
    assert result.returncode == 3
    assert one_sentence(result.stderr), result.stderr
    assert "error" in json.loads(result.stdout.splitlines()[-1])
    assert not (tmp_path / "take.npz").exists()


@pytest.mark.parametrize(
    "options", [["--height", "5"], ["--fov", "500"], ["--model", "none"], ["--start", "9", "--end", "3"]]
)
def test_options_that_cannot_be_are_refused(options: list[str], tmp_path: Path, make_video: MakeVideo, detector: str):
    clip = make_video([np.zeros((64, 64, 3), np.uint8)] * 5, [40 * i for i in range(5)])
    result = run("lift", clip, "-o", tmp_path / "take.npz", "--detector", detector, *options)
    assert result.returncode == 2
    assert one_sentence(result.stderr), result.stderr


def test_the_clip_is_never_overwritten(tmp_path: Path, make_video: MakeVideo):
    clip = make_video([np.zeros((64, 64, 3), np.uint8)] * 5, [40 * i for i in range(5)])
    before = clip.read_bytes()
    assert main(["lift", str(clip), "-o", str(clip), "--progress", "none"]) == 2
    assert clip.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, make_video: MakeVideo):
    clip = make_video([np.zeros((64, 64, 3), np.uint8)] * 5, [40 * i for i in range(5)])
    (tmp_path / "file").write_text("no folder")
    result = run("lift", clip, "-o", tmp_path / "file" / "take.npz")
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
    assert one_sentence(result.stderr), result.stderr


def test_a_real_clip_becomes_a_take_with_progress_for_programs(shared: Path, tmp_path: Path, detector: str):
    take_path = tmp_path / "new folder" / "squats.npz"
    result = run(
        "lift", shared / "clips" / "tfjs_pose_squats.mp4", "-o", take_path, "--detector", detector,
        "--start", "2", "--end", "5", "--height", "165", "--progress", "json",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1] == {"stage": "done", "take": str(take_path)}
    assert {"detect", "lift", "solve"} <= {line["stage"] for line in lines}
    take = load_take(take_path)
    assert take.positions.shape[:2] == (1, 15)
    assert 2 <= take.timestamps[0] < 2.2
    assert take.observed.all()
    assert np.isclose(take.meta.heights[0], 1.65, atol=1e-3)


def test_a_clip_is_detected_once_and_lifted_from_the_file_to_the_same_take(
    shared: Path, tmp_path: Path, detector: str, capsys: pytest.CaptureFixture[str]
):
    clip = tmp_path / "squats.mp4"
    shutil.copyfile(shared / "clips" / "tfjs_pose_squats.mp4", clip)
    looking = ["--detector", detector, "--no-flip", "--start", "2", "--end", "4", "--progress", "json"]
    solving = ["--model", "residual_mlp", "--device", "cpu", "--height", "165", "--progress", "none"]
    seen, straight = tmp_path / "seen.npz", tmp_path / "straight.npz"
    assert main(["lift", str(clip), "-o", str(straight), *looking, *solving]) == 0
    capsys.readouterr()
    assert main(["detect", str(clip), "-o", str(seen), *looking]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == {"stage": "done", "detection": str(seen)}
    assert {"read", "detect"} <= {line["stage"] for line in lines}
    clip.unlink()
    whole = load_take(straight)
    for command in ("lift", "solve"):
        out = tmp_path / f"{command}.npz"
        assert main([command, str(seen), "-o", str(out), *solving]) == 0
        take = load_take(out)
        np.testing.assert_array_equal(take.positions, whole.positions)
        assert take.meta == whole.meta
    assert main(["info", str(seen)]) == 0
    said = capsys.readouterr().out
    assert f"detector {detector}" in said and "found in 10 frames" in said


@pytest.mark.parametrize("option", [["--preview", "p.mp4"], ["--start", "2"], ["--detector", "lite"], ["--no-flip"]])
def test_what_concerns_the_clip_is_refused_for_a_detection(
    option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    save_detection(walking_detection(), tmp_path / "seen.npz")
    out = tmp_path / "take.npz"
    assert main(["lift", str(tmp_path / "seen.npz"), "-o", str(out), *option, "--progress", "none"]) == 2
    assert "comes too late" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("command", ["lift", "solve", "info"])
def test_a_detection_of_another_version_is_named_as_such(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    np.savez(tmp_path / "seen.npz", format=np.array("lift-detection/9"))
    out = [] if command == "info" else ["-o", str(tmp_path / "take.npz"), "--progress", "none"]
    assert main([command, str(tmp_path / "seen.npz"), *out]) == 2
    assert "not a lift-detection/1 file" in capsys.readouterr().err


def test_the_process_ends_when_the_program_that_started_it_is_gone(shared: Path, tmp_path: Path, detector: str):
    import os

    clip = shared / "clips" / "sports2d_demo.mp4"
    command = [
        sys.executable,
        "-m",
        "lifter_core",
        "lift",
        str(clip),
        "-o",
        str(tmp_path / "t.npz"),
        "--progress",
        "json",
    ]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ | {"LIFTER_WATCH_STDIN": "1"}
    )
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(30) == 130
    assert list(tmp_path.iterdir()) == []


def test_a_take_is_solved_again_with_another_height_and_keeps_the_rest(tmp_path: Path):
    walk = walking_take()
    walk = replace(walk, meta=replace(walk.meta, model="residual_mlp", options={"height": 1.6, "fov": 60.0}))
    save_take(walk, tmp_path / "walk.npz")
    new = tmp_path / "new.npz"
    assert main(["solve", str(tmp_path / "walk.npz"), "-o", str(new), "--height", "190", "--progress", "none"]) == 0
    again = load_take(new)
    assert np.isclose(again.meta.heights[0], 1.9, atol=1e-3)
    assert again.meta.options == {"height": 1.9, "fov": 60.0}
    assert again.meta.model == "residual_mlp"
    assert np.isclose(again.camera_matrix[0, 0], walk.image_size[0] / 2 / np.tan(np.radians(30)))
    np.testing.assert_array_equal(again.keypoints, walk.keypoints)
    assert main(["solve", str(new), "-o", str(new), "--progress", "none"]) == 2, "never over the take it reads"


@pytest.mark.parametrize("time", [0.0, 0.5, 99.0])
def test_a_picture_of_a_clip_is_saved(
    time: float, tmp_path: Path, make_video: MakeVideo, capsys: pytest.CaptureFixture[str]
):
    from PIL import Image

    clip = make_video([np.full((96, 128, 3), 16 * i, np.uint8) for i in range(12)], [83 * i for i in range(12)])
    assert main(["frame", str(clip), "-o", str(tmp_path / "a.png"), "--time", str(time), "--size", "64"]) == 0
    picture = Image.open(tmp_path / "a.png")
    assert picture.size == (64, 48)
    shade = {0.0: 0, 0.5: 16 * 6, 99.0: 16 * 10.5}[time]
    assert abs(np.asarray(picture).mean() - shade) < 16
    assert capsys.readouterr().out == "128 x 96, 12.59 fps, 1.0 s\n"


@pytest.mark.parametrize("command", ["lift", "detect"])
def test_where_the_models_are_missing_the_command_that_gets_them_is_named(
    command: str, tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("LIFTER_MODELS", raising=False)
    for variable in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    clip = make_video([np.zeros((64, 64, 3), np.uint8)] * 5, [40 * i for i in range(5)])
    result = run(command, clip, "-o", tmp_path / "out.npz")
    assert result.returncode == 2
    assert one_sentence(result.stderr) and result.stderr.endswith("run: lifter setup\n"), result.stderr


def test_setup_says_where_the_models_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(models, "_TASK_SHA256", dict.fromkeys(models.DETECTORS, (hashlib.sha256(b"").hexdigest(),)))
    for name in models.DETECTORS:
        (tmp_path / models.task_name(name)).touch()
    assert main(["setup", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"The pose models are ready in {tmp_path}\n"
    monkeypatch.setenv("LIFTER_MODELS", str(tmp_path))
    assert main(["setup"]) == 0


def test_setup_that_reaches_no_source_says_what_it_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def gone(*args: object, **more: object) -> str:
        raise FileNotFoundError("not installed here")

    monkeypatch.setattr(models, "_run", gone)
    assert main(["setup", str(tmp_path / "models")]) == 1
    said = capsys.readouterr()
    assert said.out.count("Downloading") == said.out.count("That did not work") == 3
    assert one_sentence(said.err) and said.err.count("not installed here") >= 2


def test_setup_into_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    assert main(["setup", str(tmp_path / "file")]) == 2
    assert one_sentence(capsys.readouterr().err)


def test_info_says_what_is_in_a_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    take = walking_take()
    bodies = ({"left_thigh": (0.42, 0.012), "shoulders": (0.36, 0.015)},)
    save_take(replace(take, meta=replace(take.meta, bodies=bodies)), tmp_path / "walk.npz")
    assert main(["info", str(tmp_path / "walk.npz")]) == 0
    said = capsys.readouterr().out
    assert "30 frames" in said
    assert "176 cm tall" in said
    assert "left thigh 42.0 ± 1.2 cm, shoulders 36.0 ± 1.5 cm" in said


def test_models_lists_both_networks(capsys: pytest.CaptureFixture[str]):
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert "residual_mlp" in said
    assert "temporal" in said
