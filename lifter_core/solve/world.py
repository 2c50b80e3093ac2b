"""From camera axes to the world: which way is up, where the floor is, which foot stands on it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import unit
from ..skeleton import JOINT
from .filters import smooth

Array = NDArray[Any]

_LEVEL_UP = np.array([0.0, -1.0, 0.0])  # camera axes
# what is known of cameras beforehand: roll and pitch (down is positive), mean and sd
_ROLL_SD = np.radians(4.0)
_PITCH_MEAN, _PITCH_SD = np.radians(5.0), np.radians(10.0)
_WILD = np.radians(20.0)  # so far from a level camera, balance is believed less: somebody lies, or leans on something
# how well balance tells up: sd of a second of standing (roll, pitch), and what no time mends
_BALANCE_SD, _BALANCE_LEFT = np.radians((3.0, 5.0)), np.radians((0.8, 1.5))
_PATH_SIGMA = 0.2  # s
# share of the body's mass, between which joints it lies, and how far from the first (Winter 2009)
MASS = [(0.081, "neck", "head", 0.4), (0.497, "pelvis", "thorax", 0.5)]
for _side in ("left", "right"):
    MASS += [(m, f"{_side}_{a}", f"{_side}_{b}", k) for m, a, b, k in (
        (0.028, "shoulder", "elbow", 0.44), (0.022, "elbow", "wrist", 0.6), (0.1, "hip", "knee", 0.43),
        (0.0465, "knee", "ankle", 0.43), (0.0145, "heel", "toe", 0.5))]  # fmt: skip
# how well the upright poses tell up, how far a planted foot strays from the floor, how many steps a second say something
_TILT_SD, _TILT_MOST = np.radians(4.0), np.radians(12.0)
_FOOT_SD, _FEET_PER_SECOND = 0.06, 2.0
# the points of the feet that come near the floor
LOW = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "ball", "toe")]


def centre_of_mass(joints: Array) -> Array:
    """(T, 3) of joints (T, J, 3)."""
    parts = [m * ((1 - k) * joints[:, JOINT[a]] + k * joints[:, JOINT[b]]) for m, a, b, k in MASS]
    return np.asarray(sum(parts) / sum(m for m, *_ in MASS))


def estimate_up(joints: Array, seconds: Array, root: Array | None = None) -> tuple[Array, float]:
    """Which way is up, from balance: over time the centre of mass stays above the feet that bear it.

    Args:
        joints: (T, J, 3) m, camera axes of one frame (the first's if the camera moves), about any origin; the lifted
            joints will do. seconds: (T,) how long each frame counts; root: (T, 3) m, where the pelvis is, if known: who
            sets off, stops or turns leans into it.

    Returns:
        (3,) up in those axes, drawn towards an ordinary camera where there is little to see; and 0 to 1, how much of the
        doubt about the camera's pitch the clip has taken away.
    """
    up = _tilted(0.0, float(_PITCH_MEAN))
    ends = joints[:, [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "toe")]]
    mass = centre_of_mass(joints)
    legs = [np.linalg.norm(joints[:, JOINT[f"left_{a}"]] - joints[:, JOINT[f"left_{b}"]], axis=-1)
            for a, b in (("hip", "knee"), ("knee", "ankle"))]  # fmt: skip
    leg = float(np.median(legs[0] + legs[1]))
    pull = np.zeros(3)
    if root is not None and len(root) > 2:
        times = np.cumsum(seconds)
        steady = smooth(times, root, np.ones_like(root), _PATH_SIGMA)
        pull = np.gradient(np.gradient(steady, times, axis=0), times, axis=0) / 9.81
    doubt = np.array([_ROLL_SD, _PITCH_SD])
    for near in (99.0, 99.0, 0.4, 0.3, 0.2, 0.2):  # a wrong up takes the wrong foot for the lower one: both at first
        height = ends @ up
        bears = np.exp(-(height - height.min(1, keepdims=True)) / (near * leg))
        support = (ends * bears[..., None]).sum(1) / bears.sum(1)[:, None]
        stretch = mass - support
        raised = np.clip((stretch @ up) / leg - 0.4, 0, 0.4) / 0.4  # nobody sitting or lying
        axis = unit(unit(stretch) - pull)
        wild = np.arccos(np.clip(axis @ _LEVEL_UP, -1, 1)) / _WILD
        off = np.arccos(np.clip(axis @ up, -1, 1)) / np.radians(10)
        weight = seconds * raised * np.exp(-0.5 * np.maximum(wild - 0.7, 0) ** 2) / (1 + off**2)
        total = float(weight.sum())
        if total < 1e-6:
            break
        seen = unit((weight[:, None] * axis).sum(0))
        angles = np.array([np.arctan2(seen[0], -seen[1]), np.arctan2(-seen[2], np.hypot(seen[0], seen[1]))])
        variance = _BALANCE_SD**2 / total + _BALANCE_LEFT**2
        before = np.array([_ROLL_SD, _PITCH_SD]) ** 2
        doubt = (variance * before / (variance + before)) ** 0.5
        mixed = (angles * before + np.array([0.0, _PITCH_MEAN]) * variance) / (variance + before)
        up = _tilted(float(mixed[0]), float(mixed[1]))
    return up, float(1 - (doubt[1] / _PITCH_SD) ** 2)


def _tilted(roll: float, pitch: float) -> Array:
    return np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def fit_floor(points: Array, weights: Array, up: Array) -> Array:
    """(3,) up in camera axes, corrected so that planted feet lie on one level plane, as far as they spread out in depth.

    Args:
        points: (N, 3) planted foot points in camera axes, metres; weights: (N,) seconds each counts; up: (3,) the prior.
            The plane up . x + h = 0 is linear in h and in two small tilts of ``up``; robust least squares.
    """
    if len(points) < 5:
        return up
    sideways = unit(np.cross(up, [0, 0, 1.0]))
    axes = np.stack([sideways, np.cross(sideways, up)])
    unknowns = np.concatenate([points @ axes.T, np.ones((len(points), 1))], 1)
    right = -points @ up
    prior = np.diag([1 / _TILT_SD**2, 1 / _TILT_SD**2, 0])
    w, solution = weights, np.zeros(3)
    for _ in range(8):
        w_point = w * _FEET_PER_SECOND / _FOOT_SD**2
        solution = np.linalg.solve((unknowns.T * w_point) @ unknowns + prior, (unknowns.T * w_point) @ right)
        residual = unknowns @ solution - right
        w = weights / (1 + (residual / _FOOT_SD) ** 2)
    tilt = solution[:2] * min(1.0, _TILT_MOST / max(float(np.linalg.norm(solution[:2])), 1e-9))
    result: Array = unit(up + tilt @ axes)
    return result
