# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs set so that planted feet stay where they are and no sole is under the floor, as far as limbs may turn for it.

A leg that is straight must bend by degrees to be shorter by millimetres, so the hips give way first, as smoothly as
hips move; what then is left of a correction is made only as far as it turns no limb by more than is allowed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .feet import bridged, pinned, runs_of, slowed, smooth
from .limbs import leeway, reach, turned
from .motion import Contacts, Motion
from .rig import FORWARD, Rig
from .rotations import Floats, apply

HEEL = 0.3  # how far the heel is behind the ankle and how high, in parts of the ball's way ahead and the ankle's height
SINK = 0.006  # of the leg's length: shoes give, and bending a straight leg by degrees for less would be seen
EASY = 0.55  # of the turn that is allowed: what the hips leave to the legs' bending and stretching
CREEP = 0.002  # of the leg's length a frame, for a planted foot that cannot stay at its place
ROUNDS = 4
MEETINGS = 25
SOFT = 0.05  # how far legs side by side may ask for different things of the hips


@dataclass
class _Leg:
    """One leg; places are (T, 3) before any correction."""

    side: str
    hip: Floats
    knee: Floats
    ankle: Floats
    forward: Floats  # (T, 3) where the knee goes
    goal: Floats  # (T, 3) where the ankle should be
    stands: NDArray[np.bool_]  # (T,)
    bound: NDArray[np.bool_]  # (T,) whether the goal matters: the foot stands, or would go into the floor


def _leg(motion: Motion, target: Rig, side: str, roles: dict[str, Floats], deltas: Floats, places: Floats,
         standing: NDArray[np.bool_]) -> _Leg | None:  # fmt: skip
    chains = [target.chain(f"{part}.{side}") for part in ("thigh", "shin", "foot")]
    rest_ball = target.ball(side)
    if not all(chains) or rest_ball is None or f"foot.{side}" not in roles:
        return None
    hip, knee, ankle = (places[chain[0]] for chain in chains)
    foot = chains[2][0]
    turn, rest_ankle = deltas[foot], target.heads[foot]
    to_ball = apply(turn, rest_ball - rest_ankle)
    goal = pinned(ankle + to_ball, standing, motion.seconds, float(rest_ball[2])) - to_ball
    # The sole is round: a ball under the ball of the foot and one at the heel, both on the floor at rest.
    heel = rest_ankle + (rest_ankle - rest_ball) * (HEEL, HEEL, 0.0)
    heel = heel - (0.0, 0.0, (1 - HEEL) * (rest_ankle[2] - target.floor))
    lowest = np.min([(goal + apply(turn, at - rest_ankle))[:, 2] - at[2] for at in (rest_ball, heel)], 0)
    push = np.where(standing, 0.0, np.maximum(-lowest - SINK * target.leg, 0.0))
    goal[:, 2] += push
    return _Leg(side, hip, knee, ankle, apply(roles[f"thigh.{side}"], FORWARD), goal, standing, standing | (push > 0))


def _smoothed(ways: Floats, seconds: Floats) -> Floats:
    return np.stack([smooth(column, seconds) for column in ways.T], -1)


def _give_way(legs: list[_Leg], seconds: Floats, most: float) -> Floats:
    """(T, 3) how the hips want to move (unsmoothed) so that the legs need to turn and to bend as little as may be.

    First with the planted feet; then along the legs, which must not be much longer or shorter than they are.
    """
    frames = len(seconds)
    weight = np.sum([leg.stands for leg in legs], 0)
    known = weight > 0
    wanted = np.zeros((frames, 3))
    if known.any():
        moved = np.sum([(leg.goal - leg.ankle) * leg.stands[:, None] for leg in legs], 0)
        mean = moved[known] / weight[known][:, None]
        wanted = np.stack([np.interp(seconds, seconds[known], column) for column in mean.T], -1)
    shift = _smoothed(wanted, seconds)
    lengths = [leeway(leg.hip, leg.knee, leg.ankle, EASY * most) for leg in legs]
    for _ in range(ROUNDS):
        lines, excess = np.zeros((frames, len(legs), 3)), np.zeros((frames, len(legs)))
        for i, (leg, (shortest, longest)) in enumerate(zip(legs, lengths, strict=True)):
            line = leg.goal - leg.hip - shift
            length = np.linalg.norm(line, axis=-1)
            lines[:, i] = line * (leg.bound / length)[:, None]
            excess[:, i] = (length - np.clip(length, shortest, longest)) * leg.bound
        if not excess.any():
            break
        # The smallest move that does for both legs.
        across = lines.swapaxes(1, 2)
        wanted = (
            wanted + (across @ np.linalg.solve(lines @ across + SOFT * np.eye(len(legs)), excess[..., None]))[..., 0]
        )
        shift = _smoothed(wanted, seconds)
    return wanted


def _made(leg: _Leg, shift: Floats, correction: Floats, most: float) -> tuple[Floats, Floats, Floats]:
    """What turns thigh and shin so that the ankle moves by a correction (T, 3), and how it moves.

    No limb turns by more than ``most`` (rad): as much is made as goes with that.
    """
    hip, knee, ankle = leg.hip + shift, leg.knee + shift, leg.ankle + shift

    def towards(share: Floats, at: NDArray[np.intp]) -> tuple[Floats, Floats]:
        return reach(hip[at], knee[at], ankle[at], ankle[at] + share[:, None] * correction[at], leg.forward[at])

    def too_far(first: Floats, second: Floats, at: NDArray[np.intp]) -> NDArray[np.bool_]:
        return np.maximum(turned(first, (knee - hip)[at]), turned(second, (ankle - knee)[at])) > most

    every = np.arange(len(hip))
    first, second = towards(np.ones(len(hip)), every)
    over = np.flatnonzero(too_far(first, second, every))
    if len(over):
        low, high = np.zeros(len(over)), np.ones(len(over))
        for _ in range(10):  # halving
            middle = (low + high) / 2
            beyond = too_far(*towards(middle, over), over)
            low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
        first[over], second[over] = towards(low, over)
    end = hip + apply(first, knee - hip) + apply(second, ankle - knee)
    return first, second, end - ankle


def _settle(
    legs: list[_Leg], wanted: Floats, creep: float, seconds: Floats, most: float
) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """The hips' way (T, 3), and what turns (T, 3, 3) each leg's thigh and shin towards its goal, by ``most`` at most.

    Where a planted foot cannot stay at its place for that, it leaves it and comes back by ``creep`` a frame: what
    ``most`` allows and what so slow a foot does are met in turn; the hips go after what is missed.
    """
    runs = [runs_of(leg.stands) for leg in legs]
    off = [np.zeros_like(leg.goal) for leg in legs]  # where the foot is, from its goal
    standing = np.maximum(np.sum([leg.stands for leg in legs], 0), 1)[:, None]
    wanted = wanted.copy()
    for _ in range(MEETINGS):
        shift = _smoothed(wanted, seconds)
        missed = np.zeros_like(wanted)
        for i, leg in enumerate(legs):
            way = leg.goal - leg.ankle - shift
            now = _made(leg, shift, way + off[i], most)[2] - way
            off[i] = now.copy()
            for start, end in runs[i]:
                off[i][start:end] = slowed(now[start:end], creep)
            off[i] = bridged(off[i], runs[i], seconds)
            missed += (off[i] - now) * leg.stands[:, None]
        if np.abs(missed).max() < 0.1 * creep:
            break
        wanted += 2 * missed / standing
    shift = _smoothed(wanted, seconds)
    turns = [
        _made(leg, shift, leg.goal - leg.ankle - shift + own, most)[:2] for leg, own in zip(legs, off, strict=True)
    ]
    return shift, turns


def plant(
    motion: Motion,
    target: Rig,
    roles: dict[str, Floats],
    deltas: Floats,
    places: Floats,
    contacts: Contacts,
    at: Floats,
    most: float,
) -> tuple[Floats, bool]:
    """Sets the legs so that planted feet stay and no sole is under the floor.

    Args:
        motion: the source's, for its times.
        target: whose legs.
        roles: role to (T, 3, 3); those of thighs and shins are changed in place.
        deltas: (B, T, 3, 3) of all bones.
        places: (B, T, 3) heads of all bones.
        contacts: when which foot stands.
        at: (T, 3) the carrier's way.
        most: rad that a thigh's or shin's direction is changed by.

    Returns:
        The carrier's new way, and whether anything changed.
    """
    found = [_leg(motion, target, side, roles, deltas, places, contacts[side]) for side in "LR"]
    legs = [leg for leg in found if leg is not None]
    if not legs:
        return at, False
    wanted = _give_way(legs, motion.seconds, most)
    shift, turns = _settle(legs, wanted, CREEP * target.leg, motion.seconds, most)
    for leg, (first, second) in zip(legs, turns, strict=True):
        roles[f"thigh.{leg.side}"] = first @ roles[f"thigh.{leg.side}"]
        roles[f"shin.{leg.side}"] = second @ roles[f"shin.{leg.side}"]
    return at + shift, True
