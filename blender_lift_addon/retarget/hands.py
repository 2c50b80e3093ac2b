# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands at proportionate places: those that touch on the source touch on the target, whatever their arms' lengths."""

import numpy as np

from lifter_core.rotations import Floats, apply

from .rig import FORWARD, Rig
from .transfer_data import Motion
from .two_bone_ik import reach


def place_hands(motion: Motion, target: Rig, roles: dict[str, Floats], places: Floats, amount: float) -> bool:
    """Moves the hands to where the source's are over its body, scaled to the target's; ``roles`` is changed in place."""
    own, theirs = target.trunk, motion.rig.trunk
    ratio = own / theirs if own and theirs else target.leg / max(motion.rig.leg, 1e-9)
    changed = False
    source_hips = motion.hip_centre
    target_hips = np.mean([places[target.chain(f"thigh.{side}")[0]] for side in "LR"], 0)
    for side in "LR":
        arm = [target.chain(f"{part}.{side}") for part in ("upper_arm", "forearm", "hand")]
        wrist = motion.place(f"hand.{side}")
        if not all(arm) or wrist is None or f"upper_arm.{side}" not in roles or f"forearm.{side}" not in roles:
            continue
        root, middle, end = (places[chain[0]] for chain in arm)
        goal = end + amount * (target_hips + ratio * (wrist - source_hips) - end)
        first, second = reach(root, middle, end, goal, apply(roles[f"upper_arm.{side}"], -FORWARD))
        roles[f"upper_arm.{side}"] = first @ roles[f"upper_arm.{side}"]
        roles[f"forearm.{side}"] = second @ roles[f"forearm.{side}"]
        changed = True
    return changed
