"""Pairs of (detection, truth) of rendered clips, and the one file that holds them all.

File: ``.npz`` loaded with allow_pickle=False; N frames of all clips one after the other.
``points`` (N, 33, 2), ``confidence`` (N, 33), ``world`` (N, 33, 3), ``joints`` (N, J, 3), ``up`` (N, 3) float32;
``meta`` JSON: {"keypoints": names, "joints": names, "clips": [{..., "start": row, "len": frames}]}.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...files import replaced
from ...skeleton import JOINT_NAMES

Array = NDArray[Any]


class Pair(NamedTuple):
    """One clip of T frames as the detector saw it, and as it was.

    Attributes:
        names: the detector's 33 keypoint names.
        points: (T, 33, 2) pixels, NaN where the person was not found; confidence: (T, 33), 0 there.
        world: (T, 33, 3) the detector's own 3D, metres about its hips, camera axes; NaN where not found.
        joints: (T, J, 3) true joints in the order of ``skeleton.JOINTS``, metres, in camera coordinates (x right, y
            down, z forward, the camera at 0): their projection through ``camera_matrix`` is the true picture.
        camera_matrix: (3, 3), constant over the clip.
        up: (T, 3) unit vector against gravity in camera axes.
        fps: frames a second.
        info: id, mocap (take), split, category, source, size (w, h), height_px, cropped, occluder, moving, body, ...
    """

    names: tuple[str, ...]
    points: Array
    confidence: Array
    world: Array
    joints: Array
    camera_matrix: Array
    up: Array
    fps: float
    info: dict[str, Any]


_ARRAYS = ("points", "confidence", "world", "joints", "up")


def read_pairs(path: Path, split: str | None = None) -> list[Pair]:
    """The clips of a packed file, all or those of one split (``train`` or ``val``, by the mocap's subject).

    Raises:
        BadInputError: the file lacks a joint of the skeleton (it was made for another one: pack anew).
    """
    with np.load(path, allow_pickle=False) as z:
        meta = json.loads(str(z["meta"]))
        arrays = {name: z[name] for name in _ARRAYS}
    missing = [name for name in JOINT_NAMES if name not in meta["joints"]]
    if missing:
        raise BadInputError(f"{path} has no joint called {missing[0]}; it was made for another skeleton.")
    order = [meta["joints"].index(name) for name in JOINT_NAMES]
    pairs = []
    for clip in meta["clips"]:
        if split not in (None, clip["split"]):
            continue
        rows = slice(clip["start"], clip["start"] + clip["len"])
        points, confidence, world, joints, up = (arrays[name][rows] for name in _ARRAYS)
        matrix = np.array(clip["camera_matrix"])
        pairs.append(
            Pair(tuple(meta["keypoints"]), points, confidence, world, joints[:, order], matrix, up, clip["fps"], clip)
        )
    return pairs


def pack(clips: Iterable[Path], out: Path) -> int:
    """Joins the files of single clips (as ``detections.py`` writes them) into one, moved into place; gives their number.

    Raises:
        BadInputError: there is no clip, or clips have different joints.
    """
    arrays: dict[str, list[Array]] = {name: [] for name in _ARRAYS}
    infos: list[dict[str, Any]] = []
    keypoints: list[str] = []
    joints: list[str] = []
    start = 0
    for path in sorted(clips):
        with np.load(path, allow_pickle=False) as z:
            info = json.loads(str(z["meta"]))
            for name in _ARRAYS:
                arrays[name].append(z[name].astype(np.float32))
        keypoints, names = info.pop("keypoints"), info.pop("joints")
        if joints and names != joints:
            raise BadInputError(f"{path} has other joints than the clips before it; make it anew.")
        joints = names
        info |= {"start": start, "len": len(arrays["points"][-1])}
        start += info["len"]
        infos.append(info)
    if not infos:
        raise BadInputError("There are no finished clips to pack; run render and detect first.")
    joined: dict[str, Any] = {name: np.concatenate(parts) for name, parts in arrays.items()}
    meta = json.dumps({"keypoints": keypoints, "joints": joints, "clips": infos})
    with replaced(out) as temporary, temporary.open("wb") as stream:
        np.savez(stream, meta=np.array(meta), **joined)
    return len(infos)
