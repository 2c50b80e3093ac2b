# SPDX-License-Identifier: GPL-3.0-or-later
"""IK controls, poles and the switches that choose between FK and IK."""

import json
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .kinds import Kind
from .rig import data_of
from .roles import split
from .rotations import Floats, apply, transpose, unit
from .transfer import Posed

POLE_DISTANCE = 0.8  # of the limb's length from the middle joint
LIMB = {"hand": ("upper_arm", "forearm", -1.0), "foot": ("thigh", "shin", 1.0)}


@dataclass
class Channels:
    """One bone's motion: its own rotation (T, 3, 3) and location (T, 3), where they are keyed."""

    name: str
    rotation: Floats | None = None
    location: Floats | None = None


def fk_channels(posed: Posed, carrier: int) -> list[Channels]:
    """What is keyed on the mapped bones."""
    rig = posed.rig
    return [
        Channels(name, posed.basis(bone), posed.location(bone) if bone == carrier else None)
        for bone, name in enumerate(rig.names)
        if posed.keyed[bone]
    ]


def _rest(armature_object: bpy.types.Object, name: str, frame: Floats) -> tuple[Floats, Floats, Floats]:
    """A bone's rest rotation, location axes and head in the character frame."""
    bone = data_of(armature_object).bones[name]
    matrix = np.array(bone.matrix_local, dtype=np.float64)
    axes = matrix[:3, :3]
    if not bone.use_local_location:
        axes = np.array(bone.parent.matrix_local, dtype=np.float64)[:3, :3] if bone.parent else np.eye(3)
    return frame @ matrix[:3, :3], frame @ axes, frame @ matrix[:3, 3]


def ik_channels(armature_object: bpy.types.Object, posed: Posed, kind: Kind) -> list[Channels]:
    """What is keyed on the IK controls and poles so that they hold the limbs where FK has them."""
    rig = posed.rig
    bones = data_of(armature_object).bones
    out: list[Channels] = []
    for entry in kind.ik:
        base, side = split(entry["end"])
        upper, lower, bends = LIMB[base]
        chains = [rig.chain(role + side) for role in (upper, lower, base)]
        control, pole, toes = (entry.get(key, "") for key in ("control", "pole", "toes"))
        if not all(chains) or control not in bones:
            continue
        first, second, end = (chain[0] for chain in chains)
        turn = posed.deltas[end]
        rest, axes, head = _rest(armature_object, control, rig.frame)
        place = posed.places[end] + apply(turn, head - rig.heads[end])
        out.append(Channels(control, rest.T @ turn @ rest, (place - head) @ axes))
        if pole in bones:
            hip, knee, ankle = posed.places[first], posed.places[second], posed.places[end]
            line = unit(ankle - hip)
            bend = knee - hip
            bend = bend - line * (bend * line).sum(-1, keepdims=True)
            ahead = apply(posed.deltas[first], np.array((0.0, -bends, 0.0)))
            ahead = ahead - line * (ahead * line).sum(-1, keepdims=True)
            length = rig.length(upper + side) + rig.length(lower + side)
            # A straight limb does not tell where it bends: there its own twist does.
            bend = bend + 1e-3 * length * unit(ahead)
            _, axes, head = _rest(armature_object, pole, rig.frame)
            out.append(Channels(pole, None, (knee + POLE_DISTANCE * length * unit(bend) - head) @ axes))
        toe = rig.chain(f"toes{side}")
        if toes in bones and toe and posed.keyed[toe[0]]:
            rest, _, _ = _rest(armature_object, toes, rig.frame)
            out.append(Channels(toes, rest.T @ transpose(turn) @ posed.deltas[toe[0]] @ rest))
    return out


def set_switches(armature_object: bpy.types.Object, kind: Kind, mode: str) -> str:
    """Sets the rig's switches for "fk" or "ik". Returns what they were, for ``restore_switches``."""
    assert armature_object.pose is not None
    before: list[dict[str, Any]] = []
    for switch in kind.switches:
        bone = armature_object.pose.bones.get(switch["bone"])
        name = switch["property"]
        if bone is None or mode not in switch or name not in bone:
            continue
        old = bone[name]
        new = type(old)(switch[mode])
        if old != new:
            before.append({"bone": bone.name, "property": name, "value": old})
            bone[name] = new
    armature_object.update_tag()
    return json.dumps(before) if before else ""


def restore_switches(armature_object: bpy.types.Object, before: str) -> int:
    """Puts switches back to what they were. Returns how many there were."""
    assert armature_object.pose is not None
    switches = json.loads(before) if before else []
    for switch in switches:
        bone = armature_object.pose.bones.get(switch["bone"])
        if bone is not None and switch["property"] in bone:
            bone[switch["property"]] = type(bone[switch["property"]])(switch["value"])
    armature_object.update_tag()
    return len(switches)
