# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations of many frames at once: matrices (..., 3, 3) acting on columns, quaternions (..., 4) wxyz, Blender's Eulers.

Blender's Euler order "XYZ" turns about X first: the matrix is Rz @ Ry @ Rx.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TINY = 1e-9


def unit(v: Floats) -> Floats:
    """(..., n) the vectors at length 1; those without length stay as they are."""
    length = np.sqrt(np.einsum("...i,...i->...", v, v))[..., None]
    return v / np.where(length > TINY, length, 1.0)


def transpose(m: Floats) -> Floats:
    """(..., 3, 3) inverses of rotation matrices."""
    return np.swapaxes(m, -1, -2)


def apply(m: Floats, v: Floats) -> Floats:
    """(..., 3) vectors turned by matrices."""
    return np.squeeze(m @ v[..., None], -1)


def matrix_of_quaternion(q: Floats) -> Floats:
    """(..., 3, 3) of quaternions of any length but 0."""
    w, x, y, z = np.moveaxis(unit(q), -1, 0)
    m = np.empty((*q.shape[:-1], 3, 3))
    m[..., 0, 0], m[..., 0, 1], m[..., 0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    m[..., 1, 0], m[..., 1, 1], m[..., 1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    m[..., 2, 0], m[..., 2, 1], m[..., 2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return m


def quaternion_of_matrix(m: Floats) -> Floats:
    """(..., 4) wxyz of rotation matrices; of the four equal formulas the best conditioned is taken."""
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    four = np.stack((1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz), -1)  # 4 q_i^2
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    d, e, f = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    best = four.argmax(-1)
    rows = np.stack(
        (
            np.stack((four[..., 0], a, b, c), -1),
            np.stack((a, four[..., 1], d, e), -1),
            np.stack((b, d, four[..., 2], f), -1),
            np.stack((c, e, f, four[..., 3]), -1),
        ),
        -2,
    )
    return unit(np.squeeze(np.take_along_axis(rows, best[..., None, None], -2), -2))


def between(a: Floats, b: Floats) -> Floats:
    """(..., 3, 3) the smallest rotations that turn the directions a (..., 3) into b; half turns about any axis."""
    a, b = np.broadcast_arrays(unit(a), unit(b))
    w = 1.0 + (a * b).sum(-1)
    side = np.where(np.abs(a[..., :1]) < 0.9, np.array((1.0, 0.0, 0.0)), np.array((0.0, 1.0, 0.0)))
    opposite = (w < 1e-8)[..., None]
    axis = np.where(opposite, np.cross(a, side), np.cross(a, b))
    return matrix_of_quaternion(np.concatenate((np.where(opposite[..., 0], 0.0, w)[..., None], axis), -1))


def about(axis: Floats, angle: Floats) -> Floats:
    """(..., 3, 3) rotations by angles (...,) about unit axes (..., 3)."""
    half = np.asarray(angle)[..., None] / 2
    axis = np.broadcast_to(axis, (*np.shape(angle), 3))
    return matrix_of_quaternion(np.concatenate((np.cos(half), np.sin(half) * axis), -1))


def twist_angle(m: Floats, axis: Floats) -> Floats:
    """(...,) how far rotations m (..., 3, 3) turn about the unit axis (3,): their twist when split as swing @ twist."""
    q = quaternion_of_matrix(m)
    return 2 * np.arctan2((q[..., 1:] * axis).sum(-1), q[..., 0])


def near_zero(angle: Floats) -> Floats:
    """(T,) angles over time, whole turns taken off so that they are continuous and start in (-pi, pi]."""
    continuous: Floats = np.unwrap(angle)
    return continuous - 2 * np.pi * np.round(continuous[:1] / (2 * np.pi))


def mean_rotation(ms: list[Floats], weights: list[float]) -> Floats:
    """(..., 3, 3) weighted mean of rotations that are not far from each other (normalised sum of quaternions)."""
    first = quaternion_of_matrix(ms[0])
    total = first * weights[0]
    for m, weight in zip(ms[1:], weights[1:], strict=True):
        q = quaternion_of_matrix(m)
        total = total + weight * q * np.where((q * first).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return matrix_of_quaternion(total)


def _axes(order: str) -> tuple[int, int, int, float]:
    i, j, k = ("XYZ".index(letter) for letter in order)
    return i, j, k, 1.0 if (j - i) % 3 == 1 else -1.0


def matrix_of_euler(euler: Floats, order: str) -> Floats:
    """(..., 3, 3) of angles (..., 3) about X, Y and Z, in Blender's order."""
    m = np.broadcast_to(np.eye(3), (*euler.shape[:-1], 3, 3))
    for letter in order:
        axis = "XYZ".index(letter)
        m = about(np.eye(3)[axis], euler[..., axis]) @ m
    return m


def euler_of_matrix(m: Floats, order: str) -> Floats:
    """(T, 3) angles about X, Y and Z of rotations (T, 3, 3), in Blender's order, continuous over time.

    Each rotation has two triples of angles; the one nearer to the frame before is taken, whole turns added as needed.
    """
    i, j, k, sign = _axes(order)
    across = np.hypot(m[:, i, i], m[:, j, i])
    first = np.empty((len(m), 3))
    free = across > 1e-7
    first[:, i] = np.where(free, np.arctan2(m[:, k, j], m[:, k, k]), np.arctan2(-m[:, j, k], m[:, j, j]))
    first[:, j] = np.arctan2(-m[:, k, i], across)
    first[:, k] = np.where(free, np.arctan2(m[:, j, i], m[:, i, i]), 0.0)
    if sign < 0:
        # Odd orders: the same formulas with the matrix entries of a mirrored frame.
        first[:, i] = np.where(free, np.arctan2(-m[:, k, j], m[:, k, k]), np.arctan2(m[:, j, k], m[:, j, j]))
        first[:, j] = np.arctan2(m[:, k, i], across)
        first[:, k] = np.where(free, np.arctan2(-m[:, j, i], m[:, i, i]), 0.0)
    second = first + np.pi
    second[:, j] = np.pi - first[:, j]

    def apart(a: Floats, b: Floats) -> Floats:
        return np.abs((a - b + np.pi) % (2 * np.pi) - np.pi).sum(-1)

    # The two triples keep the same distance from each other's neighbours, so changes of side simply add up.
    changes = apart(first[1:], first[:-1]) > apart(second[1:], first[:-1]) + 1e-9
    other = np.concatenate(((False,), np.cumsum(changes) % 2 == 1))
    chosen: Floats = np.unwrap(np.where(other[:, None], second, first), axis=0)
    return chosen


def continuous_quaternions(m: Floats) -> Floats:
    """(T, 4) of rotations (T, 3, 3), signs chosen so that there are no jumps, the first with w >= 0."""
    q = quaternion_of_matrix(m)
    q[0] *= -1.0 if q[0, 0] < 0 else 1.0
    flips = np.where((q[1:] * q[:-1]).sum(-1) < 0, -1.0, 1.0)
    q[1:] *= np.cumprod(flips)[:, None]
    return q


def axis_angle_of_matrix(m: Floats) -> Floats:
    """(T, 4) angle, x, y, z of rotations (T, 3, 3), continuous; where nothing turns the axis before is held."""
    q = continuous_quaternions(m)
    length = np.linalg.norm(q[:, 1:], axis=-1)
    turning = length > 1e-7
    at = np.maximum.accumulate(np.where(turning, np.arange(len(q)), 0))
    axis = np.where(turning.any(), unit(q[:, 1:])[at], np.array((0.0, 1.0, 0.0)))
    axis[~turning[at]] = (0.0, 1.0, 0.0)
    angle = 2 * np.arctan2(length, q[:, 0])
    sign = np.concatenate(((1.0,), np.cumprod(np.where((axis[1:] * axis[:-1]).sum(-1) < 0, -1.0, 1.0))))
    return np.concatenate((np.unwrap(angle * sign)[:, None], axis * sign[:, None]), -1)
