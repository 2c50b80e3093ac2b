# SPDX-License-Identifier: GPL-3.0-or-later
"""How an armature's bones move: from its F-curves in closed form, or, where constraints and drivers have a say, by
asking Blender frame by frame.
"""

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, about, to_matrix, unit

from .rig import RetargetError, data_of
from .rotation_modes import matrix_of_euler

CHANNELS = {
    "QUATERNION": ("rotation_quaternion", 4),
    "AXIS_ANGLE": ("rotation_axis_angle", 4),
}
Curves = dict[tuple[str, str], dict[int, Any]]  # (bone, channel) -> index -> F-curve


def curves_of(armature_object: bpy.types.Object) -> Curves:
    """The F-curves of the object's own action, those of pose bones."""
    animation = armature_object.animation_data
    action: Any = animation.action if animation else None
    if action is None:
        return {}
    found: list[Any] = []
    if not hasattr(action, "slots"):
        found = list(action.fcurves)
    else:
        slot = animation.action_slot  # type: ignore[union-attr]
        for layer in action.layers if slot else ():
            for strip in layer.strips:
                bag = strip.channelbag(slot)
                found += list(bag.fcurves) if bag else []
    curves: Curves = {}
    for curve in found:
        path = curve.data_path
        if path.startswith('pose.bones["') and '"].' in path and not curve.mute:
            name, channel = path[len('pose.bones["') :].rsplit('"].', 1)
            curves.setdefault((bpy.utils.unescape_identifier(name), channel), {})[curve.array_index] = curve
    return curves


def keys_of(curve: Any) -> Floats:
    """(K, 2) frames and values of an F-curve's keys."""
    flat = np.empty(2 * len(curve.keyframe_points), np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2).astype(np.float64)


def key_frames(curves: Curves, bones: set[str]) -> tuple[Floats, NDArray[np.intp]]:
    """The frames to carry over, and how to go on from each (0 constant, 1 linear).

    Where the bones are keyed on the same frames, as captured motion is, those very frames; otherwise every whole frame
    from the first key to the last.

    Raises:
        RetargetError: there are no keys.
    """
    own = [curve for (bone, _), by_index in curves.items() if bone in bones for curve in by_index.values()]
    own = [curve for curve in own if len(curve.keyframe_points)]
    if not own:
        raise RetargetError("The source has no keys on its mapped bones; choose an armature with an action")
    longest = max(own, key=lambda curve: len(curve.keyframe_points))
    frames = keys_of(longest)[:, 0]
    start = min(curve.keyframe_points[0].co[0] for curve in own)
    end = max(curve.keyframe_points[-1].co[0] for curve in own)
    dense = len(frames) > 1 and np.median(np.diff(frames)) <= 1.5
    if dense and frames[0] <= start and frames[-1] >= end:
        shape = np.empty(len(frames), np.int32)
        longest.keyframe_points.foreach_get("interpolation", shape)
        return frames, np.minimum(shape, 1).astype(np.intp)
    whole = np.arange(np.ceil(start), max(np.floor(end), np.ceil(start)) + 1)
    return whole, np.ones(len(whole), np.intp)


def values_of(curve: Any, frames: Floats) -> Floats:
    """(T,) an F-curve's values at the frames."""
    keys = keys_of(curve)
    if len(keys) == len(frames) and not len(curve.modifiers) and np.array_equal(keys[:, 0], frames):
        return keys[:, 1]
    if len(keys) == 1 and not len(curve.modifiers):
        return np.full(len(frames), keys[0, 1])
    return np.array([curve.evaluate(frame) for frame in frames])


def closed(armature_object: bpy.types.Object, names: set[str]) -> bool:
    """Whether F-curves alone say how the bones move."""
    animation = armature_object.animation_data
    if animation is None or animation.action is None:
        return False
    if animation.use_nla and any(not track.mute and len(track.strips) for track in animation.nla_tracks):
        return False
    assert armature_object.pose is not None
    for name in names:
        for constraint in armature_object.pose.bones[name].constraints:
            if not constraint.mute and constraint.influence > 0:
                return False
    driven = (driver.data_path.split('"') for driver in animation.drivers)
    return not any(len(parts) > 2 and parts[1] in names and "constraints" not in parts[2] for parts in driven)


def with_ancestors(armature_object: bpy.types.Object, names: set[str]) -> list[bpy.types.PoseBone]:
    """The bones and all they hang on, parents first."""
    assert armature_object.pose is not None
    wanted = set(names)
    for name in names:
        wanted |= {bone.name for bone in data_of(armature_object).bones[name].parent_recursive}
    return [bone for bone in armature_object.pose.bones if bone.name in wanted]  # Blender keeps parents first


def _channel(curves: Curves, bone: bpy.types.PoseBone, channel: str, size: int, frames: Floats) -> Floats:
    """(T, size) or (1, size) where it does not move."""
    by_index = curves.get((bone.name, channel), {})
    still = np.array(getattr(bone, channel), dtype=np.float64)
    if not by_index:
        return still[None]
    values = np.repeat(still[None], len(frames), 0)
    for index, curve in by_index.items():
        if index < size:
            values[:, index] = values_of(curve, frames)
    return values


def _turned(curves: Curves, bone: bpy.types.PoseBone, frames: Floats) -> Floats:
    """(T or 1, 3, 3) the bone's own rotation."""
    mode = bone.rotation_mode
    channel, size = CHANNELS.get(mode, ("rotation_euler", 3))
    values = _channel(curves, bone, channel, size, frames)
    if mode == "QUATERNION":
        return to_matrix(values)
    if mode == "AXIS_ANGLE":
        return about(unit(values[:, 1:]), values[:, 0])
    return matrix_of_euler(values, mode)


def _unscaled(m: Floats) -> Floats:
    return m / np.sqrt(np.einsum("...ij,...ij->...j", m, m))[..., None, :]


def evaluate(armature_object: bpy.types.Object, names: set[str], frames: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Rotations (T, 3, 3) and heads (T, 3) of the bones in armature space, from the F-curves alone."""
    curves = curves_of(armature_object)
    shape: dict[str, Floats] = {}
    place: dict[str, Floats] = {}
    for pose_bone in with_ancestors(armature_object, names):
        bone = pose_bone.bone
        arm = np.array(bone.matrix_local, dtype=np.float64)
        parent = bone.parent
        location = _channel(curves, pose_bone, "location", 3, frames)
        scale = _channel(curves, pose_bone, "scale", 3, frames)
        own = _turned(curves, pose_bone, frames)
        if np.abs(scale - 1).max() > 1e-6:
            own = own * scale[:, None, :]
        if parent is None:
            turn = arm[:3, :3]
            axes, start = (turn if bone.use_local_location else np.eye(3)), arm[:3, 3]
        else:
            rest = np.array(parent.matrix_local, dtype=np.float64)
            offset = np.linalg.inv(rest) @ arm
            above = shape[parent.name]
            if not bone.use_inherit_rotation:
                turn = arm[:3, :3][None]
            elif bone.inherit_scale in {"FULL", "FIX_SHEAR", "ALIGNED"}:
                turn = above @ offset[:3, :3]
            else:
                turn = _unscaled(above) @ offset[:3, :3]
            axes = above @ offset[:3, :3] if bone.use_local_location else above
            start = place[parent.name] + (above @ offset[:3, 3:])[..., 0]
        shape[bone.name] = turn @ own
        if bone.use_connect and parent is not None:
            place[bone.name] = np.atleast_2d(start)
        else:
            place[bone.name] = start + (axes @ location[..., None])[..., 0]
    return {name: (_full(_unscaled(shape[name]), frames), _full(place[name], frames)) for name in names}


def _full(values: Floats, frames: Floats) -> Floats:
    return np.broadcast_to(values, (len(frames), *values.shape[1:])) if len(values) != len(frames) else values


def sample(
    scene: bpy.types.Scene, armature_object: bpy.types.Object, names: set[str], frames: Floats
) -> dict[str, tuple[Floats, Floats]]:
    """The same as ``evaluate``, as Blender shows it: slow, but whatever constraints, drivers and strips there are."""
    now, part = scene.frame_current, scene.frame_subframe
    rows: dict[str, list[Floats]] = {name: [] for name in names}
    try:
        for frame in frames:
            scene.frame_set(int(frame // 1), subframe=float(frame % 1))
            shown = armature_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
            assert shown.pose is not None
            for name in names:
                rows[name].append(np.array(shown.pose.bones[name].matrix, dtype=np.float64))
    finally:
        scene.frame_set(now, subframe=part)
    stacked = {name: np.array(matrices) for name, matrices in rows.items()}
    return {name: (_unscaled(m[:, :3, :3]), m[:, :3, 3]) for name, m in stacked.items()}


def motion_of(
    scene: bpy.types.Scene, armature_object: bpy.types.Object, names: set[str]
) -> tuple[Floats, NDArray[np.intp], dict[str, tuple[Floats, Floats]]]:
    """Frames (T,), how to go on from each, and the bones' rotations and heads in armature space at them.

    Raises:
        RetargetError: the armature does not move.
    """
    needed = {bone.name for bone in with_ancestors(armature_object, names)}
    if closed(armature_object, needed):
        frames, shapes = key_frames(curves_of(armature_object), needed)
        return frames, shapes, evaluate(armature_object, names, frames)
    animation = armature_object.animation_data
    if animation is None or (animation.action is None and not any(len(t.strips) for t in animation.nla_tracks)):
        raise RetargetError(f"{armature_object.name} has no motion; choose an armature with an action")
    start, end = scene.frame_start, scene.frame_end
    if animation.action is not None:
        edges = animation.action.frame_range
        start, end = round(edges[0]), round(edges[1])
    frames = np.arange(start, end + 1, dtype=np.float64)
    return frames, np.ones(len(frames), np.intp), sample(scene, armature_object, names, frames)
