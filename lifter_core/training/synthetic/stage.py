"""A shot staged and rendered in Blender (Workbench): room, furniture, actor, camera. Needs bpy; runs in its own process."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .camera_placement import View
from .plan import Shot
from .textures import FLOORS, WALLS, clouds, surface
from .wardrobe import Actor

Array = NDArray[Any]

_LIGHTS = ("Default", "basic.sl", "outdoor.sl", "studio.sl", "paint.sl")
_AISLE = 1.0  # m kept free of clutter about the actor's way and the camera's line of sight


def render(
    shot: Shot,
    actor: Actor,
    moved: Array,
    view: View,
    scale: float,
    track: Array,
    out: Path,
    rng: np.random.Generator,
) -> None:
    """Renders the shot to a video file with hardly any loss.

    Args:
        moved: (T, N, 3) the actor's vertices; scale: of the picture; track: (T, 3) where the actor is.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene: Any = bpy.context.scene
    _room(view.centre, track, rng)
    if shot.occluded:
        _obstacle(view, track, rng)
    cache = out.with_suffix(".pc2")
    _actor(actor, moved, cache)
    _camera(scene, view, shot)
    _looks(scene, shot, scale, out, len(moved), rng)
    try:
        bpy.ops.render.render(animation=True)
    finally:
        cache.unlink(missing_ok=True)


def _mesh(
    name: str, vertices: Array, faces: Array, uv: Array, pictures: list[Array], materials: Array | None = None
) -> Any:
    """An object of quads; ``uv`` (N, 2) a vertex or (F, 4, 2) a corner."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.asarray(vertices, np.float32).ravel())
    mesh.loops.add(faces.size)
    mesh.loops.foreach_set("vertex_index", np.asarray(faces, np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 4, dtype=np.int32))
    layer = mesh.uv_layers.new(name="uv")
    corners = uv[faces] if uv.ndim == 2 else uv
    layer.data.foreach_set("uv", np.asarray(corners, np.float32).ravel())
    for i, picture in enumerate(pictures):
        mesh.materials.append(_material(f"{name} {i}", picture))
    if materials is not None:
        mesh.polygons.foreach_set("material_index", np.asarray(materials, np.int32))
        mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    mesh.update(calc_edges=True)
    ob = bpy.data.objects.new(name, mesh)
    scene: Any = bpy.context.scene
    scene.collection.objects.link(ob)
    return ob


def _material(name: str, picture: Array) -> Any:
    height, width = picture.shape[:2]
    image: Any = bpy.data.images.new(name, width, height)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = picture
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    material: Any = bpy.data.materials.new(name)
    material.use_nodes = True
    texture = material.node_tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    material.node_tree.nodes.active = texture  # the one Workbench shows
    return material


def _actor(actor: Actor, moved: Array, cache: Path) -> None:
    """The actor's mesh, moved by a point cache: Blender is told where each vertex is, and poses nothing itself."""
    uv = np.asarray(actor.uv)
    ob = _mesh("actor", actor.vertices, actor.faces, uv, actor.pictures, actor.materials)
    frames, count = moved.shape[:2]
    header = b"POINTCACHE2\0" + np.array([1, count], "<i4").tobytes() + np.array([1.0, 1.0], "<f4").tobytes()
    cache.write_bytes(header + np.array([frames], "<i4").tobytes() + moved.astype("<f4").tobytes())
    modifier = ob.modifiers.new("motion", "MESH_CACHE")
    modifier.cache_format, modifier.filepath, modifier.frame_start = "PC2", str(cache.resolve()), 1.0
    modifier.forward_axis, modifier.up_axis = "POS_Y", "POS_Z"


def _camera(scene: Any, view: View, shot: Shot) -> None:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.lens_unit = "AUTO", "FOV"
    data.angle = 2 * math.atan(max(shot.size) / 2 / view.matrix[0, 0])
    data.clip_start = 0.05
    ob: Any = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(ob)
    scene.camera = ob
    ob.location = view.centre
    ob.rotation_mode = "QUATERNION"
    from mathutils import Matrix

    turns = [Matrix((np.diag([1.0, -1, -1]) @ r).T.tolist()).to_quaternion() for r in view.rotation]
    for a, b in pairwise(turns):
        if a.dot(b) < 0:
            b.negate()
    for t, turn in enumerate(turns):
        ob.rotation_quaternion = turn
        ob.keyframe_insert("rotation_quaternion", frame=t + 1)


def _looks(scene: Any, shot: Shot, scale: float, out: Path, frames: int, rng: np.random.Generator) -> None:
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.render_aa = "OFF"  # three times as fast; the lens softens the picture afterwards
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "TEXTURE"
    shading.show_cavity = shading.show_shadows = shading.show_object_outline = False
    shading.show_specular_highlight = bool(rng.random() < 0.5)
    shading.studio_light = str(rng.choice(_LIGHTS))
    shading.use_world_space_lighting = True
    shading.studiolight_rotate_z = rng.uniform(-math.pi, math.pi)
    scene.view_settings.view_transform = "Standard"
    render = scene.render
    # even sizes, as H.264 wants them
    render.resolution_x, render.resolution_y = (2 * round(side * scale / 2) for side in shot.size)
    render.resolution_percentage = 100
    render.fps = round(shot.fps)
    scene.frame_start, scene.frame_end = 1, frames
    image = render.image_settings
    if hasattr(image, "media_type"):  # Blender 5
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
    render.ffmpeg.constant_rate_factor, render.ffmpeg.ffmpeg_preset = "PERC_LOSSLESS", "REALTIME"
    render.filepath = str(out.resolve())


_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
_QUAD = np.array([[0, 1, 2, 3]])
_SQUARE = np.array([[[0, 0], [1, 0], [1, 1], [0, 1]]], float)


def _room(camera: Array, track: Array, rng: np.random.Generator) -> None:
    """Floor, ceiling and four walls about actor and camera, and clutter away from both."""
    needed = float(max(np.abs(camera[:2]).max(), np.abs(track[:, :2]).max())) + 0.6
    half = max(rng.uniform(4, 9), needed)
    top = max(rng.uniform(2.6, 6), float(camera[2]) + 0.4, float(track[:, 2].max()) + 1.3)
    floor = np.concatenate([_CORNERS * half, np.zeros((4, 1))], 1)
    repeat = int(rng.integers(1, 5))
    _mesh("floor", floor, _QUAD, _SQUARE * repeat, [surface(rng, str(rng.choice(FLOORS)), 512)])
    _mesh("ceiling", floor + [0, 0, top], _QUAD, _SQUARE, [surface(rng, "gradient", 32)])
    for i in range(4):
        a, b = _CORNERS[i] * half, _CORNERS[(i + 1) % 4] * half
        wall = np.array([[*a, 0], [*b, 0], [*b, top], [*a, top]])
        _mesh("wall", wall, _QUAD, _SQUARE, [surface(rng, str(rng.choice(WALLS)), 512)])
    for _ in range(rng.integers(0, 8)):
        angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(1.8, half - 0.4)
        at = np.array([math.cos(angle), math.sin(angle)]) * reach
        sight = camera[:2] - track[:, :2].mean(0)
        along = np.clip((at - track[:, :2].mean(0)) @ sight / max(float(sight @ sight), 1e-6), 0, 1)
        beside = np.linalg.norm(at - track[:, :2].mean(0) - along * sight)
        if min(beside, np.linalg.norm(track[:, :2] - at, axis=1).min()) > _AISLE + 0.3:
            size = rng.uniform(0.2, 1.2, 3) * [1, 1, 1.6]
            _box(at, 0.0, size, rng.uniform(0, math.pi), surface(rng, str(rng.choice(WALLS)), 128))


def _box(at: Array, bottom: float, size: Array, turn: float, picture: Array) -> None:
    ring = _CORNERS * size[:2] / 2
    c, s = math.cos(turn), math.sin(turn)
    ring = ring @ np.array([[c, s], [-s, c]]) + at
    vertices = np.array([[*p, z] for z in (bottom, bottom + size[2]) for p in ring])
    faces = np.array([[0, 3, 2, 1], [4, 5, 6, 7], *([i, (i + 1) % 4, (i + 1) % 4 + 4, i + 4] for i in range(4))])
    _mesh("box", vertices, faces, np.repeat(_SQUARE, 6, 0), [picture])


def _obstacle(view: View, track: Array, rng: np.random.Generator) -> None:
    """A piece of furniture between camera and actor: a counter or sofa, a table, a chair, a post, a plant or a screen."""
    person = track[len(track) // 2, :2]
    sight = view.centre[:2] - person
    far = float(np.linalg.norm(sight))
    ahead = sight / max(far, 1e-6)
    aside = np.array([-ahead[1], ahead[0]])
    reach = float(np.abs((track[:, :2] - person) @ ahead).max())
    near = min(reach + 0.45, 0.6 * far)  # m before the actor, clear of arms and legs
    place = rng.uniform(near, max(near + 0.05, 0.65 * far))
    at = person + place * ahead + aside * rng.normal(0, 0.12)
    turn = math.atan2(aside[1], aside[0]) + rng.normal(0, 0.25)
    # the line from the lens to a point of the body at height h passes the obstacle at this height
    passing = place / max(far, 1e-6)

    def height(of_body: float) -> float:
        return max(0.15, of_body * (1 - passing) + float(view.centre[2]) * passing)

    picture = surface(rng, str(rng.choice(WALLS)), 128)
    kind = rng.choice(["counter", "table", "chair", "post", "plant", "screen"])
    if kind == "counter":
        _box(at, 0.0, np.array([rng.uniform(0.8, 2.5), 0.4, height(rng.uniform(0.3, 0.95))]), turn, picture)
    elif kind == "table":
        top, width = height(rng.uniform(0.45, 0.85)), rng.uniform(0.8, 1.8)
        _box(at, top - 0.05, np.array([width, 0.7, 0.05]), turn, picture)
        axis = np.array([math.cos(turn), math.sin(turn)])
        for x, y in _CORNERS:
            foot = at + axis * x * (width / 2 - 0.05) + np.array([-axis[1], axis[0]]) * y * 0.3
            _box(foot, 0.0, np.array([0.05, 0.05, top - 0.05]), turn, picture)
    elif kind == "chair":
        axis = np.array([math.cos(turn), math.sin(turn)])
        across = np.array([-axis[1], axis[0]])
        _box(at, 0.42, np.array([0.45, 0.45, 0.05]), turn, picture)
        _box(at - 0.2 * across, 0.45, np.array([0.45, 0.04, rng.uniform(0.35, 0.55)]), turn, picture)
        for x, y in _CORNERS:
            _box(at + axis * x * 0.2 + across * y * 0.2, 0.0, np.array([0.04, 0.04, 0.42]), turn, picture)
    elif kind == "post":
        wide = rng.uniform(0.06, 0.2)
        _box(at + aside * rng.normal(0, 0.15), 0.0, np.array([wide, wide, 4.0]), turn, picture)
    elif kind == "plant":
        green = np.clip(np.array([0.15, 0.4, 0.12]) * (1 + 0.5 * clouds(rng, 64)[..., None]), 0, 1)
        tall = height(rng.uniform(0.5, 1.2))
        for _ in range(30):
            leaf = at + rng.normal(0, 0.16, 2)
            low = rng.uniform(0, 0.8) * tall
            size = np.array([rng.uniform(0.03, 0.12), 0.01, rng.uniform(0.1, 0.3)])
            _box(leaf, low, size, rng.uniform(0, math.pi), green)
    else:
        wide = rng.uniform(0.3, 0.8)
        _box(at + aside * rng.choice([-1, 1]) * (wide / 2 + rng.uniform(-0.1, 0.2)), 0.0,
             np.array([wide, 0.05, height(rng.uniform(1.2, 1.9))]), turn, picture)  # fmt: skip
