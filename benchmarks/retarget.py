#!/usr/bin/env python3
"""Retargets onto every rig that can be had and prints how long it takes and how far limbs are off, as a table.

    .venv/blender-4.5/bin/python benchmarks/retarget.py [--take TAKE.npz ...] [--frames 10000]
        [--only rigify mixamo] [--rig FILE ...]

Limb directions (upper arms, forearms, thighs, shins, between joints) are evaluated by Blender's depsgraph on both
armatures, at every n-th frame so that some 200 frames are compared. "True" keeps the source's directions; "planted"
also pins the feet. Of these, as Blender shows them and for legs of 0.85 m: slide is the most that a planted ball of a foot
moves in a frame; off the floor, how far planted balls are above or below it (median, 95 %, worst); sunk, how far one that
is not planted gets into it; knee, how much more a knee turns in a frame than the source's.
Of several takes each is retargeted; a row tells the longest times, the middle of the medians and the worst of the rest.
Without --take a made-up motion is used. CPU s is what retargeting took of one core; on an idle machine time is the same.
Needs bpy; Rigify is taken from it, the other rigs from tests/blender/rigs. --rig: the first armatures of these files (blend,
FBX, glTF, VRM as glTF, BVH) instead, mapped as the panel maps them.
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
from blender_lift_addon.retarget.armature_to_armature import Result, Side, retarget
from blender_lift_addon.retarget.kinds import kinds
from blender_lift_addon.retarget.retarget_settings import retarget_of, side_of_settings
from blender_lift_addon.retarget.roles import NEXT
from blender_lift_addon.retarget.transfer_data import Options
from blender_lift_addon.tags import uid_of
from lifter_core.take import Take, load_take
from tests.blender import target_rigs
from tests.blender.synthetic_take import synthetic_take

LIMBS = ("upper_arm", "forearm", "thigh", "shin")


def known(armature: bpy.types.Object) -> Side:
    """An armature with its map, as the panel makes it."""
    settings = retarget_of(bpy.context.scene)
    settings.target = armature
    return side_of_settings(armature, settings.target_rig)


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


def feet(source: Side, target: Side, result: Result) -> list[float]:
    """Slide a frame, off the floor (median, 95 %, worst), sunk, all mm; knee, degrees a frame. At all keyed frames."""
    places, bends = {letter: [] for letter in "LR"}, []
    for frame in result.frames:
        bpy.context.scene.frame_set(int(frame))
        for letter, own in places.items():
            own.append(ball(target, letter))
        pair = [directions(side)[4:] for side in (source, target)]  # of thighs and shins
        bends.append([np.degrees(np.arccos(np.clip((d[:2] * d[2:]).sum(-1), -1.0, 1.0))) for d in pair])
    rig = result.posed.rig
    slides, planted, others = [0.0], [0.0], [0.0]
    for letter, own in places.items():
        stands = result.posed.contacts[letter]
        at = np.array(own) @ rig.frame.T * 850 / rig.leg
        slides += np.linalg.norm(np.diff(at, axis=0), axis=-1)[stands[1:] & stands[:-1]].tolist()
        up = at[:, 2] - rig.ball(letter)[2] * 850 / rig.leg
        planted += np.abs(up[stands]).tolist()
        others += (-up[~stands]).tolist()
    jerks = np.abs(np.diff(np.array(bends)[:, 1] - np.array(bends)[:, 0], axis=0))
    heights = [float(np.percentile(planted, share)) for share in (50, 95, 100)]
    return [max(slides), *heights, max(others), float(jerks.max())]


def deform(rig: bpy.types.Object) -> Side:
    """Rigify's deform bones: what the mesh follows."""
    bones = {f"{part}.{s}": [f"DEF-{part}.{s}"] for part in (*LIMBS, "foot", "hand") for s in "LR"}
    bones |= {f"toes.{s}": [f"DEF-toe.{s}"] for s in "LR"}
    return Side(rig, bones)


def imported(path: Path) -> bpy.types.Object:
    """The first armature of a file."""
    kind = path.suffix.lower()
    if kind == ".blend":
        with bpy.data.libraries.load(str(path)) as (there, wanted):
            wanted.objects = list(there.objects)
        for ob in wanted.objects:
            if ob is not None and ob.type == "ARMATURE":
                bpy.context.scene.collection.objects.link(ob)
    elif kind == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=False, update_scene_duration=False)
    elif kind == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    new = [ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE" and not uid_of(ob)]
    return new[0]


def make(name: str) -> bpy.types.Object:
    """The rig of a row."""
    if Path(name).is_file():
        return imported(Path(name))
    plain = name.split(" ")[0]
    if plain == "rigify":
        return target_rigs.rigify_rig()
    if plain == "rigify_metarig":
        return target_rigs.metarig()
    return target_rigs.rig_of_kind(kinds()[plain]) if "(names)" in name else target_rigs.fixture_rig(plain)


def pressed(take: Take, limbs: str) -> tuple[float, float]:
    """Seconds, and of one core, from pressing the button for Rigify to the pose in the view: the undo step is among it."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    scene = bpy.context.scene
    settings = retarget_of(scene)
    settings.source = add_take(scene, take, uid="benchmark").armatures[0]
    settings.target, settings.limbs = target_rigs.rigify_rig(), limbs
    bpy.context.view_layer.update()
    bpy.ops.ed.undo_push(message="before")
    begun, spent = time.perf_counter(), time.process_time()
    bpy.ops.lift.retarget("EXEC_DEFAULT", True)
    scene.frame_set(scene.frame_current)
    return time.perf_counter() - begun, time.process_time() - spent


def measure(take: Take, name: str, limbs: str, real: bool) -> list[float]:
    """Bones keyed, seconds, CPU seconds; median and worst degrees true to the source, then planted; what feet() tells."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    scene = bpy.context.scene
    source = known(add_take(scene, take, uid="benchmark").armatures[0])
    armature = make(name)
    target = known(armature)
    shown = deform(armature) if name.startswith("rigify (") else target
    figures: list[float] = []
    for options in (Options(plant_feet=False), Options()) if real else (Options(plant_feet=False),):
        begun, spent = time.perf_counter(), time.process_time()
        result = retarget(scene, source, target, options, "benchmark", limbs)
        took = [time.perf_counter() - begun, time.process_time() - spent]
        every = max(1, len(result.frames) // 200)
        errors = compare(source, shown, result.frames[::every])
        figures += [statistics.median(errors.ravel()), float(errors.max())]
    keyed = float(result.posed.keyed.sum())
    if not real:  # nobody stands in the made-up motion
        return [keyed, *took, *figures, *[0.0] * 8]
    return [keyed, *took, *figures, *feet(source, shown, result)]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", type=Path, nargs="+", help="real takes; the first person of each is used")
    parser.add_argument("--frames", type=int, default=10000, help="length of the made-up motion")
    parser.add_argument("--only", nargs="*", help="these rigs only")
    parser.add_argument("--rig", nargs="+", default=[], help="files with rigs, in place of the usual ones")
    args = parser.parse_args()
    blender_lift_addon.register()
    bpy.context.preferences.addons.new().module = blender_lift_addon.__name__
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    rigs = {"rigify (FK)": "fk", "rigify (IK)": "ik", "rigify_metarig": "fk"}
    rigs |= dict.fromkeys(target_rigs.FIXTURES, "fk")
    rigs |= dict.fromkeys((f"{key} (names)" for key in kinds() if key not in {"rigify", "rigify_metarig"}), "fk")
    if args.rig:
        rigs = dict.fromkeys(args.rig, "fk")
    if args.take:
        takes = [load_take(path) for path in args.take]
    else:
        takes = [synthetic_take(frames=args.frames, people=1, moving_camera=False)]
    print(
        f"Blender {bpy.app.version_string}, {os.cpu_count()} cores, {len(takes)} takes, "
        f"{sum(len(take.timestamps) for take in takes)} frames"
    )
    print(
        "| rig | bones keyed | time s | CPU s | true: median deg | worst | planted: median deg | worst | slide mm/frame "
        "| off the floor: median mm | 95 % | worst | sunk mm | knee deg/frame |"
    )
    print("|---" * 14 + "|")
    for name, limbs in rigs.items():
        if args.only and not any(name.startswith(wanted) for wanted in args.only):
            continue
        figures = [measure(take, name, limbs, bool(args.take)) for take in takes]
        keyed, seconds, cpu = (max(row[i] for row in figures) for i in range(3))
        picks = (statistics.median, max, statistics.median, max, max, statistics.median, max, max, max, max)
        values = [pick(row[i] for row in figures) for i, pick in enumerate(picks, 3)]
        cells = [f"{v:.2f}" if args.take or i < 2 else "-" for i, v in enumerate(values)]
        print(f"| {Path(name).name} | {keyed:.0f} | {seconds:.2f} | {cpu:.2f} | {' | '.join(cells)} |", flush=True)
    if not args.take and not args.rig:
        for limbs in ("fk", "ik"):
            seconds, cpu = pressed(takes[0], limbs)
            print(
                f"Button pressed, Rigify {limbs.upper()}, undo step and new pose included: {seconds:.2f} s, CPU {cpu:.2f} s"
            )
    sys.stdout.flush()
    os._exit(0)  # bpy may crash while Python takes it down


if __name__ == "__main__":
    main()
