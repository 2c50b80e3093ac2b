"""How long Blender takes to make keyframes of a take on our armature, to undo them, and to bring in the take of a lift.

    .venv/blender-4.5/bin/python -m benchmarks.keyframes [--frames 10000] [--clip CLIP.mp4]

With a clip, it also times the one timer step in which a take arrives, everything in it (collection, armature, keys, camera
with the clip behind it, list, retargeting's choices, undo step), and what was done for it at the click. Needs bpy. The take
is made up (tests/blender/synthetic_take.py): keys cost the same whatever the motion is. Times are the best of three, in
seconds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

import blender_lift_addon
from blender_lift_addon import delivery, reels
from blender_lift_addon.build import add_take, take_frames
from blender_lift_addon.keyframes import key_pose
from blender_lift_addon.source import Source
from blender_lift_addon.tags import untouched
from lifter_core.take import save_take
from tests.blender.synthetic_take import synthetic_take

RUNS = 3
RATE = 30
LENGTHS = (10, 60)  # s of clip


def timed(name: str, work: Callable[[], Any], runs: int = RUNS) -> None:
    """Prints the time of the fastest run, and what the processor had to do for it: on a busy machine that is less."""
    seconds = []
    for _ in range(runs):
        began, busy = time.perf_counter(), time.process_time()
        work()
        seconds.append((time.perf_counter() - began, time.process_time() - busy))
    print(f"{min(seconds)[0]:8.3f} s {min(cpu for _, cpu in seconds):8.3f} s CPU  {name}")


def arrival(clip: Path) -> None:
    """Prints what a click and a take's arrival take, each in a new file."""
    for seconds in LENGTHS:
        take = synthetic_take(frames=seconds * RATE, fps=RATE, people=1)
        clicks, steps = [], []
        for _ in range(RUNS + 1):  # the first warms up
            bpy.ops.wm.read_homefile(use_factory_startup=True)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "take.npz")
                save_take(take, file)
                reels._open.cache_clear()
                began, busy = time.perf_counter(), time.process_time()
                reels.reel(clip)
                clicks.append((time.perf_counter() - began, time.process_time() - busy))
                scene: Any = bpy.context.scene
                number, source = scene.session_uid, Source(clip, name=clip.stem)
                began, busy = time.perf_counter(), time.process_time()
                outcome = delivery._one_step(
                    number, "Lift", lambda scene, s=source, t=take, f=file: delivery._add(scene, s, True, t, f)
                )
                steps.append((time.perf_counter() - began, time.process_time() - busy))
                assert not outcome.failed, outcome.log
        for name, times in (("opening the movie at the click", clicks), ("the step in which the take arrives", steps)):
            wall, cpu = min(times[1:])
            print(f"{wall:8.3f} s {cpu:8.3f} s CPU  {name}, {seconds} s at {RATE} fps (first time {times[0][0]:.3f} s)")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Times keyframes of a long take.")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--clip", type=Path)
    given = parser.parse_args()
    count = given.frames
    blender_lift_addon.register()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    scene: Any = bpy.context.scene
    take = synthetic_take(frames=count, people=1)
    lifted = add_take(scene, take)
    armature = lifted.armatures[0]
    frames = take_frames(take, 30.0, 1)
    action = armature.animation_data.action
    keys = sum(len(curve.keyframe_points) for curve in blender_lift_addon.tags.curves_of(action, armature).fcurves)

    rows = (
        ("keys of a new action", lambda: key_pose(armature, take, 0, frames, "new")),
        ("keys renewed in place (clean-up)", lambda: key_pose(armature, take, 0, frames, "", action=action)),
        ("telling whether the user changed a key", lambda: untouched(action, armature)),
        ("armature, keys, camera, all of a take", lambda: add_take(scene, take)),
    )
    print(f"Blender {bpy.app.version_string}, {count} frames, {keys} keys")
    for name, work in rows:
        timed(name, work)
    bpy.ops.ed.undo_push(message="before")
    scene = bpy.context.scene
    add_take(scene, take)
    timed("the undo step", lambda: bpy.ops.ed.undo_push(message="take"), 1)
    timed("undo", bpy.ops.ed.undo, 1)
    if given.clip is not None:
        arrival(given.clip.absolute())


if __name__ == "__main__":
    main()
