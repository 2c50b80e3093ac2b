# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the takes' files are: in the cache folder, and from the first save on next to the .blend, in lift_takes.

A take's file is never changed: what is solved anew is a new file, so that an undo finds the one before. Saving the
.blend copies the files that its takes name; those left in the cache go when Blender ends or the user clears it.
Nothing next to a .blend is ever deleted: what is not wanted there any more moves into the cache.
"""

import contextlib
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

import bpy

from lifter_core.files import replaced

from .preferences import chosen_cache

FOLDER = "lift_takes"
_PACKAGE = __package__ or ""

_saved: set[Path] = set()  # files in the cache of which the saved .blend has copies


def new_uid() -> str:
    """A take's name in file names."""
    return uuid.uuid4().hex[:8]


def user_folder() -> Path:
    """The add-on's own folder for files, made if need be."""
    try:
        return Path(bpy.utils.extension_path_user(_PACKAGE, create=True))
    except ValueError:  # not installed as an extension
        return Path(bpy.utils.user_resource("DATAFILES", path="lift_video", create=True))


def cache_folder() -> Path:
    """The folder for takes that are in no saved .blend; the one chosen in the preferences or one of the add-on's."""
    chosen = chosen_cache()
    folder = chosen / "lift_cache" if chosen else user_folder() / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def adopt(file: Path, uid: str) -> Path:
    """Moves a take's file into the cache under a name of its own."""
    target = cache_folder() / f"{file.stem}-{uid}-{new_uid()}.npz"
    with replaced(target) as temporary:
        shutil.copyfile(file, temporary)
    file.unlink()
    return target


def find(path: str, uid: str) -> Path | None:
    """The file of a take, by the path kept with it, or else by its uid where the takes are; None if it is gone."""
    file = Path(bpy.path.abspath(path))
    if file.is_file() and (bpy.data.filepath or not path.startswith("//")):
        return file
    folders = [cache_folder()]
    if bpy.data.filepath:
        folders.insert(0, Path(bpy.data.filepath).parent / FOLDER)
    for folder in folders:
        exact = folder / file.name
        if exact.is_file():
            return exact
        others = sorted(folder.glob(f"*-{uid}*.npz"), key=lambda f: f.stat().st_mtime)
        if others:
            return others[-1]
    return None


def gather(file: Path, uid: str, name: str, blend: Path) -> str:
    """Copies a take's file next to the .blend that is about to be saved; returns its path relative to that.

    A file that is in the .blend's folder already stays where it is.

    Raises:
        OSError: the folder cannot be written to.
    """
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
    target = blend.parent / FOLDER / f"{plain}-{uid}.npz"
    if file.is_relative_to(blend.parent) and not file.is_relative_to(cache_folder()):
        return f"//{file.relative_to(blend.parent).as_posix()}"
    with replaced(target) as temporary:
        shutil.copyfile(file, temporary)
    if file.is_relative_to(cache_folder()):
        _saved.add(file)
    return f"//{FOLDER}/{target.name}"


def retire(file: Path) -> Path:
    """Moves a take's file from beside the .blend into the cache, where an undo or another .blend still finds it."""
    target = cache_folder() / f"{file.stem}-{new_uid()}.npz"
    with replaced(target) as temporary:
        shutil.copyfile(file, temporary)
    file.unlink()
    return target


def unused(blend: Path, used: Iterable[Path]) -> list[Path]:
    """The files next to the .blend that are not among those used."""
    kept = {file.resolve() for file in used}
    return sorted(file for file in (blend.parent / FOLDER).glob("*.npz") if file.resolve() not in kept)


def drop_saved() -> None:
    """Deletes the cache's files of which a saved .blend has copies: for when no undo can ask for them any more."""
    for file in _saved:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    _saved.clear()


def cache_size() -> int:
    """Bytes in the cache."""
    return sum(file.stat().st_size for file in cache_folder().glob("*.npz"))


def clear_cache(keep: Iterable[Path]) -> int:
    """Deletes the cache's files but those to keep; returns how many bytes that freed."""
    kept = {file.resolve() for file in keep}
    freed = 0
    for file in cache_folder().glob("*.npz"):
        if file.resolve() not in kept:
            freed += file.stat().st_size
            file.unlink(missing_ok=True)
    return freed
