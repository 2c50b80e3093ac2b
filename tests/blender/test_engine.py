"""The engine's client against a fake engine: progress, results, failures, and that nothing is left running."""

import os
import sys
import time
from pathlib import Path

import bpy
import pytest

from blender_lift_addon.arguments import LiftOptions, solve_arguments
from blender_lift_addon.engine import Engine, EngineError, Progress, engine_environment, find_python
from blender_lift_addon.properties.option_properties import option_values
from lifter_core.declare import Place

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")


def start(tmp_path: Path, program: Path, clip: str, options: LiftOptions | None = None) -> Engine:
    folder = tmp_path / "run"
    folder.mkdir()
    words = (options or LiftOptions()).arguments(tmp_path / clip, folder / "take.npz")
    return Engine(words, folder, str(program))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed grandchild whose new parent has not reaped it yet is no process any more.
    return (
        Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z" if sys.platform == "linux" else True
    )


def dies(pid: int) -> bool:
    """Looks a few hundred times whether the process has ended."""
    for _ in range(500):
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


def grandchild(engine: Engine) -> int:
    while "grandchild" not in engine.log_tail():
        time.sleep(0.02)
    return int(engine.log_tail().split("grandchild")[1])


def test_a_good_run_reports_and_yields_the_take(tmp_path: Path, fake_engine: Path) -> None:
    told = {"start": 1.5, "end": 4, "height": 1.78, "fov": 65, "camera": "still", "person": (0.25, 0.5, 2.0)}
    engine = start(tmp_path, fake_engine, "good.mp4", LiftOptions("BEST", told))
    seen: list[Progress] = []
    engine.wait(seen.append)
    assert engine.take is not None and engine.take.exists() and not engine.error
    assert list(dict.fromkeys(p.stage for p in seen)) == ["start", "read", "detect", "lift", "solve", "write"]
    assert any(p.done == 115 and p.total == 230 and p.eta and p.fps == 18 for p in seen)
    expected = (
        "--detector heavy --start 1.5 --end 4 --person 0.25 0.5 2 --height 178 --fov 65 --camera still --progress json"
    )
    assert f"options {expected}" in engine.log_tail()


@pytest.mark.parametrize(
    ("clip", "sentence"), [("damaged.mp4", "no picture"), ("crash.mp4", "stopped unexpectedly (exit code 1)")]
)
def test_a_failure_is_one_sentence(tmp_path: Path, fake_engine: Path, clip: str, sentence: str) -> None:
    engine = start(tmp_path, fake_engine, clip)
    engine.wait(lambda progress: None)
    assert sentence in engine.error and engine.take is None
    assert "options" in engine.log_tail()


def test_polling_never_waits(tmp_path: Path, fake_engine: Path) -> None:
    engine = start(tmp_path, fake_engine, "hang.mp4")
    child = grandchild(engine)
    for _ in range(100):  # the engine is silent from now on: a poll that waited would not return before its end
        engine.poll()
    assert engine.running and alive(engine.pid) and alive(child)
    engine.cancel()


def test_polling_takes_in_all_that_was_said_and_the_end(tmp_path: Path, fake_engine: Path) -> None:
    engine = start(tmp_path, fake_engine, "good.mp4")
    while engine.running:
        engine.poll()
        time.sleep(0.01)
    assert engine.take is not None and engine.progress.stage == "write"


def test_cancelling_ends_the_engine_and_its_children(tmp_path: Path, fake_engine: Path) -> None:
    engine = start(tmp_path, fake_engine, "hang.mp4")
    child = grandchild(engine)
    engine.cancel()  # it would end by itself only in minutes
    assert not alive(engine.pid) and dies(child)
    engine.cancel()  # twice does no harm


def test_a_missing_python_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no Python at"):
        find_python(str(tmp_path / "nothing"))
    file = tmp_path / "not-a-program"
    file.write_text("")
    with pytest.raises(EngineError, match="cannot be started"):
        Engine(["lift", "a.mp4"], tmp_path, str(file))


def test_own_python_finds_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    monkeypatch.chdir("/")
    code = "import lifter_core.take; print(lifter_core.__file__)"
    done = subprocess.run([find_python(), "-c", code], env=engine_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_blender_itself_is_not_taken_for_python(monkeypatch: pytest.MonkeyPatch) -> None:
    own = sys.executable
    monkeypatch.setattr(sys, "executable", "/opt/blender/blender")
    assert Path(find_python()).name.startswith("python")
    assert find_python() != "/opt/blender/blender"
    monkeypatch.setattr(sys, "executable", own)
    assert find_python() == own


def test_the_real_engine_knows_every_option(tmp_path: Path) -> None:
    """It fails for the missing files, not for an argument that it does not know."""
    import subprocess

    standard = option_values(bpy.context.scene.lift.takes.add().clean_up, Place.CLEAN_UP)
    changed = standard | {"smooth_feet": 0.1, "floor_height": -1e-5, "floor_tilt": (1.0, -2.0), "in_place": True}
    changed |= {"facing": -90.0, "height": 1.78, "fov": 60.0, "camera": "still"}
    lift = LiftOptions("DRAFT", {"start": 1.0, "height": 1.7, "camera": "moving", "person": (0.1, 0.2, 1.5)})
    missing, new = tmp_path / "missing", tmp_path / "new.npz"
    environment = {name: value for name, value in engine_environment().items() if name != "LIFTER_WATCH_STDIN"}
    solved = [solve_arguments(missing, new, values) for values in (standard, changed)]
    for words in (*solved, lift.arguments(missing, new)):
        command = [find_python(), "-m", "lifter_core", *words, "--progress", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 2 and str(missing) in done.stderr, done.stderr
