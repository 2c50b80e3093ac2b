"""The wheels that the add-on's zip carries: those in ``wheels/lock.toml``, downloaded by pip, and lifter_core's own."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from .environments import LOCKS, ROOT, SetupError, clean_environment

FOLDER = ROOT / "wheels"
PYTHONS = ("3.11", "3.13")
"""The Pythons that Blender 4.2 to 5.0 and 5.1 and later embed."""

_TORCH_NEEDS = ("filelock", "fsspec", "jinja2", "markupsafe", "mpmath", "networkx", "sympy", "typing-extensions")


def read_lock() -> dict[str, dict[str, str]]:
    """Platform to wheel file names to sha256."""
    return {platform: entry["wheels"] for platform, entry in _lock().items()}


def _lock() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "lock.toml").read_text("utf-8"))


def gather(platform: str) -> list[Path]:
    """The platform's locked wheels, in ``wheels/``; downloads those that are not there yet.

    Raises:
        SetupError: one cannot be downloaded.
    """
    pip_platforms: list[str] = _lock()[platform]["pip_platforms"]
    paths = []
    for name, sha256 in read_lock()[platform].items():
        path = FOLDER / name
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            package, version, tag = name.split("-")[:3]
            python = "3.13" if tag == "cp313" else "3.11"
            requirement = f"{package}=={version} --hash=sha256:{sha256}\n"
            if not _download(requirement, FOLDER, pip_platforms, python):
                raise SetupError(f"{name} could not be downloaded (pip's words stand above); try again when online.")
        paths.append(path)
    return paths


def gather_torch(platform: str, folder: Path) -> list[Path]:
    """PyTorch's wheels and those that it needs, downloaded into ``folder``.

    PyPI's build for Linux needs CUDA packages of some GB, so there the CPU build is asked for, which pip finds where
    its settings (extra-index-url, find-links) tell it to look; a Python for which there is none is left out.

    Raises:
        SetupError: there is no fitting PyTorch, or something cannot be downloaded.
    """
    pip_platforms: list[str] = _lock()[platform]["pip_platforms"]
    torch = (LOCKS / "torch.txt").read_text().split()[-1] + ("+cpu" if platform == "linux-x64" else "")
    needs = "".join(_locked(name) for name in (*_TORCH_NEEDS, "safetensors"))
    pythons = [python for python in PYTHONS if _download(f"{torch}\n", folder, pip_platforms, python)]
    if not pythons:
        raise SetupError(
            f"pip finds no {torch} for {platform}; tell it of PyTorch's CPU builds (extra-index-url or find-links in "
            "its settings), or build without --with-torch."
        )
    for python in PYTHONS:
        if python not in pythons:
            print(f"Without PyTorch for Python {python}: pip finds none. Blender with it uses ONNX Runtime.")
        elif not _download(needs, folder, pip_platforms, python):
            raise SetupError("What PyTorch needs could not be downloaded (pip's words stand above).")
    return sorted(folder.glob("*.whl"))


def _locked(package: str) -> str:
    """The package's entry in core.lock, with its hashes."""
    entry = re.search(rf"^{package}==(?:.*\\\n)+.*\n", (LOCKS / "core.lock").read_text(), re.MULTILINE)
    assert entry is not None, package
    return entry.group()


def _download(requirements: str, folder: Path, pip_platforms: list[str], python: str) -> bool:
    """Downloads what the requirements text names, for another platform and Python; false where pip fails."""
    with tempfile.TemporaryDirectory() as temporary:
        listing = Path(temporary, "requirements.txt")
        listing.write_text(requirements)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", folder]
        target = ["--python-version", python, *(word for name in pip_platforms for word in ("--platform", name))]
        command = [*map(str, pip), *target, "-r", str(listing)]
        return subprocess.run(command, env=clean_environment()).returncode == 0


def stage_lifter_core(stage: Path, with_torch: bool) -> Path:
    """Copies what lifter_core's wheel is built from to the folder ``stage``, and returns it.

    Training is left out: its code, its fitted noise and its command.
    """
    ignore = shutil.ignore_patterns("training", "__pycache__", "*.pyc", *([] if with_torch else ["*.safetensors"]))
    shutil.copytree(ROOT / "lifter_core", stage / "lifter_core", ignore=ignore)
    for name in ("README.md", "NOTICE", "LICENSE-APACHE-2.0.txt"):
        shutil.copy(ROOT / name, stage)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (stage / "pyproject.toml").write_text(re.sub(r"(?m)^lifter-train = .*\n", "", project), "utf-8")
    package = stage / "lifter_core" / "__init__.py"
    text = package.read_text("utf-8")
    package.write_text(re.sub(r'(__version__ = "[^"]+)"', rf'\1+{_digest(stage)}"', text), "utf-8")
    return stage


def build_lifter_core(folder: Path, with_torch: bool) -> Path:
    """Builds lifter_core's wheel into ``folder``; its version ends in a hash of its contents.

    The weights are in it as ONNX; as safetensors, the same again for PyTorch, only ``with_torch``.

    Blender keeps an installed wheel whose name and version it has already, so no new build may look like an old one.

    Raises:
        SetupError: the build failed.
    """
    stage = stage_lifter_core(folder / "lifter_core_source", with_torch)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(stage)]
    if subprocess.run(pip, env=clean_environment(SOURCE_DATE_EPOCH="315532800")).returncode:
        raise SetupError("Building lifter_core's wheel failed (pip's words stand above).")
    return next(folder.glob("lifter_core-*.whl"))


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]
