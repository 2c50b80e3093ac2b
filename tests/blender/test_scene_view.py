"""What the windows show of a take that was lifted."""

import bpy
import pytest

from blender_lift_addon import scene_view
from blender_lift_addon.build import add_take
from blender_lift_addon.scene_view import framing, scale

from .synthetic_take import synthetic_take

# What view3d.view_center_camera set for a camera with sensor_fit HORIZONTAL in a window of Blender 4.3.2.
VIEW = (1322, 784)
CENTRED = {
    (1920, 1080, 1.0): 29.138374,
    (1080, 1920, 1.0): -13.002909,
    (640, 640, 1.0): 6.182223,
    (720, 576, 1.0667): 18.034374,
    (300, 4000, 1.0): -30.0,
}


def test_the_frame_is_centred_as_blenders_operator_does() -> None:
    for (width, height, pixel), zoom in CENTRED.items():
        assert framing(VIEW, width * pixel / height) == (pytest.approx(zoom, abs=1e-4), (0.0, 0.0))


@pytest.mark.parametrize("ratio", [16 / 9, 9 / 16])
def test_the_frame_fills_what_the_sidebars_leave(ratio: float) -> None:
    framed = framing(VIEW, ratio, left=56, right=280, top=52)
    assert framed is not None
    factor = scale(framed[0])
    width, height = VIEW[0] * factor, VIEW[0] * factor / ratio
    assert min(VIEW[0] - 336 - width, VIEW[1] - 52 - height) == pytest.approx(0, abs=4)
    # Blender draws the frame's middle this far left of the view's and below it.
    left, below = (2 * VIEW[0] * factor * framed[1][0], 2 * VIEW[1] * factor * framed[1][1])
    assert VIEW[0] / 2 - left == pytest.approx((56 + VIEW[0] - 280) / 2)
    assert VIEW[1] / 2 - below == pytest.approx((VIEW[1] - 52) / 2)


def test_a_view_that_is_all_covered_has_no_room() -> None:
    assert framing((300, 200), 1.5, left=50, right=260) is None and framing((0, 0), 1.5) is None


def test_a_new_take_is_looked_at_through_its_camera() -> None:
    window = bpy.context.window_manager.windows[0]
    lifted = add_take(window.scene, synthetic_take(frames=3, people=1))
    scene_view.show(window, lifted)
    views = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    seen = [area.spaces.active.region_3d.view_perspective for area in views]
    assert "CAMERA" in seen and window.scene.camera == lifted.camera
    assert lifted.camera.data.sensor_fit == "HORIZONTAL", "framing counts on it"
    assert bpy.context.view_layer.objects.active == lifted.armatures[0]
