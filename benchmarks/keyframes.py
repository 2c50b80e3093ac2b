"""How long Blender takes to make keyframes of a take on our armature, and to undo them.

    .venv/blender-4.5/bin/python -m benchmarks.keyframes [--frames 10000]

Needs bpy. The take is made up (tests/blender/synthetic_take.py): keys cost the same whatever the motion is. Times are the
best of three, in seconds.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import bpy

import blender_lift_addon
from blender_lift_addon.build import add_take, take_frames
from blender_lift_addon.keyframes import key_pose
from blender_lift_addon.tags import untouched
from tests.blender.synthetic_take import synthetic_take

RUNS = 3


def timed(name: str, work: Callable[[], Any], runs: int = RUNS) -> None:
    """Prints the time of the fastest run, and what the processor had to do for it: on a busy machine that is less."""
    seconds = []
    for _ in range(runs):
        began, busy = time.perf_counter(), time.process_time()
        work()
        seconds.append((time.perf_counter() - began, time.process_time() - busy))
    print(f"{min(seconds)[0]:8.3f} s {min(cpu for _, cpu in seconds):8.3f} s CPU  {name}")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Times keyframes of a long take.")
    parser.add_argument("--frames", type=int, default=10_000)
    count = parser.parse_args().frames
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


if __name__ == "__main__":
    main()
