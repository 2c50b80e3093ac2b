# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets for retargeting; kept with the scene."""

import json
import math
from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .armature_to_armature import Pose, Side, current_pose
from .kinds import BoneMap, Kind, kinds, recognise
from .propose import Proposal, propose
from .rig import data_of
from .roles import BODY, ROLES, label
from .transfer_data import LEG_TURN, Options

GUESSED, OWN = "guessed", "own"
ROLE_ITEMS = [(role, label(role), "") for role in ROLES]


def _is_armature(_self: Any, candidate: bpy.types.Object) -> bool:
    return candidate.type == "ARMATURE"


def _chosen_source(self: Any, _context: bpy.types.Context) -> None:
    fill(self.source_rig, self.source)


def _chosen_target(self: Any, _context: bpy.types.Context) -> None:
    fill(self.target_rig, self.target)


def _chosen_bone(self: Any, _context: bpy.types.Context) -> None:
    self.unsure = False


class LiftMappedBone(bpy.types.PropertyGroup):
    """One row of a bone map."""

    role: EnumProperty(name="Part", description="The part of the body", items=ROLE_ITEMS)  # type: ignore[valid-type]
    bone: StringProperty(  # type: ignore[valid-type]
        name="Bone", description="The rig's bone for this part. Leave it empty if the rig has none", update=_chosen_bone
    )
    unsure: BoolProperty()  # type: ignore[valid-type]


class LiftRig(bpy.types.PropertyGroup):
    """What is known of one of the two armatures."""

    kind: StringProperty()  # type: ignore[valid-type]
    score: FloatProperty()  # type: ignore[valid-type]
    bones: CollectionProperty(type=LiftMappedBone)  # type: ignore[valid-type]
    active: IntProperty(name="Row", description="The chosen row of the bone map")  # type: ignore[valid-type]
    show_map: BoolProperty(  # type: ignore[valid-type]
        name="Bone Map", description="Show which bone is which part of the body, to check or change it"
    )
    show_fingers: BoolProperty(  # type: ignore[valid-type]
        name="Fingers and Twist", description="List fingers and twist bones as well"
    )
    matching: StringProperty()  # type: ignore[valid-type]


class LiftRetarget(bpy.types.PropertyGroup):
    """The choices in the Retarget panel."""

    source: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Object,
        poll=_is_armature,
        update=_chosen_source,
        name="Source",
        description="The armature that moves: a lifted one, or any with an action, such as an imported BVH or FBX",
    )
    target: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.Object,
        poll=_is_armature,
        update=_chosen_target,
        name="Target",
        description="Your character's rig, which shall move the same way",
    )
    source_rig: PointerProperty(type=LiftRig)  # type: ignore[valid-type]
    target_rig: PointerProperty(type=LiftRig)  # type: ignore[valid-type]
    limbs: EnumProperty(  # type: ignore[valid-type]
        name="Limbs",
        description="Which controls of arms and legs are keyed, on rigs that have both",
        items=(
            ("fk", "FK", "Key the FK controls and switch the rig to FK"),
            ("ik", "IK", "Key the IK controls and poles as well, and switch the rig to IK"),
        ),
    )
    in_place: BoolProperty(  # type: ignore[valid-type]
        name="In Place", description="Keep the body over the place where the rig stands, for game loops"
    )
    travel: FloatProperty(  # type: ignore[valid-type]
        name="Travel",
        description="How far the rig travels; 1 is as far as its legs carry it with the source's steps",
        default=1.0,
        min=0.0,
        soft_max=2.0,
    )
    plant_feet: BoolProperty(  # type: ignore[valid-type]
        name="Plant Feet",
        description="Planted feet stay where they stand, and soles above the floor, as far as the legs may turn for it",
        default=True,
    )
    leg_turn: FloatProperty(  # type: ignore[valid-type]
        name="Leg Turn",
        description="How far planting may turn thighs and shins from the source's directions. Three degrees are not "
        "seen; give more to rigs of other proportions, if their feet float or sink",
        default=LEG_TURN,
        min=0.0,
        max=math.pi / 2,
        subtype="ANGLE",
    )
    hands: FloatProperty(  # type: ignore[valid-type]
        name="Hand Places",
        description="0 keeps the arms' directions; 1 puts the hands to the same places of the body, scaled, "
        "so that hands that touch still touch on a rig of other proportions",
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    result: EnumProperty(  # type: ignore[valid-type]
        name="Result",
        description="Where the motion goes. What the rig has already is kept either way",
        items=(
            ("ACTION", "New Action", "The rig gets a new action; the one it had stays in the file"),
            ("STRIP", "NLA Strip", "A strip on a new track above what the rig has already"),
        ),
    )
    blend: EnumProperty(  # type: ignore[valid-type]
        name="Blending",
        description="How the strip goes with what is below",
        items=(
            ("REPLACE", "Replace", "The strip's bones move as the strip says"),
            ("COMBINE", "Combine", "The strip's motion is put on top of what is below"),
        ),
    )
    switches: StringProperty()  # type: ignore[valid-type]
    switched: PointerProperty(type=bpy.types.Object)  # type: ignore[valid-type]


def retarget_of(scene: bpy.types.Scene | None) -> Any:
    """The scene's choices."""
    assert scene is not None
    return scene.lift_retarget  # type: ignore[attr-defined]


def rows_of(bones: BoneMap) -> Iterable[tuple[str, str]]:
    """A map as rows: all parts of the body, those without a bone too, then what else is mapped."""
    for role in (*BODY, *(role for role in bones if role not in BODY)):
        for name in bones.get(role, [""]):
            yield role, name


def set_map(rig: Any, bones: BoneMap, unsure: Iterable[str] = ()) -> None:
    """Lists a map; roles that the user should look at are marked."""
    rig.bones.clear()
    for role, name in rows_of(bones):
        row = rig.bones.add()
        row.role, row.bone = role, name
        row.unsure = bool(name) and role in unsure
    rig.active = min(rig.active, max(len(rig.bones) - 1, 0))


def map_of(rig: Any) -> BoneMap:
    """The map that is listed."""
    bones: BoneMap = {}
    for row in rig.bones:
        if row.bone and row.bone not in bones.get(row.role, ()):
            bones.setdefault(row.role, []).append(row.bone)
    return bones


def kind_of(rig: Any) -> Kind | None:
    """The kind it was recognised as."""
    return kinds().get(rig.kind)


def fill(rig: Any, armature_object: bpy.types.Object | None) -> None:
    """Recognises an armature or guesses, and lists its map."""
    rig.matching = ""
    if armature_object is None:
        rig.kind, rig.score = "", 0.0
        rig.bones.clear()
        return
    match = recognise([bone.name for bone in data_of(armature_object).bones])
    guessed = proposal_of(armature_object)
    if match.kind is None:
        rig.kind, rig.score = GUESSED, sum(role in guessed.bones for role in BODY) / len(BODY)
        set_map(rig, guessed.bones, guessed.unsure)
        rig.show_map = rig.show_map or unsure_of(rig) > 0
        return
    rig.kind, rig.score = match.kind.key, match.score
    taken = {name for names in match.bones.values() for name in names}
    more = {}  # parts whose bones are called something else here
    if not match.kind.carrier:
        more = {r: guessed.bones[r] for r in BODY if r in guessed.bones and r not in match.bones}
    more = {role: names for role, names in more.items() if not taken & set(names)}
    set_map(rig, match.bones | more, more)


def proposal_of(armature_object: bpy.types.Object) -> Proposal:
    """A guess from the armature's names, its rest pose and its constraints."""
    assert armature_object.pose is not None
    bones = data_of(armature_object).bones
    turned = armature_object.matrix_world
    held = set()
    for bone in armature_object.pose.bones:
        constraints: Any = bone.constraints
        if any(not constraint.mute and constraint.influence > 0 for constraint in constraints):
            held.add(bone.name)
    return propose(
        {bone.name: bone.parent.name if bone.parent else "" for bone in bones},
        {bone.name: (turned @ bone.head_local)[:] for bone in bones},
        held,
    )


def unsure_of(rig: Any) -> int:
    """How many parts of the map should be looked at."""
    return len({row.role for row in rig.bones if row.unsure})


def describe(rig: Any) -> str:
    """What an armature was recognised as, for the panel."""
    kind, unsure = kind_of(rig), unsure_of(rig)
    look = f"; {unsure} to check" if unsure else ""
    if kind is not None:
        return f"{kind.name}, {rig.score:.0%}{look}"
    if rig.kind == OWN:
        return "Own bone map"
    return f"Guessed, {rig.score:.0%} of the body{look}"


def store_pose(rig: Any, armature_object: bpy.types.Object) -> None:
    """Keeps the armature's present pose as its matching pose."""
    rig.matching = json.dumps(
        {name: np.round(m, 6).ravel().tolist() for name, m in current_pose(armature_object).items()}
    )


def pose_of(rig: Any) -> Pose | None:
    """The matching pose."""
    if not rig.matching:
        return None
    return {name: np.array(values).reshape(3, 4) for name, values in json.loads(rig.matching).items()}


def side_of_settings(armature_object: bpy.types.Object, rig: Any) -> Side:
    """An armature with all that the user set for it."""
    return Side(armature_object, map_of(rig), kind_of(rig), pose_of(rig))


def options_of(settings: Any) -> Options:
    """The choices as ``transfer`` takes them."""
    return Options(settings.in_place, settings.travel, settings.plant_feet, settings.leg_turn, settings.hands)


def register() -> None:
    """Gives every scene its choices."""
    bpy.types.Scene.lift_retarget = PointerProperty(type=LiftRetarget)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    """Takes them away."""
    del bpy.types.Scene.lift_retarget  # type: ignore[attr-defined]


CLASSES = (LiftMappedBone, LiftRig, LiftRetarget)
