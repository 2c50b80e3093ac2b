"""Body variety: bone lengths drawn anew (anthropometry.py), limbs of other takes, mirror images. All on joints alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..anthropometry import draw_lengths
from ..normalise import norm
from ..skeleton import JOINT, JOINT_MIRROR, JOINT_NAMES, JOINT_PARENTS

Array = NDArray[Any]

# the mean skeleton of the CMU mocap, metres, of STANDARD_LENGTH (normalise.py): a reference for what is plausible in mocap and
# for sizes. It is nobody's body: its shins are 1.07 of its thighs, people's 1.0 to 1.05 (anthropometry.py).
_LENGTHS = {
    "spine": 0.33, "thorax": 0.175, "neck": 0.125, "head": 0.2, "nose": 0.14, "ear": 0.105, "hip": 0.09,
    "knee": 0.407, "ankle": 0.436, "heel": 0.077, "toe": 0.184, "shoulder": 0.18, "elbow": 0.29, "wrist": 0.275,
    "hand": 0.085,
}  # fmt: skip
_PART = tuple(name.split("_")[-1] for name in JOINT_NAMES)
_PARTS = tuple(_LENGTHS)
STANDARD_LENGTHS: Array = np.array([_LENGTHS.get(part, 1.0) for part in _PART], np.float32)  # (J,), pelvis unused

_PEOPLE = 0.8  # share of the bodies drawn as people are; the others are like the take's own
# about the take's own: bones that vary together (one factor each), and how much (sd of the log)
_TOGETHER = (
    (("knee", "ankle"), 0.06),
    (("elbow", "wrist"), 0.06),
    (("spine", "thorax"), 0.06),
    (("shoulder",), 0.08),
    (("hip",), 0.12),
    (("neck", "head", "nose", "ear"), 0.06),
    (("heel", "toe"), 0.08),
    (("hand",), 0.1),
)
_ALONE = 0.04  # sd of the log of each part's own factor
_SIDE = 0.008  # and of each side's


def bone_lengths(joints: Array) -> Array:
    """(..., J) distance of each joint from its parent in the drawing tree; 1 for the root; joints (..., J, 3)."""
    parents = list(JOINT_PARENTS[1:])
    length = np.ones(joints.shape[:-1], np.float32)
    length[..., 1:] = norm(joints[..., 1:, :] - joints[..., parents, :])
    return length


def resize(joints: Array, rng: np.random.Generator) -> Array:
    """Gives each of C sequences (C, T, J, 3) another body of constant bones; the pelvis's path grows with the legs.

    Most bodies are drawn as people are (anthropometry.py), one in five about the take's own, left and right made equal
    first: skeletons of other proportions (one family of takes begins the arms 11 cm from the spine) are worth knowing too.
    """
    n = len(joints)
    bones = joints[:, :, 1:] - joints[:, :, list(JOINT_PARENTS[1:])]
    each: Array = np.ones(joints.shape[:-1], np.float32)
    each[..., 1:] = norm(bones)
    own = np.median(each, axis=1)
    own = (own + own[:, JOINT_MIRROR]) / 2
    log = {part: rng.normal(0, _ALONE, n) for part in _PARTS}
    for parts, sd in _TOGETHER:
        shared = rng.normal(0, sd, n)
        for part in parts:
            log[part] = log[part] + shared
    factor = np.exp(np.stack([log.get(part, np.zeros(n)) for part in _PART], 1) + rng.normal(0, _SIDE, own.shape))
    people = rng.random(n) < _PEOPLE
    new = np.where(people[:, None], draw_lengths(n, rng), own * factor).astype(np.float32)
    bones *= (new[:, None] / np.maximum(each, 1e-6))[:, :, 1:, None]
    legs = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")]
    out = np.empty_like(joints)
    out[:, :, 0] = joints[:, :, 0] * (new[:, legs].sum(1) / np.maximum(own[:, legs].sum(1), 1e-6))[:, None, None]
    for j, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            np.add(out[:, :, parent], bones[:, :, j - 1], out=out[:, :, j])
    return out


def _frame(across: Array, along: Array) -> Array:
    """(..., 3, 3) axes as columns: across, along made perpendicular to it, and their cross product."""
    x = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    y = along - (along * x).sum(-1, keepdims=True) * x
    y /= np.maximum(np.linalg.norm(y, axis=-1, keepdims=True), 1e-6)
    return np.stack([x, y, np.cross(x, y)], -1)


_ARMS = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("elbow", "wrist", "hand")]
_LEGS = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("knee", "ankle", "heel", "toe")]


def recombine(joints: Array, rng: np.random.Generator, arms: float = 0.25, legs: float = 0.1) -> Array:
    """Hangs the arms (or legs) of another sequence of the batch on some sequences, turned with the trunk. (C, T, J, 3)."""
    out = joints.copy()
    j = JOINT
    trunk = joints[:, :, j["thorax"]] - joints[:, :, j["pelvis"]]
    for chance, limbs, root in ((arms, _ARMS, "shoulder"), (legs, _LEGS, "hip")):
        rows = np.flatnonzero(rng.random(len(joints)) < chance)
        other = rng.permutation(len(joints))[: len(rows)]
        across = joints[:, :, j[f"left_{root}"]] - joints[:, :, j[f"right_{root}"]]
        turn = _frame(across[rows], trunk[rows]) @ np.swapaxes(_frame(across[other], trunk[other]), -1, -2)
        for k in limbs:
            at = j[JOINT_NAMES[k].split("_")[0] + "_" + root]
            offset = joints[other, :, k] - joints[other, :, at]
            out[rows, :, k] = joints[rows, :, at] + (turn @ offset[..., None])[..., 0]
    return out


def straighten_arms(joints: Array, rng: np.random.Generator, share: float = 0.12) -> Array:
    """Bends the elbows of some sequences less, down to straight arms, hands in the same direction; (C, T, J, 3).

    Mocap has few arms held out straight (a T-pose, a pointing arm), which people before a camera like to show.
    """
    out = joints.copy()
    rows = np.flatnonzero(rng.random(len(joints)) < share)
    kept = rng.uniform(0, 0.6, (len(rows), 1, 1)).astype(np.float32)  # of the bend
    for side in ("left", "right"):
        shoulder, elbow, wrist, hand = (
            joints[rows, :, JOINT[f"{side}_{p}"]] for p in ("shoulder", "elbow", "wrist", "hand")
        )
        ahead = wrist - shoulder
        ahead /= np.maximum(norm(ahead), 1e-6)[..., None]
        at = shoulder
        for name, bone in (("elbow", elbow - shoulder), ("wrist", wrist - elbow)):
            length = np.maximum(norm(bone), 1e-6)[..., None]
            turned = ahead + kept * (bone / length - ahead)
            at = at + turned * (length / np.maximum(norm(turned), 1e-6)[..., None])
            out[rows, :, JOINT[f"{side}_{name}"]] = at
        out[rows, :, JOINT[f"{side}_hand"]] = at + hand - wrist
    return out


def mirror(joints: Array, rng: np.random.Generator) -> Array:
    """Mirrors half of the sequences (C, T, J, 3) about the plane x = 0."""
    flip = rng.random(len(joints)) < 0.5
    out = joints.copy()
    out[flip] = joints[flip][:, :, JOINT_MIRROR] * np.array([-1, 1, 1], np.float32)
    return out
