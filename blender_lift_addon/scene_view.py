# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's view of the scene: what is selected, what the windows look through, what stands in the way."""

import math

import bpy

from . import status
from .build import Lifted
from .tags import camera, uid_of

EDGE = 4  # px of room around the frame, as Blender leaves
ZOOMS = (-30.0, 600.0)  # what Blender allows
SMALLEST = 0.3  # of the size that fills the view; below, the panels leave no room worth using


def obstacle() -> str:
    """What must end before the scene may be changed: an undo step made in edit mode would not hold new objects."""
    for window in status.windows():
        if any(name.startswith("TRANSFORM_OT") for name in (op.bl_idname for op in window.modal_operators)):
            return "the tool in use"
        active = window.view_layer.objects.active
        if active is not None and active.mode not in {"OBJECT", "POSE"}:
            return active.mode.replace("_", " ").title() + " Mode"
    return ""


def show(window: bpy.types.Window, lifted: Lifted) -> None:
    """Selects the new armatures and looks through the new camera."""
    _select(window.view_layer, lifted)
    _look_through_camera(window)


def show_take(scene: bpy.types.Scene, uid: str, solo: bool) -> None:
    """Makes the take's camera the scene's, if that is a take's, and hides the other takes' collections if asked to."""
    eye = camera(uid)
    if eye is not None and eye.name in scene.objects and (scene.camera is None or uid_of(scene.camera)):
        scene.camera = eye
    for view_layer in scene.view_layers:
        waiting = list(view_layer.layer_collection.children)
        while waiting:
            layer = waiting.pop()
            waiting += layer.children
            if owner := uid_of(layer.collection):
                layer.hide_viewport = solo and owner != uid


def hide_default_cube(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> bool:
    """Hides the cube that a new file begins with, if it is as it was: the person would stand in it.

    Returns whether there was one.
    """
    cube = scene.objects.get("Cube")
    if cube is None or not isinstance(cube.data, bpy.types.Mesh) or cube.name not in view_layer.objects:
        return False
    places = {tuple(vertex.co) for vertex in cube.data.vertices}
    corners = {(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)}
    moved = any(abs(value) > 1e-6 for row in cube.matrix_world - cube.matrix_world.Identity(4) for value in row)
    used = cube.modifiers or cube.animation_data or cube.children or cube.constraints or cube.parent
    if places != corners or len(cube.data.vertices) != 8 or moved or used or cube.hide_get(view_layer=view_layer):
        return False
    if sum(ob.type == "MESH" for ob in scene.objects) > 1:
        return False
    cube.hide_set(True, view_layer=view_layer)
    cube.hide_render = True
    return True


def _select(view_layer: bpy.types.ViewLayer, lifted: Lifted) -> None:
    for other in list(view_layer.objects.selected):
        other.select_set(False, view_layer=view_layer)
    for armature in lifted.armatures:
        armature.select_set(True, view_layer=view_layer)
    if lifted.armatures:
        view_layer.objects.active = lifted.armatures[0]


def _look_through_camera(window: bpy.types.Window) -> None:
    views = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    if not views:
        return
    look_through_camera(window.scene.render, max(views, key=lambda area: area.width * area.height))


def look_through_camera(render: bpy.types.RenderSettings, area: bpy.types.Area) -> None:
    """Makes a 3D view look through the scene's camera, whose whole frame it shows; other areas stay as they are."""
    space = area.spaces.active
    if isinstance(space, bpy.types.SpaceView3D) and space.region_3d is not None:
        space.region_3d.view_perspective = "CAMERA"
        _fit(render, area, space.region_3d)


def _fit(render: bpy.types.RenderSettings, area: bpy.types.Area, view: bpy.types.RegionView3D) -> None:
    """Makes the camera's frame as large as fits in the view, beside the sidebar and the tool bar that lie over it.

    Not by the operator view3d.view_center_camera: it crashes Blender 4.2 now and then in a window that was never drawn.
    """
    assert bpy.context.preferences is not None
    sizes = {region.type: (region.width, region.height) for region in area.regions}
    ratio = render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)
    whole = framing(sizes["WINDOW"], ratio)
    if whole is None:
        return
    view.view_camera_zoom, view.view_camera_offset = whole
    if bpy.context.preferences.system.use_region_overlap:
        left, right = sizes.get("TOOLS", (0, 0))[0], sizes.get("UI", (0, 0))[0]
        top = sizes.get("HEADER", (0, 0))[1] + sizes.get("TOOL_HEADER", (0, 0))[1]
        beside = framing(sizes["WINDOW"], ratio, left, right, top)
        if beside is not None and scale(beside[0]) >= SMALLEST * scale(whole[0]):
            view.view_camera_zoom, view.view_camera_offset = beside


def framing(
    size: tuple[int, int], ratio: float, left: int = 0, right: int = 0, top: int = 0
) -> tuple[float, tuple[float, float]] | None:
    """The view_camera_zoom and view_camera_offset by which the frame of a take's camera fills a view.

    At scale 1 Blender draws the frame of a camera whose sensor_fit is HORIZONTAL, as a take's is, as wide as the view.

    Args:
        size: width, height px of the view.
        ratio: the frame's width by its height.
        left: px at that side that are covered.
        right: the same.
        top: the same.

    Returns:
        None if there is no room.
    """
    width, height = size
    if width <= left + right or height <= top:
        return None
    factor = min((width - left - right) / (width + EDGE), (height - top) / (width / ratio + EDGE))
    zoom = min(max(50 * (2 * math.sqrt(factor) - math.sqrt(2)), ZOOMS[0]), ZOOMS[1])
    factor = scale(zoom)
    return zoom, ((right - left) / (4 * width * factor), top / (4 * height * factor))


def scale(zoom: float) -> float:
    """By how much a view_camera_zoom enlarges the frame."""
    return (zoom / 50 + math.sqrt(2)) ** 2 / 4
