"""The skeleton: joints (points), bones (what rotates), mirror pairs, and how a detector's points map to joints.

left and right are the person's own. Rest pose: a T-pose in world axes (Z up), facing -Y, the person's left along +X; in
it every bone's rotation is the identity.
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
    Bone("pelvis", "", "pelvis", "spine"),
    Bone("spine", "pelvis", "spine", "thorax"),
    Bone("neck", "spine", "thorax", "neck"),
    Bone("head", "neck", "neck", "head"),
    *(
        Bone(*row)
        for row in _sides(
            (
                ("*_thigh", "pelvis", "*_hip", "*_knee"),
                ("*_shin", "*_thigh", "*_knee", "*_ankle"),
                ("*_foot", "*_shin", "*_ankle", "*_toe"),
                ("*_clavicle", "spine", "thorax", "*_shoulder"),
                ("*_upper_arm", "*_clavicle", "*_shoulder", "*_elbow"),
                ("*_forearm", "*_upper_arm", "*_elbow", "*_wrist"),
                ("*_hand", "*_forearm", "*_wrist", "*_hand"),
            )
        )
    ),
)

JOINTS: tuple[Joint, ...] = (
    Joint("pelvis", "", "pelvis"),
    Joint("spine", "pelvis", "pelvis"),
    Joint("thorax", "spine", "spine"),
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
                ("*_toe", "*_ankle", "*_foot"),
                ("*_shoulder", "thorax", "*_clavicle"),
                ("*_elbow", "*_shoulder", "*_upper_arm"),
                ("*_wrist", "*_elbow", "*_forearm"),
                ("*_hand", "*_wrist", "*_hand"),
            )
        )
    ),
)

JOINT_NAMES: tuple[str, ...] = tuple(j.name for j in JOINTS)
BONE_NAMES: tuple[str, ...] = tuple(b.name for b in BONES)
JOINT: dict[str, int] = {name: i for i, name in enumerate(JOINT_NAMES)}
BONE: dict[str, int] = {name: i for i, name in enumerate(BONE_NAMES)}
JOINT_PARENTS: tuple[int, ...] = tuple(JOINT[j.parent] if j.parent else -1 for j in JOINTS)
BONE_PARENTS: tuple[int, ...] = tuple(BONE[b.parent] if b.parent else -1 for b in BONES)
JOINT_BONES: tuple[int, ...] = tuple(BONE[j.bone] for j in JOINTS)
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

# Joints that a detector's points (by keypoint name) say something of: their mean stands for the joint. Joints not named
# here take the keypoint of their own name, if the detector has it.
KEYPOINT_SOURCES: dict[str, tuple[str, ...]] = {
    f"{side}_{joint}": tuple(f"{side}_{point}" for point in points)
    for side in ("left", "right")
    for joint, points in (("toe", ("foot_index",)), ("hand", ("index", "pinky")))
}
