"""Rotations of many frames at once: matrices (..., 3, 3) that act on columns, quaternions (..., 4) wxyz, rotation vectors.

A rotation vector is the axis times the angle in radians.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]


def unit(v: Array) -> Array:
    """V / |v| over the last axis; zeros stay zeros."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def transpose(m: Array) -> Array:
    """(..., 3, 3) inverses of rotation matrices."""
    return np.swapaxes(m, -1, -2)


def apply(m: Array, v: Array) -> Array:
    """(..., 3) vectors turned by matrices (..., 3, 3)."""
    return np.squeeze(m @ v[..., None], -1)


def least_rotation(a: Array, b: Array) -> Array:
    """(..., 3, 3) the smallest rotations that turn directions a into b (..., 3); half a turn about any axis if opposed."""
    a, b = np.broadcast_arrays(unit(a), unit(b))
    w = 1.0 + (a * b).sum(-1)
    side = np.where(np.abs(a[..., :1]) < 0.9, np.array((1.0, 0.0, 0.0)), np.array((0.0, 1.0, 0.0)))
    opposed = (w < 1e-8)[..., None]
    axis = np.where(opposed, np.cross(a, side), np.cross(a, b))
    return to_matrix(np.concatenate((np.where(opposed[..., 0], 0.0, w)[..., None], axis), -1))


def cross_matrix(v: Array) -> Array:
    """(..., 3, 3) matrices M with M x = v cross x."""
    m = np.zeros((*v.shape[:-1], 3, 3))
    m[..., 0, 1], m[..., 0, 2], m[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    m[..., 1, 0], m[..., 2, 0], m[..., 2, 1] = v[..., 2], -v[..., 1], v[..., 0]
    return m


def about(axis: Array, angle: Array) -> Array:
    """(..., 3, 3) rotations about unit axes (..., 3) by angles (...) in radians (Rodrigues)."""
    k = cross_matrix(axis)
    s, c = np.sin(angle)[..., None, None], np.cos(angle)[..., None, None]
    return np.eye(3) + s * k + (1 - c) * (k @ k)


def fit_rotation(rest: Array, pose: Array, weights: Array) -> Array:
    """(T, 3, 3) best rotations R with R rest_k = pose_k (Kabsch 1976).

    Args:
        rest: (K, 3) vectors; pose: (T, K, 3); weights: (K,).
    """
    covariance = np.einsum("k,tki,kj->tij", weights, pose, rest)
    u, _, vt = np.linalg.svd(covariance)
    sign = np.ones((len(pose), 3))
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    result: Array = (u * sign[:, None]) @ vt
    return result


def to_quaternion(m: Array) -> Array:
    """(..., 4) wxyz unit quaternions of rotation matrices (..., 3, 3) (Shepperd: the largest component first)."""
    d = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], -1)
    trace = d.sum(-1, keepdims=True)
    squares = np.concatenate([1 + trace, 1 + 2 * d - trace], -1)  # 4 w^2, 4 x^2, ...
    best = squares.argmax(-1)
    x, y, z = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    w2, x2, y2, z2 = np.moveaxis(squares, -1, 0)
    table = np.stack([np.stack(r, -1) for r in ((w2, x, y, z), (x, x2, xy, xz), (y, xy, y2, yz), (z, xz, yz, z2))], -2)
    q = np.take_along_axis(table, best[..., None, None], -2)[..., 0, :]
    return unit(q)


def to_matrix(q: Array) -> Array:
    """(..., 3, 3) of quaternions (..., 4) wxyz of any length but 0."""
    w, x, y, z = np.moveaxis(unit(np.asarray(q, np.float64)), -1, 0)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return np.stack(rows, -1).reshape(*q.shape[:-1], 3, 3)


def multiply(a: Array, b: Array) -> Array:
    """(..., 4) products of quaternions, wxyz."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    product = (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
    return np.stack(product, -1)


def conjugate(q: Array) -> Array:
    """(..., 4) inverses of unit quaternions, wxyz."""
    return q * np.array((1.0, -1.0, -1.0, -1.0))


def continuous(q: Array) -> Array:
    """The same rotations (T, ..., 4) with signs chosen so that no frame is far from the one before; the first has w >= 0."""
    out = np.where(q[:1, ..., :1] < 0, -q, q)
    flips = np.where((out[1:] * out[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    out[1:] *= np.cumprod(flips, axis=0)
    return out


def turn_of(m: Array) -> Array:
    """(..., 3) axis times angle in radians (0 to pi) of rotation matrices (..., 3, 3): their logarithm."""
    q = to_quaternion(m)
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    return q[..., 1:] * np.where(sine > 1e-8, angle / np.maximum(sine, 1e-8), 2.0)


def turned(v: Array) -> Array:
    """(..., 3, 3) rotations by axis times angle in radians (..., 3): the exponential."""
    angle = np.linalg.norm(v, axis=-1)
    k = cross_matrix(v)
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    a = np.where(small, 1.0, np.sin(safe) / safe)[..., None, None]
    b = np.where(small, 0.5, (1 - np.cos(safe)) / safe**2)[..., None, None]
    return np.eye(3) + a * k + b * (k @ k)


def between(first: Array, second: Array, share: float) -> Array:
    """(..., 3, 3) the rotation that is ``share`` of the way from first to second, along the shortest turn."""
    return turned(share * turn_of(second @ first.swapaxes(-1, -2))) @ first


def twist_angle(m: Array, axis: Array) -> Array:
    """(...,) angles in radians of the twists of rotations m (..., 3, 3), split as swing @ twist about the unit axis (3,)."""
    q = to_quaternion(m)
    return 2 * np.arctan2((q[..., 1:] * axis).sum(-1), q[..., 0])


def near_zero(angle: Array) -> Array:
    """(T,) angles over time, whole turns taken off so that they are continuous and start in (-pi, pi]."""
    unwrapped = np.unwrap(angle)
    return unwrapped - 2 * np.pi * np.round(unwrapped[:1] / (2 * np.pi))


def mean_rotation(ms: list[Array], weights: list[float]) -> Array:
    """(..., 3, 3) weighted mean of rotations that are not far from each other (normalised sum of quaternions)."""
    first = to_quaternion(ms[0])
    total = first * weights[0]
    for m, weight in zip(ms[1:], weights[1:], strict=True):
        q = to_quaternion(m)
        total = total + weight * q * np.where((q * first).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return to_matrix(total)
