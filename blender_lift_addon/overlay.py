# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over the editors: the keypoints in the camera view, contacts and lost frames in the timeline."""

from typing import Any

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from numpy.typing import NDArray

from lifter_core.spans import runs

from . import drawing
from .properties.lift_settings import active_take, settings_of
from .seen_keypoints import SeenKeypoints, keypoints_of
from .tags import uid_of

LOST = (0.9, 0.2, 0.15, 0.85)
LEFT, RIGHT = (0.35, 0.65, 1.0, 0.9), (1.0, 0.6, 0.2, 0.9)  # the feet
BAR, LIFT = 4, 11  # px at interface scale 1: a bar's height, and the scroll bar's below them
LINKS = (
    *(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("left_eye", "nose"), ("right_eye", "nose")),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (
            ("ear", "eye"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"),
            ("wrist", "pinky"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"),
            ("heel", "foot_index"), ("ankle", "foot_index"),
        )
    ),
)  # fmt: skip

_handlers: list[tuple[Any, Any]] = []


def confidence_colors(confidence: NDArray[np.floating]) -> NDArray[np.float64]:
    """(..., 4) red for 0, yellow for a half, green for 1."""
    c = np.clip(np.nan_to_num(confidence), 0, 1)
    return np.stack((np.minimum(1, 2 - 2 * c), np.minimum(1, 2 * c), 0.1 + 0 * c, 0.35 + 0.6 * c), -1)


def _draw_keypoints() -> None:
    context: Any = bpy.context
    scene, space, region = context.scene, context.space_data, context.region
    settings, entry = settings_of(scene), active_take(scene)
    view = space.region_3d
    if entry is None or view.view_perspective != "CAMERA" or not (settings.show_keypoints or settings.show_lost):
        return
    eye = space.camera if space.use_local_camera else scene.camera
    if uid_of(eye) != entry.uid or not space.overlay.show_overlays:
        return
    seen = keypoints_of(entry)
    now = seen.at(entry, scene.frame_current_final) if seen is not None else None
    corners = [
        location_3d_to_region_2d(region, view, eye.matrix_world @ corner) for corner in eye.data.view_frame(scene=scene)
    ]
    if seen is None or now is None or any(corner is None for corner in corners):
        return
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    if settings.show_keypoints:
        _draw_figures(seen, now, min(xs), max(xs), (min(ys) + max(ys)) / 2)
    if settings.show_lost and not seen.observed[:, now].any():
        drawing.text("Tracking lost", (min(xs) + max(xs)) / 2, max(ys) - 30, shade=0.6, color=(1.0, 0.5, 0.4, 1.0))


def _draw_figures(seen: SeenKeypoints, now: int, left: float, right: float, middle: float) -> None:
    """The keypoints between the frame's left and right edge: the footage is always as wide as the frame."""
    scale = (right - left) / seen.size[0]
    width = max(1.5, min(2.5, 0.0025 * (right - left)))
    links = links_of(seen.names)
    for person in seen.keypoints[:, now]:
        places = np.stack((left + person[:, 0] * scale, middle + (seen.size[1] / 2 - person[:, 1]) * scale), -1)
        colors = confidence_colors(person[:, 2])
        there = np.isfinite(places).all(-1)
        shown = links[there[links].all(-1)]
        drawing.sticks(places[shown], colors[shown], width)
        drawing.dots(places[there], colors[there], width * 1.1)


def links_of(names: tuple[str, ...]) -> NDArray[np.int_]:
    """(N, 2) which of the keypoints are joined by a line; none if they have other names than those we know."""
    index = {name: i for i, name in enumerate(names)}
    return np.array([(index[a], index[b]) for a, b in LINKS if a in index and b in index], int).reshape(-1, 2)


def frame_spans(flags: NDArray[np.bool_], frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) first and last scene frame of each run of true flags, half a frame wider at both ends."""
    found = runs(flags)
    starts, ends = [run.start for run in found], [run.stop - 1 for run in found]
    half = 0.5 * float(np.median(np.diff(frames))) if len(frames) > 1 else 0.5
    return np.stack((frames[starts] - half, frames[ends] + half), -1)


def _draw_timeline() -> None:
    context: Any = bpy.context
    scene, region = context.scene, context.region
    settings, entry = settings_of(scene), active_take(scene)
    if entry is None or not (settings.show_contacts or settings.show_lost):
        return
    seen = keypoints_of(entry)
    if seen is None:
        return
    scale = context.preferences.system.ui_scale
    frames = seen.frames(entry)
    rows: list[tuple[Any, drawing.Color]] = []
    if settings.show_contacts:
        rows += [(seen.contacts[..., 1].any(0), RIGHT), (seen.contacts[..., 0].any(0), LEFT)]
    if settings.show_lost:
        rows.append((~seen.observed.any(0), LOST))
    height = BAR * scale
    for number, (flags, color) in enumerate(rows):
        runs = frame_spans(flags, frames)
        left = [region.view2d.view_to_region(a, 0, clip=False)[0] for a in runs[:, 0]]
        right = [region.view2d.view_to_region(b, 0, clip=False)[0] for b in runs[:, 1]]
        bottom = LIFT * scale + number * (height + scale)
        boxes = [(a, bottom, max(1.0, b - a), height) for a, b in zip(left, right, strict=True)]
        drawing.rectangles(np.array(boxes, np.float32).reshape(-1, 4), color)


def register() -> None:
    """Starts drawing."""
    for space, draw in ((bpy.types.SpaceView3D, _draw_keypoints), (bpy.types.SpaceDopeSheetEditor, _draw_timeline)):
        _handlers.append((space, space.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")))


def unregister() -> None:
    """Stops."""
    for space, handler in _handlers:
        space.draw_handler_remove(handler, "WINDOW")
    _handlers.clear()
