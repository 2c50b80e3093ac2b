"""Pairs of (detection, truth) of rendered clips, and the one file that holds them all.

File: ``.npz`` loaded with allow_pickle=False; N frames of all clips one after the other. ``meta`` JSON: {"keypoints": names,
"joints": names, "clips": [{..., "start": row, "len": frames}], "steps": {array: size of a step}}; ``found`` (N,) bool; and
``points`` (N, 33, 2), ``confidence`` (N, 33), ``world`` (N, 33, 3), ``joints`` (N, J, 3), ``up`` (N, 3), each in whole steps,
as differences from the frame before, whose bytes are sorted by weight so that they compress well (4, N, ...) uint8. The
steps are 0.2 px, 0.2 mm and 1/255 of the confidence: what is read is within half of one. Files without ``steps`` hold plain
float32.
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


_STEPS = {"points": 0.2, "confidence": 1 / 255, "world": 2e-4, "joints": 2e-4, "up": 1e-4}  # px, -, m, m, -
_SHORT = 5  # digits that stay of the numbers in a clip's facts


def read_pairs(path: Path, split: str | None = None) -> list[Pair]:
    """The clips of a packed file, all or those of one split (``train`` or ``val``, by the mocap's subject).

    Raises:
        BadInputError: the file lacks a joint of the skeleton (it was made for another one: pack anew).
    """
    with np.load(path, allow_pickle=False) as z:
        meta = json.loads(str(z["meta"]))
        arrays = {name: z[name] for name in _STEPS}
        if "steps" in meta:
            arrays = {name: _unpacked(z[name], meta["steps"][name]) for name in _STEPS}
            arrays["points"][~z["found"]] = np.nan
            arrays["world"][~z["found"]] = np.nan
    missing = [name for name in JOINT_NAMES if name not in meta["joints"]]
    if missing:
        raise BadInputError(f"{path} has no joint called {missing[0]}; it was made for another skeleton.")
    order = [meta["joints"].index(name) for name in JOINT_NAMES]
    pairs = []
    for clip in meta["clips"]:
        if split not in (None, clip["split"]):
            continue
        rows = slice(clip["start"], clip["start"] + clip["len"])
        points, confidence, world, joints, up = (arrays[name][rows] for name in _STEPS)
        matrix = np.array(clip["camera_matrix"])
        pairs.append(
            Pair(tuple(meta["keypoints"]), points, confidence, world, joints[:, order], matrix, up, clip["fps"], clip)
        )
    return pairs


def _packed(values: Array, step: float) -> Array:
    """(4, N, ...) uint8 of (N, ...) numbers: see the file's format."""
    whole = np.rint(values / step).astype(np.int32)
    change = np.diff(whole, axis=0, prepend=np.zeros_like(whole[:1]))
    folded = (change << 1) ^ (change >> 31)  # small differences of either sign have small bytes
    return np.ascontiguousarray(np.moveaxis(folded.astype("<i4")[..., None].view(np.uint8), -1, 0))


def _unpacked(stored: Array, step: float) -> Array:
    folded = np.ascontiguousarray(np.moveaxis(stored, 0, -1)).view("<u4")[..., 0]
    change = (folded >> 1).astype(np.int64) ^ -(folded & 1).astype(np.int64)
    return (np.cumsum(change, axis=0) * step).astype(np.float32)


def _shortened(value: Any) -> Any:
    """A clip's facts with numbers of a few digits."""
    if isinstance(value, float):
        return float(f"{value:.{_SHORT}g}")
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    return value


def pack(clips: Iterable[Path], out: Path) -> int:
    """Joins the files of single clips (as ``detections.py`` writes them) into one, moved into place; gives their number.

    Only the joints of the skeleton are kept.

    Raises:
        BadInputError: there is no clip, or one lacks a joint of the skeleton.
    """
    arrays: dict[str, list[Array]] = {name: [] for name in _STEPS}
    infos: list[dict[str, Any]] = []
    keypoints: list[str] = []
    start = 0
    for path in sorted(clips):
        with np.load(path, allow_pickle=False) as z:
            info = json.loads(str(z["meta"]))
            for name in _STEPS:
                arrays[name].append(z[name].astype(np.float64))
        keypoints, names = info.pop("keypoints"), info.pop("joints")
        if missing := [name for name in JOINT_NAMES if name not in names]:
            raise BadInputError(f"{path} has no joint called {missing[0]}; make it anew.")
        arrays["joints"][-1] = arrays["joints"][-1][:, [names.index(name) for name in JOINT_NAMES]]
        info = {key: value if key == "camera_matrix" else _shortened(value) for key, value in info.items()}
        info |= {"start": start, "len": len(arrays["points"][-1])}
        start += info["len"]
        infos.append(info)
    if not infos:
        raise BadInputError("There are no finished clips to pack; run render and detect first.")
    joined: dict[str, Any] = {name: np.concatenate(parts) for name, parts in arrays.items()}
    found = np.isfinite(joined["points"]).all((1, 2)) & np.isfinite(joined["world"]).all((1, 2))
    for name in ("points", "world"):
        joined[name] = _held(joined[name], found)
    confidence = joined["confidence"]  # 0 says that a point is missing: what is above it stays so
    joined["confidence"] = np.where(confidence > 0, np.maximum(confidence, _STEPS["confidence"]), 0)
    stored: dict[str, Any] = {name: _packed(joined[name], step) for name, step in _STEPS.items()}
    meta = json.dumps({"keypoints": keypoints, "joints": JOINT_NAMES, "clips": infos, "steps": _STEPS})
    with replaced(out) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, meta=np.array(meta), found=found, **stored)
    return len(infos)


def _held(values: Array, found: NDArray[np.bool_]) -> Array:
    """(N, ...) the values of frames without any replaced by the last ones before (zeros at the beginning)."""
    last = np.maximum.accumulate(np.where(found, np.arange(len(found)), -1))
    out = values[np.maximum(last, 0)]
    out[last < 0] = 0
    return np.asarray(out)
