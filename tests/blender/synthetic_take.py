"""A made-up take with known answers: smooth random motion, a moving camera, people who come and go."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifter_core import skeleton
from lifter_core.rotations import to_matrix
from lifter_core.take import Take
from lifter_core.take_meta import TakeMeta

Floats = NDArray[np.float64]

LEFT_HEADS = {  # m, bone heads from their parents' heads in the T-pose; the right side mirrors them
    "spine_1": (0.0, 0.0, 0.10),
    "spine_2": (0.0, 0.01, 0.12),
    "spine_3": (0.0, 0.0, 0.12),
    "neck": (0.0, 0.0, 0.14),
    "head": (0.0, -0.01, 0.12),
    "left_thigh": (0.10, 0.0, -0.05),
    "left_shin": (0.0, 0.0, -0.43),
    "left_foot": (0.0, 0.01, -0.42),
    "left_toes": (0.0, -0.11, -0.06),
    "left_clavicle": (0.0, 0.0, 0.14),
    "left_upper_arm": (0.17, 0.0, -0.02),
    "left_forearm": (0.28, 0.0, 0.0),
    "left_hand": (0.25, 0.0, 0.0),
}
LEFT_POINTS = {  # m, joints that are no bone's head, from the head of the bone they are fixed to
    "head": (0.0, 0.0, 0.20),
    "nose": (0.0, -0.12, 0.10),
    "left_ear": (0.07, 0.0, 0.10),
    "left_heel": (0.0, 0.06, -0.07),
    "left_toe": (0.0, -0.07, -0.01),
    "left_hand": (0.10, 0.0, 0.0),
}


def both_sides(table: dict[str, tuple[float, float, float]]) -> dict[str, Floats]:
    """The table with the right side added."""
    full = {name: np.array(at) for name, at in table.items()}
    return full | {n.replace("left_", "right_"): v * (-1, 1, 1) for n, v in full.items() if n.startswith("left_")}


def smooth(rng: np.random.Generator, seconds: Floats, *shape: int) -> Floats:
    """(T, *shape) sums of slow sines, about 1 in size."""
    speed, phase = rng.uniform(0.5, 2.5, (3, *shape)), rng.uniform(0, 6.28, (3, *shape))
    return np.sin(speed[None] * seconds.reshape(-1, *[1] * (len(shape) + 1)) + phase[None]).sum(1) / 1.7


def look_at(eye: Floats, target: Floats) -> tuple[Floats, Floats]:
    """World-to-camera rotations (T, 3, 3) and translations (T, 3), OpenCV axes."""
    forward = target - eye
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    right = np.cross(forward, (0.05, 0.0, 1.0))
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    rotation = np.stack((right, np.cross(forward, right), forward), 1)
    return rotation, -np.einsum("tij,tj->ti", rotation, eye)


def forward_kinematics(take_like: dict[str, Any]) -> Floats:
    """(P, T, J, 3) joints, as the Take's docstring defines them."""
    rotations, roots = take_like["rotations"], take_like["root_positions"]
    people, frames, bones = rotations.shape[:3]
    turned, heads = np.zeros((people, frames, bones, 3, 3)), np.zeros((people, frames, bones, 3))
    local = to_matrix(rotations)
    for bone, parent in enumerate(skeleton.BONE_PARENTS):
        if parent < 0:
            turned[:, :, bone], heads[:, :, bone] = local[:, :, bone], roots
        else:
            turned[:, :, bone] = turned[:, :, parent] @ local[:, :, bone]
            step = np.einsum("ptij,pj->pti", turned[:, :, parent], take_like["rest_offsets"][:, bone])
            heads[:, :, bone] = heads[:, :, parent] + step
    at = list(skeleton.TAKE_JOINT_BONES)
    return heads[:, :, at] + np.einsum("ptjab,pjb->ptja", turned[:, :, at], take_like["joint_offsets"])


def synthetic_take(
    frames: int = 60,
    people: int = 2,
    fps: float = 30.0,
    size: tuple[int, int] = (1280, 720),
    start: float = 0.0,
    moving_camera: bool = True,
    seed: int = 0,
) -> Take:
    """A take of people turning on the spot; the first is absent in frames 20-29, the second before frame 10."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(frames) / fps
    heads, points = both_sides(LEFT_HEADS), both_sides(LEFT_POINTS)
    rest = np.array([heads.get(name, np.zeros(3)) for name in skeleton.BONE_NAMES])
    bone_at = {bone.head: heads.get(bone.name, np.zeros(3)) for bone in skeleton.BONES}
    offsets = []
    for joint in skeleton.TAKE_JOINTS:
        own = next((b for b in skeleton.BONES if b.name == joint.bone and b.head == joint.name), None)
        offsets.append(np.zeros(3) if own else points.get(joint.name, bone_at.get(joint.name)))
    rotations = smooth(rng, seconds, people, len(rest), 4) * 0.4 + (1.0, 0.0, 0.0, 0.0)
    turn = smooth(rng, seconds, people) * 4
    rotations[:, :, 0] = np.stack((np.cos(turn), 0.1 * turn, 0.1 + 0 * turn, np.sin(turn)), -1)
    rotations = np.moveaxis(rotations / np.linalg.norm(rotations, axis=-1, keepdims=True), 1, 0)
    roots = np.moveaxis(smooth(rng, seconds, people, 3) * 0.3, 1, 0) + np.array((0.0, 0.0, 0.9))
    roots[..., 0] += np.arange(people)[:, None]
    values: dict[str, Any] = {
        "rotations": rotations,
        "root_positions": roots,
        "rest_offsets": np.repeat(rest[None], people, 0) * np.linspace(1.0, 0.8, people)[:, None, None],
        "joint_offsets": np.repeat(np.array(offsets)[None], people, 0) * np.linspace(1.0, 0.8, people)[:, None, None],
    }
    values["positions"] = forward_kinematics(values)
    for name in ("rotations", "root_positions", "positions"):
        values[name][0, 20:30] = np.nan
        values[name][1:, :10] = np.nan
    eye = np.array((0.3, -5.0, 1.5)) + moving_camera * 0.5 * smooth(rng, seconds, 3)
    camera_rotation, camera_translation = look_at(eye, np.broadcast_to((0.3, 0.0, 1.0), eye.shape))
    width, height = size
    focal = 0.9 * max(size)
    return Take(
        fps=fps,
        timestamps=seconds + start,
        joint_names=skeleton.TAKE_JOINT_NAMES,
        joint_parents=np.array(skeleton.TAKE_JOINT_PARENTS, np.int32),
        joint_bones=np.array(skeleton.TAKE_JOINT_BONES, np.int32),
        bone_names=skeleton.BONE_NAMES,
        bone_parents=np.array(skeleton.BONE_PARENTS, np.int32),
        keypoint_names=("nose",),
        keypoints=np.full((people, frames, 1, 3), np.nan, np.float32),
        observed=np.isfinite(values["root_positions"]).all(-1),
        contacts=np.zeros((people, frames, 2), bool),
        image_size=size,
        camera_matrix=np.array(((focal, 0, width * 0.52), (0, focal, height * 0.47), (0, 0, 1))),
        camera_rotation=camera_rotation,
        camera_translation=camera_translation,
        meta=TakeMeta(model="synthetic"),
        **{name: array.astype(np.float32) for name, array in values.items()},
    )
