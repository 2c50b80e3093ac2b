# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's view of the scene: what is selected, what the windows look through, what stands in the way."""

import math

import bpy

from . import status
from .build import Lifted
from .tags import camera, uid_of

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
    area = max(views, key=lambda area: area.width * area.height)
    space = area.spaces.active
    if isinstance(space, bpy.types.SpaceView3D) and space.region_3d is not None:
        space.region_3d.view_perspective = "CAMERA"
        region = next(region for region in area.regions if region.type == "WINDOW")
        with bpy.context.temp_override(window=window, area=area, region=region):
            bpy.ops.view3d.view_center_camera()
        _fit_beside_sidebar(window.scene.render, area, space.region_3d)


def _fit_beside_sidebar(render: bpy.types.RenderSettings, area: bpy.types.Area, view: bpy.types.RegionView3D) -> None:
    """Shrinks and moves the camera's centred frame so that the sidebar and the tool bar do not lie over it."""
    assert bpy.context.preferences is not None
    if not bpy.context.preferences.system.use_region_overlap:
        return
    sizes = {region.type: (region.width, region.height) for region in area.regions}
    width, height = sizes["WINDOW"]
    left, right = sizes.get("TOOLS", (0, 0))[0], sizes.get("UI", (0, 0))[0]
    top = sizes.get("HEADER", (0, 0))[1] + sizes.get("TOOL_HEADER", (0, 0))[1]
    ratio = render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)
    frame = min(width, height * ratio)
    smaller = min(1.0, (width - left - right) / frame, (height - top) / (frame / ratio))
    if smaller < SMALLEST:
        return
    factor = (view.view_camera_zoom / 50 + math.sqrt(2)) ** 2 / 4 * smaller  # as Blender's zoom is defined
    view.view_camera_zoom = 50 * (2 * math.sqrt(factor) - math.sqrt(2))
    view.view_camera_offset = ((right - left) / (4 * width * factor), top / (4 * height * factor))
