"""The body as a chain of rotations: where its points are, and how they move when a bone turns or the root moves.

Unknown in each frame are the root's place and the global rotations of 18 bones; the lower two spine bones lie evenly
between pelvis and chest, the toes follow the foot. A small turn d of a bone means R -> exp(d) R.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..rotations import between
from ..skeleton import BONE, BONE_PARENTS, BONES, JOINT_NAMES, TAKE_JOINT_BONES, TAKE_JOINT_NAMES
from .body import Body, part_shares

Array = NDArray[Any]

_SIDED = ("clavicle", "upper_arm", "forearm", "hand", "thigh", "shin", "foot")
UNKNOWN: tuple[str, ...] = (
    "pelvis",
    "spine_3",
    "neck",
    "head",
    *(f"{s}_{b}" for s in ("left", "right") for b in _SIDED),
)
TURN: dict[str, int] = {name: i for i, name in enumerate(UNKNOWN)}
SIZE = 3 + 3 * len(UNKNOWN)  # unknowns in a frame: the root's place first

# points beside the networks' joints: the balls of the feet, and the knuckles that say how a hand is turned
KNUCKLES = tuple(f"{side}_{finger}" for side in ("left", "right") for finger in ("index", "pinky"))
POINTS: tuple[str, ...] = (*JOINT_NAMES, "left_ball", "right_ball", *KNUCKLES)
POINT: dict[str, int] = {name: i for i, name in enumerate(POINTS)}
_HALF_HAND = 0.35  # of the hand's length, from its middle to the first and the last knuckle


def columns(bone: str) -> slice:
    """Where a bone's turn stands among a frame's unknowns."""
    start = 3 + 3 * TURN[bone]
    return slice(start, start + 3)


def _shares(bone: str) -> dict[int, float]:
    """How a bone turns with the unknown ones."""
    if bone in ("spine_1", "spine_2"):
        k = int(bone[-1]) / 3
        return {TURN["pelvis"]: 1 - k, TURN["spine_3"]: k}
    return {TURN[bone.replace("toes", "foot")]: 1.0}


class Posed(NamedTuple):
    """Points (T, P, 3) about the root, and ``lever`` (T, P, U, 3): a turn d of bone u moves point p by d x lever."""

    points: Array
    lever: Array


@cache
def _tree() -> tuple[NDArray[np.intp], Array, tuple[int, ...]]:
    """The bone that carries each segment, (P, U, S) the share of each segment in each lever, and the points' bones."""
    point_bones = []
    for name in POINTS:
        if name in KNUCKLES:
            point_bones.append(BONE[name.split("_")[0] + "_hand"])
        else:
            point_bones.append(TAKE_JOINT_BONES[TAKE_JOINT_NAMES.index(name)])
    carriers = [max(p, 0) for p in BONE_PARENTS] + point_bones
    shares = np.zeros((len(POINTS), len(UNKNOWN), len(carriers)))
    for p, start in enumerate(point_bones):
        segments, bone = [len(BONES) + p], start
        while BONE_PARENTS[bone] >= 0:
            segments.append(bone)
            bone = BONE_PARENTS[bone]
        for s in segments:
            for u, share in _shares(BONES[carriers[s]].name).items():
                shares[p, u, s] += share
    return np.array(carriers), shares, tuple(point_bones)


def all_bones(turns: Array) -> Array:
    """(T, B, 3, 3) global rotations of every bone from those of the unknown ones (T, U, 3, 3)."""
    out = np.empty((len(turns), len(BONES), 3, 3))
    pelvis, chest = turns[:, TURN["pelvis"]], turns[:, TURN["spine_3"]]
    for b, bone in enumerate(BONES):
        if bone.name in ("spine_1", "spine_2"):
            out[:, b] = between(pelvis, chest, int(bone.name[-1]) / 3)
        else:
            out[:, b] = turns[:, TURN[bone.name.replace("toes", "foot")]]
    return out


def point_offsets(body: Body) -> Array:
    """(P, 3) each point from the head of the bone it is fixed to, in the rest pose."""
    rows = []
    for name in POINTS:
        if name in KNUCKLES:
            hand = body.joint_offsets[TAKE_JOINT_NAMES.index(name.split("_")[0] + "_hand")]
            forward = -1.0 if name.endswith("index") else 1.0  # at rest the thumb's side is in front
            rows.append(hand + np.array([0, forward * _HALF_HAND * np.linalg.norm(hand), 0]))
        else:
            rows.append(body.joint_offsets[TAKE_JOINT_NAMES.index(name)])
    return np.array(rows)


def pose(body: Body, turns: Array) -> Posed:
    """Forward kinematics and its levers; turns (T, U, 3, 3)."""
    carriers, shares, _ = _tree()
    segments = np.einsum("tsij,sj->tsi", all_bones(turns)[:, carriers], _segment_offsets(body))  # (T, S, 3)
    count = shares.shape[0] * shares.shape[1]
    lever = (shares.reshape(count, -1) @ segments).reshape(len(turns), *shares.shape[:2], 3)
    return Posed(lever.sum(2), lever)


def _segment_offsets(body: Body) -> Array:
    """(S, 3) the vectors that points are sums of, in the rest pose: from bone to bone, and from bone to point."""
    return np.concatenate([body.rest_offsets, point_offsets(body)])


def stretch(body: Body, turns: Array) -> Array:
    """(T, P, 3, K) how points move about the root when the length of each of body.PARTS grows: per unit of its logarithm."""
    carriers, shares, _ = _tree()
    chains = shares.sum(1)  # (P, S) the segments that lead to each point
    offsets = np.stack([_segment_offsets(share) for share in part_shares(body)])
    segments = np.einsum("tsij,ksj->tkis", all_bones(turns)[:, carriers], offsets)
    return np.asarray((segments @ chains.T).transpose(0, 3, 2, 1))


def derivative(lever: Array) -> Array:
    """(T, P, 3, 3U) of the points with respect to the turns: blocks -[lever]x."""
    t, p, u = lever.shape[:3]
    x, y, z = lever[..., 0], lever[..., 1], lever[..., 2]
    out = np.zeros((t, p, 3, u, 3))
    out[:, :, 0, :, 1], out[:, :, 0, :, 2] = z, -y
    out[:, :, 1, :, 0], out[:, :, 1, :, 2] = -z, x
    out[:, :, 2, :, 0], out[:, :, 2, :, 1] = y, -x
    return out.reshape(t, p, 3, 3 * u)
