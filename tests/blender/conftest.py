"""Tests on real bpy: each starts from Blender's factory scene, with user folders of its own."""

import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before bpy is imported: it reads this once.
user_folder = tempfile.mkdtemp(prefix="lift-tests-")
os.environ["BLENDER_USER_RESOURCES"] = user_folder
sys.path.insert(0, str(Path(__file__).parents[2]))

try:
    import bpy
except ImportError:
    bpy = None

ended_with = 0


def pytest_collect_file(file_path: Path) -> None:
    """Skips all of this folder where there is no bpy."""
    if bpy is None and file_path.name.startswith("test_"):
        pytest.skip("bpy is not installed (pip install bpy==4.5.15 in Python 3.11): the tests on Blender are skipped")


def pytest_sessionfinish(exitstatus: int) -> None:
    """Remembers how it went."""
    global ended_with
    ended_with = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leaves at once: bpy may crash while Python takes it down."""
    shutil.rmtree(user_folder, ignore_errors=True)
    if bpy is not None:
        shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended_with)


@pytest.fixture(scope="session", autouse=True)
def addon() -> Iterator[None]:
    """The add-on, switched on once for all tests."""
    import blender_lift_addon

    blender_lift_addon.register()
    bpy.context.preferences.addons.new().module = blender_lift_addon.__name__
    yield
    blender_lift_addon.unregister()


@pytest.fixture(autouse=True)
def fresh_scene() -> None:
    """Blender's factory scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)


@pytest.fixture
def fake_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A program to use as the engine's Python, set in the preferences: see fake_engine.py."""
    from lifter_core.take import save_take

    from .synthetic_take import synthetic_take

    program = tmp_path / "python-fake"
    program.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("fake_engine.py").read_text())
    program.chmod(0o755)
    save_take(synthetic_take(frames=20), tmp_path / "canned.npz")
    monkeypatch.setenv("FAKE_ENGINE_TAKE", str(tmp_path / "canned.npz"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # it reads its command line with lifter_core
    preferences = bpy.context.preferences.addons["blender_lift_addon"].preferences
    preferences.python = str(program)
    yield program
    preferences.python = ""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of 40 frames, 30 a second, 320x180."""
    return write_clip(tmp_path / "walk.avi")


def write_clip(path: Path, frames: int = 40, rate: int = 30, size: tuple[int, int] = (320, 180)) -> Path:
    """An AVI of uncompressed pictures, each of one shade: there is no encoder here that every Blender has."""
    width, height = size
    picture = width * height * 3

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content

    def group(name: bytes, content: bytes) -> bytes:
        return chunk(b"LIST", name + content)

    main = struct.pack(
        "<14I", 1_000_000 // rate, picture * rate, 0, 0, frames, 0, 1, picture, width, height, 0, 0, 0, 0
    )
    head = b"vids" + b"DIB " + struct.pack("<10I4H", 0, 0, 0, 1, rate, 0, frames, picture, 0, 0, 0, 0, width, height)
    kind = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, picture, 0, 0, 0, 0)
    headers = chunk(b"avih", main) + group(b"strl", chunk(b"strh", head) + chunk(b"strf", kind))
    shown = b"".join(chunk(b"00db", bytes([shade * 255 // frames]) * picture) for shade in range(frames))
    content = b"AVI " + group(b"hdrl", headers) + group(b"movi", shown)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)
    return path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path) -> Iterator[Path]:
    """A cache folder of the test's own."""
    preferences = bpy.context.preferences.addons["blender_lift_addon"].preferences
    preferences.cache = str(tmp_path / "cache")
    yield tmp_path / "cache"
    preferences.cache = ""


@pytest.fixture
def lifted(fake_engine: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A take of one person in the scene; the fake engine solves it to another motion."""
    from lifter_core.take import save_take

    from .synthetic_take import synthetic_take

    save_take(synthetic_take(frames=20, people=1), tmp_path / "canned.npz")
    save_take(synthetic_take(frames=20, people=1, seed=5), tmp_path / "solved.npz")
    monkeypatch.setenv("FAKE_ENGINE_SOLVED", str(tmp_path / "solved.npz"))
    bpy.context.scene.lift.clip = str(clip)
    bpy.context.scene.lift.live = False
    assert bpy.ops.lift.video_to_armature() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="before")
    return bpy.context.scene.lift.takes[0]
