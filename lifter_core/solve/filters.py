"""Filters over time for whole clips, offline: no lag, true timestamps, confidence as weight."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_REACH = 3.0  # kernel half width in standard deviations
_BLOCK = 2048  # rows at a time


def _windows(count: int, radius: int) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Block by block (so that hour-long clips fit in memory): rows, and the (rows, 2 radius + 1) row numbers around each.

    The numbers are clipped to the clip's ``count`` rows.
    """
    for first in range(0, count, _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, count))
        around = rows[:, None] + np.arange(-radius, radius + 1)
        yield slice(first, first + len(rows)), np.clip(around, 0, count - 1)


def _running_median(values: Array, radius: int) -> Array:
    return np.concatenate([np.nanmedian(values[near], 1) for _, near in _windows(len(values), radius)])


def _radius(times: Array, seconds: float) -> int:
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return int(np.clip(np.ceil(seconds / max(step, 1e-6)), 1, 200))


def smooth(times: Array, values: Array, weights: Array, sigma: float, degree: int = 2) -> Array:
    """Local polynomial regression with a Gaussian kernel: zero lag, peaks kept (Savitzky-Golay on true timestamps).

    Args:
        times: (T,) s, increasing; values: (T, N); weights: (T, N) >= 0; sigma: s. Rows of weight 0 are bridged.

    Returns:
        (T, N); where the whole window has no weight the value is left as it is.
    """
    if len(times) < 3 or sigma <= 0:
        return values.copy()
    radius = _radius(times, _REACH * sigma)
    out = np.empty(values.shape)
    for rows, near in _windows(len(times), radius):
        out[rows] = _fit(times, values, weights, sigma, degree, rows, near)
    return out


def _fit(
    times: Array, values: Array, weights: Array, sigma: float, degree: int, rows: slice, near: NDArray[np.intp]
) -> Array:
    here = np.arange(rows.start, rows.stop)[:, None]
    radius = near.shape[1] // 2
    inside = here + np.arange(-radius, radius + 1) == near
    x = (times[near] - times[here]) / sigma
    kernel = np.exp(-0.5 * x**2) * inside
    powers = x[..., None] ** np.arange(2 * degree + 1)
    w = kernel[..., None] * weights[near]  # (rows, W, N)
    moments = np.einsum("twn,twp->tnp", w, powers)
    right = np.einsum("twn,twp->tnp", w * values[near], powers[..., : degree + 1])
    index = np.add.outer(np.arange(degree + 1), np.arange(degree + 1))
    matrix = moments[..., index]
    # a touch of ridge on slope and curvature: few or one-sided points fall back to a mean instead of blowing up
    ridge = np.diag([0.0] + [0.02] * degree) * moments[..., :1, None] + 1e-9 * np.eye(degree + 1)
    fitted = np.linalg.solve(matrix + ridge, right[..., None])[..., 0, 0]
    return np.where(moments[..., 0] > 1e-6, fitted, values[rows])


def outliers(times: Array, values: Array, seconds: float = 0.08, limit: float = 5.0, floor: float = 0.0) -> Array:
    """Hampel's test: (T, N) true where a value leaves its running median by more than ``limit`` usual deviations.

    The deviation is from the running median too, so that steady motion does not widen it. ``seconds`` is the window's
    half width; ``floor`` the least deviation that counts at 30 frames/s (unit of the values): at lower rates a real
    turn of the motion looks more like a spike, and the floor grows with the square of the step.
    """
    if len(times) < 5:
        return np.zeros(values.shape, bool)
    off = np.abs(values - _running_median(values, max(2, _radius(times, seconds))))
    usual = 1.4826 * _running_median(off, max(4, _radius(times, 6 * seconds)))
    step = float(np.median(np.diff(times)))
    return off > np.maximum(limit * usual, floor * max(1.0, step * 30) ** 2)


def fill_gaps(times: Array, values: Array, known: NDArray[np.bool_]) -> Array:
    """Linear interpolation of values (T, N) over the rows that are not ``known`` (T,); held beyond the ends."""
    out = values.copy()
    missing = ~known
    if known.any() and missing.any():
        for n in range(values.shape[1]):
            out[missing, n] = np.interp(times[missing], times[known], values[known, n])
    return out
