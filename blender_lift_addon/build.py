# SPDX-License-Identifier: GPL-3.0-or-later
"""A take becomes a collection in a scene: an armature for each person, the camera, the clip behind it."""

import math
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.take import Take

from .armature import make_armature
from .background import set_background
from .camera import make_camera
from .keyframes import key_pose, scene_frames
from .reels import bring_in, reel
from .tags import tag, uid_of

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


def scene_rate(scene: bpy.types.Scene) -> float:
    """The scene's frames a second."""
    return scene.render.fps / scene.render.fps_base


def set_scene_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Sets the scene's frames a second; Blender has whole numbers with a divisor."""
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps


def take_frames(take: Take, fps: float, first: int) -> NDArray[np.float64]:
    """(T,) scene frames of the take's frames at the scene's rate, the first of them at ``first``."""
    return scene_frames(take.timestamps - take.timestamps[0], fps, first)


def add_take(
    scene: bpy.types.Scene,
    take: Take,
    clip_path: Path | None = None,
    name: str = "Take",
    match_rate: bool = True,
    first_frame: int | None = None,
    uid: str = "",
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
    """
    opened = reel(clip_path) if clip_path else None
    clip = bring_in(opened) if opened else None
    # Blender shows a clip by this rate, which for a variable one is not the average that the decoder tells.
    clip_rate = opened.rate if opened and opened.rate >= 1 else take.fps
    others = any(uid_of(ob) not in ("", uid) for ob in scene.objects)  # takes to be neither cut off nor put out of step
    if match_rate and not others:
        set_scene_rate(scene, clip_rate)
    fps = scene_rate(scene)
    first = scene.frame_start if first_frame is None else first_frame
    frames = take_frames(take, fps, first)
    last = max(first, round(frames[-1]))
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
        key_pose(armature, take, person, frames, f"{label} motion")
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
        set_background(camera.data, scene, clip, take, clip_rate, fps, first)
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
