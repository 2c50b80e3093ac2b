"""The focal length from a pan or tilt: how the picture's shape changes as the camera turns tells how wide it sees.

Near the middle a turn shifts the picture by focal * angle, which says nothing of the focal length alone; towards the edges
points run ahead by (1 + (x / focal)^2), which does (Hartley 1994, self-calibration from rotating cameras). So it takes a
turn of several degrees, and a camera that does not travel.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .geometry import Turn, fit_turn, no_turn, warp
from .tracks import Measurement, Tracks

Array = NDArray[Any]

_NARROWEST, _WIDEST = 15.0, 110.0  # degrees across the picture's longer side
_STEPS = 19
_SCALE = 0.3  # px of the grey picture
_FAR = 12.0  # px a measurement's points must have moved to say anything
_MOST = 60  # measurements looked at
_BLOCKS = 5  # stretches of time that are also asked alone
_SURE = 0.06  # standard error of the focal length's logarithm that is believed
_FITS = 0.4  # px: median distance from where the turns bring the points, above which the camera travels
_SIMPLER = 1.05  # a zoom is believed if without it the points fit worse than by this factor


class FocalEstimate(NamedTuple):
    """A focal length in px of the clip (of the first frame), and its relative standard error."""

    focal: float
    error: float


def estimate_focal(tracks: Tracks) -> FocalEstimate | None:
    """The focal length from the background's movement, or None where that does not say it well enough."""
    chosen = _telling(tracks)
    if len(chosen) < 2 * _BLOCKS:
        return None
    longer = max(tracks.size)
    angles = np.radians(np.linspace(_WIDEST, _NARROWEST, _STEPS))
    focals = longer / 2 / np.tan(angles / 2)
    zooming, _ = _costs(chosen, focals, True)
    fixed, distance = _costs(chosen, focals, False)
    # the simpler camera, unless the points say otherwise
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
    """The measurements whose points moved far, thinned out evenly, in order of time."""
    moved = np.array([np.median(np.linalg.norm(m.after - m.before, axis=1)) for m in tracks.measurements])
    far = np.flatnonzero(moved > _FAR)
    if len(far) > 2 * _MOST:
        far = far[moved[far] > np.median(moved[far])]
    return [tracks.measurements[i] for i in far[np.linspace(0, len(far) - 1, min(_MOST, len(far))).astype(int)]]


def _costs(chosen: list[Measurement], focals: Array, zooms: bool) -> tuple[Array, Array]:
    """(M, F) how badly each measurement fits each focal length, and (F,) the median distance of its points, px."""
    costs, distances = np.empty((len(chosen), len(focals))), np.empty((len(chosen), len(focals)))
    for row, m in enumerate(chosen):
        turn = no_turn(focals[0])
        for column, focal in enumerate(focals):
            # the same shift of the middle at another focal length: a good start
            turn = Turn(turn.rotation, turn.zoom if zooms else 1.0, focal)
            turn, _ = fit_turn(turn, m.before, m.after, scale=_SCALE, zooms=zooms, rounds=6)
            squares = ((m.after - warp(turn, m.before)) ** 2).sum(1)
            costs[row, column] = (squares / (squares + _SCALE**2)).sum()
            distances[row, column] = np.sqrt(np.median(squares))
    return costs, np.median(distances, 0)


def _minimum(x: Array, cost: Array) -> float:
    """Where a cost is least, between its samples (a parabola through the lowest three)."""
    i = int(np.clip(cost.argmin(), 1, len(x) - 2))
    a, b, _ = np.polyfit(x[i - 1 : i + 2] - x[i], cost[i - 1 : i + 2], 2)
    return float(x[i] + np.clip(-b / (2 * a), x[i - 1] - x[i], x[i + 1] - x[i])) if a > 0 else float(x[i])
