"""Virtual environments from lock files, made once and reused: standard library only, so that it runs on a bare Python.

Everything lands in ``.venv/`` and ``.cache/`` of the project; nothing is installed elsewhere.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venv"
CACHE = ROOT / ".cache"
LOCKS = ROOT / "requirements"

BLENDERS = {"4.2": "3.11", "4.5": "3.11", "5.2": "3.13"}
"""The Blender versions that are tested, and the one Python that each one's bpy module runs on."""

_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXrender.so.1": "libxrender1",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libgomp.so.1": "libgomp1",
}
"""What the bpy module links to on Linux beyond libc, and Debian's package of each."""


_QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PYTHONUTF8": "1"}


class SetupError(Exception):
    """One sentence: what is missing on this machine and what to do about it."""


def clean_environment(**more: str) -> dict[str, str]:
    """The process's environment without what would let other packages in."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return {**inherited, **_QUIET, **more}


def run(command: Sequence[str | Path], doing: str, **environment: str) -> None:
    """Runs one step of the set-up, with more environment variables if need be.

    Raises:
        SetupError: the command failed; what it printed stands above.
    """
    try:
        result = subprocess.run([str(part) for part in command], env=clean_environment(**environment), cwd=ROOT)
    except OSError as error:
        raise SetupError(f"{doing} failed: {error}.") from None
    if result.returncode:
        raise SetupError(f"{doing} failed (what it said stands above); put that right and run this command again.")


def missing_libraries() -> list[str]:
    """The Debian packages of the libraries that bpy needs and this machine lacks; empty where it lacks none."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for library, package in _LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def require_libraries() -> None:
    """Looks for the libraries that bpy links to.

    Raises:
        SetupError: one is missing.
    """
    missing = missing_libraries()
    if missing:
        raise SetupError(
            "Blender's Python module needs libraries that this machine lacks; install them (on Debian and Ubuntu: "
            f"sudo apt-get install -y {' '.join(missing)}) and run this command again."
        )


def python_of(environment: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@cache
def find_python(version: str) -> Path | None:
    """A Python of that version ("3.11"): the running one, one on PATH, pyenv's, or one that uv fetches; else None."""
    for candidate in _python_candidates(version):
        if _version_of(candidate) == version:
            return candidate
    return _python_by_uv(version)


def _python_candidates(version: str) -> Iterable[Path]:
    yield Path(sys.executable)
    for name in (f"python{version}", "python3", "python"):
        found = shutil.which(name)
        if found:
            yield Path(found)
    launcher = shutil.which("py")
    if launcher:
        asked = subprocess.run(
            [launcher, f"-{version}", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True
        )
        if asked.returncode == 0:
            yield Path(asked.stdout.strip())
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def _version_of(python: Path) -> str | None:
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        asked = subprocess.run([python, "-c", show], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def _python_by_uv(version: str) -> Path | None:
    print(f"No Python {version} found; asking uv for one.", flush=True)
    tools = _tools()
    uv = [sys.executable, "-m", "uv", "python"]
    environment = clean_environment(PYTHONPATH=str(tools), UV_PYTHON_INSTALL_DIR=str(CACHE / "python"))
    if subprocess.run([*uv, "install", "--no-bin", version], env=environment, capture_output=True).returncode:
        print(f"uv could not fetch Python {version}.", flush=True)
        return None
    found = subprocess.run([*uv, "find", "--managed-python", version], env=environment, capture_output=True, text=True)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def _tools() -> Path:
    """Has uv and virtualenv in a folder of their own, which does not touch the running Python."""
    folder, lock = CACHE / "tools", LOCKS / "tools.lock"
    stamp = _stamp([lock], sys.version)
    if _stamped(folder) != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--require-hashes"]
        run([*pip, "-r", lock, "--target", folder], "Installing uv and virtualenv")
        (folder / ".stamp").write_text(stamp)
    return folder


def environment(
    name: str, python: Path, locks: Sequence[str], *, base: Path | None = None, project: bool = False, also: str = ""
) -> Path:
    """The interpreter of the virtual environment ``.venv/name``, made anew when its locks or its Python changed.

    ``base`` is the interpreter of another environment whose packages are visible too; ``project`` installs this project
    so that edits count at once; ``also`` names a requirements file without hashes.

    Raises:
        SetupError: a step failed.
    """
    folder = VENVS / name
    files = [LOCKS / f"{lock}.lock" for lock in locks] + ([LOCKS / also] if also else [])
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"] if project else None
    # not the Python's path: started from a virtual environment or not, it is the same one underneath
    stamp = _stamp(files, f"{folder} {_version_of(python)} {base} {about}")
    inside = python_of(folder)
    if _stamped(folder) == stamp and inside.exists():
        return inside
    print(f"Setting up {folder.relative_to(ROOT)} ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _make_environment(python, folder)
    pip: list[str | Path] = [inside, "-m", "pip", "install", "-q", "--no-compile"]
    for lock in locks:
        run([*pip, "--no-deps", "--require-hashes", "-r", LOCKS / f"{lock}.lock"], f"Installing {lock}.lock")
    if also:
        run([*pip, "-r", LOCKS / also], f"Installing {also}")
    if base is not None:
        (_site_packages(inside) / "base.pth").write_text(f"{_site_packages(base)}\n")
    if project:
        run([*pip, "--no-deps", "--no-build-isolation", "-e", ROOT], "Installing lifter_core")
    (folder / ".stamp").write_text(stamp)
    return inside


def _make_environment(python: Path, folder: Path) -> None:
    # Debian's python3 comes without venv's pip (ensurepip); virtualenv brings its own.
    has_venv = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0
    if has_venv:
        run([python, "-m", "venv", folder], f"Making {folder.name}")
        return
    result = subprocess.run(
        [sys.executable, "-m", "virtualenv", "-q", "--no-download", "-p", str(python), str(folder)],
        env=clean_environment(PYTHONPATH=str(_tools())),
    )
    if result.returncode:
        raise SetupError(f"Making {folder.name} failed; install Python's venv module and run this command again.")


def _site_packages(python: Path) -> Path:
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", show], check=True, capture_output=True, text=True).stdout.strip())


def _stamp(files: Iterable[Path], more: str) -> str:
    digest = hashlib.sha256(more.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _stamped(folder: Path) -> str | None:
    stamp = folder / ".stamp"
    return stamp.read_text() if stamp.exists() else None


def blender(version: str, python: Path) -> Path:
    """An environment with nothing but that Blender's bpy module, its NumPy and pytest.

    Raises:
        SetupError: a library is missing or a step failed.
    """
    require_libraries()
    return environment(f"blender-{version}", python, [f"blender-{version}"])


def blender_with_engine(version: str, python: Path) -> Path:
    """The same with this project and what it needs.

    Raises:
        SetupError: a library is missing or a step failed.
    """
    base = blender(version, python)
    return environment(f"blender-{version}-engine", python, ["engine"], base=base, project=True)


def any_blender() -> Path:
    """``blender_with_engine`` of a version whose Python is at hand, the running Python's first.

    Raises:
        SetupError: no fitting Python is here and none could be fetched, or the set-up failed.
    """
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in sorted(("4.5", "5.2"), key=lambda v: BLENDERS[v] != running):
        python = find_python(BLENDERS[version])
        if python:
            return blender_with_engine(version, python)
    raise SetupError(
        "Blender's Python module needs Python 3.11 or 3.13, and neither is here nor could be fetched; install one of "
        "them and run this command again."
    )
