"""Pairs of real detections and truth (rendered people, docs/synthetic.md) as training and validation sequences."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..keypoints import Keypoints
from ..lifting import flipped, joints_2d, own_joints
from ..normalise import encode, standard_scale
from ..skeleton import JOINT_MIRROR
from .samples import FRAMES, OWN_KNOWN, Sequences, focal_error, known_up
from .synthetic.pairs import Pair

Array = NDArray[Any]


class Paired(NamedTuple):
    """C clips cut or padded to T frames: tangents (C, T, J, 2) and confidence (C, T, J) as detected, own (C, T, J, 3), true
    joints (C, T, J, 3) in camera axes about the pelvis, up (C, T, 3), there (C, T).
    """

    tangents: Array
    confidence: Array
    own: Array
    joints: Array
    up: Array
    there: NDArray[np.bool_]


def prepare(pairs: list[Pair], frames: int = FRAMES) -> Paired:
    """Pairs as arrays; long clips are cut into pieces, short ones padded."""
    rows: list[tuple[Array, ...]] = []
    for pair in pairs:
        times = np.arange(len(pair.points)) / pair.fps
        k = Keypoints(pair.names, pair.points, pair.confidence, times, (1, 1), pair.fps, pair.world)
        points, confidence = joints_2d(k)
        centre, focal = pair.camera_matrix[:2, 2], pair.camera_matrix[[0, 1], [0, 1]]
        tangents = (np.nan_to_num(points) - centre) / focal
        arrays = (tangents, confidence, own_joints(k), pair.joints - pair.joints[:, :1], pair.up, k.found)
        for begin in range(0, len(points), frames):
            piece = [x[begin : begin + frames] for x in arrays]
            short = frames - len(piece[0])
            rows.append(tuple(np.pad(x, [(0, short)] + [(0, 0)] * (x.ndim - 1), "edge") for x in piece[:-1])
                        + (np.pad(piece[-1], (0, short)),))  # fmt: skip
    a, b, c, d, e, f = (np.stack(x) for x in zip(*rows, strict=True))
    return Paired(
        a.astype(np.float32), b.astype(np.float32), c, d.astype(np.float32), e.astype(np.float32), f.astype(bool)
    )


def draw_paired(paired: Paired, count: int, rng: np.random.Generator, exact: bool = False) -> Sequences:
    """``count`` of the clips in random order (``exact``: all, in order, own 3D given, up not, the focal length known), half
    of them mirrored, as samples.draw() gives them.
    """
    clips = np.arange(len(paired.there)) if exact else rng.choice(len(paired.there), count)
    c, t, j = paired.joints[clips].shape[:3]
    there = paired.there[clips]
    tangents, own, up = paired.tangents[clips], paired.own[clips], np.zeros((c, t, 3), np.float32)
    if not exact:
        tangents = tangents * focal_error(c, rng)[..., None]
        own = own * (rng.random((c, 1, 1, 1)) < OWN_KNOWN)
        up = known_up(paired.up[clips], rng)
    confidence = np.where(there[..., None], paired.confidence[clips], 0)
    encoded = encode(tangents.reshape(-1, j, 2), confidence.reshape(-1, j), own.reshape(-1, j, 3), up.reshape(-1, 3))
    joints = paired.joints[clips].reshape(-1, j, 3)
    scale = standard_scale(joints)
    target = (joints @ encoded.view) * scale[:, None, None]
    if not exact:
        mirror = np.repeat(rng.random(c) < 0.5, t)
        other = flipped(encoded)
        encoded = encoded._replace(
            nodes=np.where(mirror[:, None, None], other.nodes, encoded.nodes),
            globals=np.where(mirror[:, None], other.globals, encoded.globals),
        )
        reflected = target[:, JOINT_MIRROR] * np.array([-1, 1, 1], np.float32)
        target = np.where(mirror[:, None, None], reflected, target)
    return Sequences(encoded, target.astype(np.float32), (1 / scale).astype(np.float32), there)
