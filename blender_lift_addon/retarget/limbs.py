# SPDX-License-Identifier: GPL-3.0-or-later
"""Two-bone limbs that must reach a place, in closed form for all frames at once."""

import numpy as np

from .rotations import Floats, apply, between, unit

STRETCH = 0.9995  # of the limb's length; a limb that is quite straight flips its knee at a breath


def reach(root: Floats, middle: Floats, end: Floats, goal: Floats, forward: Floats) -> tuple[Floats, Floats]:
    """How the two bones turn so that the limb's end comes to the goal; it bends in the plane that it bent in.

    Args:
        root: (T, 3) hip or shoulder.
        middle: (T, 3) knee or elbow.
        end: (T, 3) ankle or wrist.
        goal: (T, 3) where the end must be; out of reach the limb points there.
        forward: (T, 3) where the middle joint goes when the limb is straight and does not tell.

    Returns:
        (T, 3, 3) world rotations to put before those of the upper and of the lower bone.
    """
    upper = np.linalg.norm(middle - root, axis=-1, keepdims=True)
    lower = np.linalg.norm(end - middle, axis=-1, keepdims=True)
    line = unit(end - root)
    bend = middle - root
    bend = bend - line * (bend * line).sum(-1, keepdims=True)
    hint = forward - line * (forward * line).sum(-1, keepdims=True)
    bend = bend + 0.02 * (upper + lower) * unit(hint)
    new_line = unit(goal - root)
    bend = (between(line, new_line) @ bend[..., None])[..., 0]
    bend = unit(bend - new_line * (bend * new_line).sum(-1, keepdims=True))
    distance = np.linalg.norm(goal - root, axis=-1, keepdims=True)
    distance = np.clip(distance, np.abs(upper - lower) * 1.001, (upper + lower) * STRETCH)
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    off = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    new_middle = root + new_line * along + bend * off
    new_end = root + new_line * distance
    return between(middle - root, new_middle - root), between(end - middle, new_end - new_middle)


def leeway(root: Floats, middle: Floats, end: Floats, angle: float) -> tuple[Floats, Floats]:
    """(T,) how short and how long a limb gets if its two bones bend or stretch by ``angle`` (rad) each."""
    first, second = middle - root, end - middle
    upper, lower = np.linalg.norm(first, axis=-1), np.linalg.norm(second, axis=-1)
    bend = np.arctan2(np.linalg.norm(np.cross(first, second), axis=-1), (first * second).sum(-1))

    def long(bend: Floats) -> Floats:
        return np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(bend))

    shortest, longest = long(np.minimum(bend + 2 * angle, np.pi)), long(np.maximum(bend - 2 * angle, 0.0))
    return shortest, np.minimum(longest, (upper + lower) * STRETCH)


def turned(turn: Floats, direction: Floats) -> Floats:
    """(T,) rad by which rotations change a direction (T, 3)."""
    after = apply(turn, direction)
    return np.arctan2(np.linalg.norm(np.cross(direction, after), axis=-1), (direction * after).sum(-1))
