#!/usr/bin/env python3
"""Retargets onto every rig that can be had and prints how long it takes and how far limbs are off, as a table.

    .venv/blender-4.5/bin/python benchmarks/retarget.py [--take TAKE.npz] [--frames 10000] [--only rigify mixamo]

Limb directions (upper arms, forearms, thighs, shins, between joints) are evaluated by Blender's depsgraph on both
armatures, at every n-th frame so that some 200 frames are compared. "True" keeps the source's directions; "planted"
also pins the feet: slide is the most a planted foot's ball moves in a frame, as Blender shows it, for legs of 0.85 m.
Without --take a made-up motion is used. CPU s is what retargeting took of one core; on an idle machine time is the same.
Needs bpy; Rigify is taken from it, the other rigs from tests/blender/rigs.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import bpy
import numpy as np

import blender_lift_addon
from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.apply import Result, Side, retarget
from blender_lift_addon.retarget.kinds import kinds, recognise
from blender_lift_addon.retarget.motion import Options
from blender_lift_addon.retarget.roles import NEXT
from lifter_core.take import load_take
from tests.blender import target_rigs
from tests.blender.synthetic_take import synthetic_take

LIMBS = ("upper_arm", "forearm", "thigh", "shin")


def known(armature: bpy.types.Object) -> Side:
    """An armature with its map."""
    match = recognise([bone.name for bone in armature.data.bones])
    return Side(armature, match.bones, match.kind)


def directions(side: Side) -> np.ndarray:
    """(8, 3) unit vectors along the limbs, world, as the depsgraph has them now."""
    posed = side.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    out = []
    for part in LIMBS:
        for letter in "LR":
            ends = [side.bones[f"{p}.{letter}"][0] for p in (part, NEXT[part])]
            a, b = (posed.matrix_world @ posed.pose.bones[name].head for name in ends)
            out.append(np.array((b - a).normalized()))
    return np.array(out)


def ball(side: Side, letter: str) -> np.ndarray:
    """(3,) where the foot bends, in armature space, as the depsgraph has it now."""
    posed = side.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    toes, foot = side.bones.get(f"toes.{letter}"), side.bones[f"foot.{letter}"]
    return np.array(posed.pose.bones[toes[0]].head if toes else posed.pose.bones[foot[-1]].tail)


def compare(source: Side, target: Side, frames: np.ndarray) -> np.ndarray:
    """Degrees between the limbs of the two, at all these frames."""
    errors = []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        a, b = directions(source), directions(target)
        errors.append(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1))))
    return np.array(errors)


def slide(target: Side, result: Result) -> float:
    """Mm a frame, the most that a planted foot moves from any keyed frame to the next."""
    places = {letter: [] for letter in "LR"}
    for frame in result.frames:
        bpy.context.scene.frame_set(int(frame))
        for letter, own in places.items():
            own.append(ball(target, letter))
    worst = 0.0
    for letter, own in places.items():
        planted = result.posed.contacts[letter]
        steps = np.linalg.norm(np.diff(own, axis=0), axis=-1)[planted[1:] & planted[:-1]]
        worst = max(worst, float(steps.max(initial=0.0)))
    return worst * 0.85 / result.posed.rig.leg * 1000


def deform(rig: bpy.types.Object) -> Side:
    """Rigify's deform bones: what the mesh follows."""
    bones = {f"{part}.{s}": [f"DEF-{part}.{s}"] for part in (*LIMBS, "foot", "hand") for s in "LR"}
    bones |= {f"toes.{s}": [f"DEF-toe.{s}"] for s in "LR"}
    return Side(rig, bones)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", type=Path, help="a real take; its first person is used")
    parser.add_argument("--frames", type=int, default=10000, help="length of the made-up motion")
    parser.add_argument("--only", nargs="*", help="these rigs only")
    args = parser.parse_args()
    blender_lift_addon.register()
    bpy.context.preferences.addons.new().module = blender_lift_addon.__name__
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    scene = bpy.context.scene
    rigs = {"rigify (FK)": "fk", "rigify (IK)": "ik", "rigify_metarig": "fk"}
    rigs |= dict.fromkeys(target_rigs.FIXTURES, "fk")
    rigs |= dict.fromkeys((f"{key} (names)" for key in kinds() if key not in {"rigify", "rigify_metarig"}), "fk")
    take = load_take(args.take) if args.take else synthetic_take(frames=args.frames, people=1, moving_camera=False)
    source = known(add_take(scene, take).armatures[0])
    print(f"Blender {bpy.app.version_string}, {os.cpu_count()} cores, {len(take.timestamps)} frames")
    print(
        "| rig | bones keyed | time s | CPU s | true: median deg | worst | planted: median deg | worst | slide mm/frame |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, limbs in rigs.items():
        if args.only and not any(name.startswith(wanted) for wanted in args.only):
            continue
        plain = name.split(" ")[0]
        if plain == "rigify":
            armature = target_rigs.rigify_rig()
        elif plain == "rigify_metarig":
            armature = target_rigs.metarig()
        elif "(names)" in name:
            armature = target_rigs.rig_of_kind(kinds()[plain])
        else:
            armature = target_rigs.fixture_rig(plain)
        target = known(armature)
        shown = deform(armature) if plain == "rigify" else target
        cells = []
        for options in (Options(plant_feet=False), Options()):
            begun, spent = time.perf_counter(), time.process_time()
            result = retarget(scene, source, target, options, "benchmark", limbs)
            seconds, cpu = time.perf_counter() - begun, time.process_time() - spent
            every = max(1, len(result.frames) // 200)
            frames = result.frames[::every]
            errors = compare(source, shown, frames)
            cells += [f"{statistics.median(errors.ravel()):.2f}", f"{errors.max():.2f}"]
        if not args.take:  # nobody stands in the made-up motion
            cells[2:] = ["-", "-"]
        cells.append("-" if not args.take else f"{slide(shown, result):.2f}")
        keyed = int(result.posed.keyed.sum())
        print(f"| {name} | {keyed} | {seconds:.2f} | {cpu:.2f} | {' | '.join(cells)} |", flush=True)
        data = armature.data
        bpy.data.objects.remove(armature)
        bpy.data.armatures.remove(data)
        for action in [one for one in bpy.data.actions if one.name.startswith("benchmark")]:
            bpy.data.actions.remove(action)
    sys.stdout.flush()
    os._exit(0)  # bpy may crash while Python takes it down


if __name__ == "__main__":
    main()
