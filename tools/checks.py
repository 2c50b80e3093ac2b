"""Everything that ``run.py test`` runs, one step after another, and the sum of what they say."""

import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import environments, samples
from .environments import BLENDERS, CACHE, ROOT, SetupError

REPORTS = CACHE / "reports"
_STEP_LIMIT = 30 * 60  # seconds: a step that takes longer hangs


@dataclass
class Counts:
    """Of tests; a linter's run is one test."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class _Run:
    def __init__(self, models: Path) -> None:
        self.results: list[tuple[str, Counts, float]] = []
        self._environment = environments.clean_environment(LIFTER_MODELS=str(models))

    def command(self, name: str, command: Sequence[str | Path]) -> None:
        """Runs a command that passes or fails as a whole."""
        code, seconds = self._run(name, command)
        self.results.append((name, Counts(passed=int(code == 0), failed=int(code != 0)), seconds))

    def pytest(self, name: str, python: Path, *arguments: str | Path) -> None:
        """Runs pytest and counts what its report says; a run without one, or that ends badly, is a failure too."""
        report = REPORTS / f"{name.replace(' ', '-')}.xml"
        report.unlink(missing_ok=True)
        command = [python, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments]
        code, seconds = self._run(name, command)
        counts = _read_report(report) if report.exists() else Counts()
        if code != 0 and not counts.failed:
            counts.failed = 1
        self.results.append((name, counts, seconds))

    def skipped(self, name: str, why: str) -> None:
        """Notes a step that could not run."""
        print(f"\n=== {name}: SKIPPED: {why}", flush=True)
        self.results.append((f"{name} (SKIPPED: {why})", Counts(skipped=1), 0.0))

    def _run(self, name: str, command: Sequence[str | Path]) -> tuple[int, float]:
        print(f"\n=== {name}", flush=True)
        began = time.monotonic()
        try:
            code = subprocess.run(
                [str(part) for part in command], cwd=ROOT, env=self._environment, timeout=_STEP_LIMIT
            ).returncode
        except subprocess.TimeoutExpired:
            print(f"{name} was stopped after {_STEP_LIMIT // 60} minutes.", flush=True)
            code = -1
        return code, time.monotonic() - began


def _read_report(path: Path) -> Counts:
    counts = Counts()
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        counts.failed += failed
        counts.skipped += skipped
        counts.passed += max(0, int(suite.get("tests", 0)) - failed - skipped)
    return counts


def core_environment() -> Path:
    """The environment of the engine's tests, with PyTorch and the linters.

    Raises:
        SetupError: no fitting Python, or a step of the set-up failed.
    """
    for version in ("3.11", "3.13"):
        python = environments.find_python(version)
        if python:
            return environments.environment("core", python, ["core", "engine"], project=True, also="torch.txt")
    raise SetupError("The tests need Python 3.11 or 3.13; install one of them and run this command again.")


def run_all() -> int:
    """Runs everything and returns 0 if nothing failed. The last line printed is the sum.

    Raises:
        SetupError: the set-up failed.
    """
    began = time.monotonic()
    core = core_environment()
    blenders: dict[str, Path] = {}
    for version, needs in BLENDERS.items():
        python = environments.find_python(needs)
        if python:
            blenders[version] = environments.blender_with_engine(version, python)
    REPORTS.mkdir(parents=True, exist_ok=True)
    run = _Run(samples.models(core))
    set_up = time.monotonic() - began

    run.command("ruff check", [core, "-m", "ruff", "check", "."])
    run.command("ruff format", [core, "-m", "ruff", "format", "--check", "."])
    run.command("mypy", [core, "-m", "mypy"])
    run.pytest("core", core, "tests/core")
    run.pytest("packaging", core, "tests/packaging")
    for version, needs in BLENDERS.items():
        if version in blenders:
            run.pytest(f"Blender {version}", blenders[version], "tests/blender")
        else:
            run.skipped(f"Blender {version}", f"it needs Python {needs}, which is not here and could not be fetched")

    print(f"\n{'-' * 72}\n{set_up:6.0f} s  set-up")
    total = Counts()
    for name, counts, seconds in run.results:
        print(f"{seconds:6.0f} s  {name}: {counts}")
        total = Counts(total.passed + counts.passed, total.failed + counts.failed, total.skipped + counts.skipped)
    print(f"{time.monotonic() - began:6.0f} s  in all\n\n{total}", flush=True)
    return 1 if total.failed else 0
