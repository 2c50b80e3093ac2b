# SPDX-License-Identifier: GPL-3.0-or-later
"""A take becomes a collection in a scene: an armature for each person, the camera, the clip behind it."""

import math
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from lifter_core.take import Take

from .armature import make_armature, rest_of
from .camera_background import set_background
from .keyframes import key_pose
from .motion_curves import motion_of
from .opened_clips import bring_in, reel
from .prepared import Prepared
from .tags import tag
from .take_camera import make_camera
from .timing import blender_rate, has_takes, scene_rate, timing

SURE = 0.5  # a keypoint's confidence from which on it is taken for seen
NEARLY = 0.75  # of the most that is ever seen of somebody


@dataclass
class Lifted:
    """What a take became."""

    collection: bpy.types.Collection
    armatures: list[bpy.types.Object]
    camera: bpy.types.Object
    clip: bpy.types.MovieClip | None  # None too if it is shown as an image
    first_seen: int  # the scene frame at which somebody is first seen whole


def add_take(
    scene: bpy.types.Scene,
    take: Take,
    clip_path: Path | None = None,
    name: str = "Take",
    match_rate: bool = True,
    first_frame: int | None = None,
    uid: str = "",
    prepared: Prepared | None = None,
) -> Lifted:
    """Adds the take to the scene, and sets the scene's end, render size and active camera.

    Args:
        scene: where to add it; it need not be the one on screen.
        take: the take.
        clip_path: the clip it was lifted from, for the camera's background.
        name: what the new things are called after.
        match_rate: the scene takes the clip's frame rate, unless other takes are in it already; otherwise the keys are
            put at the same times in the scene's own rate, between frames where need be.
        first_frame: scene frame of the take's first, None = the scene's first.
        uid: what the new things are tagged with, so that the take finds them again.
        prepared: what was made of its motion ahead.
    """
    opened = reel(clip_path) if clip_path else None
    clip = bring_in(opened) if opened else None
    others = has_takes(scene, uid)
    plan = timing(scene, take, opened, match_rate and not others, first_frame)
    if plan.match:
        scene.render.fps, scene.render.fps_base = blender_rate(plan.clip_rate)
    frames = plan.frames(take)
    last = max(plan.first, round(frames[-1]))
    scene.frame_end = max(scene.frame_end, last) if others or first_frame is not None else last
    scene.render.resolution_x, scene.render.resolution_y = take.image_size
    scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0

    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    armatures = []
    people = take.positions.shape[0]
    for person in range(people):
        label = name if people == 1 else f"{name} person {person + 1}"
        armature = make_armature(take, person, label)
        rest = rest_of(armature, take.bone_names)
        action = f"{label} motion"
        if prepared is None or not prepared.take_up(armature, person, frames, rest, action):
            key_pose(armature, motion_of(take, person, frames, rest), action)
        collection.objects.link(armature)
        armatures.append(armature)
        tag(armature, uid, person)
        if armature.animation_data is not None and armature.animation_data.action is not None:
            tag(armature.animation_data.action, uid, person)
    camera = make_camera(take, frames, f"{name} camera")
    collection.objects.link(camera)
    scene.camera = camera
    tag(camera, uid)
    tag(collection, uid)
    if clip is not None:
        assert isinstance(camera.data, bpy.types.Camera)
        set_background(camera.data, scene, clip, take, plan.clip_rate, scene_rate(scene), plan.first)
        if not clip.users:  # shown as an image
            bpy.data.movieclips.remove(clip)
            clip = None
    return Lifted(collection, armatures, camera, clip, math.ceil(frames[first_whole(take)]))


def first_whole(take: Take) -> int:
    """The take's first frame in which most of a person is seen: who walks in is not yet in view at first."""
    x, y, sure = np.moveaxis(take.keypoints, -1, 0)
    width, height = take.image_size
    seen = ((sure >= SURE) & (x >= 0) & (x < width) & (y >= 0) & (y < height)).mean(-1) * take.present
    seen = seen if seen.any() else take.present.astype(float)
    return int(np.argmax(seen.max(0) >= NEARLY * seen.max()))
