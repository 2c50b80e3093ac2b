"""The figures behind what is drawn; the drawing itself is in test_drawing.py, and looked at in a real window."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_lift_addon.build import add_take
from blender_lift_addon.overlay import LINKS, confidence_colors, frame_spans, links_of

from .synthetic_take import synthetic_take


def test_sure_is_green_and_unsure_is_red() -> None:
    red, green = confidence_colors(np.array([0.05, 0.95]))[:, :2].T
    assert red[0] == 1 and green[0] < 0.2 and green[1] == 1 and red[1] < 0.2


def test_runs_of_flags_cover_their_frames() -> None:
    flags = np.array([0, 1, 1, 0, 0, 1], bool)
    assert frame_spans(flags, np.arange(10.0, 16.0)).tolist() == [[10.5, 12.5], [14.5, 15.5]]
    assert frame_spans(np.zeros(6, bool), np.arange(6.0)).shape == (0, 2)


def test_keypoints_of_other_names_are_drawn_without_lines() -> None:
    seen = np.ones(2, bool)
    assert seen[links_of(("nape", "crown"))].all(-1).shape == (0,)
    assert links_of(("nape", *LINKS[0])).tolist() == [[1, 2]]


def test_the_figure_is_made_of_the_detectors_points() -> None:
    mediapipe = pytest.importorskip("lifter_core.detect.mediapipe", exc_type=ImportError)
    assert {name for link in LINKS for name in link} <= set(mediapipe.KEYPOINT_NAMES)


@pytest.mark.parametrize(
    ("render", "method"),
    [((320, 180), "FIT"), ((640, 360), "FIT"), ((640, 480), "FIT"), ((480, 640), "FIT"), ((640, 200), "CROP")],
)
def test_the_footage_is_as_wide_as_the_frame_at_any_render_size(
    clip: Path, render: tuple[int, int], method: str
) -> None:
    scene = bpy.context.scene
    lifted = add_take(scene, synthetic_take(frames=20, size=(320, 180)), clip)
    scene.render.resolution_x, scene.render.resolution_y = render
    bpy.context.view_layer.update()
    data = lifted.camera.data.evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert data.background_images[0].frame_method == method
    assert lifted.camera.data.animation_data.drivers[0].driver.is_simple_expression
