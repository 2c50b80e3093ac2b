"""A person walking before a known camera: truth for the tests of the solver, made by forward kinematics."""

from typing import NamedTuple

import numpy as np

from lifter_core.camera_motion import Measurement, Tracks
from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.detection import ClipFacts, Detection, DetectorSettings
from lifter_core.keypoints import Keypoints
from lifter_core.lifting import Lifted
from lifter_core.pinhole import camera_matrix
from lifter_core.rotations import about
from lifter_core.skeleton import BONE, BONE_NAMES, JOINT, JOINT_NAMES, KEYPOINT_SOURCES
from lifter_core.solve import SolveOptions, solve_joints
from lifter_core.solve.body import STANDARD_PARTS, Body, body_of
from lifter_core.solve.evidence import OFFSETS
from lifter_core.solve.pose import forward
from lifter_core.take import Take
from lifter_core.take_meta import TakeMeta

FPS = 30.0
SIZE = (1280, 720)
DETECTED_FRAMES = 16


class Walk(NamedTuple):
    """World joints (T, J, 3), the camera (world to camera) and what a perfect detector and lifter would say."""

    world: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    matrix: np.ndarray
    keypoints: Keypoints
    lifted: np.ndarray
    body: Body


def walk(frames: int = 60, pitch: float = 0.0, speed: float = 1.0) -> Walk:
    """Walks towards +X (turned to it); the camera stands 4 m away, 1.5 m high, pitched down by ``pitch`` degrees."""
    body = body_of(STANDARD_PARTS)
    time = np.arange(frames) / FPS
    swing = 0.4 * np.sin(2 * np.pi * time * speed)
    x, z = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    yaw = about(z, np.full(frames, np.pi / 2))
    rotations = np.repeat(yaw[:, None], len(BONE_NAMES), 1)
    for side, sign in (("left", 1), ("right", -1)):
        thigh = yaw @ about(x, sign * swing)
        shin = yaw @ about(x, sign * swing + 0.3 + 0.2 * np.sin(2 * np.pi * time * speed))
        for bone, turn in (("thigh", thigh), ("shin", shin), ("foot", shin), ("toes", shin)):
            rotations[:, BONE[f"{side}_{bone}"]] = turn
        down = about(np.array([0, 1.0, 0]), np.full(frames, sign * 1.3))
        upper = yaw @ about(x, -sign * swing) @ down
        for bone in ("upper_arm", "forearm", "hand"):
            rotations[:, BONE[f"{side}_{bone}"]] = upper
    root = np.stack([-0.5 + 0.8 * speed * time, np.zeros(frames), np.full(frames, 0.9)], 1)
    world = forward(body, rotations, root)
    lowest = world[..., 2].min()
    world[..., 2] -= lowest
    tilt = np.radians(pitch)
    level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # looks along +Y
    rotation = about(x, np.array(tilt)) @ level
    translation = -rotation @ np.array([0, -4.0, 1.5])
    camera = world @ rotation.T + translation
    matrix = camera_matrix(SIZE)
    # the detector's points lie beside the joints
    beside = np.zeros_like(world)
    beside[:, : len(JOINT_NAMES)] = np.einsum("tij,pj->tpi", yaw, OFFSETS[: len(JOINT_NAMES)])
    seen = camera + beside @ rotation.T
    pixels = seen[..., :2] / seen[..., 2:] * matrix[0, 0] + matrix[:2, 2]
    points = np.repeat(pixels[:, [JOINT["nose"]]], len(KEYPOINT_NAMES), 1)
    for j, name in enumerate(JOINT_NAMES):
        for source in KEYPOINT_SOURCES.get(name, (name,)):
            if source in KEYPOINT_NAMES:
                points[:, KEYPOINT_NAMES.index(source)] = pixels[:, j]
    keypoints = Keypoints(
        KEYPOINT_NAMES, points.astype(np.float32), np.ones(points.shape[:2], np.float32), time, SIZE, FPS
    )
    lifted = (camera - camera[:, [JOINT["pelvis"]]])[:, : len(JOINT_NAMES)].astype(np.float32)
    return Walk(world, rotation, translation, matrix, keypoints, lifted, body)


def walking_take(frames: int = 30, **options: float) -> Take:
    """The walk, solved."""
    w = walk(frames)
    return solve_joints(
        [w.keypoints], [Lifted(w.lifted)], w.matrix, SolveOptions(**options), TakeMeta(source="walk.mp4")
    )


def walking_detection(seed: int = 0) -> Detection:
    """The walker as detected, in the middle of the clip missing; somebody else is there; the camera pans by 3 px a frame."""
    rng = np.random.default_rng(seed)
    seen = walk(DETECTED_FRAMES).keypoints
    points, confidence = seen.points.copy(), seen.confidence.copy()
    points[6:8], confidence[6:8] = np.nan, 0
    world = rng.normal(0, 0.3, (*points.shape[:2], 3)).astype(np.float32)
    world[6:8] = np.nan
    at = rng.uniform([-200, -110], [200, 110], (40, 2)).astype(np.float32)
    whole = np.ones(40, np.float32)
    measurements = [Measurement(t, 0, at, at - np.float32([3 * t, 0]), whole) for t in range(DETECTED_FRAMES)]
    return Detection(
        clip=ClipFacts("walk.mp4", "0" * 64, -90, 2, 26.0),
        settings=DetectorSettings("heavy", True, 1.0, None, (0.5, 0.4, 1.5)),
        image_size=seen.image_size,
        fps=seen.fps,
        timestamps=seen.timestamps,
        keypoint_names=seen.names,
        points=points[None],
        confidence=confidence[None],
        world=world[None],
        others=(np.array([[0.0, 100, 200, 300], [0.5, 110, 200, 300]]), np.array([[0.5, 900, 200, 250.0]])),
        background=Tracks(DETECTED_FRAMES, (427, 240), 427 / 1280, [0], measurements, 1),
    )
