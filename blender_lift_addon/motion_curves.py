# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's motion as F-curves that only need to be written: made of arrays alone, so beside Blender in a thread."""

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, conjugate, continuous, multiply
from lifter_core.take import Take

from .armature import Rest, bone_name, take_rest
from .tags import checksum

CONSTANT, LINEAR = 0, 1  # values of Keyframe.interpolation
NEARLY_WHOLE = 0.1  # frames; containers round their timestamps to milliseconds
SAME = 1e-5  # m, and parts of a quaternion


@dataclass(frozen=True)
class Channel:
    """One F-curve.

    Attributes:
        path: its data path.
        index: its array index.
        group: of the action.
        keys: (2 N,) frame, value, frame, value, ...
    """

    path: str
    index: int
    group: str
    keys: NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """What one person's armature is to be keyed with.

    Attributes:
        frames: (T,) scene frames of the take's frames.
        rest: of the armature that this moves like the person.
        channels: the F-curves.
        interpolation: (N,) of the keys of each.
        check: the fingerprint of an action that has just these keys.
    """

    frames: Floats
    rest: Rest
    channels: tuple[Channel, ...]
    interpolation: NDArray[np.int32]
    check: str

    def fits(self, frames: Floats, rest: Rest) -> bool:
        """Whether it is the motion for these frames and an armature with that rest pose."""
        turned = np.abs((self.rest[0] * rest[0]).sum(-1))  # a quaternion and its negative are the same
        moved = np.abs(self.rest[1] - rest[1]).max()
        return np.array_equal(self.frames, frames) and bool(turned.min() > 1 - SAME and moved < SAME)


def scene_frames(seconds: Floats, fps: float, first_frame: int) -> Floats:
    """(T,) scene frames of times counted from the take's first frame; whole where they are whole but for rounding."""
    frames = seconds * fps
    whole = np.round(frames)
    return first_frame + np.where(np.abs(frames - whole) < NEARLY_WHOLE, whole, frames)


def holds(present: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(N,) interpolation of the keys at the present frames: constant where a gap follows, so that the pose is held."""
    at = np.flatnonzero(present)
    return np.where(np.diff(at, append=at[-1] + 1) > 1, CONSTANT, LINEAR).astype(np.int32)


def channels(path: str, group: str, frames: Floats, values: Floats) -> list[Channel]:
    """One F-curve for each column of values (N, C), keyed at the scene frames (N,)."""
    keys = np.empty((values.shape[1], len(frames), 2), np.float32)
    keys[..., 0], keys[..., 1] = frames, values.T
    return [Channel(path, index, group, column.ravel()) for index, column in enumerate(keys)]


def motion_of(take: Take, person: int, frames: Floats, rest: Rest) -> Motion | None:
    """The motion of one of the take's people, None if there is no frame with a pose.

    Args:
        take: the take.
        person: which of its people.
        frames: (T,) scene frames of the take's frames.
        rest: of the armature that is to move.
    """
    present = take.present[person]
    if not present.any():
        return None
    axes, heads = rest
    local = take.rotations[person, present].astype(np.float64)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    rotations = continuous(multiply(multiply(conjugate(axes), local), axes))
    root = int(np.flatnonzero(take.bone_parents < 0)[0])
    moved = take.root_positions[person, present].astype(np.float64) - heads[root]
    pure = np.concatenate((np.zeros((len(moved), 1)), moved), -1)
    locations = multiply(multiply(conjugate(axes[root]), pure), axes[root])[:, 1:]
    made: list[Channel] = []
    for bone, take_name in enumerate(take.bone_names):
        group = bone_name(take_name)
        path = f'pose.bones["{bpy.utils.escape_identifier(group)}"]'
        if bone == root:
            made += channels(f"{path}.location", group, frames[present], locations)
        made += channels(f"{path}.rotation_quaternion", group, frames[present], rotations[:, bone])
    check = checksum((channel.path, channel.index, channel.keys) for channel in made)
    return Motion(frames, rest, tuple(made), holds(present), check)


def motions_of(take: Take, frames: Floats, rests: Mapping[int, Rest] | None = None) -> list[Motion | None]:
    """The motion of each person, for armatures with these rest poses; those that are not given are the take's own."""
    known = rests or {}
    return [
        motion_of(take, person, frames, known.get(person) or take_rest(take, person))
        for person in range(take.positions.shape[0])
    ]
