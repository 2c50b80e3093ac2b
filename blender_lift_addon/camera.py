# SPDX-License-Identifier: GPL-3.0-or-later
"""The take's camera in Blender."""

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from lifter_core.take import Take

from .keyframes import LINEAR, add_curves, continuous, new_action

SENSOR_WIDTH = 36.0  # mm
STILL = 1e-6  # below this change in m or of a rotation's parts over the whole take, the camera is not keyed


def camera_world(take: Take) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T, 4) rotations wxyz and (T, 3) places in m of a Blender camera (looks along -Z, Y up) that sees the take."""
    to_world = np.swapaxes(take.camera_rotation, 1, 2)
    places = -np.einsum("tij,tj->ti", to_world, take.camera_translation)
    axes = to_world * (1.0, -1.0, -1.0)  # OpenCV looks along +Z, Y down
    rotations = np.array([Matrix(m.tolist()).to_quaternion() for m in axes])
    return continuous(rotations), places


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
    set_lens(camera, take)
    camera_object = bpy.data.objects.new(name, camera)
    camera_object.rotation_mode = "QUATERNION"
    rotations, places = camera_world(take)
    camera_object.location = places[0]
    camera_object.rotation_quaternion = rotations[0]
    if max(np.ptp(rotations, 0).max(), np.ptp(places, 0).max()) > STILL:
        curves = new_action(camera_object, name)
        interpolation = np.full(len(frames), LINEAR)
        add_curves(curves, "location", "Object Transforms", frames, places, interpolation)
        add_curves(curves, "rotation_quaternion", "Object Transforms", frames, rotations, interpolation)
    return camera_object
