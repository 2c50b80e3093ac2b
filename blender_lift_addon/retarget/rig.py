# SPDX-License-Identifier: GPL-3.0-or-later
"""An armature's mapped bones at rest, in the frame that all characters share, whatever their armature's axes are.

Character frame: Z up, facing -Y, the character's left along +X; the armature object's units. Rotations D (delta) turn a
bone from its rest (or matching) pose: pose = D @ rest.
"""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, unit

from .kinds import BoneMap, Kind
from .roles import NEEDED, NEXT, PHALANGES, label, split

CARRIER = "carrier"
FORWARD = np.array((0.0, -1.0, 0.0))  # where characters look
FOOT = np.array((0.0, -0.13, -0.08))  # of the leg's length, from the ankle to the ball of a foot that does not tell
SNAP = np.cos(np.radians(25.0))


class RetargetError(Exception):
    """Why motion cannot be carried over, in a sentence for the user."""


@dataclass(frozen=True)
class Rig:
    """B mapped bones, those that others follow first; all in the character frame."""

    names: tuple[str, ...]
    roles: tuple[str, ...]
    parents: NDArray[np.intp]  # (B,) the mapped bone whose motion a bone rides on, -1 for none
    turns: NDArray[np.bool_]  # (B,) whether it turns with that bone (inherit rotation all the way)
    heads: Floats  # (B, 3)
    tails: Floats  # (B, 3)
    rest: Floats  # (B, 3, 3)
    location_axes: Floats  # (B, 3, 3) the axes a bone's location is measured in, at rest
    connected: NDArray[np.bool_]  # (B,) those whose location Blender ignores
    frame: Floats  # (3, 3) character frame = frame @ armature space

    def chain(self, role: str) -> list[int]:
        """The role's bones from the root outwards."""
        return [i for i, own in enumerate(self.roles) if own == role]

    def head(self, role: str) -> Floats | None:
        """(3,) where the role begins, if it is mapped."""
        chain = self.chain(role)
        return self.heads[chain[0]] if chain else None

    def tip(self, role: str) -> Floats | None:
        """(3,) where the role ends: at the next one's head, else its last bone's tail."""
        base, side = split(role)
        after = NEXT.get(base, "")
        if base in PHALANGES and base[-1] in "12":
            after = f"{base[:-1]}{int(base[-1]) + 1}"
        end = self.head(after + side) if after else None
        chain = self.chain(role)
        if end is not None or not chain:
            return end
        head, tail = self.heads[chain[-1]], self.tails[chain[-1]]
        # The tail of a bone that nothing follows; importers let it look anywhere, so it must at least go on as limbs do.
        if base == "foot" and (tail - head) @ FORWARD < 0.5 * np.linalg.norm(tail - head):
            return head + self.leg * FOOT
        if base in PHALANGES and base[-1] in "23":
            before = head - self.heads[self.chain(f"{base[:-1]}{int(base[-1]) - 1}{side}")[-1]]
            if (tail - head) @ before < 0.5 * np.linalg.norm(tail - head) * np.linalg.norm(before):
                return head + before
        return tail

    def length(self, role: str) -> float:
        """How long the role is."""
        head, tip = self.head(role), self.tip(role)
        return 0.0 if head is None or tip is None else float(np.linalg.norm(tip - head))

    @property
    def leg(self) -> float:
        """How long thigh and shin are together, the mean of both sides: what travel is scaled by."""
        return sum(self.length(f"{part}.{side}") for part in ("thigh", "shin") for side in "LR") / 2

    @property
    def hip_centre(self) -> Floats:
        """(3,) between the hip joints."""
        heads = [self.head(f"thigh.{side}") for side in "LR"]
        return np.mean([head for head in heads if head is not None], 0)

    @property
    def trunk(self) -> float:
        """From the hips to between the shoulders; 0 if there are none."""
        shoulders = [self.head(f"upper_arm.{side}") for side in "LR"]
        known = [head for head in shoulders if head is not None]
        return float(np.linalg.norm(np.mean(known, 0) - self.hip_centre)) if known else 0.0

    def ball(self, side: str) -> Floats | None:
        """(3,) where the foot of a side ("L" or "R") bends at rest."""
        toes = self.head(f"toes.{side}")
        return toes if toes is not None else self.tip(f"foot.{side}")

    @property
    def floor(self) -> float:
        """The height that the feet stand on at rest: the armature's origin, if the soles are about there."""
        points = [
            p for side in "LR" for part in ("foot", "toes") for p in (self.head(f"{part}.{side}"),) if p is not None
        ]
        tips = [p for side in "LR" for p in (self.tip(f"toes.{side}"), self.tip(f"foot.{side}")) if p is not None]
        lowest = float(min(p[2] for p in (*points, *tips)))
        return 0.0 if 0.0 <= lowest < 0.15 * self.leg else lowest


def check(bones: BoneMap, armature_object: bpy.types.Object, whose: str) -> None:
    """Raises:
    RetargetError: bones are missing without which nothing can be carried over.
    """
    armature = data_of(armature_object)
    missing = [role for role in NEEDED if not any(name in armature.bones for name in bones.get(role, ()))]
    if missing:
        raise RetargetError(f"Map the {whose} rig's {', '.join(map(label, missing))} first")


def data_of(armature_object: bpy.types.Object) -> bpy.types.Armature:
    """The object's armature."""
    armature = armature_object.data
    assert isinstance(armature, bpy.types.Armature)
    return armature


def _axis(direction: Floats) -> Floats:
    """The armature's own axis nearest to a direction, if it is near; rest poses are not that exact."""
    direction = unit(direction)
    best = int(np.abs(direction).argmax())
    if abs(direction[best]) < SNAP:
        return direction
    return np.sign(direction[best]) * np.eye(3)[best]


def character_frame(heads: dict[str, Floats]) -> Floats:
    """(3, 3) from armature space to the character frame, told from where the roles' heads are at rest.

    Raises:
        RetargetError: the mapped bones do not tell up from down or left from right.
    """
    hips = (heads["thigh.L"] + heads["thigh.R"]) / 2
    tops = [heads[role] for role in ("head", "neck", "upper_arm.L", "upper_arm.R", "spine") if role in heads]
    feet = [heads[role] for role in ("foot.L", "foot.R", "shin.L", "shin.R") if role in heads]
    up = (tops[0] if tops else hips) - np.mean(feet[:2], 0)
    left = heads["thigh.L"] - heads["thigh.R"]
    if "upper_arm.L" in heads and "upper_arm.R" in heads:
        left = unit(left) + unit(heads["upper_arm.L"] - heads["upper_arm.R"])
    up = _axis(up)
    left = left - up * (left @ up)
    if np.linalg.norm(left) < 1e-9 or np.linalg.norm(up) < 0.5:
        raise RetargetError("The left and right legs of the map are at the same place; check the bone map")
    left = _axis(left)
    return np.stack((left, np.cross(up, left), up))


def _followed(bone: bpy.types.PoseBone, mapped: dict[str, str], kind: Kind | None) -> tuple[str, bool]:
    """The mapped bone that a bone rides on, and whether it turns with it.

    A control's parent is often a helper that copies another bone: that one is followed instead.
    """
    told = kind.parents.get(bone.name) if kind else None
    if told is not None and told in mapped:
        return told, True
    turns = bone.bone.use_inherit_rotation
    owner: Any = bone.id_data
    seen = {bone.name}
    at = bone.parent
    while at is not None and at.name not in seen:
        seen.add(at.name)
        if at.name in mapped:
            return at.name, turns
        source = None
        constraints: Any = at.constraints
        for constraint in constraints:
            if constraint.mute or constraint.influence < 0.5:
                continue
            if constraint.type in {"COPY_TRANSFORMS", "CHILD_OF"} and constraint.target == owner:
                source = owner.pose.bones.get(constraint.subtarget)
            elif constraint.type == "ARMATURE" and len(constraint.targets):
                first = max(constraint.targets, key=lambda one: one.weight)
                source = owner.pose.bones.get(first.subtarget) if first.target == owner else None
        turns = turns and (at.bone.use_inherit_rotation or source is not None)
        at = source if source is not None else at.parent
    return "", True


def _traveller(armature: bpy.types.Armature, hips: str) -> str:
    """The hips, or what they are connected to: Blender ignores the location of connected bones."""
    bone = armature.bones[hips]
    while bone.use_connect and bone.parent is not None:
        bone = bone.parent
    return bone.name


def _ordered(parents: dict[str, str]) -> list[str]:
    """The names with parents before children.

    Raises:
        RetargetError: bones follow each other in a circle.
    """
    order: list[str] = []
    waiting = list(parents)
    while waiting:
        ready = [name for name in waiting if not parents[name] or parents[name] in order]
        if not ready:
            raise RetargetError(f"{waiting[0]} and another mapped bone follow each other; check the bone map")
        order += ready
        waiting = [name for name in waiting if name not in ready]
    return order


def _array(matrix: object) -> Floats:
    return np.array(matrix, dtype=np.float64)


def read_rig(
    armature_object: bpy.types.Object,
    bones: BoneMap,
    kind: Kind | None = None,
    matching: dict[str, Floats] | None = None,
    whose: str = "target",
) -> Rig:
    """The armature's mapped bones.

    Args:
        armature_object: the armature.
        bones: role to bone names; names that the armature does not have are left out.
        kind: what it was recognised as, for the controls' true parents.
        matching: (3, 4) rotation and place in armature space of bones in the matching pose, in place of their rest pose.
        whose: "source" or "target", for messages.

    Raises:
        RetargetError: bones are missing that nothing works without, or the map makes no sense.
    """
    armature = data_of(armature_object)
    assert armature_object.pose is not None
    check(bones, armature_object, whose)
    mapped = {name: role for role, names in bones.items() if role != "root" for name in names if name in armature.bones}
    if kind and kind.carrier in armature.bones:
        mapped.setdefault(kind.carrier, CARRIER)
    else:
        travels = _traveller(armature, next(name for name, role in mapped.items() if role == "hips"))
        mapped.setdefault(travels, CARRIER)
    followed = {name: _followed(armature_object.pose.bones[name], mapped, kind) for name in mapped}
    names = _ordered({name: parent for name, (parent, _) in followed.items()})
    index = {name: i for i, name in enumerate(names)}
    rest = np.array([_array(armature.bones[name].matrix_local)[:3, :3] for name in names])
    heads = np.array([_array(armature.bones[name].head_local) for name in names])
    tails = np.array([_array(armature.bones[name].tail_local) for name in names])
    axes = rest.copy()
    for i, name in enumerate(names):
        bone = armature.bones[name]
        if not bone.use_local_location:
            axes[i] = _array(bone.parent.matrix_local)[:3, :3] if bone.parent else np.eye(3)
    first = {}
    for name in reversed(names):
        first[mapped[name]] = heads[index[name]]
    frame = character_frame(first)
    if matching:
        for i, name in enumerate(names):
            if name in matching:
                length = np.linalg.norm(tails[i] - heads[i])
                rest[i], heads[i] = matching[name][:, :3], matching[name][:, 3]
                tails[i] = heads[i] + rest[i][:, 1] * length
    return Rig(
        names=tuple(names),
        roles=tuple(mapped[name] for name in names),
        parents=np.array([index.get(followed[name][0], -1) for name in names]),
        turns=np.array([followed[name][1] for name in names]),
        heads=heads @ frame.T,
        tails=tails @ frame.T,
        rest=frame @ rest,
        location_axes=frame @ axes,
        connected=np.array([armature.bones[name].use_connect for name in names]),
        frame=frame,
    )
