"""The set-up's own parts: what it says where something is missing, and how it sums the tests."""

import sys
from pathlib import Path

import pytest

from tools import checks, environments
from tools.environments import SetupError


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere bpy brings its libraries")
def test_a_missing_library_is_named_by_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "_LIBRARIES", {"libc.so.6": "libc6", "libno-such.so.7": "libno-such7"})
    with pytest.raises(SetupError, match="apt-get install -y libno-such7\\)"):
        environments.require_libraries()


def test_the_running_python_is_found_first() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert environments.find_python(version) == Path(sys.executable)


def test_no_blender_without_a_fitting_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "find_python", lambda version: None)
    with pytest.raises(SetupError, match=r"needs Python 3\.11 or 3\.13"):
        environments.any_blender()


def test_a_failed_step_is_one_sentence() -> None:
    with pytest.raises(SetupError, match="Doing it failed"):
        environments.run([sys.executable, "-c", "raise SystemExit(3)"], "Doing it")
    with pytest.raises(SetupError, match="Doing it failed"):
        environments.run(["no-such-program"], "Doing it")


def test_a_report_is_summed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite tests="9" failures="2" errors="1" skipped="3"/>'
        '<testsuite tests="1" failures="0" errors="0" skipped="0"/></testsuites>'
    )
    assert str(checks._read_report(report)) == "4 passed, 3 failed, 3 skipped"


def test_a_run_that_dies_without_a_report_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "REPORTS", tmp_path)
    run = checks._Run(tmp_path)
    run.pytest("dying", Path(sys.executable), "--no-such-option")
    assert run.results[0][1].failed == 1
