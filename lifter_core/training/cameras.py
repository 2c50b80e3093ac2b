"""Virtual cameras: where a random ordinary camera stands to a moving person, and what perspective makes of the body."""

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..normalise import look_at

Array = NDArray[Any]

# world Y up -> OpenCV camera axes of a level camera (x right, y down, z forward)
_LEVEL = np.diag([1.0, -1.0, -1.0]).astype(np.float32)
_FOLLOWS = 0.3  # of the cameras: an operator keeps the person in the picture
_SHAKE = np.radians(0.6)  # sd of a hand-held camera's wandering


class Views(NamedTuple):
    """What C cameras see over T frames, in camera axes and metres: joints (C, T, J, 3) about the pelvis, the pelvis
    itself, root (C, T, 3), and the direction up, (C, T, 3).
    """

    joints: Array
    root: Array
    up: Array


def _turn(axis: int, angle: NDArray[np.float64]) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    m = np.zeros((len(angle), 3, 3), np.float32)
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    m[:, axis, axis] = 1
    m[:, a, a] = m[:, b, b] = c
    m[:, b, a], m[:, a, b] = s, -s
    return m


@functools.lru_cache(512)
def fading(frames: int, keep: float) -> Array:
    """(T, T) lower triangular: what is left of frame j in frame i, keep^(i - j)."""
    past = np.subtract.outer(np.arange(frames), np.arange(frames))
    return np.asarray(np.where(past >= 0, keep ** np.maximum(past, 0.0), 0).astype(np.float32))


def wander(shape: tuple[int, ...], keep: float, rng: np.random.Generator) -> Array:
    """Unit-variance AR(1) along axis 1: each frame keeps ``keep`` of the one before. (C, T, ...) float32."""
    x = rng.standard_normal(shape, np.float32)
    x[:, 1:] *= np.float32((1 - keep**2) ** 0.5)
    return np.asarray((fading(shape[1], keep) @ x.reshape(*shape[:2], -1)).reshape(shape))


def _followed(root: Array, rng: np.random.Generator) -> Array:
    """(C, T, 3, 3) turns of a camera that follows: the smoothed direction of the person stays where it was on average."""
    frames = root.shape[1]
    direction = root / np.linalg.norm(root, axis=-1, keepdims=True)
    width = min(15, frames // 2)
    padded = np.concatenate([direction[:, :1].repeat(width, 1), direction, direction[:, -1:].repeat(width, 1)], 1)
    total = np.cumsum(np.pad(padded, ((0, 0), (1, 0), (0, 0))), axis=1)
    slow = total[:, 2 * width + 1 :] - total[:, : -2 * width - 1]
    slow[..., :2] += slow[..., 2:] * _SHAKE * wander((len(root), frames, 2), 0.95, rng)
    aim = slow.mean(1, keepdims=True)
    slow[..., 2], aim[..., 2] = np.maximum(slow[..., 2], 1e-3), np.maximum(aim[..., 2], 1e-3)
    return look_at(aim) @ np.swapaxes(look_at(slow), -1, -2)


def place(joints: Array, rng: np.random.Generator, wild_share: float = 0.12) -> Views:
    """Puts a camera before each of C sequences (C, T, J, 3; Y up, metres).

    Azimuth uniform; pitch N(9, 12) and roll N(0, 6) degrees, ``wild_share`` of the cameras far wilder (pitch -25 to 60, roll
    N(0, 20)); distance 1.6 to 12 m, nearer more often; the person up to 25 degrees off the centre; three of ten cameras
    are turned after the person by an unsteady hand.
    """
    n = len(joints)
    wild = rng.random(n) < wild_share
    yaw = rng.uniform(-np.pi, np.pi, n)
    pitch = np.where(wild, rng.uniform(-25, 60, n), rng.normal(9, 12, n))
    roll = rng.normal(0, 1, n) * np.where(wild, 20, 6)
    turn = _turn(2, np.radians(roll)) @ _turn(0, np.radians(pitch)) @ _LEVEL @ _turn(1, yaw)
    pelvis = joints[:, :, 0]
    path = pelvis - pelvis.mean(1, keepdims=True)
    back = np.swapaxes(turn, 1, 2)
    local = ((joints - pelvis[:, :, None]).reshape(n, -1, 3) @ back).reshape(joints.shape)
    path = path @ back
    distance = np.exp(rng.uniform(np.log(1.6), np.log(12.0), n) * 0.6 + 0.4 * rng.normal(np.log(3.5), 0.35, n))
    distance = np.maximum(distance, 1.3)
    off = np.stack([rng.uniform(-0.42, 0.42, n), rng.normal(0, 0.13, n), np.ones(n)], 1)
    root = path + (off * distance[:, None])[:, None]
    # nobody's nose in the lens: the nearest point stays 0.5 m away
    nearest = (local[..., 2].min(2) + root[..., 2]).min(1)
    root = (root + (off * np.maximum(0.5 - nearest, 0)[:, None])[:, None]).astype(np.float32)
    local = local.astype(np.float32)
    up = np.broadcast_to(turn[:, None, :, 1], root.shape).astype(np.float32)
    moving = np.flatnonzero(rng.random(n) < _FOLLOWS)
    if len(moving):
        follow = _followed(root[moving].astype(np.float64), rng).astype(np.float32)
        local[moving] = local[moving] @ np.swapaxes(follow, -1, -2)
        root[moving] = np.einsum("ntij,ntj->nti", follow, root[moving])
        up[moving] = np.einsum("ntij,ntj->nti", follow, up[moving])
    return Views(local, root, up)
