"""The skeleton: joints (points), bones (what rotates), mirror pairs, and how a detector's points map to joints.

JOINTS are what networks answer and detectors see; a take has four more, made by the solver alone (TAKE_JOINTS: the same
first, in the same order). left and right are the person's own. Rest pose: a T-pose in world axes (Z up), facing -Y, the
person's left along +X; in it every bone's rotation is the identity.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Joint(NamedTuple):
    """A point of the body: its parent in the drawing tree and the bone it is fixed to."""

    name: str
    parent: str
    bone: str


class Bone(NamedTuple):
    """A rigid part: it turns about ``head`` (a joint) and points at ``tail`` (a joint)."""

    name: str
    parent: str
    head: str
    tail: str


def _sides(rows: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
    return [tuple(cell.replace("*", side) for cell in row) for side in ("left", "right") for row in rows]


BONES: tuple[Bone, ...] = (
    Bone("pelvis", "", "pelvis", "lower_back"),
    Bone("spine_1", "pelvis", "lower_back", "waist"),
    Bone("spine_2", "spine_1", "waist", "spine"),
    Bone("spine_3", "spine_2", "spine", "thorax"),
    Bone("neck", "spine_3", "thorax", "neck"),
    Bone("head", "neck", "neck", "head"),
    *(
        Bone(*row)
        for row in _sides(
            (
                ("*_thigh", "pelvis", "*_hip", "*_knee"),
                ("*_shin", "*_thigh", "*_knee", "*_ankle"),
                ("*_foot", "*_shin", "*_ankle", "*_ball"),
                ("*_toes", "*_foot", "*_ball", "*_toe"),
                ("*_clavicle", "spine_3", "thorax", "*_shoulder"),
                ("*_upper_arm", "*_clavicle", "*_shoulder", "*_elbow"),
                ("*_forearm", "*_upper_arm", "*_elbow", "*_wrist"),
                ("*_hand", "*_forearm", "*_wrist", "*_hand"),
            )
        )
    ),
)

JOINTS: tuple[Joint, ...] = (
    Joint("pelvis", "", "pelvis"),
    Joint("spine", "pelvis", "spine_2"),
    Joint("thorax", "spine", "spine_3"),
    Joint("neck", "thorax", "neck"),
    Joint("head", "neck", "head"),
    Joint("nose", "neck", "head"),
    *(
        Joint(*row)
        for row in _sides(
            (
                ("*_ear", "neck", "head"),
                ("*_hip", "pelvis", "pelvis"),
                ("*_knee", "*_hip", "*_thigh"),
                ("*_ankle", "*_knee", "*_shin"),
                ("*_heel", "*_ankle", "*_foot"),
                ("*_toe", "*_ankle", "*_toes"),
                ("*_shoulder", "thorax", "*_clavicle"),
                ("*_elbow", "*_shoulder", "*_upper_arm"),
                ("*_wrist", "*_elbow", "*_forearm"),
                ("*_hand", "*_wrist", "*_hand"),
            )
        )
    ),
)

# where bones meet that no detector sees
_SOLVED: tuple[Joint, ...] = (
    Joint("lower_back", "pelvis", "pelvis"),
    Joint("waist", "lower_back", "spine_1"),
    Joint("left_ball", "left_ankle", "left_foot"),
    Joint("right_ball", "right_ankle", "right_foot"),
)
_DRAWN_FROM = {"spine": "waist", "left_toe": "left_ball", "right_toe": "right_ball"}  # in a take
TAKE_JOINTS: tuple[Joint, ...] = (*(j._replace(parent=_DRAWN_FROM.get(j.name, j.parent)) for j in JOINTS), *_SOLVED)

JOINT_NAMES: tuple[str, ...] = tuple(j.name for j in JOINTS)
TAKE_JOINT_NAMES: tuple[str, ...] = tuple(j.name for j in TAKE_JOINTS)
BONE_NAMES: tuple[str, ...] = tuple(b.name for b in BONES)
JOINT: dict[str, int] = {name: i for i, name in enumerate(TAKE_JOINT_NAMES)}
BONE: dict[str, int] = {name: i for i, name in enumerate(BONE_NAMES)}
JOINT_PARENTS: tuple[int, ...] = tuple(JOINT[j.parent] if j.parent else -1 for j in JOINTS)
TAKE_JOINT_PARENTS: tuple[int, ...] = tuple(JOINT[j.parent] if j.parent else -1 for j in TAKE_JOINTS)
BONE_PARENTS: tuple[int, ...] = tuple(BONE[b.parent] if b.parent else -1 for b in BONES)
TAKE_JOINT_BONES: tuple[int, ...] = tuple(BONE[j.bone] for j in TAKE_JOINTS)
EDGES: tuple[tuple[int, int], ...] = tuple((p, j) for j, p in enumerate(JOINT_PARENTS) if p >= 0)


def mirror_index(names: tuple[str, ...]) -> NDArray[np.intp]:
    """For each name the index of the same name on the other side (its own for those in the middle): x[mirror] flips."""
    index = {name: i for i, name in enumerate(names)}

    def other(name: str) -> str:
        if name.startswith("left_"):
            return "right_" + name[5:]
        return "left_" + name[6:] if name.startswith("right_") else name

    return np.array([index[other(name)] for name in names])


JOINT_MIRROR = mirror_index(JOINT_NAMES)
TAKE_JOINT_MIRROR = mirror_index(TAKE_JOINT_NAMES)

# Joints that a detector's points (by keypoint name) say something of: their mean stands for the joint. Joints not named
# here take the keypoint of their own name, if the detector has it.
KEYPOINT_SOURCES: dict[str, tuple[str, ...]] = {
    f"{side}_{joint}": tuple(f"{side}_{point}" for point in points)
    for side in ("left", "right")
    for joint, points in (("toe", ("foot_index",)), ("hand", ("index", "pinky")))
}
