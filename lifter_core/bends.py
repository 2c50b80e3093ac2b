"""How far knees and elbows are bent: the angle, its classes, and the likeliest angle of a distribution over the classes.

From the front a knee bent by 17 degrees shortens the leg by 1 %: one picture often does not tell. A network's mean over what
may be is then bent, though most people who look like that stand straight. So networks also answer with a distribution over
classes of the angle, and the solver takes its mode.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .normalise import norm
from .skeleton import JOINT

Array = NDArray[Any]

HINGES: tuple[tuple[str, str, str], ...] = (
    ("left_hip", "left_knee", "left_ankle"),
    ("right_hip", "right_knee", "right_ankle"),
    ("left_shoulder", "left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow", "right_wrist"),
)
HINGE_JOINTS: tuple[int, ...] = tuple(JOINT[middle] for _, middle, _ in HINGES)
EDGES: tuple[float, ...] = (0, 6, 12, 18, 26, 36, 50, 65, 80, 100, 125, 180)
"""Bounds of the classes, degrees of flexion (0 = straight)."""
CLASSES = len(EDGES) - 1

_WIDTH = np.diff(np.radians(EDGES))
_ANGLE = np.radians((np.array(EDGES[:-1]) + np.array(EDGES[1:])) / 2)  # of each class


class Bend(NamedTuple):
    """The likeliest bend of H hinges in T frames, (T, H) each: ``angle`` and the ``sd`` about it, radians, and ``mass``, the
    probability of being near it.
    """

    angle: Array
    sd: Array
    mass: Array


def flexion(joints: Array) -> Array:
    """(..., H) radians by which each of HINGES is bent, 0 = straight; joints (..., J, 3) in any axes and unit."""
    angles = []
    for root, middle, end in HINGES:
        first = joints[..., JOINT[middle], :] - joints[..., JOINT[root], :]
        second = joints[..., JOINT[end], :] - joints[..., JOINT[middle], :]
        cosine = (first * second).sum(-1) / np.maximum(norm(first) * norm(second), 1e-9)
        angles.append(np.arccos(np.clip(cosine, -1, 1)))
    return np.stack(angles, -1)


def classes_of(angles: Array) -> NDArray[np.int64]:
    """The class of each angle, radians; same shape."""
    return np.asarray(np.clip(np.searchsorted(np.radians(EDGES), angles, side="right") - 1, 0, CLASSES - 1), np.int64)


def likeliest(probabilities: Array) -> Bend:
    """The mode of each distribution over the classes, (T, H, CLASSES): where the density is highest, with its neighbours.

    Where straight is the likeliest, it is just that: a limb bends one way only, so its neighbour would pull it off its limit.
    """
    density = probabilities / _WIDTH
    mode = density.argmax(-1)
    index = np.arange(CLASSES)
    near = (np.abs(index - mode[..., None]) <= 1) * probabilities
    mass = near.sum(-1)
    near = np.where((mode == 0)[..., None] & (index > 0), 0, near)
    share = near / np.maximum(near.sum(-1), 1e-9)[..., None]
    angle = (share * _ANGLE).sum(-1)
    within = (_WIDTH**2 / 12 + (_ANGLE - angle[..., None]) ** 2) * share
    return Bend(angle, np.sqrt(within.sum(-1)), mass)
