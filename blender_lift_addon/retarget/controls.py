# SPDX-License-Identifier: GPL-3.0-or-later
"""IK controls, poles and the switches that choose between FK and IK."""

import json
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from lifter_core.rotations import Floats, apply, transpose, unit

from .kinds import Kind
from .rig import data_of
from .roles import split
from .transfer_data import Posed

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


def _frames(a: Floats, b: Floats) -> Floats:
    """(..., 3, 3) orthonormal columns: a, b made square to it, their normal."""
    b = unit(b - a * (a * b).sum(-1, keepdims=True))
    return np.stack(np.broadcast_arrays(a, b, np.cross(a, b)), -1)


def _solver_side(
    armature_object: bpy.types.Object, pole: str, frame: Floats, first: Floats, second: Floats
) -> Floats | None:
    """(T, 3) where Blender's IK solver wants the pole so that the two bones point to first and second (T, 3).

    The solver turns the chain until a fixed side of its first bone looks at the pole; the second bone is a hinge about
    its own X axis. None if the rig has no such two-bone chain.
    """
    assert armature_object.pose is not None
    for bone in armature_object.pose.bones:
        constraints: Any = bone.constraints
        for constraint in constraints:
            if constraint.type == "IK" and constraint.pole_subtarget == pole and bone.parent is not None:
                upper = frame @ np.array(bone.parent.bone.matrix_local, dtype=np.float64)[:3, :3]
                lower = frame @ np.array(bone.bone.matrix_local, dtype=np.float64)[:3, :3]
                if not (bone.lock_ik_y and bone.lock_ik_z) or constraint.chain_count != 2:
                    return None
                # The hinge's angle from that between the bones: first . turned(second) = A + B cos + C sin.
                y, hinge, rest = upper[:, 1], lower[:, 0], lower[:, 1]
                along = hinge * (hinge @ rest)
                a, b, c = y @ along, y @ (rest - along), y @ np.cross(hinge, rest)
                cosine = np.clip(((first * second).sum(-1) - a) / np.hypot(b, c), -1.0, 1.0)
                straight = np.arctan2(c, b)
                # The solver bends on to the side that the limb is bent to at rest.
                angle = straight + (-1.0 if straight > 0 else 1.0) * np.arccos(cosine)
                turned = along + np.cos(angle)[:, None] * (rest - along)
                turned = turned + np.sin(angle)[:, None] * np.cross(hinge, rest)
                turn = _frames(first, second) @ np.swapaxes(_frames(np.broadcast_to(y, turned.shape), turned), -1, -2)
                side = np.cos(constraint.pole_angle) * upper[:, 0] + np.sin(constraint.pole_angle) * upper[:, 2]
                return (turn @ side[:, None])[..., 0]
    return None


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
            ahead = apply(posed.deltas[first], np.array((0.0, -bends, 0.0)))
            away = _solver_side(armature_object, pole, rig.frame, unit(knee - hip), unit(ankle - knee))
            length = rig.length(upper + side) + rig.length(lower + side)
            line = unit(ankle - hip)
            if away is None:
                # A straight limb does not tell where it bends: there its own twist does.
                away = knee - hip + 1e-3 * length * ahead
            away = unit(away - line * (away * line).sum(-1, keepdims=True))
            on_line = hip + line * ((knee - hip) * line).sum(-1, keepdims=True)
            place = on_line + POLE_DISTANCE * length * away
            _, axes, head = _rest(armature_object, pole, rig.frame)
            out.append(Channels(pole, None, (place - head) @ axes))
        toe = rig.chain(f"toes{side}")
        if toes in bones and toe and posed.keyed[toe[0]]:
            rest, _, _ = _rest(armature_object, toes, rig.frame)
            out.append(Channels(toes, rest.T @ transpose(turn) @ posed.deltas[toe[0]] @ rest))
    return out


def _read(bone: Any, switch: dict[str, Any]) -> Any:
    """A switch's value; None if the bone has no such switch."""
    if "attribute" in switch:
        return getattr(bone, switch["attribute"], None)
    return bone.get(switch["property"])


def _write(bone: Any, switch: dict[str, Any], value: Any) -> None:
    if "attribute" in switch:
        setattr(bone, switch["attribute"], value)
    else:
        bone[switch["property"]] = value


def set_switches(armature_object: bpy.types.Object, kind: Kind, mode: str) -> str:
    """Sets the rig's switches for "fk" or "ik". Returns what they were, for ``restore_switches``."""
    assert armature_object.pose is not None
    before: list[dict[str, Any]] = []
    for switch in kind.switches:
        bone = armature_object.pose.bones.get(switch["bone"])
        old = _read(bone, switch) if bone is not None and mode in switch else None
        if old is None:
            continue
        new = type(old)(switch[mode])
        if old != new:
            where = "attribute" if "attribute" in switch else "property"
            before.append({"bone": switch["bone"], where: switch[where], "value": old})
            _write(bone, switch, new)
    armature_object.update_tag()
    return json.dumps(before) if before else ""


def restore_switches(armature_object: bpy.types.Object, before: str) -> int:
    """Puts switches back to what they were. Returns how many there were."""
    assert armature_object.pose is not None
    switches = json.loads(before) if before else []
    for switch in switches:
        bone = armature_object.pose.bones.get(switch["bone"])
        old = _read(bone, switch) if bone is not None else None
        if old is not None:
            _write(bone, switch, type(old)(switch["value"]))
    armature_object.update_tag()
    return len(switches)
