"""Mocap onto the rendered body: global rotations of every rig bone, where each bone goes, and so the true joints.

World here: Z up, metres, floor at 0 (Blender's). Rotations (T, ..., 3, 3) turn a rest pose into the pose.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...rotations import about, fit_rotation, least_rotation, to_matrix, unit
from ...skeleton import JOINT_NAMES
from ..limbs import Key, skeleton_of, straightened, with_limbs
from ..mocap import Clip, limbs_of, to_joints
from .human import Human, rig

Array = NDArray[Any]

BONES = (
    "pelvis", "spine", "chest", "neck", "head", "l_thigh", "l_shin", "l_foot", "r_thigh", "r_shin", "r_foot",
    "l_upperarm", "l_forearm", "l_hand", "r_upperarm", "r_forearm", "r_hand",
)  # fmt: skip
_B = {name: i for i, name in enumerate(BONES)}
_TO_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # (x, y, z), Y up, facing +Z -> Z up, facing -Y
_TRUNK = {"Hips": "pelvis", "Spine1": "spine", "Spine2": "chest", "Neck": "neck", "Head": "head"}
_LIMB = {
    "Shoulder": "chest", "Arm": "*_upperarm", "ForeArm": "*_forearm", "Hand": "*_hand", "UpLeg": "*_thigh",
    "Leg": "*_shin", "Foot": "*_foot", "ToeBase": "*_foot",
}  # fmt: skip


class Take(NamedTuple):
    """Part of a mocap clip: its facts, fps, joints (T, J, 3) and rotations (T, 17, 3, 3) of BONES; Y up, facing +Z."""

    info: dict[str, Any]
    fps: float
    joints: Array
    rotations: Array


class Motion(NamedTuple):
    """The rendered body's movement: bones' global rotations (T, B, 3, 3) and heads (T, B, 3); true joints by name
    (T, 3); and the chest's facing (T, 2), horizontal.
    """

    rotations: Array
    heads: Array
    joints: dict[str, Array]
    facing: Array


@cache
def _packed(path: Path) -> dict[str, Any]:
    with np.load(path) as z:
        return {k: json.loads(str(z[k])) if k == "meta" else z[k] for k in z.files}


def takes(path: Path) -> list[dict[str, Any]]:
    """What is in a packed mocap file (the format of ``training.mocap``)."""
    clips: list[dict[str, Any]] = _packed(path)["meta"]["clips"]
    return clips


def read_take(path: Path, index: int, start: float, fps: float, count: int) -> Take:
    """``count`` frames at ``fps`` of one clip from ``start`` seconds on, between frames by interpolation."""
    z = _packed(path)
    info = z["meta"]["clips"][index]
    rows = slice(info["start"], info["start"] + info["len"])
    position = np.clip((start + np.arange(count) / fps) * info["fps"], 0, info["len"] - 1)
    before = np.minimum(position.astype(int), info["len"] - 2)
    share = position - before
    points = np.cumsum(z["delta"][rows].astype(np.int32), axis=0) * float(z["unit"]) + z["first"][index]
    points = points[before] + share[:, None, None] * (points[before + 1] - points[before])
    captured = to_joints(z["meta"]["joints"], points.astype(np.float32)).astype(np.float64)
    joints = straightened(captured, limbs_of(path)[_skeleton(path, index)])
    if info.get("has_rot") and "quat_delta" in z:
        q = unit(np.cumsum(z["quat_delta"][rows].astype(np.int64), axis=0).astype(np.float64))
        a, b = q[before], q[before + 1]
        b = np.where((a * b).sum(-1, keepdims=True) < 0, -b, b)
        turns = to_matrix(unit(a + share[:, None, None] * (b - a)))
        by_bone = with_limbs({bone: turns[:, i] for bone, i in _B.items()}, captured, joints)
        rotations = np.stack([by_bone[bone] for bone in BONES], 1)
    else:
        rotations = rotations_from_joints(joints)
    return Take(info, fps, joints, rotations)


@cache
def _skeleton(path: Path, index: int) -> Key:
    """Whose limb lengths a clip has: skeleton_of() of all its frames."""
    z = _packed(path)
    info = z["meta"]["clips"][index]
    rows = slice(info["start"], info["start"] + info["len"])
    points = np.cumsum(z["delta"][rows].astype(np.int32), axis=0) * float(z["unit"]) + z["first"][index]
    return skeleton_of(Clip(info, to_joints(z["meta"]["joints"], points.astype(np.float32))))


def rotations_from_joints(joints: Array) -> Array:
    """(T, J, 3) -> (T, 17, 3, 3) where a source has no rotations: bend planes give the limbs' twist, the forearm's is none."""
    at = {name: joints[:, i] for i, name in enumerate(JOINT_NAMES)}
    out = np.empty((len(joints), len(BONES), 3, 3))

    def put(bone: str, m: Array) -> None:
        out[:, _B[bone]] = m

    across = at["left_hip"] - at["right_hip"]
    shoulders = at["left_shoulder"] - at["right_shoulder"]
    put("pelvis", _axes(up=at["spine"] - at["pelvis"], left=across, first="left"))
    put("chest", _axes(up=at["thorax"] - at["spine"], left=shoulders, first="up"))
    put("spine", _between(out[:, _B["pelvis"]], out[:, _B["chest"]]))
    ears = at["left_ear"] - at["right_ear"]
    put("head", _axes(up=at["head"] - at["neck"], left=ears, first="up"))
    put("neck", _axes(up=at["neck"] - at["thorax"], left=unit(ears) + unit(shoulders), first="up"))
    for s, side, sign in (("l", "left", 1.0), ("r", "right", -1.0)):
        thigh, shin = (at[f"{side}_{b}"] - at[f"{side}_{a}"] for a, b in (("hip", "knee"), ("knee", "ankle")))
        sole = at[f"{side}_toe"] - at[f"{side}_heel"]
        hinge = np.cross(unit(thigh), unit(shin)) + 0.3 * unit(across) + 0.2 * np.cross(unit(sole), unit(thigh))
        put(f"{s}_thigh", _axes(up=-thigh, left=hinge, first="up"))
        put(f"{s}_shin", _axes(up=-shin, left=hinge, first="up"))
        z = unit(sole)
        x = unit(hinge - (hinge * z).sum(-1, keepdims=True) * z)
        put(f"{s}_foot", np.stack([x, np.cross(z, x), z], -1))
        upper, fore = (at[f"{side}_{b}"] - at[f"{side}_{a}"] for a, b in (("shoulder", "elbow"), ("elbow", "wrist")))
        chest = out[:, _B["chest"]]
        swung = (least_rotation(sign * chest[..., 0], unit(upper)) @ chest)[..., 1]
        above = -sign * np.cross(unit(upper), unit(fore)) + 0.25 * swung
        put(f"{s}_upperarm", _axes(up=above, left=sign * upper, first="left"))
        put(f"{s}_forearm", _axes(up=above, left=sign * fore, first="left"))
        put(f"{s}_hand", _axes(up=above, left=sign * (at[f"{side}_hand"] - at[f"{side}_wrist"]), first="left"))
    return out


def _axes(up: Array, left: Array, first: str) -> Array:
    """(T, 3, 3) frames with columns left, up, forward; the axis named first is kept, the others made square to it."""
    a, b = (up, left) if first == "up" else (left, up)
    a = unit(a)
    b = unit(b - (b * a).sum(-1, keepdims=True) * a)
    x, y = (b, a) if first == "up" else (a, b)
    return np.stack([x, y, np.cross(x, y)], -1)


def _between(a: Array, b: Array) -> Array:
    """Half way between rotations."""
    return fit_rotation(np.eye(3), np.swapaxes(a + b, -1, -2), np.ones(3))


def perform(
    human: Human, data: Path, take: Take, points: dict[str, tuple[str, Array]], rng: np.random.Generator
) -> Motion:
    """Lets the body do a take: every bone turned as the mocap's, fingers curled at random, feet on the floor.

    Args:
        points: as ``human.true_joints`` gives them.
    """
    names, parents, rest = rig(data).names, rig(data).parents, human.heads
    at = {name: rest[i] for i, name in enumerate(names)}
    turned = _TO_Z_UP @ take.rotations @ _TO_Z_UP.T
    align = _to_t_pose(at)
    rotations = np.empty((len(turned), len(names), 3, 3))
    curl = {"Left": rng.uniform(0.05, 0.6), "Right": rng.uniform(0.05, 0.6)}
    for i, name in enumerate(names):
        if name == "Spine":
            rotations[:, i] = _between(turned[:, _B["pelvis"]], turned[:, _B["spine"]])
        elif name in _TRUNK:
            rotations[:, i] = turned[:, _B[_TRUNK[name]]]
        else:
            side = "Left" if name.startswith("Left") else "Right"
            part = name.removeprefix(side)
            if part in _LIMB:
                bone = _LIMB[part].replace("*", side[0].lower())
                rotations[:, i] = turned[:, _B[bone]] @ align.get(name, np.eye(3))
            else:  # a finger: it bends towards the palm, which looks down in the T-pose
                bend = curl[side] * int(part[-1]) * (0.4 if "Thumb" in part else 1.0)
                axis = np.array([0.0, 1.0 if side == "Left" else -1.0, 0.0])
                hand = f"{side}Hand"
                rotations[:, i] = turned[:, _B[f"{side[0].lower()}_hand"]] @ about(axis, np.array(bend)) @ align[hand]
    heads = np.empty((len(turned), len(names), 3))
    heads[:, 0] = _hips(take, at) - rotations[:, 0] @ ((at["LeftUpLeg"] + at["RightUpLeg"]) / 2 - at["Hips"])
    for i, parent in enumerate(parents):
        if parent >= 0:
            heads[:, i] = heads[:, parent] + rotations[:, parent] @ (rest[i] - rest[parent])

    def moved(bone: str, point: Array) -> Array:
        i = names.index(bone)
        return heads[:, i] + rotations[:, i] @ (point - rest[i])

    joints = {name: moved(bone, point) for name, (bone, point) in points.items()}
    joints["pelvis"] = (joints["left_hip"] + joints["right_hip"]) / 2
    joints["thorax"] = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
    lowest = min(float((joint[:, 2] - min(points[n][1][2], 0.05)).min()) for n, joint in joints.items() if n in points)
    shift = np.array([*joints["pelvis"][:, :2].mean(0), lowest])
    facing = -rotations[:, names.index("Spine2"), :2, 1]
    return Motion(rotations, heads - shift, {n: j - shift for n, j in joints.items()}, facing)


def _to_t_pose(at: dict[str, Array]) -> dict[str, Array]:
    """The turns that bring the rig's rest pose to the mocap's, a T-pose with straight legs and palms down."""
    out: dict[str, Array] = {}
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        down, aside = np.array([0, 0, -1.0]), np.array([sign, 0, 0])
        for a, b, to in (("UpLeg", "Leg", down), ("Leg", "Foot", down), ("Arm", "ForeArm", aside),
                         ("ForeArm", "Hand", aside), ("Hand", "HandMiddle1", aside)):  # fmt: skip
            out[side + a] = least_rotation(unit(at[side + b] - at[side + a]), to)
        row = out[f"{side}Hand"] @ (at[f"{side}HandIndex1"] - at[f"{side}HandPinky1"])  # to lie along -Y
        level = about(np.array([1.0, 0, 0]), np.array(-np.arctan2(-row[2], -row[1])))
        out[f"{side}Hand"] = level @ out[f"{side}Hand"]
    return out


def _hips(take: Take, at: dict[str, Array]) -> Array:
    """(T, 3) where the middle of the hips goes: the mocap's, scaled by the length of the legs."""
    j = {name: take.joints[:, i] for i, name in enumerate(JOINT_NAMES)}

    def leg(hip: Array, knee: Array, ankle: Array) -> float:
        bones = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
        return float(np.median(bones))

    theirs = np.mean([leg(j[f"{s}_hip"], j[f"{s}_knee"], j[f"{s}_ankle"]) for s in ("left", "right")])
    ours = leg(at["LeftUpLeg"], at["LeftLeg"], at["LeftFoot"])
    return j["pelvis"] @ _TO_Z_UP.T * (ours / theirs)


def skin(human: Human, data: Path, motion: Motion, vertices: Array, rest: Array) -> Array:
    """(T, N, 3) float32: linear blend skinning of the vertices with the given indices (N,), from rest positions (N, 3)."""
    weights = rig(data).weights[vertices]
    out = np.empty((len(motion.heads), len(vertices), 3), np.float32)
    homogeneous = np.concatenate([rest, np.ones((len(rest), 1))], 1).astype(np.float32)
    for t, (rotation, head) in enumerate(zip(motion.rotations, motion.heads, strict=True)):
        move = head - np.einsum("bij,bj->bi", rotation, human.heads)
        matrices = np.concatenate([rotation, move[..., None]], -1).reshape(len(head), 12).astype(np.float32)
        blended = (weights @ matrices).reshape(-1, 3, 4)
        out[t] = np.einsum("nij,nj->ni", blended, homogeneous)
    return out
