"""Training and validation samples: a pose, a body, a camera, a detector."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..normalise import Encoded, encode, standard_scale
from .bodies import mirror, recombine, resize
from .cameras import Views, place
from .mocap import Poses
from .noise import detect, offsets

Array = NDArray[Any]

_FOCAL_SD = 0.13  # sd of the log of the assumed focal length against the true one


class Samples(NamedTuple):
    """N samples: network input, target (N, J, 3) in the virtual camera's axes at standard size, and the factor (N,)
    that brings a target back to its true size.
    """

    encoded: Encoded
    target: Array
    size: Array


def look(views: Views, speed: Array, rng: np.random.Generator, clean: bool = False) -> Samples:
    """Projects, detects and encodes; ``clean`` leaves offsets, noise and the focal length's error out."""
    n = len(views.joints)
    points = views.joints if clean else views.joints + offsets(views.joints, rng)
    points = points + views.root[:, None]
    tangents = points[..., :2] / np.maximum(points[..., 2:], 0.3)
    if clean:
        confidence = np.ones(tangents.shape[:2], np.float32)
    else:
        tangents, confidence = detect(tangents, views.root[:, 2], speed, rng)
        tangents = tangents * np.exp(rng.normal(0, _FOCAL_SD, (n, 1, 1))).astype(np.float32)
    encoded = encode(tangents, confidence)
    scale = standard_scale(views.joints)
    target = (views.joints @ encoded.view) * scale[:, None, None]
    return Samples(encoded, target.astype(np.float32), (1 / scale).astype(np.float32))


def draw(poses: Poses, count: int, rng: np.random.Generator) -> Samples:
    """``count`` fresh training samples."""
    rows = rng.choice(len(poses.joints), count, p=poses.chance)
    rows.sort()
    joints = resize(recombine(mirror(poses.joints[rows], rng), rng), poses.proportions[rows], rng)
    return look(place(joints, rng), poses.speed[rows], rng)
