"""The whole clip at once: the rotations and the path that explain everything seen, by Gauss-Newton.

Unknown are the root's place and 18 global rotations in each frame (chain.py); bones are constant because points are the
forward kinematics of those. Minimised is the weighted sum of the squares of the residuals in residuals.py over all frames.

The normal equations are a band of blocks (banded.py). Long clips are solved in windows whose steps fade into each other. The
lengths of the body's parts may be unknown too (lengths.py): they are the same in all frames, a dense border of the band.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..anthropometry import Proportions
from ..rotations import turned
from .banded import solve_band
from .body import PARTS, Body, along_bones, body_of, scaled
from .chain import SIZE, derivative, pose, stretch
from .evidence import Evidence
from .lengths import Border, solve_lengths
from .residuals import (
    Ground,
    Normal,
    Smoothing,
    State,
    add_balance,
    add_ground,
    add_joints,
    add_motion,
    add_seen,
    beside_joints,
)

Array = NDArray[Any]

_WINDOW, _OVERLAP = 300, 40  # frames
_MOST = 0.5  # rad and m: the longest step


class Refined(NamedTuple):
    """What refine() gives: the body, the performance, and the standard deviation of the log of each of body.PARTS (K,), or None
    where the lengths were given.
    """

    body: Body
    state: State
    doubt: Array | None = None


def refine(
    body: Body,
    state: State,
    evidence: Evidence,
    smoothing: Smoothing,
    ground: Ground | None = None,
    rounds: int = 3,
    spans: Sequence[slice] | None = None,
    prior: Proportions | None = None,
) -> Refined:
    """The performance that explains the evidence best, near ``state``.

    Args:
        state: where to start; evidence: the same T frames; ground: None = the floor is not known yet.
        spans: the stretches of frames that are solved, each by itself; None = all frames, in one.
        prior: what is known beforehand of the lengths of the body's parts, which are then unknowns too; None = they stay.
    """
    count = len(state.root)
    lifted = evidence.lifted
    windows = [rows for span in spans or [slice(0, count)] for rows in _windows(span)]
    doubt = None
    for _ in range(rounds):
        evidence = evidence._replace(lifted=along_bones(body, lifted))
        parts: list[_Step] = []
        for rows in windows:
            within = ground.part(rows) if ground else None
            here = State(state.turns[rows], state.root[rows])
            parts.append(_step(body, here, evidence.part(rows), smoothing, within, prior is not None))
        change = np.zeros(len(PARTS))
        if prior is not None:
            border = sum((part.border for part in parts), Border.none())
            change, doubt = solve_lengths(
                body, prior, border, float(sum(evidence.share[rows].sum() for rows in windows))
            )
        step = np.zeros((count, SIZE))
        total = np.full((count, 1), 1e-12)
        for rows, part in zip(windows, parts, strict=True):
            n = rows.stop - rows.start
            fade = np.minimum(np.arange(n) + 0.5, np.arange(n)[::-1] + 0.5)
            weight = np.clip((fade - 0.25 * _OVERLAP) / _OVERLAP, 1e-6, 1)[:, None]
            step[rows] += weight * (part.step - part.gain @ change)
            total[rows] += weight
        state = _moved(state, step / total)
        if prior is not None:
            longer = body_of(body.parts * np.exp(change))
            body = scaled(longer, body.height / longer.height)
    return Refined(body, state, doubt)


def _windows(span: slice) -> list[slice]:
    """The frames of a stretch in overlapping windows, if it is long."""
    count = span.stop - span.start
    if count <= _WINDOW:
        return [span]
    starts = range(span.start, span.stop - 2 * _OVERLAP, _WINDOW - 2 * _OVERLAP)
    return [slice(start, min(start + _WINDOW, span.stop)) for start in starts]


def _moved(state: State, step: Array) -> State:
    longest = np.abs(step).max(1, keepdims=True)
    step = step * np.minimum(1, _MOST / np.maximum(longest, 1e-9))
    turns = turned(step[:, 3:].reshape(len(step), -1, 3)) @ state.turns
    return State(turns, state.root + step[:, :3])


class _Step(NamedTuple):
    """One Gauss-Newton step of T frames: (T, SIZE) with the lengths as they are, (T, SIZE, K) how much less of it for a change
    of them, and what the frames say of the lengths.
    """

    step: Array
    gain: Array
    border: Border


def _step(
    body: Body, state: State, evidence: Evidence, smoothing: Smoothing, ground: Ground | None, with_lengths: bool
) -> _Step:
    count = len(state.root)
    posed = pose(body, state.turns)
    slopes = derivative(posed.lever)  # (T, P, 3, 3U)
    if with_lengths:
        slopes = np.concatenate([slopes, stretch(body, state.turns)], -1)
    normal = Normal(count, 3 + slopes.shape[-1])
    add_seen(normal, posed.points, slopes, state, beside_joints(body, state.turns), evidence)
    add_joints(normal, state.turns, evidence)
    if ground is not None:
        add_ground(normal, posed.points + state.root[:, None], slopes, evidence.times, ground)
        add_balance(normal, posed.points + state.root[:, None], slopes, evidence, ground)
    if count > 2:
        add_motion(normal, state, evidence.times, smoothing)
    index = np.arange(SIZE)
    normal.diagonal[:, index, index] += 1e-3
    own, sides = normal.diagonal[:, :SIZE, :SIZE], normal.right[:, :SIZE, None]
    shared = normal.diagonal[:, :SIZE, SIZE:]
    sides = np.concatenate([sides, shared], 2)
    solved = np.linalg.solve(own, sides) if count == 1 else solve_band(own, normal.next_one, normal.next_two, sides)
    step, gain = solved[..., 0], solved[..., 1:]
    if not with_lengths:
        return _Step(step, np.zeros((count, SIZE, len(PARTS))), Border.none())
    across = shared.transpose(0, 2, 1)
    information = (normal.diagonal[:, SIZE:, SIZE:] - across @ gain).sum(0)
    pull = (normal.right[:, SIZE:] - (across @ step[..., None])[..., 0]).sum(0)
    return _Step(step, gain, Border(information, pull))
