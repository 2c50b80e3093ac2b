"""Filters over time for whole clips, offline: no lag, true timestamps, confidence as weight."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_REACH = 3.0  # kernel half width in standard deviations


def _windows(times: Array, radius: int) -> NDArray[np.intp]:
    """(T, 2 radius + 1) row numbers around each row, clipped to the clip."""
    count = len(times)
    around = np.arange(count)[:, None] + np.arange(-radius, radius + 1)
    return np.clip(around, 0, count - 1)


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
    rows = _windows(times, radius)
    inside = (np.arange(len(times))[:, None] + np.arange(-radius, radius + 1)) == rows
    x = (times[rows] - times[:, None]) / sigma
    kernel = np.exp(-0.5 * x**2) * inside
    powers = x[..., None] ** np.arange(2 * degree + 1)
    w = kernel[..., None] * weights[rows]  # (T, W, N)
    moments = np.einsum("twn,twp->tnp", w, powers)
    right = np.einsum("twn,twp->tnp", w * values[rows], powers[..., : degree + 1])
    index = np.add.outer(np.arange(degree + 1), np.arange(degree + 1))
    matrix = moments[..., index]
    # a touch of ridge on slope and curvature: few or one-sided points fall back to a mean instead of blowing up
    ridge = np.diag([0.0] + [0.02] * degree) * moments[..., :1, None] + 1e-9 * np.eye(degree + 1)
    fitted = np.linalg.solve(matrix + ridge, right[..., None])[..., 0, 0]
    return np.where(moments[..., 0] > 1e-6, fitted, values)


def outliers(times: Array, values: Array, seconds: float = 0.08, limit: float = 5.0, floor: float = 0.0) -> Array:
    """Hampel's test: (T, N) true where a value leaves its running median by more than ``limit`` usual deviations.

    The deviation is from the running median too, so that steady motion does not widen it. ``seconds`` is the window's
    half width; ``floor`` the least deviation that counts at 30 frames/s (unit of the values): at lower rates a real
    turn of the motion looks more like a spike, and the floor grows with the square of the step.
    """
    if len(times) < 5:
        return np.zeros(values.shape, bool)
    off = np.abs(values - np.nanmedian(values[_windows(times, max(2, _radius(times, seconds)))], 1))
    usual = 1.4826 * np.nanmedian(off[_windows(times, max(4, _radius(times, 6 * seconds)))], 1)
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
