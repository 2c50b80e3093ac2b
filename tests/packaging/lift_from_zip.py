"""Runs in a Python with nothing but bpy and NumPy: installs the zip, lifts a clip with what it brings, and measures.

    python lift_from_zip.py ZIP CLIP RESULT.json      (BLENDER_USER_RESOURCES names an empty folder)

The result holds the figures, or ``error`` with the traceback.
"""

import importlib.util
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

MODULE = "bl_ext.user_default.lift_video"
BROUGHT = ("lifter_core", "mediapipe", "av", "onnxruntime")


def install(zip_path: Path) -> float:
    """Installs the zip as the Preferences do; returns the seconds it took."""
    missing = [name for name in BROUGHT if importlib.util.find_spec(name) is None]
    assert missing == list(BROUGHT), f"already here without the zip: {set(BROUGHT) - set(missing)}"
    began = time.monotonic()
    result = bpy.ops.extensions.package_install_files(
        filepath=str(zip_path), repo="user_default", enable_on_install=True
    )
    assert result == {"FINISHED"}, result
    preferences: Any = bpy.context.preferences
    assert MODULE in preferences.addons, "installed, but not enabled"
    places = {name: str(importlib.util.find_spec(name).origin) for name in BROUGHT}  # type: ignore[union-attr]
    assert all(bpy.utils.user_resource("EXTENSIONS") in place for place in places.values()), places
    return time.monotonic() - began


def lift(clip: Path, folder: Path) -> Any:
    """Lifts two seconds of the clip with the add-on's own engine client, and builds the scene; returns the take."""
    from bl_ext.user_default.lift_video import batch
    from bl_ext.user_default.lift_video.arguments import LiftOptions

    from lifter_core.take import load_take

    options = LiftOptions("DRAFT", {"start": 2.5, "end": 4.5, "height": 1.7})
    assert batch.lift_files([clip], folder, options) == 0
    return load_take(folder / f"{clip.stem}.npz")


def measure(take: Any) -> dict[str, Any]:
    """How far the armature's joints, evaluated by the depsgraph, are from the take's, and what the F-curves hold."""
    from bl_ext.user_default.lift_video.armature import bone_name, rest_heads

    scene: Any = bpy.context.scene
    armature: Any = next(thing for thing in scene.objects if thing.type == "ARMATURE")
    rest = rest_heads(take, 0)[take.joint_bones] + take.joint_offsets[0]
    worst = 0.0
    present = np.flatnonzero(take.present[0])
    compared = present[np.linspace(0, len(present) - 1, 7).round().astype(int)]
    for t in compared:
        at = scene.frame_start + (take.timestamps[t] - take.timestamps[0]) * scene.render.fps / scene.render.fps_base
        scene.frame_set(int(at // 1), subframe=float(at % 1))
        shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for joint, bone in enumerate(take.joint_bones):
            pose_bone = shown.pose.bones[bone_name(take.bone_names[bone])]
            moved = shown.matrix_world @ pose_bone.matrix @ pose_bone.bone.matrix_local.inverted()
            error = (moved @ Vector(rest[joint]) - Vector(take.positions[0, t, joint])).length
            worst = max(worst, error)
    curves = _curves(armature.animation_data.action)
    values = np.array([[key.co.y for key in curve.keyframe_points] for curve in curves if len(curve.keyframe_points)])
    return {
        "worst_mm": worst * 1000,
        "frames_compared": len(compared),
        "frames": len(take.timestamps),
        "present": len(present),
        "curves": len(curves),
        "keys": int(values.shape[1]),
        "moving_curves": int((np.ptp(values, axis=1) > 1e-3).sum()),
        "camera": scene.camera is not None,
        "device": take.meta.device,
        "blender": bpy.app.version_string,
    }


def _curves(action: Any) -> list[Any]:
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [c for layer in action.layers for strip in layer.strips for bag in strip.channelbags for c in bag.fcurves]


def main() -> None:
    """Writes the result, or what went wrong, and leaves at once: bpy may crash or hang while Python takes it down."""
    zip_path, clip, target = map(Path, sys.argv[1:])
    result: dict[str, Any]
    try:
        seconds = install(zip_path)
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            take = lift(clip, Path(folder))
            result = {"install_s": seconds, "lift_s": time.monotonic() - began, **measure(take)}
    except BaseException:
        result = {"error": traceback.format_exc()}
    target.write_text(json.dumps(result))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
