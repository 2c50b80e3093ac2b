"""Detector noise: what BlazePose makes of true joints, as far as one frame tells.

Sizes are from rendered people with known joints (docs/training.md): an offset in the trunk's frame, because
a detector's shoulder is not the mocap's; errors with heavy tails that grow with speed and go with low confidence;
episodes: a limb lost or misplaced, left and right swapped, body parts out of the picture.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..normalise import MEASURED
from ..skeleton import JOINT, JOINT_MIRROR, JOINT_NAMES

Array = NDArray[Any]

_HEIGHT = 1.7  # m; the sizes below are in per cent of standing height
_PART = tuple(name.split("_")[-1] for name in JOINT_NAMES)

# outward, up, forward in the trunk's frame: mean offset of the detector's point from the joint
_OFFSET = {
    "shoulder": (0.0, 1.8, -0.6), "elbow": (-0.3, 0.5, 0.0), "wrist": (0.2, 0.0, -0.3), "hip": (-0.6, -0.2, 0.9),
    "knee": (0.1, -0.6, -0.6), "ankle": (0.1, 0.95, 0.4), "heel": (0.5, 0.5, 0.5), "toe": (0.0, -0.5, -0.9),
    "hand": (-0.5, -0.3, -0.4), "ear": (-1.5, -0.5, 1.2),
}  # fmt: skip
_OFFSET_SD = 0.8  # of a clip's own constant, per axis
_SPREAD = {
    "nose": 0.8, "ear": 0.9, "shoulder": 0.9, "elbow": 1.1, "wrist": 1.1, "hip": 1.1, "knee": 1.0, "ankle": 0.8,
    "heel": 0.9, "toe": 1.3, "hand": 1.4,
}  # fmt: skip
_MEAN_OFFSET: Array = np.array([_OFFSET.get(p, (0, 0, 0)) for p in _PART], np.float32) / 100 * _HEIGHT
_SIDE: Array = np.array([-1 if name.startswith("right") else 1 for name in JOINT_NAMES], np.float32)
_SIGMA: Array = np.array([_SPREAD.get(p, 0.0) for p in _PART], np.float32) / 100 * _HEIGHT

_LIMBS = [
    np.array([JOINT[f"{side}_{part}"] for part in parts])
    for side in ("left", "right")
    for parts in (("shoulder", "elbow", "wrist", "hand"), ("elbow", "wrist", "hand"), ("wrist", "hand"),
                  ("knee", "ankle", "heel", "toe"), ("ankle", "heel", "toe"), ("heel", "toe"))
]  # fmt: skip


def _joints(*parts: str) -> NDArray[np.intp]:
    return np.array([i for i, p in enumerate(_PART) if p in parts])


_EVERYTHING = np.arange(len(_PART))
_UPPER = _joints("nose", "ear", "shoulder", "elbow", "wrist", "hand")
_LOWER = _joints("knee", "ankle", "heel", "toe")


def offsets(joints: Array, rng: np.random.Generator) -> Array:
    """(N, J, 3) metres, to be added to joints (N, J, 3; axes of any frame): the detector's points are not the joints."""
    n = len(joints)
    j = JOINT
    across = joints[:, j["left_shoulder"]] - joints[:, j["right_shoulder"]]
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    up = joints[:, j["thorax"]] - joints[:, j["pelvis"]]
    up -= (up * across).sum(-1, keepdims=True) * across
    up /= np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6)
    frame = np.stack([across, up, np.cross(across, up)], 1)  # rows: left, up, forward
    strength = rng.uniform(0.2, 1.2, (n, 1, 1))
    local = _MEAN_OFFSET * strength + rng.normal(0, _OFFSET_SD / 100 * _HEIGHT, (n, len(_PART), 3))
    local[..., 0] *= _SIDE
    return (local.astype(np.float32)) @ frame


def detect(tangents: Array, depth: Array, speed: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Detections of true points.

    Args:
        tangents: (N, J, 2) of the offset points; depth: (N,) m of the body; speed: (N, J) m/s.

    Returns:
        tangents with errors, (N, J, 2), and confidence (N, J), 0 where nothing is said; derived joints are left alone.
    """
    n, k = speed.shape
    person = rng.lognormal(0, 0.35, (n, 1))  # some clips are harder than others
    difficulty = rng.exponential(0.35, (n, k)) + 0.12 * np.minimum(speed, 4)
    sigma = _SIGMA * person * (0.45 + difficulty)
    # a limb hidden: little confidence, the whole limb guessed
    for limb in _LIMBS:
        rows = np.flatnonzero(rng.random(n) < 0.035)
        how = rng.exponential(1.0, (len(rows), 1))
        difficulty[np.ix_(rows, limb)] += how
        sigma[np.ix_(rows, limb)] *= 1 + 1.5 * how
    out = tangents + (sigma / depth[:, None])[..., None] * rng.standard_normal((n, k, 2), np.float32)
    # BlazePose's visibility is near 1 for half of all points
    confidence = 1 - (1 - np.exp(-0.9 * difficulty**1.5) * rng.uniform(0.85, 1.0, (n, k))) ** 2.2
    # a limb misplaced: one displacement for the whole limb, growing outwards
    for limb in _LIMBS:
        rows = np.flatnonzero(rng.random(n) < 0.004)
        jump = rng.normal(0, 0.13, (len(rows), 1, 2)) / depth[rows, None, None]
        out[np.ix_(rows, limb)] += jump * np.linspace(0.4, 1, len(limb))[None, :, None]
        confidence[np.ix_(rows, limb)] *= rng.uniform(0.2, 1, (len(rows), 1))
    for group, chance in ((_EVERYTHING, 0.006), (_LOWER, 0.006), (_UPPER, 0.003)):
        rows = np.flatnonzero(rng.random(n) < chance)
        other = JOINT_MIRROR[group]
        out[np.ix_(rows, group)] = out[np.ix_(rows, other)]
    # out of the picture: legs below the knee, the legs, or all but the head and arms; guessed badly or not given
    for group, chance in (
        (_joints("ankle", "heel", "toe"), 0.03),
        (_LOWER, 0.03),
        (_joints("hip", "knee", "ankle", "heel", "toe"), 0.01),
        (_joints("nose", "ear"), 0.01),
    ):
        rows = np.flatnonzero(rng.random(n) < chance)
        gone = rng.random((len(rows), 1)) < 0.5
        cell = np.ix_(rows, group)
        out[cell] += rng.normal(0, 0.06, (len(rows), len(group), 2)) / depth[rows, None, None]
        confidence[cell] = np.where(gone, 0, rng.uniform(0.01, 0.3, (len(rows), 1)))
    # single points and masks for what no detector gives
    confidence[rng.random((n, k)) < 0.01] = 0
    result = np.zeros((n, k), np.float32)
    result[:, MEASURED] = np.clip(confidence, 0, 1)[:, MEASURED]
    return out.astype(np.float32), result
