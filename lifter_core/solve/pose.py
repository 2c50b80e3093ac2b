"""Joints to rotations: swing from directions, twist from real evidence (bend planes, feet, head), and back again.

Global rotations here turn the rest pose's axes into those of the joints given (camera or world alike).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import about, between, fit_rotation, least_rotation, unit
from ..skeleton import BONE, BONE_PARENTS, BONES, JOINT, TAKE_JOINT_BONES
from .body import Body
from .filters import smooth

Array = NDArray[Any]

_TWIST_SIGMA = 0.12  # s: twist is seen only while a limb is bent, so it is carried over time
ELBOW_HINGE = {"left": np.array([0, 0, -1.0]), "right": np.array([0, 0, 1.0])}  # rest pose; flexion turns about it
KNEE_HINGE = np.array([1.0, 0, 0])


def forward(body: Body, rotations: Array, root: Array) -> Array:
    """Forward kinematics: global rotations (T, B, 3, 3) and root (T, 3) -> joints (T, J, 3)."""
    heads = np.zeros((*rotations.shape[:2], 3))
    for b, parent in enumerate(BONE_PARENTS):
        if parent < 0:
            heads[:, b] = root
        else:
            heads[:, b] = heads[:, parent] + rotations[:, parent] @ body.rest_offsets[b]
    bones = list(TAKE_JOINT_BONES)
    return heads[:, bones] + np.einsum("tjab,jb->tja", rotations[:, bones], body.joint_offsets)


def local(rotations: Array) -> Array:
    """(T, B, 3, 3) global rotations -> relative to each bone's parent (the root's stay)."""
    out = rotations.copy()
    for b, parent in enumerate(BONE_PARENTS):
        if parent >= 0:
            out[:, b] = rotations[:, parent].transpose(0, 2, 1) @ rotations[:, b]
    return out


def pose_from_joints(body: Body, joints: Array, times: Array) -> Array:
    """The rotations that put the body's bones along the joints.

    Args:
        joints: (T, J, 3) complete, already smooth; times: (T,) s.

    Returns:
        (T, B, 3, 3) global rotations.
    """
    rotations = np.zeros((len(joints), len(BONES), 3, 3))
    rest, j = body.rest, JOINT

    def along(a: str, b: str) -> Array:
        return unit(joints[:, j[b]] - joints[:, j[a]])

    def fit(base: str, names: tuple[str, ...], weights: tuple[float, ...]) -> Array:
        rows = [j[n] for n in names]
        shape = rest[rows] - rest[j[base]]
        return fit_rotation(shape, joints[:, rows] - joints[:, [j[base]]], np.array(weights))

    def swing(bone: str) -> Array:
        b = BONES[BONE[bone]]
        parent = rotations[:, BONE[b.parent]]
        return least_rotation(parent @ unit(rest[j[b.tail]] - rest[j[b.head]]), along(b.head, b.tail)) @ parent

    rotations[:, BONE["pelvis"]] = fit("pelvis", ("left_hip", "right_hip", "spine"), (1, 1, 0.3))
    pelvis, chest = rotations[:, BONE["pelvis"]], _chest(body, joints)
    for k in (1, 2, 3):  # the three share the bend
        rotations[:, BONE[f"spine_{k}"]] = between(pelvis, chest, k / 3)
    rotations[:, BONE["neck"]] = swing("neck")
    rotations[:, BONE["head"]] = fit("neck", ("head", "nose", "left_ear", "right_ear"), (1, 1, 1, 1))
    for s in ("left", "right"):
        rotations[:, BONE[f"{s}_clavicle"]] = swing(f"{s}_clavicle")
        upper, fore = along(f"{s}_shoulder", f"{s}_elbow"), along(f"{s}_elbow", f"{s}_wrist")
        normal, bend = _bend(upper, fore)
        rotations[:, BONE[f"{s}_upper_arm"]] = _twisted(
            swing(f"{s}_upper_arm"), upper, ELBOW_HINGE[s], normal, bend, np.zeros_like(normal), times
        )
        for bone in ("forearm", "hand"):
            rotations[:, BONE[f"{s}_{bone}"]] = swing(f"{s}_{bone}")
        thigh, shin = along(f"{s}_hip", f"{s}_knee"), along(f"{s}_knee", f"{s}_ankle")
        normal, bend = _bend(thigh, shin)
        sideways = np.cross(along(f"{s}_heel", f"{s}_toe"), thigh)  # the foot points ahead of the knee
        rotations[:, BONE[f"{s}_thigh"]] = _twisted(
            swing(f"{s}_thigh"), thigh, KNEE_HINGE, normal, bend, 0.3 * sideways, times
        )
        rotations[:, BONE[f"{s}_shin"]] = swing(f"{s}_shin")
        # heel, ankle and toe are too nearly in line to fit all three: the sole's direction, rolled with the shin
        parent, sole = rotations[:, BONE[f"{s}_shin"]], unit(rest[j[f"{s}_toe"]] - rest[j[f"{s}_heel"]])
        foot = least_rotation(parent @ sole, along(f"{s}_heel", f"{s}_toe")) @ parent
        rotations[:, BONE[f"{s}_foot"]] = rotations[:, BONE[f"{s}_toes"]] = foot
    return rotations


def _chest(body: Body, joints: Array) -> Array:
    rest, j = body.rest, JOINT
    shape = np.stack([rest[j["thorax"]] - rest[j["spine"]], (rest[j["left_shoulder"]] - rest[j["right_shoulder"]]) / 2])
    seen = np.stack(
        [
            joints[:, j["thorax"]] - joints[:, j["spine"]],
            (joints[:, j["left_shoulder"]] - joints[:, j["right_shoulder"]]) / 2,
        ],
        1,
    )
    return fit_rotation(shape, seen, np.array([2.0, 1.0]))


def _bend(first: Array, second: Array) -> tuple[Array, Array]:
    """Unit normal of the plane of two bones, and how far to trust it (T,): 0 when straight, 1 from 30 degrees on."""
    normal = np.cross(first, second)
    sine = np.linalg.norm(normal, axis=-1)
    x = np.clip((sine - 0.1) / 0.4, 0, 1)
    return unit(normal), x * x * (3 - 2 * x)


def _twisted(
    swung: Array, direction: Array, hinge: Array, normal: Array, trust: Array, hint: Array, times: Array
) -> Array:
    """Turns a swung bone about its own direction until its hinge lies along the bend plane's normal.

    Where the limb is straight the twist comes from ``hint`` (T, 3), a weak sideways vector, and from neighbouring frames;
    where nothing is known it goes to none. A normal on the wrong side (a joint bent backwards) is not believed.
    """
    reference = swung @ hinge
    side = np.cross(direction, reference)

    def angle_as_vector(v: Array) -> Array:
        return np.stack([(v * reference).sum(-1), (v * side).sum(-1)], -1)

    bent = angle_as_vector(normal)
    trust = trust * (bent[:, 0] > -0.5)
    evidence = trust[:, None] * bent + angle_as_vector(hint)
    evidence[:, 0] += 0.03
    weight = np.ones((len(times), 2))
    carried = smooth(times, evidence, weight, _TWIST_SIGMA, degree=0)
    return about(direction, np.arctan2(carried[:, 1], carried[:, 0])) @ swung
