"""One body per person: constant, symmetric bone lengths from the whole clip, and its rest pose."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..skeleton import BONES, JOINT, TAKE_JOINT_MIRROR, TAKE_JOINT_NAMES, TAKE_JOINTS

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

# each length that is measured, and the joints whose offset from the first it scales (a rigid part keeps its shape)
_SEGMENTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("pelvis", "spine", ("lower_back", "waist", "spine")),
    ("spine", "thorax", ("thorax",)),
    ("thorax", "neck", ("neck",)),
    ("neck", "head", ("head", "nose", "left_ear", "right_ear")),
    *(
        (a.replace("*", s), b.replace("*", s), tuple(m.replace("*", s) for m in moved))
        for s in ("left", "right")
        for a, b, moved in (
            ("pelvis", "*_hip", ("*_hip",)),
            ("*_hip", "*_knee", ("*_knee",)),
            ("*_knee", "*_ankle", ("*_ankle",)),
            ("*_ankle", "*_toe", ("*_ball", "*_toe", "*_heel")),
            ("thorax", "*_shoulder", ("*_shoulder",)),
            ("*_shoulder", "*_elbow", ("*_elbow",)),
            ("*_elbow", "*_wrist", ("*_wrist",)),
            ("*_wrist", "*_hand", ("*_hand",)),
        )
    ),
)


class Body(NamedTuple):
    """A person's fixed measures, metres.

    Attributes:
        rest: (J, 3) joints in the rest pose, pelvis at the origin.
        rest_offsets: (B, 3) each bone's head from its parent's head; zero for the root.
        joint_offsets: (J, 3) each joint from the head of the bone it is fixed to.
    """

    rest: Array
    rest_offsets: Array
    joint_offsets: Array

    @property
    def height(self) -> float:
        """Standing height: from the lower of heel and toe to the top of the head."""
        return float(np.ptp(self.rest[:, 2]))


def body_from_rest(rest: Array) -> Body:
    """The body whose rest pose has these joints (J, 3)."""
    head = np.array([rest[JOINT[b.head]] for b in BONES])
    at = {b.name: i for i, b in enumerate(BONES)}
    offsets = np.array([head[i] - head[at[b.parent]] if b.parent else np.zeros(3) for i, b in enumerate(BONES)])
    joints = np.array([rest[i] - head[at[j.bone]] for i, j in enumerate(TAKE_JOINTS)])
    return Body(rest, offsets, joints)


def measure(joints: Array, weights: Array) -> Body:
    """The body that a clip shows.

    Args:
        joints: (T, J, 3) lifted joints, metres, NaN where absent; weights: (T, J) confidence.

    Returns:
        Each length is the weighted median over the clip, left and right made equal, kept within 0.6 and 1.5 of standard.
    """
    factor = np.ones(len(TAKE_JOINT_NAMES))
    for a, b, moved in _SEGMENTS:
        i, j = JOINT[a], JOINT[b]
        length = np.linalg.norm(joints[:, j] - joints[:, i], axis=-1)
        ratio = _weighted_median(length, np.minimum(weights[:, i], weights[:, j])) / np.linalg.norm(
            STANDARD[j] - STANDARD[i]
        )
        for name in moved:
            factor[JOINT[name]] = np.clip(ratio, 0.6, 1.5)
    factor = (factor + factor[TAKE_JOINT_MIRROR]) / 2
    rest = np.zeros_like(STANDARD)
    for a, _, moved in _SEGMENTS:
        for name in moved:
            j = JOINT[name]
            rest[j] = rest[JOINT[a]] + factor[j] * (STANDARD[j] - STANDARD[JOINT[a]])
    return body_from_rest(rest)


def scaled(body: Body, factor: float) -> Body:
    """The same body, ``factor`` times as large."""
    return Body(body.rest * factor, body.rest_offsets * factor, body.joint_offsets * factor)


def _weighted_median(values: Array, weights: Array) -> float:
    good = np.isfinite(values)
    values, weights = values[good], weights[good] + 1e-6
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
