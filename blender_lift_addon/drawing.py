# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing in two dimensions with Blender's GPU module, in pixels of the region."""

from functools import cache
from typing import Any

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from numpy.typing import NDArray

Color = tuple[float, float, float, float]
Floats = NDArray[np.floating]


@cache
def _shader(name: str) -> Any:
    return gpu.shader.from_builtin(name)


def rectangle(x: float, y: float, width: float, height: float, color: Color) -> None:
    """A filled rectangle."""
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    shader = _shader("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=((0, 1, 2), (0, 2, 3)))
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", color)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def rectangles(boxes: Floats, color: Color) -> None:
    """Filled rectangles (N, 4): x, y, width, height."""
    if not len(boxes):
        return
    x, y, w, h = np.asarray(boxes, np.float32).T
    corners = np.stack((x, y, x + w, y, x + w, y + h, x, y, x + w, y + h, x, y + h), -1).reshape(-1, 2)
    shader = _shader("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": corners.tolist()})
    gpu.state.blend_set("ALPHA")
    shader.uniform_float("color", color)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def texture(image: Any, x: float, y: float, width: float, height: float) -> None:
    """A picture, as its file has the colours."""
    shader = _shader("IMAGE")
    corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
    batch = batch_for_shader(
        shader,
        "TRIS",
        {"pos": corners, "texCoord": ((0, 0), (1, 0), (1, 1), (0, 1))},
        indices=((0, 1, 2), (0, 2, 3)),
    )
    shader.uniform_sampler("image", image)
    batch.draw(shader)


def sticks(ends: Floats, colors: Floats, width: float) -> None:
    """Lines (N, 2, 2) px, each end with its colour (N, 2, 4)."""
    if not len(ends):
        return
    shader = _shader("POLYLINE_SMOOTH_COLOR")
    content: dict[str, Any] = {"pos": _with_depth(ends.reshape(-1, 2)), "color": colors.reshape(-1, 4).tolist()}
    batch = batch_for_shader(shader, "LINES", content)
    gpu.state.blend_set("ALPHA")
    state: Any = gpu.state
    shader.uniform_float("viewportSize", state.viewport_get()[2:])
    shader.uniform_float("lineWidth", width)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def dots(centres: Floats, colors: Floats, radius: float) -> None:
    """Filled hexagons about (N, 2) px, of colours (N, 4)."""
    if not len(centres):
        return
    turn = np.linspace(0, 2 * np.pi, 9)
    rim = radius * np.stack((np.cos(turn), np.sin(turn)), -1)
    corners = np.stack((np.zeros((8, 2)), rim[:-1], rim[1:]), 1).reshape(-1, 2)
    places = (centres[:, None] + corners).reshape(-1, 2)
    shader = _shader("SMOOTH_COLOR")
    content: dict[str, Any] = {"pos": _with_depth(places), "color": np.repeat(colors, len(corners), 0).tolist()}
    batch = batch_for_shader(shader, "TRIS", content)
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def _with_depth(places: Floats) -> list[list[float]]:
    return np.concatenate((places, np.zeros((len(places), 1))), -1).astype(np.float32).tolist()


def text(words: str, x: float, y: float, shade: float = 0.0, color: Color = (1.0, 1.0, 1.0, 1.0)) -> None:
    """Text with its middle at x, on a dark shade if asked for."""
    assert bpy.context.preferences is not None
    scale = bpy.context.preferences.system.ui_scale
    blf.size(0, 13 * scale)
    width, height = blf.dimensions(0, words)
    if shade:
        rectangle(x - width / 2 - 8, y - 7 * scale, width + 16, height + 14 * scale, (0.0, 0.0, 0.0, shade))
    blf.position(0, x - width / 2, y, 0)
    blf.color(0, *color)
    blf.draw(0, words)
