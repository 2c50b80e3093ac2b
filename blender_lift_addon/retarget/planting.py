# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs set so that planted feet stay where they are and no sole is under the floor, as far as limbs may turn for it.

A leg that is straight must bend by degrees to be shorter by millimetres, so the hips give way first, as smoothly as
hips move, and then the foot, which rolls over its ball; what then is left of a correction is made only as far as it
turns no limb by more than is allowed.
"""

import numpy as np

from lifter_core.rotations import Floats
from lifter_core.spans import runs

from .feet import bridged, slowed, smooth
from .legs import Leg, leg_of, lifted_toes
from .rig import Rig
from .transfer_data import Contacts, Motion
from .two_bone_ik import leeway

EASY = 0.55  # of the turn that is allowed: what the hips leave to the legs' bending and stretching
CREEP = 0.0018  # of the leg's length a frame, for a planted foot that cannot stay at its place
ROUNDS = 4
SHARES = 12
SHARED = 0.9  # of the turn that is allowed: what the hips count on when both legs cannot do what they should
MEETINGS = 60
QUICK = 0.035  # s, the bell of hips that must go from one foot's place to the other's faster than else
SOFT = 0.05  # how far legs side by side may ask for different things of the hips
IN_AIR = 5.0  # creeps: what a straight leg in the air need not follow


def _smoothed(ways: Floats, seconds: Floats, width: float = 0.12) -> Floats:
    return np.stack([smooth(column, seconds, width) for column in ways.T], -1)


def _give_way(legs: list[Leg], seconds: Floats, most: float) -> Floats:
    """(T, 3) how the hips want to move (unsmoothed) so that the legs need to turn and to bend as little as may be.

    First with the planted feet; then, once the feet have rolled, along the legs, which must not be much longer or
    shorter than they are.
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
    for leg in legs:
        leg.roll(shift, seconds)
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


def _share(legs: list[Leg], wanted: Floats, seconds: Floats, most: float) -> Floats:
    """(T, 3) how the hips want to move so that what the legs cannot do is least, and as much for one as for the other."""
    count = np.maximum(np.sum([leg.bound for leg in legs], 0), 1)[:, None]
    for _ in range(SHARES):
        shift = _smoothed(wanted, seconds)
        missed = np.zeros_like(wanted)
        for leg in legs:
            way = leg.goal - leg.ankle - shift
            made = leg.made(shift, way, SHARED * most)[1]
            missed += (leg.goal - made) * leg.bound[:, None]
        if np.abs(missed).max() < 1e-4 * legs[0].length:
            break
        wanted = wanted + _smoothed(missed / count, seconds)
    return wanted


def _settle(
    legs: list[Leg], wanted: Floats, creep: float, seconds: Floats, most: float
) -> tuple[Floats, list[tuple[Floats, Floats, Floats]]]:
    """The hips' way (T, 3), and for each leg what ``Leg.turns`` tells, for it to go towards its goal.

    Where a planted foot cannot stay at its place for that, it leaves it and comes back by ``creep`` a frame: what
    ``most`` allows and what so slow a foot does are met in turn; the hips go after what is missed.
    """
    stands = [runs(leg.stands) for leg in legs]
    shift = _smoothed(wanted, seconds)
    off = [leg.given(leg.goal - leg.ankle - shift, creep) for leg in legs]  # where the foot is, from its goal
    standing = np.maximum(np.sum([leg.stands for leg in legs], 0), 1)[:, None]
    wanted = wanted.copy()
    quick = np.zeros_like(wanted)  # what only a quicker move of the hips does
    for meeting in range(MEETINGS):
        shift = _smoothed(wanted, seconds) + _smoothed(quick, seconds, QUICK)
        missed = np.zeros_like(wanted)
        for i, leg in enumerate(legs):
            way = leg.goal - leg.ankle - shift
            now = leg.made(shift, way + off[i], most)[1] - leg.goal
            off[i] = now.copy()
            for stand in stands[i]:
                off[i][stand] = slowed(now[stand], creep)
            off[i] = bridged(off[i], stands[i], seconds)
            missed += (off[i] - now) * leg.stands[:, None]
        if np.abs(missed).max() < 0.1 * creep:
            break
        if meeting < MEETINGS // 2:
            wanted += 2 * missed / standing
        else:
            quick += missed / standing
    shift = _smoothed(wanted, seconds) + _smoothed(quick, seconds, QUICK)
    turns = []
    for leg, own in zip(legs, off, strict=True):
        way = leg.goal - leg.ankle - shift + own
        way = way + leg.given(way, IN_AIR * creep) * ~leg.stands[:, None]
        turns.append(leg.turns(shift, way, most))
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
        roles: role to (T, 3, 3); those of thighs, shins, feet and toes are changed in place.
        deltas: (B, T, 3, 3) of all bones.
        places: (B, T, 3) heads of all bones.
        contacts: when which foot stands.
        at: (T, 3) the carrier's way.
        most: rad that a thigh's or shin's direction is changed by.

    Returns:
        The carrier's new way, and whether anything changed.
    """
    found = [leg_of(motion, target, side, roles, deltas, places, contacts[side]) for side in "LR"]
    legs = [leg for leg in found if leg is not None]
    if not legs:
        return at, False
    wanted = _give_way(legs, motion.seconds, most)
    wanted = _share(legs, wanted, motion.seconds, most)
    shift, turns = _settle(legs, wanted, CREEP * target.leg, motion.seconds, most)
    for leg, (first, second, ball) in zip(legs, turns, strict=True):
        for part, turn in (("thigh", first), ("shin", second), ("foot", leg.rolled)):
            roles[f"{part}.{leg.side}"] = turn @ roles[f"{part}.{leg.side}"]
        toes = f"toes.{leg.side}"
        if toes in roles:
            roles[toes] = lifted_toes(target, leg.side, roles[toes], ball)
    return at + shift, True
