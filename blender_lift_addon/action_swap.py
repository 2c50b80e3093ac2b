# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that gives way to another one in all its places: quicker than writing a long take's keys into it at once."""

from typing import Any

import bpy

from .tags import curves_of


def replaceable(old: bpy.types.Action, new: bpy.types.Action) -> bool:
    """Whether nothing would be lost: the old action holds no more than Lift wrote, and its users find the new one's slot."""
    action: Any = old
    if action.library or action.pose_markers or action.asset_data or action.use_frame_range:
        return False
    if hasattr(action, "slots"):
        other: Any = new
        if [slot.handle for slot in action.slots] != [slot.handle for slot in other.slots]:
            return False
        if len(action.layers) != 1 or len(action.layers[0].strips) != 1:
            return False
    curves = curves_of(old)
    if any(group.lock or group.mute or group.color_set != "DEFAULT" for group in curves.groups):
        return False
    return not any(
        curve.modifiers or curve.mute or curve.lock or curve.hide or curve.extrapolation != "CONSTANT"
        for curve in curves.fcurves
    )


def replace(old: bpy.types.Action, new: bpy.types.Action) -> None:
    """Gives the new action the old one's users, name and properties; the old one is gone."""
    action: Any = new
    giving: Any = old
    for key, value in giving.items():
        if key not in action:
            action[key] = value
    if hasattr(action, "slots"):
        action.slots[0].identifier = giving.slots[0].identifier
    else:
        action.id_root = giving.id_root
    action.use_fake_user = giving.use_fake_user
    old.user_remap(new)
    name = old.name
    bpy.data.actions.remove(old)
    new.name = name
