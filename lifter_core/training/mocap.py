"""Mocap for training: the packed .npz files (format: pos deltas of 27 joints, Y up) as this house's joints."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..skeleton import JOINT, JOINT_NAMES
from .bodies import STANDARD_LENGTHS, bone_lengths

Array = NDArray[Any]

_HAND = 0.085  # wrist to the knuckles' middle, m: most sources lack a useful hand end
_TOE = 0.06  # ball of the foot to the toe tip, m
# in the head's frame (left, up, forward from the base of the head, metres); from a MakeHuman head's ears
_EAR = (0.072, 0.075, 0.012)
# takes whose shoulders were put near the neck: their proportions are not used (see bodies.py)
_NARROW = ("daz-bvh", "IClone-retarget", "deepmimic")


class Clip(NamedTuple):
    """One take: metadata, joints (T, J, 3) in metres, Y up; whether its proportions can be believed."""

    info: dict[str, Any]
    joints: Array
    proportions: bool


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6)


def to_joints(names: list[str], pos: Array) -> Array:
    """(T, 27, 3) of the packed files -> (T, J, 3) of skeleton.JOINTS; ears, hands and toe tips placed on the body."""
    at = {name: pos[:, i] for i, name in enumerate(names)}
    out = np.empty((len(pos), len(JOINT_NAMES), 3), np.float32)
    for name in ("pelvis", "spine", "thorax", "neck"):
        out[:, JOINT[name]] = at[name]
    out[:, JOINT["head"]] = at["head_top"]
    out[:, JOINT["nose"]] = at["nose_est"]
    up = _unit(at["head_top"] - at["neck"])
    ahead = at["nose_est"] - at["neck"]
    ahead = _unit(ahead - (ahead * up).sum(-1, keepdims=True) * up)
    left = np.cross(up, ahead)
    for side, s, sign in (("left", "l", 1), ("right", "r", -1)):
        for name in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
            out[:, JOINT[f"{side}_{name}"]] = at[f"{s}_{name}"]
        out[:, JOINT[f"{side}_heel"]] = at[f"{s}_heel_est"]
        out[:, JOINT[f"{side}_ear"]] = at["neck"] + sign * _EAR[0] * left + _EAR[1] * up + _EAR[2] * ahead
        foot = _unit(at[f"{s}_toe"] - at[f"{s}_heel_est"])
        tip = at[f"{s}_toe_tip"] - at[f"{s}_toe"]
        tip = np.where(np.isfinite(tip), tip, foot)
        out[:, JOINT[f"{side}_toe"]] = at[f"{s}_toe"] + _TOE * _unit(tip)
        forearm = _unit(at[f"{s}_wrist"] - at[f"{s}_elbow"])
        hand = at[f"{s}_hand"] - at[f"{s}_wrist"]
        hand = np.where(np.isfinite(hand), _unit(hand), forearm)
        out[:, JOINT[f"{side}_hand"]] = at[f"{s}_wrist"] + _HAND * _unit(hand + 0.5 * forearm)
    return out


def read_clips(path: Path, split: str) -> Iterator[Clip]:
    """The clips of one packed file and split (``train`` or ``val``); clips with a joint missing throughout are skipped."""
    with np.load(path) as z:
        meta, unit = json.loads(str(z["meta"])), float(z["unit"])
        delta, first = z["delta"], z["first"]
    for i, info in enumerate(meta["clips"]):
        if info["split"] != split:
            continue
        rows = delta[info["start"] : info["start"] + info["len"]]
        pos = (np.cumsum(rows.astype(np.int32), axis=0) * unit + first[i]).astype(np.float32)
        joints = to_joints(meta["joints"], pos)
        if np.isfinite(joints).all():
            yield Clip(info, joints, not any(name in info["source"] for name in _NARROW))


class Poses(NamedTuple):
    """Single frames of many clips: joints (N, J, 3) about the pelvis, Y up; speed (N, J) m/s about the pelvis;
    proportions (N,) believed or not; chance (N,) of being drawn, adding up to 1.
    """

    joints: Array
    speed: Array
    proportions: NDArray[np.bool_]
    chance: NDArray[np.float64]


def plausible(joints: Array) -> NDArray[np.bool_]:
    """(N,) true where no bone is shorter than 0.4 or longer than 1.8 times the standard body's: the rest is broken."""
    ratio = bone_lengths(joints) / STANDARD_LENGTHS
    return np.asarray((ratio > 0.4).all(1) & (ratio < 1.8).all(1))


# how often a frame comes from each file, and at what rate frames are kept (fps)
_SHARES = {"cmu_60.npz": 0.4, "cmu_full_30.npz": 0.6}
_RATE = 30.0
_REHAB_SHARE = 0.12  # of cmu_full_30's share: UI-PRMD repeats itself
_TOO_FAST = 25.0  # m/s about the pelvis: a capture error


def load_poses(folder: Path) -> Poses:
    """All training frames of the files in _SHARES. Long clips repeat themselves: a clip's chance grows as sqrt(length).

    Raises:
        FileNotFoundError: the folder lacks one of the files.
    """
    joints, speed, proportions = [], [], []
    chance: list[NDArray[np.float64]] = []
    for file, share in _SHARES.items():
        first = len(chance)
        rehab = []
        for clip in read_clips(folder / file, "train"):
            local = clip.joints - clip.joints[:, :1]
            fps = float(clip.info["fps"])
            v = (
                np.linalg.norm(np.gradient(local, axis=0), axis=-1) * fps
                if len(local) > 1
                else np.zeros(local.shape[:2])
            )
            keep = np.zeros(len(local), bool)
            keep[:: max(1, round(fps / _RATE))] = True
            keep &= (v.max(1) < _TOO_FAST) & plausible(local)
            n = int(keep.sum())
            if not n:
                continue
            joints.append(local[keep])
            speed.append(v[keep].astype(np.float32))
            proportions.append(np.full(n, clip.proportions))
            chance.append(np.full(n, n**-0.5))
            rehab.append("UI-PRMD" in clip.info["source"])
        groups = [(False, share * (1 - _REHAB_SHARE * any(rehab))), (True, share * _REHAB_SHARE)]
        for kind, part in groups:
            rows = [c for c, r in zip(chance[first:], rehab, strict=True) if r == kind]
            total = sum(float(c.sum()) for c in rows)
            for c in rows:
                c *= part / total
    p = np.concatenate(chance)
    return Poses(np.concatenate(joints), np.concatenate(speed), np.concatenate(proportions), p / p.sum())
