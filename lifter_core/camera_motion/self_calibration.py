"""The focal length from a pan or tilt (self-calibration from a rotating camera, Hartley 1994).

Near the middle of the picture a rotation shifts points by focal * angle, from which the focal length and the angle cannot be
told apart. Towards the edges the shift is larger by a factor (1 + (x / focal)^2), which determines the focal length. This
needs a rotation of several degrees and a camera that does not translate.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .geometry import Turn, fit_turn, no_turn, warp
from .tracks import Measurement, Tracks

Array = NDArray[Any]

_NARROWEST, _WIDEST = 15.0, 110.0  # degrees: fields of view tried, across the picture's longer side
_STEPS = 19  # focal lengths tried between the two
_SCALE = 0.3  # px of the grey picture: scale of the robust cost
_FAR = 12.0  # px of the grey picture, threshold: measurements whose points moved less (median) are left out
_MOST = 60  # measurements used
_BLOCKS = 5  # parts of the clip that are also solved separately, for the standard error
_SURE = 0.06  # threshold: an estimate whose logarithm has a larger standard error is rejected
_FITS = 0.4  # px of the grey picture, threshold: a fit with a larger median residual is rejected; the camera translates
_SIMPLER = 1.05  # a changing zoom is assumed only if a constant one raises the cost by more than this factor


class FocalEstimate(NamedTuple):
    """A focal length in px of the clip (of the first frame), and its relative standard error."""

    focal: float
    error: float


def estimate_focal(tracks: Tracks) -> FocalEstimate | None:
    """The focal length from the background's movement; None where it cannot be determined well enough."""
    chosen = _telling(tracks)
    if len(chosen) < 2 * _BLOCKS:
        return None
    longer = max(tracks.size)
    angles = np.radians(np.linspace(_WIDEST, _NARROWEST, _STEPS))
    focals = longer / 2 / np.tan(angles / 2)
    zooming, _ = _costs(chosen, focals, True)
    fixed, distance = _costs(chosen, focals, False)
    # a constant zoom, unless a changing one fits clearly better
    costs = fixed if fixed.sum(0).min() <= _SIMPLER * zooming.sum(0).min() else zooming
    total = costs.sum(0)
    best = int(total.argmin())
    if best in (0, _STEPS - 1) or distance[best] > _FITS:
        return None
    near = np.geomspace(focals[best - 1], focals[best + 1], _STEPS // 2)
    costs, _ = _costs(chosen, near, costs is zooming)
    total, focals = costs.sum(0), near
    blocks = [_minimum(np.log(focals), block.sum(0)) for block in np.array_split(costs, _BLOCKS)]
    error = float(np.std(blocks, ddof=1) / np.sqrt(_BLOCKS))
    if error > _SURE:
        return None
    return FocalEstimate(float(np.exp(_minimum(np.log(focals), total))) / tracks.scale, error)


def _telling(tracks: Tracks) -> list[Measurement]:
    """At most _MOST measurements whose points moved far, evenly chosen, in order of time."""
    moved = np.array([np.median(np.linalg.norm(m.after - m.before, axis=1)) for m in tracks.measurements])
    far = np.flatnonzero(moved > _FAR)
    if len(far) > 2 * _MOST:
        far = far[moved[far] > np.median(moved[far])]
    return [tracks.measurements[i] for i in far[np.linspace(0, len(far) - 1, min(_MOST, len(far))).astype(int)]]


def _costs(chosen: list[Measurement], focals: Array, zooms: bool) -> tuple[Array, Array]:
    """(M, F) robust cost of each measurement at each focal length, and (F,) median residual in px of the grey picture."""
    costs, distances = np.empty((len(chosen), len(focals))), np.empty((len(chosen), len(focals)))
    for row, m in enumerate(chosen):
        turn = no_turn(focals[0])
        for column, focal in enumerate(focals):
            # the result for the last focal length is the initial estimate for this one
            turn = Turn(turn.rotation, turn.zoom if zooms else 1.0, focal)
            turn, _ = fit_turn(turn, m.before, m.after, scale=_SCALE, zooms=zooms, rounds=6)
            squares = ((m.after - warp(turn, m.before)) ** 2).sum(1)
            costs[row, column] = (squares / (squares + _SCALE**2)).sum()
            distances[row, column] = np.sqrt(np.median(squares))
    return costs, np.median(distances, 0)


def _minimum(x: Array, cost: Array) -> float:
    """The x at which a sampled cost is least, by a parabola through the lowest sample and its neighbours."""
    i = int(np.clip(cost.argmin(), 1, len(x) - 2))
    a, b, _ = np.polyfit(x[i - 1 : i + 2] - x[i], cost[i - 1 : i + 2], 2)
    return float(x[i] + np.clip(-b / (2 * a), x[i - 1] - x[i], x[i + 1] - x[i])) if a > 0 else float(x[i])
