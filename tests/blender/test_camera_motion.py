"""A camera that turns and zooms, in Blender: the footage lines up in every frame; a still one is not animated."""

from dataclasses import replace

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from blender_lift_addon.build import add_take
from lifter_core.rotations import to_matrix
from lifter_core.take import Take

from .synthetic_take import synthetic_take


def turning(take: Take, zoom: bool) -> Take:
    """The take seen by a camera on a spot that pans by 25 degrees, rolls a little and may zoom in."""
    part = np.linspace(0, 1, len(take.timestamps))
    quaternions = np.stack([np.cos(0.2 * part), 0 * part, np.sin(0.2 * part), 0.05 * part], 1)
    turns = to_matrix(quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True))
    return replace(
        take,
        camera_rotation=turns @ take.camera_rotation[0],
        camera_translation=turns @ take.camera_translation[0],
        camera_zoom=1 + part if zoom else None,
    )


@pytest.mark.parametrize("zoom", [True, False])
def test_footage_lines_up_though_the_camera_turns_and_zooms(zoom: bool) -> None:
    take = turning(synthetic_take(moving_camera=False), zoom)
    scene = bpy.context.scene
    lifted = add_take(scene, take)
    width, height = take.image_size
    lenses = []
    for t in (0, 9, 35, 59):
        scene.frame_set(t + 1)
        camera = lifted.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        lenses.append(camera.data.lens)
        focal = take.camera_matrix[0, 0] * (take.camera_zoom[t] if take.camera_zoom is not None else 1)
        for point in ((0.3, 0.0, 1.0), (0.6, 0.4, 1.7), (0.0, -0.3, 0.1)):
            x, y, z = take.camera_rotation[t] @ point + take.camera_translation[t]
            expected = focal * np.array([x, y]) / z + take.camera_matrix[:2, 2]
            seen = world_to_camera_view(scene, camera, Vector(point))
            assert np.allclose([seen.x * width, (1 - seen.y) * height], expected, atol=0.1), (t, point)
    assert lenses[-1] / lenses[0] == pytest.approx(2 if zoom else 1)
    assert np.allclose(lifted.camera.matrix_world.translation, lifted.camera.location)


def test_still_camera_has_no_keys() -> None:
    take = synthetic_take(moving_camera=False)
    take = replace(take, camera_zoom=np.ones(len(take.timestamps)))
    camera = add_take(bpy.context.scene, take).camera
    for block in (camera, camera.data):
        assert block.animation_data is None or block.animation_data.action is None
