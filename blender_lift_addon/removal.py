# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes what a take made out of the scene again: armatures, camera, footage, their actions and collection."""

from typing import Any

import bpy

from .tags import KEYS, armatures, camera, uid_of, untouched
from .take_camera import camera_state


def remove_made(scene: bpy.types.Scene, uid: str) -> None:
    """Removes it from the file. Copies of it, actions that the user changed and what else is in its collection stay."""
    made = armatures(uid)
    owner = made[0] if made else None
    actions = [ob for ob in bpy.data.actions if uid_of(ob) == uid and owner is not None and untouched(ob, owner)]
    eye = camera(uid)
    if eye is not None:
        made.append(eye)
        actions += _actions(eye) if eye.get(KEYS) == camera_state(eye) else []
    for ob in made:
        _remove(ob)
    for action in set(actions):
        _drop(bpy.data.actions, action)
    for collection in [collection for collection in bpy.data.collections if uid_of(collection) == uid]:
        if not collection.all_objects and not collection.children:
            bpy.data.collections.remove(collection)
    if scene.camera is None:
        scene.camera = next((ob for ob in scene.objects if ob.type == "CAMERA"), None)


def _actions(ob: bpy.types.Object) -> list[bpy.types.Action]:
    """Of a camera and of its lens."""
    blocks: Any = (ob, ob.data)
    return [b.animation_data.action for b in blocks if b.animation_data is not None and b.animation_data.action]


def _remove(ob: bpy.types.Object) -> None:
    data: Any = ob.data
    shown = [(image.clip, image.image) for image in getattr(data, "background_images", ())]
    bpy.data.objects.remove(ob)
    if data.users == 0:
        holder: Any = bpy.data.armatures if isinstance(data, bpy.types.Armature) else bpy.data.cameras
        holder.remove(data)
        for clip, image in shown:
            if clip is not None:
                _drop(bpy.data.movieclips, clip)
            if image is not None:
                _drop(bpy.data.images, image)


def _drop(holder: Any, block: bpy.types.ID) -> None:
    """Removes a block that nothing but its fake user holds."""
    if block.users <= int(block.use_fake_user):
        holder.remove(block)
