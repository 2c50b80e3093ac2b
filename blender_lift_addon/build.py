# SPDX-License-Identifier: GPL-3.0-or-later
"""A take becomes a collection in a scene: an armature for each person, the camera, the clip behind it."""

import math
from dataclasses import dataclass
from pathlib import Path

import bpy

from lifter_core.take import Take

from .armature import make_armature
from .background import load_clip, set_background
from .camera import make_camera
from .keyframes import key_pose, scene_frames


@dataclass
class Lifted:
    """What a take became."""

    collection: bpy.types.Collection
    armatures: list[bpy.types.Object]
    camera: bpy.types.Object
    clip: bpy.types.MovieClip | None
    first_seen: int  # the scene frame at which somebody first has a pose


def scene_rate(scene: bpy.types.Scene) -> float:
    """The scene's frames a second."""
    return scene.render.fps / scene.render.fps_base


def set_scene_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Sets the scene's frames a second; Blender has whole numbers with a divisor."""
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = scene.render.fps / fps


def add_take(
    scene: bpy.types.Scene, take: Take, clip_path: Path | None = None, name: str = "Take", match_rate: bool = True
) -> Lifted:
    """Adds the take to the scene from its first frame on, and sets the scene's end, render size and active camera.

    Args:
        scene: where to add it; it need not be the one on screen.
        take: the take.
        clip_path: the clip it was lifted from, for the camera's background.
        name: what the new things are called after.
        match_rate: the scene takes the clip's frame rate; otherwise the keys are put at the same times in the scene's
            own rate, between frames where need be.
    """
    clip = load_clip(clip_path) if clip_path else None
    # Blender shows a clip by this rate, which for a variable one is not the average that the decoder tells.
    clip_rate = clip.fps if clip and clip.fps >= 1 else take.fps
    if match_rate:
        set_scene_rate(scene, clip_rate)
    fps = scene_rate(scene)
    first = scene.frame_start
    frames = scene_frames(take.timestamps - take.timestamps[0], fps, first)
    scene.frame_end = max(first, round(frames[-1]))
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
    camera = make_camera(take, frames, f"{name} camera")
    collection.objects.link(camera)
    scene.camera = camera
    if clip is not None:
        assert isinstance(camera.data, bpy.types.Camera)
        set_background(camera.data, clip, take, clip_rate, fps, first)
    seen = frames[take.present.any(0)]
    return Lifted(collection, armatures, camera, clip, math.ceil(seen[0]) if len(seen) else first)
