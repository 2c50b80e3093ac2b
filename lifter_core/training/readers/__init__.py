"""Users' own motion as training clips: BVH, ASF/AMC, takes, and the packed files of ``training.mocap``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...skeleton import JOINT_NAMES
from ...spans import runs
from ...take import FORMAT, load_take
from ..mocap import Clip, read_clips
from .amc import read_amc, read_asf
from .animation import Animation
from .bvh import read_bvh
from .joint_names import to_clip_joints

__all__ = ["read_amc", "read_asf", "read_bvh", "read_file", "read_folder"]

Array = NDArray[Any]

_Z_UP_TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
_KINDS = (".bvh", ".amc", ".npz")
_SHORTEST = 4  # frames


def read_folder(folder: Path) -> Iterator[Clip]:
    """The clips of all .bvh, .amc (with its .asf beside it) and .npz files under a folder, in order of their paths.

    ``info`` has id, subject (the folder's name), split, source, category and fps, as the packed files' clips have.

    Raises:
        BadInputError: there is none, or one cannot be read; the sentence names file and, where it can, line.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _KINDS and not p.name.startswith("."))
    if not files:
        raise BadInputError(f"{folder} has no .bvh, .amc or .npz files to train on.")
    for path in files:
        yield from read_file(path)


def read_file(path: Path) -> Iterator[Clip]:
    """The clips of one file; a take or packed file can hold several.

    Raises:
        BadInputError: it cannot be read.
    """
    kind = path.suffix.lower()
    if kind == ".bvh":
        yield _clip(path, read_bvh(path))
    elif kind == ".amc":
        yield _clip(path, read_amc(path, read_asf(_skeleton_of(path))))
    else:
        yield from _read_npz(path)


def _clip(path: Path, animation: Animation) -> Clip:
    try:
        joints = to_clip_joints(animation)
    except BadInputError as error:
        raise BadInputError(f"{path} cannot be used: {error}.") from None
    return Clip(_info(path, path.stem, animation.fps), joints)


def _info(path: Path, name: str, fps: float) -> dict[str, Any]:
    subject = path.parent.name
    return {"id": name, "subject": subject, "split": "train", "source": str(path), "category": "own", "fps": fps}


def _skeleton_of(path: Path) -> Path:
    """The .asf of an .amc: of the same name up to the last underscore (01_02.amc: 01.asf), or the folder's only one."""
    here = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf")
    named = [p for p in here if p.stem in (path.stem, path.stem.rsplit("_", 1)[0])]
    if named or len(here) == 1:
        return (named or here)[0]
    raise BadInputError(f"{path} needs its skeleton beside it, an .asf called {path.stem.rsplit('_', 1)[0]}.asf.")


def _read_npz(path: Path) -> Iterator[Clip]:
    try:
        with np.load(path, allow_pickle=False) as z:
            fields = set(z.files)
            is_take = "format" in fields and str(z["format"]) == FORMAT
    except (ValueError, OSError):
        raise BadInputError(f"{path} is not an .npz file that can be read without pickle.") from None
    if is_take:
        yield from _of_take(path)
    elif {"delta", "first", "unit", "meta"} <= fields:
        for split in ("train", "val"):
            yield from read_clips(path, split, as_captured=True)
    else:
        raise BadInputError(f"{path} is neither a take nor packed mocap (docs/training.md has the format).")


def _of_take(path: Path) -> Iterator[Clip]:
    """Each person's unbroken stretches."""
    take = load_take(path)
    order = [take.joint_names.index(name) for name in JOINT_NAMES]
    for person, present in enumerate(take.present):
        for run in runs(present):
            if run.stop - run.start >= _SHORTEST:
                joints = take.positions[person, run][:, order] @ _Z_UP_TO_Y_UP.T
                name = f"{path.stem}_{person}_{run.start}"
                yield Clip(_info(path, name, take.fps), joints.astype(np.float32))
