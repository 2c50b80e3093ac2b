"""Simulated shots: mocap takes before simulated cameras, as a detector would see them, with the truth."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.keypoints import Keypoints
from lifter_core.normalise import look_at, standard_scale
from lifter_core.pinhole import focal_of_view
from lifter_core.rotations import about, to_matrix
from lifter_core.skeleton import JOINT, JOINT_NAMES, KEYPOINT_SOURCES
from lifter_core.training.limbs import skeleton_of, straightened, with_limbs
from lifter_core.training.mocap import Clip, limbs_of, to_joints
from lifter_core.training.noise import RATE, detect, fitted, offsets, own_3d

Array = NDArray[Any]

# validation subjects only: walks, hops, a dance, a turn in the air, everyday moves, sports, kicks, a fall
CLIPS = {
    "cmu_60.npz": ("07_01", "08_04", "131_01", "131_03", "91_17", "91_01", "94_i06", "91_47"),
    "hdm05_60.npz": (
        "hdm_mm_depositFloorR_024", "hdm_mm_grabHighR_018", "hdm_mm_squat1Reps_037", "hdm_mm_throwBasketball_011",
        "hdm_mm_elbowToKnee1RepsLelbowStart_019", "hdm_mm_jogLeftCircle4StepsRstart_011", "hdm_mm_kickLFront1Reps_020",
        "hdm_mm_hopBothLegs1hops_032", "hdm_mm_lieDownFloor_015", "hdm_mm_rotateArmsBothBackward1Reps_011",
    ),
}  # fmt: skip
_LONGEST = 600  # frames at 60 a second
SIZE = (1280, 720)
_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # mocap (Y up, facing +Z) -> world (Z up, facing -Y)
_HALF_HAND = 0.03  # m, from the middle of the knuckles to the first and to the last


class Shot(NamedTuple):
    """A clip as seen, and its truth.

    Attributes:
        file, name: the mocap file and take; keypoints: what the detector says; matrix: (3, 3) of the true camera;
        height: m, standing.
        world: (T, J, 3) true joints, m, Z up, floor at 0; camera: (T, J, 3) the same in camera axes.
        rotation: (3, 3) world to camera; bones: true global rotations (T, 3, 3) in the world by the mocap's bone name.
    """

    file: str
    name: str
    keypoints: Keypoints
    matrix: Array
    height: float
    world: Array
    camera: Array
    rotation: Array
    bones: dict[str, Array]


def shots(folder: Path, fps: int, seed: int = 0) -> Iterator[Shot]:
    """The clips of CLIPS at 60 or 30 frames a second, each before a camera of its own; the same ones for a seed."""
    number = 0
    for file, wanted in CLIPS.items():
        with np.load(folder / file) as z:
            meta, unit = json.loads(str(z["meta"])), float(z["unit"])
            arrays = {k: z[k] for k in ("delta", "first", "quat_delta")}
        at = {info["id"]: i for i, info in enumerate(meta["clips"]) if info["split"] == "val"}
        for name in wanted:
            info = meta["clips"][at[name]]
            rows = slice(info["start"], info["start"] + min(info["len"], _LONGEST))
            pos = np.cumsum(arrays["delta"][rows].astype(np.int32), axis=0) * unit + arrays["first"][at[name]]
            captured = to_joints(meta["joints"], pos.astype(np.float32)).astype(np.float64)
            limbs = limbs_of(folder / file)[skeleton_of(Clip(info, captured))]
            world, captured = straightened(captured, limbs) @ _Z_UP.T, captured @ _Z_UP.T
            bones = {}
            if info.get("has_rot"):
                q = np.cumsum(arrays["quat_delta"][rows].astype(np.int32), axis=0).astype(np.float64)
                turn = _Z_UP @ to_matrix(q / np.linalg.norm(q, axis=-1, keepdims=True)) @ _Z_UP.T
                bones = with_limbs({bone: turn[:, b] for b, bone in enumerate(meta["bones"])}, captured, world)
            step = 60 // fps
            world, bones = world[::step], {k: v[::step] for k, v in bones.items()}
            rng = np.random.default_rng([seed, number])
            yield _shoot(file, name, world, bones, float(fps), rng, toward=number % 3 == 0)
            number += 1


def _shoot(
    file: str, name: str, world: Array, bones: dict[str, Array], fps: float, rng: np.random.Generator, toward: bool
) -> Shot:
    feet = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "toe")]
    world = world - [0, 0, np.quantile(world[:, feet, 2].min(1), 0.1)]
    path = world[:, 0, :2]
    azimuth = rng.uniform(0, 2 * np.pi)
    if toward:  # the camera stands where the person goes
        way = path[-1] - path[0]
        azimuth = float(np.arctan2(way[1], way[0])) + rng.normal(0, 0.3)
    pitch, roll = np.radians(np.clip(rng.normal(9, 8), -8, 28)), np.radians(rng.normal(0, 3))
    focal = focal_of_view(SIZE[0], rng.uniform(36, 68))
    matrix = np.array([[focal, 0, SIZE[0] / 2], [0, focal, SIZE[1] / 2], [0, 0, 1.0]])
    look = -np.array([np.cos(azimuth), np.sin(azimuth), 0])
    right = np.cross(look, [0, 0, 1.0])
    level = np.stack([right, [0, 0, -1.0], look])
    rotation = about(np.array([0, 0, 1.0]), np.array(roll)) @ about(np.array([1.0, 0, 0]), np.array(pitch)) @ level
    middle = np.array([*((path.min(0) + path.max(0)) / 2), 0.9])
    distance = rng.uniform(2.5, 4.5)
    while True:  # back off until everybody is in the picture
        camera = (world - middle) @ rotation.T + [0, 0, distance]
        tangents = camera[..., :2] / np.maximum(camera[..., 2:], 0.1)
        inside = np.abs(tangents * focal) < np.array(SIZE) * 0.48
        if camera[..., 2].min() > 1.2 and inside.all():
            break
        distance *= 1.05
    keypoints = seen(camera, matrix, {k: rotation @ v for k, v in bones.items()}, fps, rng)
    return Shot(file, name, keypoints, matrix, _standing(world), world, camera, rotation, bones)


def _standing(world: Array) -> float:
    """Standing height: leg, trunk and head end to end, m."""

    def length(a: str, b: str) -> float:
        return float(np.median(np.linalg.norm(world[:, JOINT[a]] - world[:, JOINT[b]], axis=-1)))

    chain = ("head", "neck", "thorax", "spine", "pelvis")
    leg = (("left_hip", "left_knee"), ("left_knee", "left_ankle"))
    return sum(length(a, b) for a, b in itertools.pairwise(chain)) + sum(length(a, b) for a, b in leg) + 0.08


def seen(
    camera: Array,
    matrix: Array,
    hands: dict[str, Array],
    fps: float,
    rng: np.random.Generator,
    exact: bool = False,
    size: tuple[int, int] = SIZE,
) -> Keypoints:
    """What the fitted detector (lifter_core/training/noise.py, without its gross episodes) says of true joints.

    Its errors are drawn at 30 frames a second, which they were fitted at, and interpolated.

    Args:
        camera: (T, J, 3) true joints in camera axes, m; matrix: (3, 3) pixels; hands: the hands' true global rotations in
            camera axes, by the mocap's bone name, as far as known; exact: the exact projection, sure, without own 3D.
    """
    model = fitted()
    rows = np.arange(0, len(camera), round(fps / RATE))
    scale = float(np.median(standard_scale(camera)))
    joints = (camera - camera[:, :1]).astype(np.float32)[rows]
    root = camera[rows, 0]
    standard = (joints @ look_at(root) * scale).astype(np.float32)[None]
    shifted = joints + offsets((joints * scale)[None], model, rng)[0] / scale + root[:, None]
    unit = 1 / (root[:, 2] * scale)
    tangents = shifted[..., :2] / shifted[..., 2:]
    speed = np.gradient(tangents, axis=0) * RATE / unit[:, None, None]
    errors, confidence = detect(standard, speed[None].astype(np.float32), model, rng)
    own = own_3d(standard, errors, model, rng)[0]
    true = camera[rows][..., :2] / camera[rows][..., 2:]
    off = tangents + errors[0] * unit[:, None, None] - true
    own, sure = _between(own, rows, len(camera)), _between(confidence[0], rows, len(camera))
    if exact:
        off, sure = np.zeros_like(off), np.ones_like(sure)
    pixels = (camera[..., :2] / camera[..., 2:] + _between(off, rows, len(camera))) * matrix[0, 0] + matrix[:2, 2]

    points = np.repeat(pixels[:, [JOINT["nose"]]], len(KEYPOINT_NAMES), 1)
    found = np.repeat(sure[:, [JOINT["nose"]]], len(KEYPOINT_NAMES), 1)
    points_3d = np.repeat(own[:, [JOINT["nose"]]], len(KEYPOINT_NAMES), 1)
    for j, joint in enumerate(JOINT_NAMES):
        for source in KEYPOINT_SOURCES.get(joint, (joint,)):
            if source in KEYPOINT_NAMES:
                k = KEYPOINT_NAMES.index(source)
                points[:, k], found[:, k], points_3d[:, k] = pixels[:, j], sure[:, j], own[:, j]
    for side in ("left", "right"):
        if f"{side[0]}_hand" in hands:
            across = hands[f"{side[0]}_hand"] @ np.array(
                [0, -_HALF_HAND, 0]
            )  # the thumb's side is in front in a T-pose
            shift = across[:, :2] * matrix[0, 0] / camera[:, :1, 2]
            points[:, KEYPOINT_NAMES.index(f"{side}_index")] += shift
            points[:, KEYPOINT_NAMES.index(f"{side}_pinky")] -= shift
    seconds = np.arange(len(camera)) / fps
    return Keypoints(
        KEYPOINT_NAMES,
        points.astype(np.float32),
        found.astype(np.float32),
        seconds,
        size,
        fps,
        None if exact else points_3d.astype(np.float32),
    )


def _between(values: Array, rows: NDArray[np.intp], count: int) -> Array:
    """Values known at ``rows`` interpolated to frames 0 to count."""
    flat = values.reshape(len(rows), -1)
    out = np.stack([np.interp(np.arange(count), rows, flat[:, k]) for k in range(flat.shape[1])], 1)
    return out.reshape(count, *values.shape[1:])
