"""Virtual cameras: where a random ordinary camera stands to a person, and what perspective makes of the body."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# world Y up -> OpenCV camera axes of a level camera (x right, y down, z forward)
_LEVEL = np.diag([1.0, -1.0, -1.0]).astype(np.float32)
_WILD_SHARE = 0.12  # of the cameras: far from level


class Views(NamedTuple):
    """What N cameras see: joints (N, J, 3) about the pelvis in camera axes, metres, and root (N, 3) in front of it."""

    joints: Array
    root: Array


def _turn(axis: int, angle: NDArray[np.float64]) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    m = np.zeros((len(angle), 3, 3), np.float32)
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    m[:, axis, axis] = 1
    m[:, a, a] = m[:, b, b] = c
    m[:, b, a], m[:, a, b] = s, -s
    return m


def place(joints: Array, rng: np.random.Generator) -> Views:
    """Puts a camera before each pose (N, J, 3, about the pelvis, Y up, metres).

    Azimuth uniform; pitch N(9, 12) and roll N(0, 6) degrees, an eighth of the cameras far wilder (pitch -25 to 60, roll
    N(0, 20)); distance 1.6 to 12 m, nearer more often; the person up to 25 degrees off the centre.
    """
    n = len(joints)
    wild = rng.random(n) < _WILD_SHARE
    yaw = rng.uniform(-np.pi, np.pi, n)
    pitch = np.where(wild, rng.uniform(-25, 60, n), rng.normal(9, 12, n))
    roll = rng.normal(0, 1, n) * np.where(wild, 20, 6)
    turn = _turn(2, np.radians(roll)) @ _turn(0, np.radians(pitch)) @ _LEVEL @ _turn(1, yaw)
    local = np.einsum("nij,nkj->nki", turn, joints)
    distance = np.exp(rng.uniform(np.log(1.6), np.log(12.0), n) * 0.6 + 0.4 * rng.normal(np.log(3.5), 0.35, n))
    distance = np.maximum(distance, 1.3)
    off = np.stack([rng.uniform(-0.42, 0.42, n), rng.normal(0, 0.13, n), np.ones(n)], 1)
    root = (off * distance[:, None]).astype(np.float32)
    # nobody's nose in the lens: the nearest point stays 0.5 m away
    nearest = (local[..., 2] + root[:, None, 2]).min(1)
    short = np.maximum(0.5 - nearest, 0)[:, None]
    return Views(local.astype(np.float32), root + (off * short).astype(np.float32))
