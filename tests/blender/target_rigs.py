"""Rigs to retarget to: Rigify's own, those in rigs/, and one of every kind with its bones where a body has them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from blender_lift_addon.armature import editing
from blender_lift_addon.retarget.kinds import Kind, fit, kinds
from blender_lift_addon.retarget.roles import split

FOLDER = Path(__file__).with_name("rigs")
FIXTURES = ("mixamo", "game_engine", "cmu_mb", "default", "vrm_addon")
Bones = dict[str, list[Any]]  # parent, head, tail, roll, connected

context: Any = bpy.context
operators: Any = bpy.ops


@cache
def fixture(name: str) -> Bones:
    bones: Bones = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return bones


def build(name: str, bones: Bones, prefix: str = "") -> bpy.types.Object:
    """An armature object with these bones, in the scene."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    with editing(armature) as data:
        for bone, (_, head, tail, roll, _) in bones.items():
            edit = data.edit_bones.new(prefix + bone)
            edit.head, edit.tail, edit.roll = Vector(head), Vector(tail), roll
        for bone, (parent, *_, connected) in bones.items():
            if parent:
                data.edit_bones[prefix + bone].parent = data.edit_bones[prefix + parent]
                data.edit_bones[prefix + bone].use_connect = bool(connected)
    context.scene.collection.objects.link(armature)
    return armature


def fixture_rig(name: str) -> bpy.types.Object:
    return build(name, fixture(name))


def enable_rigify() -> None:
    import addon_utils

    addon_utils.enable("rigify", default_set=True)


def metarig() -> bpy.types.Object:
    enable_rigify()
    operators.object.armature_human_metarig_add()
    rig = bpy.context.object
    assert rig is not None
    return rig


def rigify_rig(file: Path | None = None) -> bpy.types.Object:
    """The rig generated from the human metarig: once a session (it takes seconds), then appended from a file."""
    file = file or Path(bpy.app.tempdir) / "rigify.blend"
    if not file.exists():
        meta = metarig()
        operators.pose.rigify_generate()
        made = bpy.context.object
        assert made is not None and made != meta
        bpy.ops.object.mode_set(mode="OBJECT")
        bpy.data.libraries.write(str(file), {made}, fake_user=True)
        return made
    libraries: Any = bpy.data.libraries
    with libraries.load(str(file)) as (there, wanted):
        wanted.objects = [name for name in there.objects if not name.startswith("WGT")]
    rig: bpy.types.Object = next(ob for ob in wanted.objects if ob is not None and ob.type == "ARMATURE")
    context.scene.collection.objects.link(rig)
    return rig


def rig_of_kind(kind: Kind) -> bpy.types.Object:
    """A rig with these bones."""
    return build(kind.key, bones_of_kind(kind))


def bones_of_kind(kind: Kind) -> Bones:
    """Bones with the kind's names and the proportions and A-pose of the Mixamo fixture; rolls are whatever they are.

    A role of several bones is cut into as many pieces; twist bones lie along their limb; a carrier is the hips' parent.
    """
    body = fixture("mixamo")
    where = {role: names for role, names in fit(kinds()["mixamo"], list(body)).bones.items()}
    rng = np.random.default_rng(0)
    bones: Bones = {}
    parent_of: dict[str, str] = {}  # role to its last bone
    at = ""
    for extra in kind.bones.get("root", []):
        bones[extra] = ["", [0, 0, 0], [0, 0.2, 0], 0.0, 0]
        at = extra
    if kind.carrier:
        head = body[where["hips"][0]][1]
        bones[kind.carrier] = [at, head, [head[0], head[1] + 0.2, head[2]], 0.0, 0]
        at = kind.carrier

    def above(role: str) -> str:
        from blender_lift_addon.retarget.roles import parent_role

        up = parent_role(role)
        while up and up not in parent_of:
            up = parent_role(up)
        return parent_of.get(up, at)

    for role, names in kind.bones.items():
        base, side = split(role)
        twist = base.endswith("_twist")
        place = where.get(base.removesuffix("_twist") + side)
        if role == "root" or place is None:
            continue
        start = np.array(body[place[0]][1])
        after = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot", "foot": "toes"}
        end = np.array(body[place[-1]][2])
        if base.removesuffix("_twist") in after:
            end = np.array(body[where[after[base.removesuffix("_twist")] + side][0]][1])
        cuts = np.linspace(0, 1, len(names) + 1)
        parent = parent_of[base.removesuffix("_twist") + side] if twist else above(role)
        if base == "spine" and kind.carrier:
            parent = at
        for k, name in enumerate(names):
            head, tail = start + cuts[k] * (end - start), start + cuts[k + 1] * (end - start)
            bones[name] = [parent, head.tolist(), tail.tolist(), float(rng.uniform(-3, 3)), 0]
            parent = parent if twist else name
        if not twist:
            parent_of[role] = names[-1]
    return bones
