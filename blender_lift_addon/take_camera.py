# SPDX-License-Identifier: GPL-3.0-or-later
"""The take's camera in Blender."""

import zlib

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import continuous, to_quaternion
from lifter_core.take import Take

from .keyframes import add_curves, new_action
from .motion_curves import LINEAR
from .tags import KEYS, fingerprint

SENSOR_WIDTH = 36.0  # mm
STILL = 1e-6  # below this change in m or of a rotation's parts over the whole take, the camera is not keyed


def camera_world(take: Take) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T, 4) rotations wxyz and (T, 3) places in m of a Blender camera (looks along -Z, Y up) that sees the take."""
    to_world = np.swapaxes(take.camera_rotation, 1, 2)
    places = -np.einsum("tij,tj->ti", to_world, take.camera_translation)
    axes = to_world * (1.0, -1.0, -1.0)  # OpenCV looks along +Z, Y down
    return continuous(to_quaternion(axes)), places


def set_lens(camera: bpy.types.Camera, take: Take) -> None:
    """Focal length and shift from the camera matrix, by the picture's width, whether it is wide or tall."""
    width, height = take.image_size
    focal, centre_x, centre_y = take.camera_matrix[0, 0], take.camera_matrix[0, 2], take.camera_matrix[1, 2]
    camera.sensor_fit = "HORIZONTAL"
    camera.sensor_width = SENSOR_WIDTH
    camera.lens = focal * SENSOR_WIDTH / width
    camera.shift_x = (width / 2 - centre_x) / width
    camera.shift_y = (centre_y - height / 2) / width


def make_camera(take: Take, frames: NDArray[np.float64], name: str) -> bpy.types.Object:
    """A new camera object, in no collection yet; keyed at the scene frames (T,) if the take's camera moves."""
    camera = bpy.data.cameras.new(name)
    camera_object = bpy.data.objects.new(name, camera)
    place_camera(camera_object, take, frames, name)
    return camera_object


def place_camera(camera_object: bpy.types.Object, take: Take, frames: NDArray[np.float64], name: str) -> None:
    """Has a camera that a take made see that take, and signs it; what animated it before is replaced."""
    camera = camera_object.data
    assert isinstance(camera, bpy.types.Camera)
    set_lens(camera, take)
    camera_object.rotation_mode = "QUATERNION"
    rotations, places = camera_world(take)
    camera_object.location = places[0]
    camera_object.rotation_quaternion = rotations[0]
    for block in (camera_object, camera):
        if block.animation_data is not None:
            block.animation_data.action = None
    interpolation = np.full(len(frames), LINEAR)
    if max(np.ptp(rotations, 0).max(), np.ptp(places, 0).max()) > STILL:
        curves = new_action(camera_object, name)
        add_curves(curves, "location", "Object Transforms", frames, places, interpolation)
        add_curves(curves, "rotation_quaternion", "Object Transforms", frames, rotations, interpolation)
    zoom = take.camera_zoom
    if zoom is not None and np.ptp(zoom) > STILL:
        curves = new_action(camera, f"{name} lens")
        add_curves(curves, "lens", "Lens", frames, (camera.lens * np.asarray(zoom, float))[:, None], interpolation)
    camera_object[KEYS] = camera_state(camera_object)


def camera_state(camera_object: bpy.types.Object) -> str:
    """A number for where the camera is, how it is animated and what it sees, to tell whether the user changed it."""
    camera = camera_object.data
    assert isinstance(camera, bpy.types.Camera)
    values = [*np.array(camera_object.scale), camera.shift_x, camera.shift_y]
    if not _action(camera_object):
        values += [*np.array(camera_object.location), *np.array(camera_object.rotation_quaternion)]
    if not _action(camera):
        values.append(camera.lens)
    prints = [fingerprint(action, block) for block in (camera_object, camera) if (action := _action(block))]
    return f"{zlib.crc32(np.array(values, np.float32).tobytes()):08x}{''.join(prints)}"


def _action(block: bpy.types.Object | bpy.types.ID) -> bpy.types.Action | None:
    animation = getattr(block, "animation_data", None)
    return animation.action if animation is not None else None
