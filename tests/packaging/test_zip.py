"""The built zip in each Blender: installed as a user would, it lifts a clip with nothing but what it brings."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import build_addon
from tools import environments, samples
from tools.environments import BLENDERS, SetupError


@pytest.fixture(scope="session")
def zip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for this machine, built anew and validated by Blender's extension tool."""
    try:
        engine = environments.any_blender()
        return build_addon.build(build_addon.this_platform(), tmp_path_factory.mktemp("dist"), engine, with_torch=False)
    except SetupError as error:
        pytest.skip(f"no zip could be built here: {error}")


@pytest.fixture(scope="session")
def clip() -> Path:
    """The sample clip."""
    try:
        return samples.clip()
    except SetupError as error:
        pytest.skip(f"the sample clip could not be had: {error}")


@cache
def without_network() -> tuple[str, ...]:
    """What to put before a command so that it has no network; empty where this machine cannot do that."""
    command = ("unshare", "--net", "--map-root-user")
    if shutil.which("unshare") is None:
        return ()
    return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else ()


@pytest.mark.parametrize("version", BLENDERS)
def test_zip_lifts_by_itself(version: str, zip_path: Path, clip: Path, tmp_path: Path) -> None:
    python = environments.find_python(BLENDERS[version])
    if python is None:
        pytest.skip(f"Blender {version} needs Python {BLENDERS[version]}, which is not here and could not be fetched")
    try:
        bare = environments.blender(version, python)
    except SetupError as error:
        pytest.skip(str(error))
    script = Path(__file__).with_name("lift_from_zip.py")
    target, log = tmp_path / "result.json", tmp_path / "log.txt"
    home = tmp_path / "blender"
    home.mkdir()
    environment = environments.clean_environment(BLENDER_USER_RESOURCES=str(home), HOME=str(home))
    environment.pop("LIFTER_MODELS", None)
    command = [*without_network(), bare, script, zip_path, clip, target]
    with open(log, "w") as stream:
        subprocess.run(
            [str(part) for part in command],
            env=environment,
            cwd=tmp_path,
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=600,
        )
    assert target.exists(), log.read_text()[-4000:]
    result: dict[str, Any] = json.loads(target.read_text())
    assert "error" not in result, result["error"] + log.read_text()[-4000:]
    print(version, "offline:", bool(without_network()), json.dumps(result))
    assert result["blender"].startswith(version)
    assert result["worst_mm"] < 5 and result["frames_compared"] == 7
    assert 55 <= result["frames"] <= 65 and result["present"] > 40
    assert result["keys"] == result["present"]
    assert result["moving_curves"] > 30, "the armature hardly moves"
    assert result["camera"]


def test_command_line_builds_only_known_platforms() -> None:
    ran = subprocess.run(
        [sys.executable, build_addon.__file__, "--platform", "amiga"], capture_output=True, text=True, env=os.environ
    )
    assert ran.returncode == 2 and "linux-x64" in ran.stderr
