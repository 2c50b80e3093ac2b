#!/usr/bin/env python3
"""Builds the Blender add-on's zip, one a platform, each with all that it needs to work offline in Blender 4.2 to 5.2.

    python3 build_addon.py                      for this machine
    python3 build_addon.py --all                for Windows (x64), macOS (Apple silicon) and Linux (x64)
    python3 build_addon.py --platform macos-arm64 --with-torch

Needs Python 3.11+ and pip. Standard library only; the first run sets up a virtual environment with Blender's module,
whose extension tool validates the zip.
"""

import argparse
import platform as machine
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

from tools import environments, samples, wheels
from tools.environments import ROOT, SetupError

ADDON = ROOT / "blender_lift_addon"
TEXTS = ("LICENSE-GPL-3.0.txt", "LICENSE-APACHE-2.0.txt", "NOTICE")
AIM, LIMIT = 150e6, 200e6  # bytes

_SKIPPED = ("__pycache__", ".mypy_cache", ".ruff_cache")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def this_platform() -> str:
    """The machine's platform by Blender's name.

    Raises:
        SetupError: there is no zip for it.
    """
    system = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}.get(machine.system(), machine.system())
    processor = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(machine.machine(), machine.machine())
    name = f"{system}-{processor}".lower()
    if name not in wheels.read_lock():
        raise SetupError(f"There is no zip for {name}; choose one with --platform ({', '.join(wheels.read_lock())}).")
    return name


def manifest(source: str, platform: str, wheel_names: list[str]) -> str:
    """The add-on's manifest with the zip's wheels and its one platform."""
    lines = [line for line in source.splitlines() if not line.startswith(("wheels =", "platforms ="))]
    tables = next((i for i, line in enumerate(lines) if line.startswith("[")), len(lines))
    listing = [f'  "./wheels/{name}",' for name in sorted(wheel_names)]
    added = [f'platforms = ["{platform}"]', "wheels = [", *listing, "]", ""]
    return "\n".join([*lines[:tables], *added, *lines[tables:]]).rstrip() + "\n"


def zip_contents(platform: str, wheel_paths: list[Path], models: Path) -> dict[str, bytes | Path]:
    """What goes into the zip: name to file, or to its bytes."""
    contents: dict[str, bytes | Path] = {
        path.relative_to(ADDON).as_posix(): path
        for path in sorted(ADDON.rglob("*"))
        if path.is_file() and not any(part in _SKIPPED for part in path.parts)
    }
    source = (ADDON / "blender_manifest.toml").read_text("utf-8")
    text = manifest(source, platform, [path.name for path in wheel_paths])
    contents["blender_manifest.toml"] = text.encode()
    contents |= {f"wheels/{path.name}": path for path in wheel_paths}
    contents |= {f"models/{path.name}": path for path in sorted(models.glob("*.task"))}
    contents |= {name: ROOT / name for name in TEXTS}
    return contents


def write_zip(target: Path, contents: dict[str, bytes | Path]) -> None:
    """Writes the zip; the same contents give the same bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".part")
    with zipfile.ZipFile(temporary, "w") as archive:
        for name, content in sorted(contents.items()):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            archive.writestr(member, content.read_bytes() if isinstance(content, Path) else content)
    temporary.replace(target)


def validate(target: Path, engine: Path) -> None:
    """Has Blender's own extension tool check the zip.

    Raises:
        SetupError: the tool finds fault with it.
    """
    show = "import importlib.util as u; print(u.find_spec('bpy').submodule_search_locations[0])"
    bpy = subprocess.run([engine, "-c", show], check=True, capture_output=True, text=True).stdout.strip()
    tool = next(Path(bpy).glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    environments.run([engine, tool, "validate", target], f"Validating {target.name}")


def print_sizes(target: Path) -> None:
    """Prints what takes the room, in MB."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(target) as archive:
        for member in archive.infolist():
            folder, _, name = member.filename.partition("/")
            part = name if folder in ("wheels", "models") else "the add-on itself, licences"
            sizes[part] += member.compress_size
    for part, size in sizes.most_common():
        print(f"{size / 1e6:8.1f} MB  {part}")
    print(f"{target.stat().st_size / 1e6:8.1f} MB  {target}")


def build(platform: str, out: Path, engine: Path, with_torch: bool) -> Path:
    """Builds, validates and measures one platform's zip.

    Raises:
        SetupError: a part cannot be had, the zip is not valid, or is too large.
    """
    models = samples.models(engine)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = [*wheels.gather(platform), wheels.build_lifter_core(folder, with_torch)]
        if with_torch:
            paths += wheels.gather_torch(platform, folder / "torch")
        about = tomllib.loads((ADDON / "blender_manifest.toml").read_text("utf-8"))
        suffix = "-torch" if with_torch else ""
        target = out / f"{about['id']}-{about['version']}-{platform}{suffix}.zip"
        write_zip(target, zip_contents(platform, paths, models))
    validate(target, engine)
    print_sizes(target)
    size = target.stat().st_size
    if not with_torch and size > LIMIT:
        raise SetupError(f"{target.name} has {size / 1e6:.0f} MB; {LIMIT / 1e6:.0f} are allowed: leave something out.")
    if not with_torch and size > AIM:
        print(f"{target.name} is over the aim of {AIM / 1e6:.0f} MB.")
    return target


def main() -> int:
    """Builds what the command line asks for and returns the exit code."""
    parser = argparse.ArgumentParser(description="Builds the Blender add-on's zip.")
    parser.add_argument("--platform", choices=sorted(wheels.read_lock()), help="(default: this machine's)")
    parser.add_argument("--all", action="store_true", help="all platforms")
    parser.add_argument("--with-torch", action="store_true", help="add PyTorch (macOS: GPU, else CPU)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder to write to (default: dist)")
    arguments = parser.parse_args()
    try:
        engine = environments.any_blender()
        chosen = sorted(wheels.read_lock()) if arguments.all else [arguments.platform or this_platform()]
        for platform in chosen:
            print(f"\n{platform}:", flush=True)
            build(platform, arguments.out.resolve(), engine, arguments.with_torch)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
