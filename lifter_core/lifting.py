"""Keypoints to 3D joints: rays, a lifting network, flip averaging."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .keypoints import Keypoints
from .normalise import Encoded, encode
from .progress import Report, silent
from .runtime import Model
from .skeleton import JOINT_MIRROR, JOINT_NAMES, KEYPOINT_SOURCES

Array = NDArray[Any]


def joints_2d(keypoints: Keypoints) -> tuple[Array, Array]:
    """The detector's points as joints: (T, J, 2) pixels and (T, J) confidence, 0 (and NaN) where nothing is known.

    A joint seen by several keypoints is at their mean, with the least of their confidences.
    """
    count = len(keypoints.timestamps)
    points = np.full((count, len(JOINT_NAMES), 2), np.nan, np.float32)
    confidence = np.zeros((count, len(JOINT_NAMES)), np.float32)
    for j, name in enumerate(JOINT_NAMES):
        sources = [s for s in KEYPOINT_SOURCES.get(name, (name,)) if s in keypoints.names]
        if sources:
            rows = [keypoints.index(s) for s in sources]
            points[:, j] = keypoints.points[:, rows].mean(1)
            confidence[:, j] = keypoints.confidence[:, rows].min(1)
    confidence[~np.isfinite(points).all(-1)] = 0
    return points, confidence


def flipped(encoded: Encoded) -> Encoded:
    """The mirror image of the same poses."""
    nodes, flat = encoded.nodes[:, JOINT_MIRROR].copy(), encoded.globals.copy()
    nodes[..., 0] *= -1
    flat[:, 1] *= -1
    return Encoded(nodes, flat, encoded.view)


def predict_poses(model: Model, encoded: Encoded) -> Array:
    """(N, J, 3) mean of the network's answers to each pose and to its mirror image; virtual camera, standard size."""
    mirror = flipped(encoded)
    both = Encoded(
        np.concatenate([encoded.nodes, mirror.nodes]),
        np.concatenate([encoded.globals, mirror.globals]),
        np.concatenate([encoded.view, encoded.view]),
    )
    out = model.predict(both)
    n = len(encoded.nodes)
    back = out[n:, JOINT_MIRROR] * np.array([-1, 1, 1], np.float32)
    result: Array = (out[:n] + back) / 2
    return result


def lift(keypoints: Keypoints, camera_matrix: NDArray[np.float64], model: Model, report: Report = silent) -> Array:
    """Lifts one person's clip.

    Args:
        camera_matrix: (3, 3) pixels; its focal length may be a guess.

    Returns:
        (T, J, 3) metres about the pelvis in camera axes (x right, y down, z forward), for a body of standard size; NaN
        where the person was not found.
    """
    points, confidence = joints_2d(keypoints)
    focal = np.array([camera_matrix[0, 0], camera_matrix[1, 1]])
    tangents = (np.nan_to_num(points) - camera_matrix[:2, 2]) / focal
    found = keypoints.found
    out = np.full((len(found), len(JOINT_NAMES), 3), np.nan, np.float32)
    report("lift", 0, len(found))
    if found.any():
        encoded = encode(tangents[found].astype(np.float32), confidence[found])
        poses = predict_poses(model, encoded)
        out[found] = poses @ encoded.view.transpose(0, 2, 1)
    report("lift", len(found), len(found))
    return out
