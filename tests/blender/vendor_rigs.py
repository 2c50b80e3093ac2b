"""Armatures as vendors' files come into Blender: their bones' names, parents, helper bones, rest pose and bone axes.

The vendors' own files may not be shipped; hierarchies, helpers and conventions here are written down from their public
documentation, proportions are those of the Mixamo fixture. `axes` says which way bones look after import:

- ``along``: to their child, as Blender, Mixamo and VRM add-ons make them;
- ``x``: the joint's X axis runs along the limb, on the right side backwards (Unreal, Character Creator, HumanIK from Maya),
  so that Blender's bone, which is the Y axis, sticks out sideways;
- ``world``: all joints are parallel to the world's axes (Daz, BVH-like FBX files, VRM 1), bones stick up.
"""

import math
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix, Vector

from blender_lift_addon.armature import editing
from blender_lift_addon.retarget.kinds import kinds

from .target_rigs import Bones, bones_of_kind, build


@dataclass(frozen=True)
class Vendor:
    """What makes the vendor's rig other than a plain one. ``*`` stands for the side."""

    kind: str
    arms_down: float = 0.0  # degrees below a T-pose
    axes: str = "along"
    centimetres: bool = True  # an FBX: the data lies on its back in centimetres, the object is turned and scaled
    between: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)  # helper to parent, children it takes
    leaves: dict[str, str] = field(default_factory=dict)  # helpers nothing hangs on, to their parents
    sides: tuple[str, str] = ("l", "r")


_FINGERS = ("index", "middle", "ring", "pinky")
UNREAL_IK = {"ik_foot_root": "root", "ik_foot_*": "ik_foot_root", "ik_hand_root": "root", "ik_hand_gun": "ik_hand_root",
             "ik_hand_*": "ik_hand_gun"}  # fmt: skip
VENDORS = {
    "Unreal UE4": Vendor("unreal_ue4", 48, "x", leaves={**UNREAL_IK, "hand_socket_*": "hand_*", "weapon_r": "hand_r"}),
    "Unreal UE5": Vendor(
        "unreal_ue5", 42, "x",
        between={f"{finger}_metacarpal_*": ("hand_*", (f"{finger}_01_*",)) for finger in _FINGERS},
        leaves={**UNREAL_IK, "upperarm_correctiveRoot_*": "upperarm_*", "calf_knee_*": "calf_*", "wrist_inner_*": "hand_*",
                "interaction": "root", "center_of_mass": "root", "clavicle_pec_*": "clavicle_*"},
    ),
    "VRM 0": Vendor("vrm0", 0, "world", False, leaves={"hair1": "head", "skirt_*": "hips"}, sides=("left", "right")),
    "VRM 1": Vendor("vrm1", 0, "world", False, leaves={"*Eye": "head", "jaw": "head"}, sides=("left", "right")),
    "VRoid": Vendor(
        "vroid", 0, "along", False,
        between={"J_Adj_*_Face": ("J_Bip_C_Head", ())},
        leaves={"J_Sec_*_Bust1": "J_Bip_C_UpperChest", "J_Sec_Hair1_01": "J_Bip_C_Head", "J_Sec_*_SkirtFront": "J_Bip_C_Hips",
                "J_Bip_*_Thumb3_end": "J_Bip_*_Thumb3", "J_Roll_*_UpperArm": "J_Bip_*_UpperArm"},
        sides=("L", "R"),
    ),
    "VRChat": Vendor("vrchat", 35, "along", False, leaves={"Breast_*": "Chest", "Hair root": "Head", "Eye_*": "Head",
                                                           "Skirt 1": "Hips"}, sides=("Left", "Right")),
    "HumanIK": Vendor("humanik", 0, "x", leaves={"Leaf*Hand": "*Hand", "*Hand_ctrl_offset": "*Hand"}, sides=("Left", "Right")),
    "Daz Genesis 8": Vendor(
        "daz_g8", 40, "world",
        between={"pelvis": ("hip", ("lThighBend", "rThighBend")), "*Metatarsals": ("*Foot", ("*Toe",)),
                 "*Carpal1": ("*Hand", ("*Index1",)), "*Carpal2": ("*Hand", ("*Mid1",))},
        leaves={"*Pectoral": "chestUpper", "upperFaceRig": "head", "*Eye": "head", "*BigToe": "*Toe"},
    ),
    "Daz Genesis 9": Vendor(
        "daz_g9", 40, "world",
        between={"pelvis": ("hip", ("l_thigh", "r_thigh")), "*_metatarsals": ("*_foot", ("*_toes",))},
        leaves={"*_upperarmtwist1": "*_upperarm", "*_upperarmtwist2": "*_upperarm", "*_forearmtwist1": "*_forearm",
                "*_forearmtwist2": "*_forearm", "*_thightwist1": "*_thigh", "*_thightwist2": "*_thigh", "*_pectoral": "spine4"},
    ),
    "ActorCore": Vendor(
        "cc_actorcore", 20, "x",
        between={"CC_Base_Pelvis": ("CC_Base_Hip", ("CC_Base_L_Thigh", "CC_Base_R_Thigh"))},
        leaves={"CC_Base_*_KneeShareBone": "CC_Base_*_Calf", "CC_Base_*_ElbowShareBone": "CC_Base_*_Forearm",
                "CC_Base_*_ToeBaseShareBone": "CC_Base_*_Foot", "CC_Base_*_Breast": "CC_Base_Spine02",
                "CC_Base_*_BigToe1": "CC_Base_*_ToeBase", "CC_Base_FacialBone": "CC_Base_Head"},
        sides=("L", "R"),
    ),
    "SOMA": Vendor("soma", 0, "world", leaves={"*Eye": "Head", "Jaw": "Head", "*ToeEnd": "*ToeBase"}, sides=("Left", "Right")),
    "Auto-Rig Pro": Vendor("auto_rig_pro_deform", 45, "along", False, leaves={"c_breast_01.*": "spine_02.x"}),
}  # fmt: skip


def _written_out(vendor: Vendor, table: dict[str, str]) -> dict[str, str]:
    out = {}
    for name, parent in table.items():
        for side in vendor.sides:
            out[name.replace("*", side)] = parent.replace("*", side)
    return out


def _bones(vendor: Vendor) -> Bones:
    """The kind's bones with the vendor's helpers and rest pose."""
    kind = kinds()[vendor.kind]
    bones = bones_of_kind(kind)
    for name, (parent, children) in vendor.between.items():
        for side in vendor.sides:
            helper, above = name.replace("*", side), parent.replace("*", side)
            if helper in bones:
                continue
            bones[helper] = [above, *bones[above][1:4], 0]
            for child in children:
                bones[child.replace("*", side)][0] = helper
    for name, parent in _written_out(vendor, vendor.leaves).items():
        head = np.array(bones[parent][1]) + (0.0, 0.02, 0.0)
        bones[name] = [parent, head.tolist(), (head + (0.0, 0.05, 0.0)).tolist(), 0.0, 0]
    for letter, sign in (("L", 1.0), ("R", -1.0)):
        shoulder = kind.bones[f"upper_arm.{letter}"][0]
        centre = np.array(bones[shoulder][1])
        turn = np.array(Matrix.Rotation(math.radians(sign * (vendor.arms_down - 8)), 3, "Y"))  # the fixture's hang by 8
        for name in _with_children(bones, shoulder):
            for end in (1, 2):
                bones[name][end] = (centre + turn @ (np.array(bones[name][end]) - centre)).tolist()
    return bones


def _with_children(bones: Bones, top: str) -> set[str]:
    found = {top}
    while more := {name for name, bone in bones.items() if bone[0] in found} - found:
        found |= more
    return found


def _axes(vendor: Vendor, name: str, along: Vector) -> Matrix:
    """The bone's matrix (3, 3) after import."""
    if vendor.axes == "world":
        return Matrix.Identity(3)
    right = any(name.endswith(end) or f"_{end}_" in name for end in (vendor.sides[1],)) or name.startswith(
        vendor.sides[1]
    )
    x = -along.normalized() if right else along.normalized()
    y = Vector((0.0, 1.0, 0.0)) - x * x.y
    y = y.normalized() if y.length > 0.2 else (Vector((0.0, 0.0, 1.0)) - x * x.z).normalized()
    return Matrix((x, y, x.cross(y))).transposed()


def vendor_rig(name: str) -> bpy.types.Object:
    """The armature of a vendor, in the scene, with FBX files' lying data and scaled object where they come so."""
    vendor = VENDORS[name]
    bones = _bones(vendor)
    rig = build(name, bones)
    if vendor.axes != "along":
        with editing(rig) as data:
            for bone in data.edit_bones:
                length, head = bone.length, bone.head.copy()
                matrix = _axes(vendor, bone.name, bone.tail - bone.head).to_4x4()
                bone.tail = head + matrix.col[1].to_3d() * length
                matrix.translation = head
                bone.matrix = matrix
                bone.length = length
    if vendor.centimetres:
        lay = Matrix.Rotation(math.radians(-90), 4, "X") @ Matrix.Scale(100, 4)
        rig.data.transform(lay)  # type: ignore[union-attr]
        rig.matrix_world = lay.inverted()
    return rig
