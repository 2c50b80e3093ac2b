# SPDX-License-Identifier: GPL-3.0-or-later
"""When feet stand, and where they must stay: planted feet do not slide and nothing goes through the floor."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats
from lifter_core.spans import runs

SLOW = 0.35  # leg lengths a second: a planted foot's ball is slower
LOW = 0.06  # leg lengths: and not higher than this over the lowest it gets
STAYS = 0.02  # leg lengths: how far from the place where it stands; past that it slides, or has been put elsewhere
SHORTEST, LONGEST_GAP = 0.1, 0.07  # s


def find_contacts(ball: Floats, seconds: Floats, leg: float) -> NDArray[np.bool_]:
    """(T,) whether the foot whose ball moves so (T, 3) stands on the floor.

    Args:
        ball: (T, 3) in the character frame.
        seconds: (T,) when.
        leg: the leg's length in the same units.
    """
    if len(ball) < 3:
        return np.zeros(len(ball), bool)
    speed = np.linalg.norm(np.gradient(ball, seconds, axis=0), axis=-1) / leg
    height = (ball[:, 2] - np.percentile(ball[:, 2], 5)) / leg
    standing = (speed < SLOW) & (height < LOW)
    for gap in runs(~standing):
        if gap.start > 0 and gap.stop < len(ball) and seconds[gap.stop - 1] - seconds[gap.start] < LONGEST_GAP:
            standing[gap] = True
    for _ in range(3):  # the place is another one once what is not of the stand is left out
        for stand in runs(standing):
            away = np.linalg.norm(ball[stand] - np.median(ball[stand], 0), axis=-1)
            standing[stand] = away < STAYS * leg
    for stand in runs(standing):
        if seconds[stand.stop - 1] - seconds[stand.start] < SHORTEST:
            standing[stand] = False
    return standing


def pinned(ball: Floats, standing: NDArray[np.bool_], seconds: Floats, floor: float) -> Floats:
    """(T, 3) the ball's way with each stand held at one place, at the height ``floor``."""
    correction = np.zeros_like(ball)
    stands = runs(standing)
    for stand in stands:
        place = np.median(ball[stand], 0)
        place[2] = floor
        correction[stand] = place - ball[stand]
    return ball + bridged(correction, stands, seconds)


def bridged(correction: Floats, kept: list[slice], seconds: Floats, fade: float = 0.25) -> Floats:
    """(T, 3) corrections as they are in the runs of frames to keep, and between them going over smoothly from one to the next.

    Before the first, after the last and in long gaps they fade out, in ``fade`` seconds.
    """
    frames = len(correction)
    correction = correction.copy()

    def ease(x: Floats) -> Floats:
        x = np.clip(x, 0.0, 1.0)
        return x * x * (3 - 2 * x)

    bounds = [(0, None), *((run.start, run.stop) for run in kept), (frames, None)]
    for before, after in pairwise(bounds):
        start = before[1] if before[1] is not None else 0
        end = after[0] if after is not bounds[-1] else frames
        if start >= end:
            continue
        gap = slice(start, end)
        left = correction[start - 1] if before[1] is not None else np.zeros(correction.shape[1])
        right = correction[end] if end < frames else np.zeros(correction.shape[1])
        span = (seconds[end] if end < frames else seconds[-1]) - (seconds[start - 1] if start else seconds[0])
        width = max(min(fade, span / 2), 1e-6) if span > 2 * fade else max(span, 1e-6)
        since = seconds[gap] - (seconds[start - 1] if start else seconds[0])
        until = (seconds[end] if end < frames else seconds[-1]) - seconds[gap]
        correction[gap] = left * (1 - ease(since / width))[:, None] + right * (1 - ease(until / width))[:, None]
    return correction


def slowed(way: Floats, step: float) -> Floats:
    """(T, 3) a way near to ``way`` that goes no more than ``step`` from any frame to the next.

    On each axis the mean of the least function above and the greatest below that are so slow.
    """
    slope = step / np.sqrt(3.0) * np.arange(len(way))[:, None]

    def below(values: Floats) -> Floats:
        ahead = np.minimum.accumulate(values - slope) + slope
        back = np.minimum.accumulate((values + slope)[::-1])[::-1] - slope
        return np.minimum(ahead, back)

    return (below(way) - below(-way)) / 2


def smooth(values: Floats, seconds: Floats, width: float = 0.12) -> Floats:
    """(T,) means over a bell as wide as twice ``width`` seconds; the ends hold."""
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 1.0
    reach = max(1, round(width / step))
    weights = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(np.pad(values, reach, mode="edge"), weights / weights.sum(), mode="valid")
