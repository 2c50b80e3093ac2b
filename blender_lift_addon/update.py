# SPDX-License-Identifier: GPL-3.0-or-later
"""A take that was solved anew: its armature, action and camera follow, but never over what the user changed."""

from typing import Any

import bpy
import numpy as np

from lifter_core.take import Take

from .action_swap import replace, replaceable
from .add_again import fits
from .armature import Rest, bone_name, rest_heads, rest_of, set_bones
from .keyframes import key_pose
from .motion_curves import motion_of
from .prepared import Prepared
from .properties.takes import LiftTake
from .tags import KEYS, PERSON, armatures, camera, tag, uid_of, untouched
from .take_camera import camera_state, place_camera
from .timing import take_frames

CLOSE = 1e-4  # m; the same bones


def rest_differs(uid: str, take: Take) -> bool:
    """Whether the take's bones are of other lengths than those of the armatures it made."""
    return any(_bones_differ(armature, take) for armature in armatures(uid))


def rests(uid: str, take: Take) -> dict[int, Rest]:
    """The rest poses that the armatures keep which the take made, by person."""
    kept = [armature for armature in armatures(uid) if not _bones_differ(armature, take)]
    return {int(armature[PERSON]): rest_of(armature, take.bone_names) for armature in kept if fits(armature, take)}


def update_take(entry: LiftTake, take: Take, prepared: Prepared | None = None) -> str:
    """Has what the take made in the scene follow it; returns what the user should know, or nothing.

    ``prepared`` is what was made of its motion ahead.
    """
    notes = []
    frames = take_frames(take, entry.rate, entry.first_frame)
    made = armatures(entry.uid)
    if not made:
        notes.append("Its armature is gone: Apply Take adds a new one")
    for armature in made:
        person = int(armature[PERSON])
        if person >= take.positions.shape[0]:
            continue
        if _bones_differ(armature, take):
            set_bones(armature, take, person)
        rest = rest_of(armature, take.bone_names)
        ready = prepared if prepared and prepared.motion(person, frames, rest) else None
        motion = ready.motions[person] if ready else motion_of(take, person, frames, rest)
        old = _own_action(armature, entry.uid, person)
        if old is not None:
            new = ready.action(person) if ready else None
            if new is not None and replaceable(old, new):
                replace(old, new)
            else:
                key_pose(armature, motion, old.name, action=old)
            continue
        name = f"{armature.name} motion"
        if ready is None or not ready.take_up(armature, person, frames, rest, name):
            key_pose(armature, motion, name)
        animation = armature.animation_data
        if animation is not None and animation.action is not None:
            tag(animation.action, entry.uid, person)
            notes.append(f"You changed the keys, so the new motion is an action of its own: {animation.action.name}")
    eye = camera(entry.uid)
    if eye is not None:
        if eye.get(KEYS) == camera_state(eye):
            _renew_camera(eye, take, frames)
        else:
            notes.append("You changed the camera, so it stays as it is")
    return ". ".join(notes)


def _bones_differ(armature: bpy.types.Object, take: Take) -> bool:
    person = int(armature[PERSON])
    data = armature.data
    if not isinstance(data, bpy.types.Armature) or person >= take.positions.shape[0]:
        return False
    heads = rest_heads(take, person)
    for name, head in zip(take.bone_names, heads, strict=True):
        bone = data.bones.get(bone_name(name))
        if bone is not None and np.abs(np.array(bone.head_local) - head).max() > CLOSE:
            return True
    return False


def _own_action(armature: bpy.types.Object, uid: str, person: int) -> bpy.types.Action | None:
    """The take's action for that person with no key changed since: the armature's, or one in use elsewhere."""
    animation = armature.animation_data
    actions = [animation.action] if animation is not None and animation.action is not None else []
    actions += [action for action in bpy.data.actions if action not in actions]
    for action in actions:
        if uid_of(action) == uid and int(action.get(PERSON, -1)) == person and untouched(action, armature):
            return action
    return None


def _renew_camera(eye: bpy.types.Object, take: Take, frames: Any) -> None:
    old = [
        block.animation_data.action
        for block in (eye, eye.data)
        if block is not None and block.animation_data is not None and block.animation_data.action is not None
    ]
    place_camera(eye, take, frames, eye.name)
    for action in old:
        if action.users <= 1:  # its fake one
            bpy.data.actions.remove(action)
