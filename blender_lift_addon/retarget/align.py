# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing two rest poses together: an A-pose against a T-pose, feet turned out, palms that look elsewhere."""

import numpy as np

from lifter_core.rotations import Floats, least_rotation, unit

from .rig import Rig
from .roles import FINGERS, PHALANGES, parent_role, split

SWUNG = {"upper_arm", "forearm", "thigh", "shin", *PHALANGES}  # roles whose direction is what counts
NEAR = np.cos(np.radians(40.0))


def _direction(rig: Rig, role: str) -> Floats | None:
    head, tip = rig.head(role), rig.tip(role)
    if head is None or tip is None or np.linalg.norm(tip - head) < 1e-6:
        return None
    return unit(tip - head)


def _knuckles(rig: Rig, side: str) -> Floats | None:
    """(F, 3) where the four long fingers begin, index first, as far as they are mapped."""
    heads = [rig.head(f"{finger}_1{side}") for finger in FINGERS[1:]]
    known = [head for head in heads if head is not None]
    return np.array(known) if known else None


def hand_axes(rig: Rig, side: str, palms_down: bool) -> tuple[Floats | None, Floats | None]:
    """The hand's direction at rest, and the direction from its index finger to its little finger, where known.

    Without fingers the hand's own bone tells the direction, if it roughly goes on from the forearm; a bone that an
    importer made up may point anywhere.
    """
    head = rig.head(f"hand{side}")
    if head is None:
        return None, None
    knuckles = _knuckles(rig, side)
    if knuckles is not None and len(knuckles) > 1:
        return unit(knuckles.mean(0) - head), unit(knuckles[-1] - knuckles[0])
    forearm, own = _direction(rig, f"forearm{side}"), _direction(rig, f"hand{side}")
    ahead = own if own is not None and forearm is not None and own @ forearm > NEAR else None
    return ahead, np.array((0.0, 1.0, 0.0)) if palms_down else None


def _axes(ahead: Floats, across: Floats) -> Floats:
    """(3, 3) orthonormal columns: ahead, across made square to it, the palm's normal."""
    across = unit(across - ahead * (across @ ahead))
    return np.stack((ahead, across, np.cross(ahead, across)), -1)


def _heading(rig: Rig, role: str) -> Floats | None:
    """The direction of a foot seen from above."""
    direction = _direction(rig, role)
    if direction is None or np.hypot(direction[0], direction[1]) < 0.3:
        return None
    return unit(direction * (1.0, 1.0, 0.0))


def rest_alignment(source: Rig, target: Rig, source_palms: bool, target_palms: bool) -> dict[str, Floats]:
    """For each of the target's roles the (3, 3) rotation that takes its rest pose to the source's.

    Trunk, head and shoulders are taken to be at ease in both. Limbs are swung, parents first, until they point the same
    way; feet only turn about the vertical, since soles are flat on the floor in both.
    """
    aligned: dict[str, Floats] = {}

    def of(role: str) -> Floats:
        if role in aligned:
            return aligned[role]
        base, side = split(role)
        above = parent_role(role)
        turn = np.eye(3)
        if base in SWUNG:
            turn = of(above) if above else turn
            a, b = _direction(target, role), _direction(source, role)
            if a is not None and b is not None:
                turn = least_rotation(turn @ a, b) @ turn
        elif base == "hand":
            turn = of(above)
            ahead_t, across_t = hand_axes(target, side, target_palms)
            ahead_s, across_s = hand_axes(source, side, source_palms)
            if ahead_t is not None and ahead_s is not None and across_t is not None and across_s is not None:
                turn = _axes(ahead_s, across_s) @ _axes(ahead_t, across_t).T
            elif ahead_t is not None and ahead_s is not None:
                turn = least_rotation(turn @ ahead_t, ahead_s) @ turn
        elif base == "foot":
            a, b = _heading(target, role), _heading(source, role)
            if a is not None and b is not None:
                turn = least_rotation(a, b)
        elif base == "toes" or base.endswith("_twist"):
            turn = of(above)
        aligned[role] = turn
        return turn

    for role in dict.fromkeys(target.roles):
        of(role)
    return aligned
