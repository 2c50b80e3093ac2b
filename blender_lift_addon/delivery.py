# SPDX-License-Identifier: GPL-3.0-or-later
"""The lift under way: watched by a timer, and its take brought into the scene as one undo step.

An application timer, not a modal operator: it outlives the window it was started from, and while a modal operator runs
Blender saves no recovery file.
"""

import atexit
import shutil
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from lifter_core.errors import LiftError
from lifter_core.take import load_take

from .build import Lifted, add_take
from .engine import Engine, LiftOptions

INTERVAL = 0.1  # s
UNDO_STEP = "Lift Video to Armature"


@dataclass
class Lift:
    """A lift under way. The scene is held by a number that survives undo, which pointers do not."""

    engine: Engine
    clip: Path
    scene_uid: int
    match_rate: bool
    waiting_for: str = ""


@dataclass
class Outcome:
    """How the last lift ended, for the panel."""

    text: str
    failed: bool = False
    log: str = ""


current: Lift | None = None
outcome: Outcome | None = None


def begin(scene: bpy.types.Scene, clip: Path, options: LiftOptions, match_rate: bool, python: str) -> Lift:
    """Starts the engine on the clip.

    Raises:
        EngineError: it cannot be started.
    """
    global current, outcome
    folder = Path(tempfile.mkdtemp(prefix="lift-", dir=bpy.app.tempdir))
    try:
        engine = Engine(clip, folder, options, python)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    outcome = None
    current = Lift(engine, clip, scene.session_uid, match_rate)
    return current


def watch() -> None:
    """Lets the timer see the lift to its end."""
    bpy.app.timers.register(_tick, first_interval=INTERVAL)


def cancel() -> None:
    """Stops the lift at once and removes its files; nothing was added to the scene."""
    global outcome
    if current is not None:
        _close()
        outcome = Outcome("Cancelled")
        redraw()


def finish() -> None:
    """Brings the ended engine's take into its scene, or notes why there is none."""
    global outcome
    if current is None:
        return
    engine = current.engine
    try:
        outcome = Outcome(engine.error, True, engine.log_tail()) if engine.error else _deliver(current)
    finally:
        _close()


def obstacle() -> str:
    """What must end before the scene may be changed: an undo step made in edit mode would not hold new objects."""
    for window in _windows():
        if any(name.startswith("TRANSFORM_OT") for name in (op.bl_idname for op in window.modal_operators)):
            return "the tool in use"
        active = window.view_layer.objects.active
        if active is not None and active.mode not in {"OBJECT", "POSE"}:
            return active.mode.replace("_", " ").title() + " Mode"
    return ""


def redraw() -> None:
    """Has the sidebars drawn anew."""
    for window in _windows():
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def _windows() -> list[bpy.types.Window]:
    manager = bpy.context.window_manager
    return list(manager.windows) if manager else []


def _tick() -> float | None:
    if current is None:
        return None
    current.engine.poll()
    if not current.engine.running:
        current.waiting_for = "" if current.engine.error else obstacle()
        if not current.waiting_for:
            finish()
    redraw()
    return INTERVAL if current is not None else None


def _deliver(lift: Lift) -> Outcome:
    assert lift.engine.take is not None
    try:
        take = load_take(lift.engine.take)
    except LiftError as error:
        return Outcome(str(error), True, lift.engine.log_tail())
    windows = _windows()
    scene = next((s for s in bpy.data.scenes if s.session_uid == lift.scene_uid), None) or windows[0].scene
    window = next((w for w in windows if w.scene == scene), windows[0])
    scene_name = scene.name
    with bpy.context.temp_override(window=window):
        try:
            lifted = add_take(scene, take, lift.clip, lift.clip.stem, lift.match_rate)
        except Exception:
            # Nothing half-made may stay behind.
            log = traceback.format_exc()
            bpy.ops.ed.undo_push(message=UNDO_STEP)
            bpy.ops.ed.undo()
            return Outcome("The motion was found, but the armature could not be made; the log says why.", True, log)
        scene.frame_set(lifted.first_seen)
        if window.scene == scene:
            _select(window.view_layer, lifted)
            _look_through_camera(window)
        bpy.ops.ed.undo_push(message=UNDO_STEP)
    people = len(lifted.armatures)
    what = f"{people} people" if people > 1 else "1 person"
    where = "" if window.scene == scene else f" in scene {scene_name}"
    return Outcome(f"Lifted {what}, {len(take.timestamps)} frames{where}")


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


def _close() -> None:
    global current
    if current is not None:
        current.engine.cancel()
        shutil.rmtree(current.engine.folder, ignore_errors=True)
        current = None


@persistent  # type: ignore[untyped-decorator]
def _before_load(_path: str) -> None:
    cancel()


def register() -> None:
    """Sees to it that no engine outlives the file or the session."""
    bpy.app.handlers.load_pre.append(_before_load)
    atexit.register(_close)


def unregister() -> None:
    """Stops a lift under way."""
    _close()
    atexit.unregister(_close)
    bpy.app.handlers.load_pre.remove(_before_load)
