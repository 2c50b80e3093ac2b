"""What is drawn, drawn off the screen: by Blender 5.2 and later, whose GPU module works without a window."""

from types import SimpleNamespace
from typing import Any

import gpu
import numpy as np
import pytest
from mathutils import Matrix

from blender_lift_addon import drawing

WIDTH, HEIGHT = 200, 100


@pytest.fixture(scope="module", autouse=True)
def graphics() -> None:
    """OpenGL or Vulkan without a window."""
    if not hasattr(gpu, "init"):
        pytest.skip("this Blender draws in windows only")
    try:
        gpu.init()
        gpu.types.GPUOffScreen(8, 8)
    except Exception as error:
        pytest.skip(f"no graphics here: {error}")


def picture(*shapes: tuple[Any, ...]) -> np.ndarray:
    """(h, w, 4) what a function and its arguments each leave on black, rows from below."""
    pixels = Matrix.Identity(4)
    pixels[0][0], pixels[1][1], pixels[0][3], pixels[1][3] = 2 / WIDTH, 2 / HEIGHT, -1, -1
    screen = gpu.types.GPUOffScreen(WIDTH, HEIGHT)
    with screen.bind():
        buffer = gpu.state.active_framebuffer_get()
        buffer.clear(color=(0.0, 0.0, 0.0, 1.0))
        with gpu.matrix.push_pop():
            gpu.matrix.load_matrix(Matrix.Identity(4))
            gpu.matrix.load_projection_matrix(pixels)
            for draw, *arguments in shapes:
                draw(*arguments)
        content = buffer.read_color(0, 0, WIDTH, HEIGHT, 4, 0, "UBYTE").to_list()
    screen.free()
    return np.array(content, np.uint8).reshape(HEIGHT, WIDTH, 4)


def test_shapes_are_where_they_belong_in_their_colours() -> None:
    drawn = picture(
        (drawing.rectangle, 0, 0, 20, 20, (1.0, 0.0, 0.0, 1.0)),
        (drawing.rectangles, np.array([[40.0, 0, 20, 20]]), (0.0, 1.0, 0.0, 1.0)),
        (drawing.sticks, np.array([[[80.0, 50], [120, 50]]]), np.tile((0.0, 0.0, 1.0, 1.0), (1, 2, 1)), 6),
        (drawing.dots, np.array([[150.0, 50]]), np.array([[1.0, 1.0, 0.0, 1.0]]), 8),
    )[..., :3]
    places = {(10, 10): (255, 0, 0), (10, 50): (0, 255, 0), (50, 100): (0, 0, 255), (50, 150): (255, 255, 0)}
    assert {place: tuple(drawn[place].tolist()) for place in places} == places
    assert not drawn[10, 30].any() and not drawn[50, 60].any() and not drawn[70, 150].any()


def test_a_picture_is_upright_in_its_own_colours() -> None:
    red_above_blue = np.zeros((2, 1, 4), np.float32)
    red_above_blue[0, 0], red_above_blue[1, 0] = (0, 0, 1, 1), (1, 0, 0, 1)
    image = gpu.types.GPUTexture((1, 2), format="RGBA32F", data=gpu.types.Buffer("FLOAT", 8, red_above_blue.ravel()))
    drawn = picture((drawing.texture, image, 0, 0, 100, 100))
    assert drawn[90, 50, :3].tolist() == [255, 0, 0] and drawn[10, 50, :3].tolist() == [0, 0, 255]
    assert not drawn[50, 150, :3].any()


def test_text_is_centred(monkeypatch: pytest.MonkeyPatch) -> None:
    preferences = SimpleNamespace(system=SimpleNamespace(ui_scale=1.0))  # Blender's is 0 without a window
    monkeypatch.setattr(drawing, "bpy", SimpleNamespace(context=SimpleNamespace(preferences=preferences)))
    drawn = picture((drawing.text, "Tracking lost", 100, 40))[..., 0] > 80
    rows, columns = np.nonzero(drawn)
    assert len(rows) > 100 and abs((columns.min() + columns.max()) / 2 - 100) < 3
    assert rows.min() > 35 and rows.max() < 56
