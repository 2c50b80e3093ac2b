# SPDX-License-Identifier: GPL-3.0-or-later
"""The transfer in closed form: from how a source's bones turn to how a target's bones must, all frames at once.

For a role j, D_j turns it from rest to pose; the target's D_j is the source's D_j times the rotation that aligns the two
rest poses. A bone's own channel is then R^-1 D_parent^-1 D_j R with R its rest rotation, so roll never matters.
"""

import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, apply, transpose

from .feet import find_contacts
from .hands import place_hands
from .planting import plant
from .rig import CARRIER, RetargetError, Rig
from .transfer_data import Contacts, Motion, Options, Posed
from .turns import bone_turns, chain_turns, role_turns


def transfer(motion: Motion, target: Rig, options: Options, target_palms: bool = False) -> Posed:
    """The target's motion.

    Raises:
        RetargetError: the source lacks what nothing works without, or the target cannot travel.
    """
    frames = len(motion.seconds)
    carrier = carrier_of(target)
    contacts = {side: _contacts(motion, side) for side in ("L", "R")}
    roles = role_turns(motion, target, target_palms, contacts)
    chains = {}
    for role in ("spine", "neck"):
        found = chain_turns(motion, target, role) if target.chain(role) else None
        if found is not None:
            chains[role] = found
            roles[role] = found[-1]
    deltas, keyed = bone_turns(target, roles, chains, frames)
    hips = _hip_centre(motion, target, options, contacts)
    places = _ride(target, deltas, carrier, np.zeros((frames, 3)))
    at = hips - np.mean([places[target.chain(f"thigh.{side}")[0]] for side in "LR"], 0)
    at = at - _off_floor(target, deltas, places + at, contacts)
    places += at  # all but IK controls, which are not mapped, ride on the carrier
    changed = False
    if options.plant_feet:
        at, changed = plant(motion, target, roles, deltas, places, contacts, at, options.leg_turn)
    if options.hands > 0:
        changed = place_hands(motion, target, roles, places, options.hands) or changed
    if changed:
        deltas, keyed = bone_turns(target, roles, chains, frames)
        places = _ride(target, deltas, carrier, at)
    return Posed(target, deltas, places, keyed, contacts)


def _ride(rig: Rig, deltas: Floats, carrier: int, at: Floats) -> Floats:
    """(B, T, 3) heads of all bones, the carrier's being ``at`` (T, 3)."""
    places = np.empty((*deltas.shape[:2], 3))
    for bone, parent in enumerate(rig.parents):
        if bone == carrier:
            places[bone] = at
        elif parent < 0:
            places[bone] = rig.heads[bone]
        else:
            places[bone] = places[parent] + (rig.heads[bone] - rig.heads[parent]) @ transpose(deltas[parent])
    return places


def carrier_of(rig: Rig) -> int:
    """The bone whose location carries the body.

    Raises:
        RetargetError: Blender ignores that bone's location.
    """
    own = rig.chain(CARRIER) or rig.chain("hips")
    bone = own[0]
    if rig.connected[bone] and rig.parents[bone] < 0:
        raise RetargetError(
            f"{rig.names[bone]} is connected to its parent and cannot travel; disconnect it in Edit Mode"
        )
    return bone


def _contacts(motion: Motion, side: str) -> NDArray[np.bool_]:
    ball = motion.ball(side)
    if ball is None:
        return np.zeros(len(motion.seconds), bool)
    return find_contacts(ball, motion.seconds, motion.rig.leg)


def _ankle_height(motion: Motion, contacts: Contacts) -> float:
    """How high the source's ankles are while its feet stand: its rest pose may float anywhere."""
    standing = []
    for side, flags in contacts.items():
        ankle = motion.place(f"foot.{side}")
        if ankle is not None and flags.any():
            standing.append(ankle[flags, 2])
    if standing:
        return float(np.median(np.concatenate(standing)))
    rest = [motion.rig.head(f"foot.{side}") for side in "LR"]
    return float(np.mean([head[2] for head in rest if head is not None])) if any(h is not None for h in rest) else 0.0


def _hip_centre(motion: Motion, target: Rig, options: Options, contacts: Contacts) -> Floats:
    """(T, 3) where the target's hips must be: the source's travel by the ratio of the legs, over the target's floor."""
    hips = motion.hip_centre
    ratio = target.leg / max(motion.rig.leg, 1e-9)
    ankles = [target.head(f"foot.{side}") for side in "LR"]
    known = [ankle[2] for ankle in ankles if ankle is not None]
    stand = float(np.mean(known)) if known else target.hip_centre[2] - target.leg
    out = hips * ratio * options.travel
    out[:, 2] = (hips[:, 2] - _ankle_height(motion, contacts)) * ratio + stand
    if options.in_place:
        out[:, :2] = target.hip_centre[:2]
    return out


def _off_floor(target: Rig, deltas: Floats, places: Floats, contacts: Contacts) -> Floats:
    """(3,) how far the target's planted feet are above the floor, half of the time less and half of the time more."""
    heights = []
    for side, flags in contacts.items():
        foot, ball = target.chain(f"foot.{side}"), target.ball(side)
        if foot and ball is not None and flags.any():
            below = apply(deltas[foot[0]][flags], ball - target.heads[foot[0]])
            heights.append((places[foot[0]][flags] + below)[:, 2] - ball[2])
    return np.array((0.0, 0.0, float(np.median(np.concatenate(heights))) if heights else 0.0))
