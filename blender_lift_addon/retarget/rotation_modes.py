# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as Blender's rotation modes key them: Euler angles in any order, axis and angle.

Blender's Euler order "XYZ" turns about X first: the matrix is Rz @ Ry @ Rx.
"""

import numpy as np

from lifter_core.rotations import Floats, about, continuous, to_quaternion, unit


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


def axis_angle_of_matrix(m: Floats) -> Floats:
    """(T, 4) angle, x, y, z of rotations (T, 3, 3), continuous; where nothing turns the axis before is held."""
    q = continuous(to_quaternion(m))
    length = np.linalg.norm(q[:, 1:], axis=-1)
    turning = length > 1e-7
    at = np.maximum.accumulate(np.where(turning, np.arange(len(q)), 0))
    axis = np.where(turning.any(), unit(q[:, 1:])[at], np.array((0.0, 1.0, 0.0)))
    axis[~turning[at]] = (0.0, 1.0, 0.0)
    angle = 2 * np.arctan2(length, q[:, 0])
    sign = np.concatenate(((1.0,), np.cumprod(np.where((axis[1:] * axis[:-1]).sum(-1) < 0, -1.0, 1.0))))
    return np.concatenate((np.unwrap(angle * sign)[:, None], axis * sign[:, None]), -1)
