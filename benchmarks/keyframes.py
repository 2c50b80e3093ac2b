"""How long Blender takes to make keyframes of a take on our armature, to undo them, and to bring in the take of a lift.

    .venv/blender-4.5/bin/python -m benchmarks.keyframes [--frames 10000] [--clip CLIP.mp4]

With a clip, it also times the timer steps in which a take arrives: the longest of those that prepare its keys, and the last,
everything in it (collection, armature, camera with the clip behind it, list, retargeting's choices, undo step); the same for
a clean-up; and what was done at the click. Needs bpy. The take is made up (tests/blender/synthetic_take.py): keys cost the
same whatever the motion is. Times are the best of three, in seconds; of the steps, those of the thread that Blender's window
waits for.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

import blender_lift_addon
from blender_lift_addon import delivery, opened_clips, runs
from blender_lift_addon.arguments import LiftOptions
from blender_lift_addon.armature import rest_of
from blender_lift_addon.build import add_take
from blender_lift_addon.clip_source import Source
from blender_lift_addon.keyframes import key_pose
from blender_lift_addon.motion_curves import motion_of
from blender_lift_addon.tags import untouched
from blender_lift_addon.timing import take_frames
from lifter_core.take import save_take
from tests.blender.synthetic_take import synthetic_take

RUNS = 3
RATE = 30
LENGTHS = (10, 60, 600)  # s of clip

Times = tuple[float, float]  # s by the clock, and of the processor


def timed(name: str, work: Callable[[], Any], runs: int = RUNS) -> None:
    """Prints the time of the fastest run, and what the processor had to do for it: on a busy machine that is less."""
    seconds = []
    for _ in range(runs):
        began, busy = time.perf_counter(), time.process_time()
        work()
        seconds.append((time.perf_counter() - began, time.process_time() - busy))
    print(f"{min(seconds)[0]:8.3f} s {min(cpu for _, cpu in seconds):8.3f} s CPU  {name}")


def arrival(clip: Path) -> None:
    """Prints what a click, a take's arrival and a clean-up take, each in a new file."""
    for seconds in LENGTHS:
        clicks, lifts, solves, pushes = [], [], [], []
        for _ in range(RUNS + 1):  # the first warms up
            bpy.ops.wm.read_homefile(use_factory_startup=True)
            opened_clips._open.cache_clear()
            began, busy = time.perf_counter(), time.thread_time()
            opened_clips.reel(clip)
            clicks.append((time.perf_counter() - began, time.thread_time() - busy))
            source = Source(clip, name=clip.stem)
            lifts.append(
                steps(
                    seconds, 0, lambda s=source: delivery.lift_source(bpy.context.scene, s, LiftOptions("BEST"), True)
                )
            )
            entry: Any = bpy.context.scene.lift.takes[0]
            solves.append(steps(seconds, 5, lambda e=entry: delivery.solve_take(bpy.context.scene, e)))
            busy = time.thread_time()
            bpy.ops.ed.undo_push(message="any")
            pushes.append(time.thread_time() - busy)
        print(f"{seconds} s at {RATE} fps: steps, the longest but the last, the last (by the clock, by the processor)")
        print(f"  {min(clicks[1:])[1]:8.3f} s CPU  opening the movie at the click")
        print(f"  {min(pushes[1:]):8.3f} s CPU  any undo step of the user's own from then on")
        for name, times in (("a take arrives", lifts), ("a clean-up arrives", solves)):
            longest, last = min(t[1] for t in times[1:]), min(t[2] for t in times[1:])
            print(f"  {name}: {times[-1][0]} steps, {longest[0]:.3f} {longest[1]:.3f}, {last[0]:.3f} {last[1]:.3f}")


def steps(seconds: int, seed: int, begin: Callable[[], Any]) -> tuple[int, Times, Times]:
    """How many steps a run took to bring a take in, and the longest of them but the last, and the last."""
    take = synthetic_take(frames=seconds * RATE, fps=RATE, people=1, seed=seed)
    times: list[Times] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "take.npz")
        save_take(take, file)
        runs.Run.start, started = lambda run: None, runs.Run.start  # no engine: its take is here
        try:
            run = begin()
        finally:
            runs.Run.start = started
        arriving = run.deliver(take, file, run.key)
        while not run.over:
            began, busy = time.perf_counter(), time.thread_time()
            run._arrive(arriving)
            times.append((time.perf_counter() - began, time.thread_time() - busy))
            time.sleep(runs.BETWEEN)
    assert run.state is runs.State.DONE, run.outcome
    runs.runs.clear()
    return len(times), max(times[:-1], key=lambda t: t[1]), times[-1]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Times keyframes of a long take.")
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--clip", type=Path)
    given = parser.parse_args()
    count = given.frames
    blender_lift_addon.register()
    bpy.context.preferences.addons.new().module = blender_lift_addon.__name__
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    scene: Any = bpy.context.scene
    take = synthetic_take(frames=count, people=1)
    lifted = add_take(scene, take)
    armature = lifted.armatures[0]
    frames, rest = take_frames(take, 30.0, 1), rest_of(armature, take.bone_names)
    motion = motion_of(take, 0, frames, rest)
    action = armature.animation_data.action
    keys = sum(len(curve.keyframe_points) for curve in blender_lift_addon.tags.curves_of(action, armature).fcurves)

    rows = (
        ("the motion as F-curves, in a thread", lambda: motion_of(take, 0, frames, rest)),
        ("keys of a new action", lambda: key_pose(armature, motion, "new")),
        ("keys renewed in place (clean-up)", lambda: key_pose(armature, motion, "", action=action)),
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
