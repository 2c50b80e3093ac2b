"""What is locked: complete, hashed, free of addresses; and the manifest that the zip gets."""

import re
import tomllib
from pathlib import Path

import pytest

import build_addon
from tools import wheels
from tools.environments import BLENDERS, LOCKS

PLATFORMS = {"linux-x64", "macos-arm64", "windows-x64"}
PACKAGES = {"mediapipe", "av", "onnxruntime"}
LOCK_FILES = sorted(LOCKS.glob("*.lock"))


def fits(wheel: str, python: str) -> bool:
    """Whether the wheel's tags admit that Python."""
    tag, abi = wheel.removesuffix(".whl").split("-")[-3:-1]
    return tag == "py3" or abi == "abi3" or tag == "cp" + python.replace(".", "")


def test_wheels_for_each_platform_and_python() -> None:
    lock = wheels.read_lock()
    assert set(lock) == PLATFORMS
    assert set(BLENDERS.values()) == set(wheels.PYTHONS)
    for platform, files in lock.items():
        for python in wheels.PYTHONS:
            assert {name.split("-")[0] for name in files if fits(name, python)} == PACKAGES, (platform, python)
        assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in files.values())


def test_no_numpy_in_the_zip() -> None:
    assert not [name for files in wheels.read_lock().values() for name in files if name.startswith("numpy")]


def test_the_zip_has_the_engine_lock_s_versions() -> None:
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (LOCKS / "engine.lock").read_text(), re.MULTILINE))
    for files in wheels.read_lock().values():
        for name in files:
            package, version = name.split("-")[:2]
            assert pinned[package] == version


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.name)
def test_lock_files_are_hashed_and_name_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    entries = re.findall(r"^\S+==.*(?:\\\n.*)+", text, re.MULTILINE)
    assert entries and all("--hash=sha256:" in entry for entry in entries)
    assert len(entries) == len(re.findall(r"^[a-z]\S*==", text, re.MULTILINE | re.IGNORECASE))


def test_manifest_gets_its_wheels_before_the_tables() -> None:
    source = (build_addon.ADDON / "blender_manifest.toml").read_text("utf-8")
    made = tomllib.loads(build_addon.manifest(source, "linux-x64", ["b-1-py3-none-any.whl", "a-1-py3-none-any.whl"]))
    assert made["platforms"] == ["linux-x64"]
    assert made["wheels"] == ["./wheels/a-1-py3-none-any.whl", "./wheels/b-1-py3-none-any.whl"]
    original = tomllib.loads(source)
    assert {key: value for key, value in made.items() if key not in ("wheels", "platforms")} == {
        key: value for key, value in original.items() if key != "platforms"
    }


def test_zip_is_the_same_each_time(tmp_path: Path) -> None:
    contents: dict[str, bytes | Path] = {"b.py": b"b = 1\n", "a/x.whl": b"wheel"}
    build_addon.write_zip(tmp_path / "one.zip", contents)
    build_addon.write_zip(tmp_path / "two.zip", dict(reversed(contents.items())))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
