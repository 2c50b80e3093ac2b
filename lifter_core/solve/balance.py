"""Who stands does not fall over: the centre of mass lies above the feet that bear it.

One camera sees how far a body leans towards it or away hardly at all; gravity knows. The point where the floor pushes back (the
zero-moment point, Vukobratovic 1969) lies under the planted feet: the centre of mass, less its acceleration times its height
over g. The acceleration is taken from the path as it is; frames in which it is large, or nobody stands, say nothing.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..rotations import unit
from .chain import POINT, POINTS
from .filters import smooth
from .world import MASS

Array = NDArray[Any]

_GRAVITY = 9.81
_SD = 0.03  # m: where between heel and toe somebody bears the weight
_SPREAD = 0.3  # of the distance between two planted feet: how the weight is shared is not seen
_CALM = 1.5  # m/s^2: beyond it the acceleration is too badly known
_SIGMA = 0.15  # s, of the smoothing before accelerations
_STANDS = 0.55  # m, at the least: the height of the centre of mass of somebody who stands, not sits or lies

# of chain.POINTS, in the order of stance: left heel, left ball, right heel, right ball
STANCE_ROWS = [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "ball")]


def _mass_shares() -> Array:
    """(P,) how much of the body's mass goes with each of chain.POINTS; adds up to 1."""
    shares = np.zeros(len(POINTS))
    for mass, first, second, along in MASS:
        shares[POINT[first]] += mass * (1 - along)
        shares[POINT[second]] += mass * along
    return shares / shares.sum()


SHARES: Array = _mass_shares()


class Balance(NamedTuple):
    """What balance asks of T frames.

    Attributes:
        axes: (T, 2, 3) horizontal: from one foot to the other, and square to it.
        rows: (T, P) weights of the points whose sum, along the axes, is to be ``target`` (T, 2), m.
        weight: (T, 2) 1/m^2 for a frame that counts in full.
    """

    axes: Array
    rows: Array
    target: Array
    weight: Array


def balance(points: Array, times: Array, up: Array, stance: Array) -> Balance:
    """Where the centre of mass belongs.

    Args:
        points: (T, P, 3) chain.POINTS, m; up: (3,) in their axes; stance: (T, 4) 0 to 1 of left heel, left ball, right heel and
            right ball.
    """
    mass = np.einsum("p,tpi->ti", SHARES, points)
    pull = np.zeros_like(mass)
    if len(times) > 2:
        steady = smooth(times, mass, np.ones_like(mass), _SIGMA)
        pull = np.gradient(np.gradient(steady, times, axis=0), times, axis=0)
    feet = points[:, STANCE_ROWS]
    between = feet[:, :2].mean(1) - feet[:, 2:].mean(1)
    between = between - (between @ up)[:, None] * up
    apart = np.linalg.norm(between, axis=-1)
    along = unit(between)
    axes = np.stack([along, np.cross(up, along)], 1)
    bears = stance / np.maximum(stance.sum(1, keepdims=True), 1e-9)
    support = np.einsum("ts,tsi->ti", bears, feet)
    height = np.maximum((mass - support) @ up, 0.1)
    both = np.minimum(stance[:, :2].max(1), stance[:, 2:].max(1))
    sd = np.stack([_SD + _SPREAD * apart * both, np.full(len(times), _SD)], 1)
    calm = 1 / (1 + (np.linalg.norm(pull - (pull @ up)[:, None] * up, axis=-1) / _CALM) ** 2) ** 2
    rows = np.broadcast_to(SHARES, points.shape[:2]).copy()
    rows[:, STANCE_ROWS] -= bears
    stands = np.clip((height - _STANDS) / 0.1, 0, 1) * stance.max(1)
    target = np.einsum("tai,ti->ta", axes, pull) * (height / _GRAVITY)[:, None]
    return Balance(axes, rows, target, (stands * calm)[:, None] / sd**2)
