# SPDX-License-Identifier: GPL-3.0-or-later
"""From the engine to the scene: a new take, or one that was solved anew, each brought in as one undo step."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from lifter_core.declare import Place
from lifter_core.take import Take

from . import live_clean_up, scene_view, seen_keypoints, status, store
from .arguments import LiftOptions, solve_arguments
from .build import add_take
from .clip_source import Source
from .motion_curves import Motion, motions_of
from .opened_clips import reel
from .preferences import default_rig
from .prepared import Prepared
from .properties.lift_settings import settings_of
from .properties.option_properties import option_values
from .properties.takes import LiftTake, take_file
from .retarget.suggest import suggest
from .runs import Outcome, Run, Steps, add, beside
from .timing import has_takes, take_frames, timing
from .update import rest_differs, rests, update_take

LIFT_STEP = "Lift Video to Armature"
SOLVE_STEP = "Clean Up Motion"
Motions = list[Motion | None]  # of a take's people
LOST = 0.1  # part of the frames that is worth a word


@dataclass(frozen=True)
class Delivery:
    """How a take comes into the scene.

    Attributes:
        step: the undo step's name.
        scene: its number, which survives undo as pointers do not.
        obstacle: what must end before the take can be brought in, in words, or nothing.
        motions: given the take, the work that makes its people's motions, for a thread.
        change: brings the take in, with what was prepared.
    """

    step: str
    scene: int
    obstacle: Callable[[Take], str]
    motions: Callable[[Take], Callable[[], Motions]]
    change: Callable[[bpy.types.Scene, Take, Path, Prepared], Outcome]

    def steps(self, take: Take, file: Path, key: str) -> Steps:
        """Prepares the keys in short steps, and then changes the scene in one."""
        try:
            while reason := self.obstacle(take):
                yield reason
            future = beside(self.motions(take))
            while not future.done():
                yield ""
            ready = Prepared(key, future.result())
            while (reason := self.obstacle(take)) or ready.advance():
                yield reason
        except Exception:
            return _failure()

        def change(scene: bpy.types.Scene) -> Outcome:
            outcome = self.change(scene, take, file, ready)
            ready.discard()
            return outcome

        return _one_step(self.scene, self.step, change)


def lift_source(scene: bpy.types.Scene, source: Source, options: LiftOptions, match_rate: bool) -> Run:
    """Puts a clip on the queue; its take is added to the scene, whatever is on screen by then."""
    reel(source.path)  # opened now: nobody minds that at a click, and everybody when a take arrives
    number = scene.session_uid

    def motions(take: Take) -> Callable[[], Motions]:
        scene = find_scene(number)
        plan = timing(scene, take, reel(source.path), match_rate and not has_takes(scene), source.first_frame)
        return lambda: motions_of(take, plan.frames(take))

    def change(scene: bpy.types.Scene, take: Take, file: Path, ready: Prepared) -> Outcome:
        return _add(scene, source, match_rate, take, file, ready)

    delivery = Delivery(LIFT_STEP, number, lambda take: scene_view.obstacle(), motions, change)
    return add(Run(source.name, lambda new: options.arguments(source.path, new), delivery.steps))


def solve_take(scene: bpy.types.Scene, take: LiftTake) -> Run | None:
    """Solves a take anew as its clean-up settings say; its armature follows. None if its file is gone."""
    file, uid, number = take_file(take), take.uid, scene.session_uid
    if file is None:
        status.tell(f"The file of the take {take.name} is gone; lift its clip again", "ERROR")
        return None
    values = option_values(take.clean_up, Place.CLEAN_UP)

    def obstacle(solved: Take) -> str:
        posed = next((w for w in status.windows() if w.view_layer.objects.active is not None
                      and w.view_layer.objects.active.mode == "POSE"), None)  # fmt: skip
        return "Pose Mode" if posed and rest_differs(uid, solved) else scene_view.obstacle()

    def motions(solved: Take) -> Callable[[], Motions]:
        entry, kept = find_take(find_scene(number), uid), rests(uid, solved)
        if entry is None:
            return list
        frames = take_frames(solved, entry.rate, entry.first_frame)
        return lambda: motions_of(solved, frames, kept)

    def change(scene: bpy.types.Scene, solved: Take, new: Path, ready: Prepared) -> Outcome:
        return _replace(scene, uid, solved, new, ready)

    delivery = Delivery(SOLVE_STEP, number, obstacle, motions, change)
    return add(Run(take.name, lambda new: solve_arguments(file, new, values), delivery.steps, take_uid=uid))


def find_scene(number: int) -> bpy.types.Scene:
    """The scene of that number, or if it is gone the one on screen."""
    scene = next((s for s in bpy.data.scenes if s.session_uid == number), None)
    return scene or status.windows()[0].scene


def find_take(scene: bpy.types.Scene, uid: str) -> LiftTake | None:
    """The scene's take of that uid."""
    takes: Any = settings_of(scene).takes
    return next((take for take in takes if take.uid == uid), None)


def _one_step(number: int, name: str, change: Callable[[bpy.types.Scene], Outcome]) -> Outcome:
    """Changes the scene and makes an undo step of it. If the change fails, nothing half-made stays behind."""
    scene = find_scene(number)
    windows = status.windows()
    window = next((w for w in windows if w.scene == scene), windows[0])
    with bpy.context.temp_override(window=window):
        try:
            outcome = change(scene)
        except Exception:
            outcome = _failure()
            bpy.ops.ed.undo_push(message=name)
            bpy.ops.ed.undo()
            return outcome
        bpy.ops.ed.undo_push(message=name)
    return outcome


def _failure() -> Outcome:
    """That of the exception which is being handled."""
    text = "The motion was found, but the armature could not be made; the log says why."
    return Outcome(text, True, traceback.format_exc())


def _add(
    scene: bpy.types.Scene, source: Source, match_rate: bool, take: Take, file: Path, ready: Prepared | None = None
) -> Outcome:
    uid = store.new_uid()
    lifted = add_take(scene, take, source.path, source.name, match_rate, source.first_frame, uid, ready)
    scene.frame_set(lifted.first_seen)
    entry = list_take(scene, take, store.adopt(file, uid), uid, source)
    if lifted.armatures:
        suggest(scene, lifted.armatures[0], default_rig())
    cube = ""
    window = next((w for w in status.windows() if w.scene == scene), None)
    if window is not None:
        scene_view.show(window, lifted)
        if scene_view.hide_default_cube(scene, window.view_layer):
            cube = ". The default cube is hidden: the person stands there"
    people = len(lifted.armatures)
    what = f"{people} people" if people > 1 else "1 person"
    where = "" if window is not None else f" in scene {scene.name}"
    frames = len(take.timestamps)
    return Outcome(f"Lifted {what}, {frames} {'frame' if frames == 1 else 'frames'}{where}{cube}", warning=entry.note)


def list_take(scene: bpy.types.Scene, take: Take, file: Path, uid: str, source: Source) -> LiftTake:
    """Puts a take at the end of the scene's list and chooses it."""
    settings = settings_of(scene)
    takes: Any = settings.takes
    entry: LiftTake = takes.add()
    entry.uid, entry.name, entry.path, entry.clip = uid, unused_name(scene, source.name), str(file), str(source.path)
    entry.frames = len(take.timestamps)
    entry.first_frame = scene.frame_start if source.first_frame is None else source.first_frame
    entry.rate = scene.render.fps / scene.render.fps_base
    entry.note = remarks(take)
    seen_keypoints.keep(file, take)
    with live_clean_up.quiet():
        entry.clean_up.camera = str(take.meta.options.get("camera") or "auto")
    settings.active_take = len(takes) - 1
    return entry


def unused_name(scene: bpy.types.Scene, name: str) -> str:
    """The name, or with a number behind it if a take of the scene is called so."""
    takes: Any = settings_of(scene).takes
    names = {take.name for take in takes}
    number = 1
    unused = name
    while unused in names:
        number += 1
        unused = f"{name} {number}"
    return unused


def remarks(take: Take) -> str:
    """What the user should know of a take: pictures lost, person not seen."""
    notes = []
    if damaged := take.meta.damaged:
        notes.append(f"The clip is damaged: {damaged} pictures could not be read and are missing")
    seen = np.flatnonzero(np.any(take.observed, axis=0))
    if len(seen):  # who walks in and out is not lost before and after
        lost = 1 - len(seen) / (seen[-1] - seen[0] + 1)
        if lost > LOST:
            notes.append(f"The person was lost in {lost * 100:.0f} % of the frames between the first and the last")
    return ". ".join(notes)


def _replace(scene: bpy.types.Scene, uid: str, solved: Take, file: Path, ready: Prepared) -> Outcome:
    entry = find_take(scene, uid)
    if entry is None:
        return Outcome("The take was removed from the list")
    warning = update_take(entry, solved, ready)
    kept = store.adopt(file, uid)
    entry.path = str(kept)
    seen_keypoints.keep(kept, solved)
    return Outcome("Cleaned up", warning=warning)
