# SPDX-License-Identifier: GPL-3.0-or-later
"""Two-bone limbs that must reach a place, in closed form for all frames at once."""

import numpy as np

from lifter_core.rotations import Floats, least_rotation, unit

STRETCH = 0.9995  # of the limb's length; a limb that is quite straight flips its knee at a breath


def _dot(a: Floats, b: Floats) -> Floats:
    return np.einsum("...i,...i->...", a, b)[..., None]


def _length(v: Floats) -> Floats:
    return np.sqrt(_dot(v, v))


def bent(root: Floats, middle: Floats, end: Floats, goal: Floats, forward: Floats) -> tuple[Floats, Floats]:
    """(T, 3) where the limb's middle joint and its end come to when the end goes to the goal, bent in the plane it was.

    Args:
        root: (T, 3) hip or shoulder.
        middle: (T, 3) knee or elbow.
        end: (T, 3) ankle or wrist.
        goal: (T, 3) where the end must be; out of reach the limb points there.
        forward: (T, 3) where the middle joint goes when the limb is straight and does not tell.
    """
    upper, lower = _length(middle - root), _length(end - middle)
    line = unit(end - root)
    bend = middle - root
    bend = bend - line * _dot(bend, line)
    hint = forward - line * _dot(forward, line)
    bend = bend + 0.02 * (upper + lower) * unit(hint)
    new_line = unit(goal - root)
    # Turned as the limb's line is, by the smallest rotation; limbs do not turn round by half a turn.
    axis, cosine = np.cross(line, new_line), _dot(line, new_line)
    bend = bend * cosine + np.cross(axis, bend) + axis * _dot(axis, bend) / np.maximum(1.0 + cosine, 1e-8)
    bend = unit(bend - new_line * _dot(bend, new_line))
    distance = np.clip(_length(goal - root), np.abs(upper - lower) * 1.001, (upper + lower) * STRETCH)
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    off = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    return root + new_line * along + bend * off, root + new_line * distance


def reach(root: Floats, middle: Floats, end: Floats, goal: Floats, forward: Floats) -> tuple[Floats, Floats]:
    """(T, 3, 3) world rotations to put before those of the upper and of the lower bone, for the end to come to the goal.

    The arguments are those of ``bent``.
    """
    new_middle, new_end = bent(root, middle, end, goal, forward)
    return least_rotation(middle - root, new_middle - root), least_rotation(end - middle, new_end - new_middle)


def leeway(root: Floats, middle: Floats, end: Floats, angle: float) -> tuple[Floats, Floats]:
    """(T,) how short and how long a limb gets if its two bones bend or stretch by ``angle`` (rad) each."""
    first, second = middle - root, end - middle
    upper, lower = np.linalg.norm(first, axis=-1), np.linalg.norm(second, axis=-1)
    bend = np.arctan2(np.linalg.norm(np.cross(first, second), axis=-1), (first * second).sum(-1))

    def long(bend: Floats) -> Floats:
        return np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(bend))

    shortest, longest = long(np.minimum(bend + 2 * angle, np.pi)), long(np.maximum(bend - 2 * angle, 0.0))
    return shortest, np.minimum(longest, (upper + lower) * STRETCH)


def apart(a: Floats, b: Floats) -> Floats:
    """(T,) rad between directions (T, 3)."""
    return np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1))
