"""Mocap for training: the packed .npz files (format: pos deltas of 27 joints, Y up) as this house's joints."""

import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError
from ..skeleton import JOINT, JOINT_NAMES
from ..spans import runs
from .bodies import STANDARD_LENGTHS, bone_lengths
from .limbs import Key, Limbs, fit_limbs, skeleton_of, straightened

Array = NDArray[Any]

_HAND = 0.085  # wrist to the knuckles' middle, m: most sources lack a useful hand end
_TOE = 0.06  # ball of the foot to the toe tip, m
# in the head's frame (left, up, forward from the base of the head, metres); from a MakeHuman head's ears
_EAR = (0.072, 0.075, 0.012)


class Clip(NamedTuple):
    """One take: metadata, joints (T, J, 3) in metres, Y up."""

    info: dict[str, Any]
    joints: Array


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


SPLITS = ("train", "val", "unsure", "test")


@functools.lru_cache(8)
def limbs_of(path: Path) -> dict[Key, Limbs]:
    """The limb lengths' factors of every subject and skeleton in a packed file (limbs.py), from all of its splits."""
    return fit_limbs(clip for split in SPLITS for clip in read_clips(path, split, as_captured=True))


def read_clips(path: Path, split: str, as_captured: bool = False) -> Iterator[Clip]:
    """The clips of one packed file and split (``train``, ``val``, ``test``); clips with a joint missing throughout are skipped.

    Knees and elbows are repaired (limbs.py) unless ``as_captured``.
    """
    with np.load(path) as z:
        meta, unit = json.loads(str(z["meta"])), float(z["unit"])
        delta, first = z["delta"], z["first"]
    limbs = None if as_captured else limbs_of(path)
    for i, info in enumerate(meta["clips"]):
        if info["split"] != split:
            continue
        rows = delta[info["start"] : info["start"] + info["len"]]
        pos = (np.cumsum(rows.astype(np.int32), axis=0) * unit + first[i]).astype(np.float32)
        joints = to_joints(meta["joints"], pos)
        if np.isfinite(joints).all():
            clip = Clip(info, joints)
            yield clip if limbs is None else Clip(info, straightened(joints, limbs[skeleton_of(clip)]))


class Motion(NamedTuple):
    """All training clips in one array: joints (N, J, 3) metres, Y up; for each of C clips its first row, its length, its
    frame rate and its chance of being drawn (adding up to 1).
    """

    joints: Array
    start: NDArray[np.intp]
    length: NDArray[np.intp]
    fps: NDArray[np.float64]
    chance: NDArray[np.float64]


def plausible(joints: Array) -> NDArray[np.bool_]:
    """(N,) true where no bone is shorter than 0.4 or longer than 1.8 times the standard body's: the rest is broken."""
    ratio = bone_lengths(joints) / STANDARD_LENGTHS
    return np.asarray((ratio > 0.4).all(1) & (ratio < 1.8).all(1))


# how often a sequence comes from each file
_SHARES = {"cmu_60.npz": 0.4, "cmu_full_30.npz": 0.6}
_REHAB_SHARE = 0.12  # of cmu_full_30's share: UI-PRMD repeats itself
_TOO_FAST = 25.0  # m/s about the pelvis: a capture error
_SHORTEST = 12  # frames


def whole_parts(clip: Clip) -> Iterator[Array]:
    """The stretches of a clip without capture errors, (T, J, 3) each: broken bones and joints flung about cut it."""
    local = clip.joints - clip.joints[:, :1]
    speed = np.zeros(len(local))
    if len(local) > 1:
        speed = np.linalg.norm(np.gradient(local, axis=0), axis=-1).max(1) * float(clip.info["fps"])
    for run in runs((speed < _TOO_FAST) & plausible(local)):
        if run.stop - run.start >= _SHORTEST:
            yield clip.joints[run]


@functools.lru_cache(1)
def load_motion(folder: Path) -> Motion:
    """All training clips of the files in _SHARES. Long clips repeat themselves: a clip's chance grows as sqrt(seconds).

    Raises:
        FileNotFoundError: the folder lacks one of the files.
    """
    joints: list[Array] = []
    fps: list[float] = []
    chance: list[float] = []
    for file, share in _SHARES.items():
        first = len(chance)
        rehab: list[bool] = []
        for clip in read_clips(folder / file, "train"):
            for part in whole_parts(clip):
                rate = float(clip.info["fps"])
                joints.append(part)
                fps.append(rate)
                chance.append((len(part) / rate) ** 0.5)
                rehab.append("UI-PRMD" in clip.info["source"])
        groups = ((False, share * (1 - _REHAB_SHARE * any(rehab))), (True, share * _REHAB_SHARE))
        for kind, part_share in groups:
            rows = [first + i for i, r in enumerate(rehab) if r == kind]
            total = sum(chance[i] for i in rows)
            for i in rows:
                chance[i] *= part_share / total
    length = np.array([len(x) for x in joints])
    p = np.array(chance)
    return Motion(np.concatenate(joints), np.cumsum(length) - length, length, np.array(fps), p / p.sum())


def with_own(motion: Motion, clips: Iterable[Clip], share: float = 0.3) -> Motion:
    """The motion with more clips, which get ``share`` of the draws.

    Raises:
        BadInputError: none of the clips has a stretch that can be used.
    """
    parts = [(part, clip) for clip in clips for part in whole_parts(clip)]
    if not parts:
        raise BadInputError("None of your own clips has 12 good frames in a row; check that they show a whole body.")
    length = np.array([len(part) for part, _ in parts])
    fps = np.array([float(clip.info["fps"]) for _, clip in parts])
    chance = (length / fps) ** 0.5
    return Motion(
        np.concatenate([motion.joints, *(part for part, _ in parts)]),
        np.concatenate([motion.start, len(motion.joints) + np.cumsum(length) - length]),
        np.concatenate([motion.length, length]),
        np.concatenate([motion.fps, fps]),
        np.concatenate([motion.chance * (1 - share), chance / chance.sum() * share]),
    )


def stretches(
    motion: Motion, clips: NDArray[np.intp], frames: int, fps: float, rng: np.random.Generator, jitter: float = 0.12
) -> tuple[Array, NDArray[np.bool_]]:
    """A random stretch of each of the C ``clips``, seen ``fps`` times a second.

    Returns:
        joints (C, frames, J, 3), metres, Y up, and (C, frames) true where the clip has a frame; beyond its ends the last
        one stands still. Speeds vary by a log-normal factor of sd ``jitter``; a stretch begins anywhere between two frames.
    """
    step = motion.fps[clips] / fps * np.exp(rng.normal(0, jitter, len(clips)))
    spare = motion.length[clips] - 1 - step * (frames - 1)
    # a clip shorter than the stretch stands anywhere in it
    begin = rng.uniform(np.minimum(spare, 0), np.maximum(spare, 0) + 1e-9)
    at = begin[:, None] + step[:, None] * np.arange(frames)
    last = (motion.length[clips] - 1)[:, None]
    inside = (at >= 0) & (at <= last)
    at = np.clip(at, 0, last)
    low = np.minimum(np.floor(at).astype(np.intp), np.maximum(last - 1, 0))
    part = (at - low).astype(np.float32)[..., None, None]
    rows = motion.start[clips][:, None] + low
    a, b = motion.joints[rows], motion.joints[np.minimum(rows + 1, len(motion.joints) - 1)]
    return a + (b - a) * part, inside
