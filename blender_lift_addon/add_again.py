# SPDX-License-Identifier: GPL-3.0-or-later
"""A take of the list brought into the scene once more: as a new armature, or as a new action of one that fits."""

import bpy

from lifter_core.take import Take

from .armature import bone_name, rest_of
from .build import Lifted, add_take
from .keyframes import key_pose
from .motion_curves import motion_of
from .properties.takes import LiftTake, clip_file
from .tags import PERSON, tag
from .timing import take_frames


def fits(armature: bpy.types.Object, take: Take) -> bool:
    """Whether it is an armature with the take's bones."""
    data = armature.data
    return isinstance(data, bpy.types.Armature) and all(bone_name(name) in data.bones for name in take.bone_names)


def add_again(scene: bpy.types.Scene, entry: LiftTake, take: Take, as_strip: bool = False) -> Lifted:
    """Adds new armatures, a new camera and the clip behind it; they are the take's from now on."""
    for block in (*bpy.data.objects, *bpy.data.actions):
        if block.get("lift_take") == entry.uid:
            tag(block, "")  # what the take made before is the user's now
    lifted = add_take(scene, take, clip_file(entry), entry.name, False, entry.first_frame, entry.uid)
    entry.rate = scene.render.fps / scene.render.fps_base
    for armature in lifted.armatures:
        if as_strip:
            push_down(armature)
    return lifted


def key_on(armature: bpy.types.Object, entry: LiftTake, take: Take, as_strip: bool = False) -> bpy.types.Action:
    """Gives the armature a new action with the motion of the take's person; the one it had stays in the file.

    With ``as_strip`` the armature's active action stays, and the motion is a strip in a new NLA track above the others.
    """
    person = int(armature.get(PERSON, 0))
    person = person if 0 <= person < take.positions.shape[0] else 0
    animation = armature.animation_data or armature.animation_data_create()
    assert animation is not None
    before = animation.action
    slot = getattr(animation, "action_slot", None)
    if before is not None:
        before.use_fake_user = True
    frames = take_frames(take, entry.rate, entry.first_frame)
    motion = motion_of(take, person, frames, rest_of(armature, take.bone_names))
    key_pose(armature, motion, f"{entry.name} motion")
    action = animation.action
    assert action is not None
    if as_strip:
        push_down(armature)
        animation.action = before
        if slot is not None:
            animation.action_slot = slot
    return action


def push_down(armature: bpy.types.Object) -> None:
    """Moves the armature's action into an NLA track of its own."""
    animation = armature.animation_data
    if animation is None or animation.action is None:
        return
    action = animation.action
    slot = getattr(animation, "action_slot", None)
    animation.action = None
    track = animation.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, int(action.frame_range[0]), action)
    if slot is not None:
        strip.action_slot = slot
