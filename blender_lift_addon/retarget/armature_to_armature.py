# SPDX-License-Identifier: GPL-3.0-or-later
"""Retargeting from one armature to another, as operators and scripts call it."""

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, transpose

from .bone_motion import motion_of
from .controls import fk_channels, ik_channels, set_switches
from .kinds import BoneMap, Kind
from .rig import RetargetError, read_rig
from .transfer import carrier_of, transfer
from .transfer_data import Motion, Options, Posed
from .write import assign, fill, layer, make_action

Pose = dict[str, Floats]  # bone to (3, 4): rotation and head in armature space


@dataclass
class Side:
    """One of the two armatures with what is known of it."""

    armature: bpy.types.Object
    bones: BoneMap
    kind: Kind | None = None
    matching: Pose | None = None


@dataclass
class Result:
    """What a retarget made."""

    action: bpy.types.Action
    frames: Floats
    posed: Posed
    switches: str  # what the rig's switches were, for controls.restore_switches


def current_pose(armature_object: bpy.types.Object) -> Pose:
    """The pose that the armature is in, for use as its matching pose."""
    assert armature_object.pose is not None
    return {bone.name: np.array(bone.matrix, dtype=np.float64)[:3] for bone in armature_object.pose.bones}


def read_motion(scene: bpy.types.Scene, source: Side, matched: bool) -> tuple[Floats, NDArray[np.intp], Motion]:
    """Frames, how to go on from each, and the source's motion in the character frame.

    Raises:
        RetargetError: the source does not move, or its map lacks what nothing works without.
    """
    rig = read_rig(source.armature, source.bones, None, source.matching, "source")
    frames, shapes, moved = motion_of(scene, source.armature, set(rig.names))
    turn = rig.frame
    deltas = {i: turn @ moved[name][0] @ rig.rest[i].T for i, name in enumerate(rig.names)}
    places = {i: moved[name][1] @ turn.T for i, name in enumerate(rig.names)}
    rate = scene.render.fps / scene.render.fps_base
    palms = bool(source.kind and source.kind.palms_down)
    return frames, shapes, Motion(rig, frames / rate, deltas, places, palms, matched)


def retarget(
    scene: bpy.types.Scene,
    source: Side,
    target: Side,
    options: Options,
    name: str,
    limbs: str = "fk",
    as_strip: bool = False,
    blend: str = "REPLACE",
) -> Result:
    """Gives the target a new action (or NLA strip) in which it moves as the source does.

    Args:
        scene: for the frame rate.
        source: who moves.
        target: who shall.
        options: what is kept.
        name: the new action's.
        limbs: "fk", or "ik" to key the IK controls as well and switch the rig to them.
        as_strip: as an NLA strip above what is there, not as the active action.
        blend: the strip's blend type.

    Raises:
        RetargetError: it cannot be done; nothing has been changed then.
    """
    if source.armature == target.armature:
        raise RetargetError("Source and target are the same armature; choose another target")
    if not target.armature.is_editable:
        raise RetargetError(f"{target.armature.name} is linked; make a library override of it first")
    matched = source.matching is not None or target.matching is not None
    frames, shapes, motion = read_motion(scene, source, matched)
    rig = read_rig(target.armature, target.bones, target.kind, target.matching)
    posed = transfer(motion, rig, options, bool(target.kind and target.kind.palms_down))
    if target.matching:
        posed = _at_rest(posed, target)
    channels = fk_channels(posed, carrier_of(posed.rig))
    if limbs == "ik" and target.kind:
        channels += ik_channels(target.armature, posed, target.kind)
    action, slot, curves = make_action(target.armature, name)
    fill(curves, target.armature, channels, frames, shapes)
    if as_strip:
        layer(target.armature, action, slot, blend)
    else:
        assign(target.armature, action, slot)
    switches = set_switches(target.armature, target.kind, limbs) if target.kind else ""
    return Result(action, frames, posed, switches)


def _at_rest(posed: Posed, target: Side) -> Posed:
    """The same poses, told from the true rest pose in place of the matching pose."""
    true = read_rig(target.armature, target.bones, target.kind)
    match = posed.rig.rest @ transpose(true.rest)  # what the matching pose turns each bone by
    return Posed(true, posed.deltas @ match[:, None], posed.places, posed.keyed, posed.contacts)
