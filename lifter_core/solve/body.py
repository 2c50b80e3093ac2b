"""One body per person: constant, symmetric bone lengths from the whole clip, and its rest pose."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..rotations import unit
from ..skeleton import BONES, JOINT, JOINT_PARENTS, TAKE_JOINT_NAMES, TAKE_JOINTS

Array = NDArray[Any]

_SIDED = {
    "hip": (0.09, 0, 0), "knee": (0.09, 0, -0.407), "ankle": (0.09, 0, -0.843), "heel": (0.09, 0.045, -0.905),
    "ball": (0.09, -0.103, -0.918), "toe": (0.09, -0.163, -0.925), "shoulder": (0.18, 0, 0.505), "elbow": (0.47, 0, 0.505),
    "wrist": (0.745, 0, 0.505), "hand": (0.83, 0, 0.505), "ear": (0.072, -0.012, 0.705),
}  # fmt: skip
_MIDDLE = {
    "pelvis": (0, 0, 0), "lower_back": (0, 0, 0.1), "waist": (0, 0, 0.215),
    "spine": (0, 0, 0.33), "thorax": (0, 0, 0.505), "neck": (0, 0, 0.63), "head": (0, 0, 0.83),
    "nose": (0, -0.113, 0.71),
}  # fmt: skip


def _standard() -> Array:
    side = {"left": 1.0, "right": -1.0}
    rows = []
    for name in TAKE_JOINT_NAMES:
        first, _, rest = name.partition("_")
        x, y, z = _SIDED[rest] if first in side else _MIDDLE[name]
        rows.append((x * side.get(first, 1.0), y, z))
    return np.array(rows)


# a standard body's joints in the rest pose: metres, pelvis at the origin, Z up, facing -Y, left along +X
STANDARD: Array = _standard()

STANDARD_HEIGHT = float(np.ptp(STANDARD[:, 2]))  # m, standing

# each length that a body has of its own, and the joints whose offset from the first one it scales (a rigid part keeps its
# shape); * stands for left and right, which are alike
_SEGMENTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "spine": ("pelvis", "spine", ("lower_back", "waist", "spine")),
    "chest": ("spine", "thorax", ("thorax",)),
    "neck": ("thorax", "neck", ("neck",)),
    "head": ("neck", "head", ("head", "nose", "left_ear", "right_ear")),
    "hip": ("pelvis", "*_hip", ("*_hip",)),
    "thigh": ("*_hip", "*_knee", ("*_knee",)),
    "shin": ("*_knee", "*_ankle", ("*_ankle",)),
    "foot": ("*_ankle", "*_toe", ("*_ball", "*_toe", "*_heel")),
    "shoulder": ("thorax", "*_shoulder", ("*_shoulder",)),
    "upper_arm": ("*_shoulder", "*_elbow", ("*_elbow",)),
    "forearm": ("*_elbow", "*_wrist", ("*_wrist",)),
    "hand": ("*_wrist", "*_hand", ("*_hand",)),
}
PARTS: tuple[str, ...] = tuple(_SEGMENTS)


def _sided(name: str) -> tuple[str, ...]:
    return tuple(name.replace("*", side) for side in ("left", "right")) if "*" in name else (name,)


def _basis() -> Array:
    """(K, J, 3) what each part adds to the joints of the standard body's rest pose, which are their sum."""
    basis = np.zeros((len(PARTS), len(TAKE_JOINT_NAMES), 3))
    for k, (first, _, moved) in enumerate(_SEGMENTS.values()):
        for name in moved:
            sides = _sided(name)
            roots = _sided(first) if "*" in first else (first,) * len(sides)
            for joint, root in ((JOINT[a], JOINT[b]) for a, b in zip(sides, roots, strict=True)):
                basis[:, joint] = basis[:, root]
                basis[k, joint] += STANDARD[joint] - STANDARD[root]
    return basis


_BASIS = _basis()
STANDARD_PARTS: Array = np.array(
    [np.linalg.norm(STANDARD[JOINT[_sided(b)[0]]] - STANDARD[JOINT[_sided(a)[0]]]) for a, b, _ in _SEGMENTS.values()]
)
"""(K,) the standard body's length of each of PARTS, metres."""


class Body(NamedTuple):
    """A person's fixed measures, metres.

    Attributes:
        parts: (K,) the length of each of PARTS.
        rest: (J, 3) joints in the rest pose, pelvis at the origin.
        rest_offsets: (B, 3) each bone's head from its parent's head; zero for the root.
        joint_offsets: (J, 3) each joint from the head of the bone it is fixed to.
    """

    parts: Array
    rest: Array
    rest_offsets: Array
    joint_offsets: Array

    @property
    def height(self) -> float:
        """Standing height: from the lower of heel and toe to the top of the head."""
        return float(np.ptp(self.rest[:, 2]))


def body_of(parts: Array) -> Body:
    """The body whose PARTS have these lengths (K,), metres."""
    rest = np.einsum("k,kji->ji", parts / STANDARD_PARTS, _BASIS)
    return Body(np.asarray(parts), rest, *_offsets(rest))


def _offsets(rest: Array) -> tuple[Array, Array]:
    """(B, 3) rest_offsets and (J, 3) joint_offsets of a Body with these joints in the rest pose."""
    head = np.array([rest[JOINT[b.head]] for b in BONES])
    at = {b.name: i for i, b in enumerate(BONES)}
    offsets = np.array([head[i] - head[at[b.parent]] if b.parent else np.zeros(3) for i, b in enumerate(BONES)])
    return offsets, np.array([rest[i] - head[at[j.bone]] for i, j in enumerate(TAKE_JOINTS)])


def part_shares(body: Body) -> list[Body]:
    """For each of PARTS what it alone adds to the body: rest and the offsets are their sums (all are linear in the lengths)."""
    out = []
    for k in range(len(PARTS)):
        rest = _BASIS[k] * body.parts[k] / STANDARD_PARTS[k]
        out.append(Body(body.parts, rest, *_offsets(rest)))
    return out


def along_bones(body: Body, joints: Array) -> Array:
    """(T, J, 3) the same joints with every bone of the drawing tree as long as the body's, in the direction it had.

    Args:
        joints: (T, J, 3) in the order of skeleton.JOINTS, about the pelvis.
    """
    out = np.zeros_like(joints)
    for j, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            length = np.linalg.norm(body.rest[j] - body.rest[parent])
            out[:, j] = out[:, parent] + length * unit(joints[:, j] - joints[:, parent])
    return out


def measure(joints: Array, weights: Array) -> Body:
    """The body that a clip shows.

    Args:
        joints: (T, J, 3) lifted joints, metres, NaN where absent; weights: (T, J) confidence.

    Returns:
        Each length is the weighted median over the clip, left and right made equal, kept within 0.6 and 1.5 of standard.
    """
    parts = []
    for k, (first, second, _) in enumerate(_SEGMENTS.values()):
        lengths = []
        for side in range(len(_sided(second))):
            i, j = JOINT[_sided(first)[min(side, len(_sided(first)) - 1)]], JOINT[_sided(second)[side]]
            length = np.linalg.norm(joints[:, j] - joints[:, i], axis=-1)
            lengths.append(_weighted_median(length, np.minimum(weights[:, i], weights[:, j])))
        ratio = np.mean(np.clip(np.array(lengths) / STANDARD_PARTS[k], 0.6, 1.5))
        parts.append(float(ratio) * STANDARD_PARTS[k])
    return body_of(np.array(parts))


def scaled(body: Body, factor: float) -> Body:
    """The same body, ``factor`` times as large."""
    return body_of(body.parts * factor)


def _weighted_median(values: Array, weights: Array) -> float:
    good = np.isfinite(values)
    values, weights = values[good], weights[good] + 1e-6
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
