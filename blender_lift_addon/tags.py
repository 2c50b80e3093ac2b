# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take made, found again: custom properties on objects, actions and collections, which survive undo and saving."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

TAKE, PERSON, KEYS = "lift_take", "lift_person", "lift_keys"


def tag(block: Any, uid: str, person: int = -1) -> None:
    """Marks an object, action or collection as made by a take (for one of its people)."""
    block[TAKE] = uid
    block[PERSON] = person


def uid_of(block: Any) -> str:
    """The take that made the block, or nothing."""
    return str(block.get(TAKE, "")) if block is not None else ""


def armatures(uid: str) -> list[bpy.types.Object]:
    """The armatures that a take made, one a person."""
    found = [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and uid_of(ob) == uid]
    first = {int(ob[PERSON]): ob for ob in reversed(found)}
    return [first[person] for person in sorted(first)]


def camera(uid: str) -> bpy.types.Object | None:
    """The camera that a take made."""
    return next((ob for ob in bpy.data.objects if ob.type == "CAMERA" and uid_of(ob) == uid), None)


def curves_of(action: bpy.types.Action, owner: bpy.types.ID | None = None) -> Any:
    """What holds the action's F-curves (it has fcurves and groups): the action, or from Blender 4.4 on a channel bag.

    None if there is no bag yet.
    """
    blocks: Any = action
    if not hasattr(action, "slots"):
        return action
    animation: Any = getattr(owner, "animation_data", None)
    slot = animation.action_slot if animation is not None and animation.action == action else None
    slot = slot or (blocks.slots[0] if len(blocks.slots) else None)
    for layer in blocks.layers:
        for strip in layer.strips:
            if slot is not None and (bag := strip.channelbag(slot)) is not None:
                return bag
    return None


def fingerprint(action: bpy.types.Action, owner: bpy.types.ID | None = None) -> str:
    """A number for all of the action's keys: another one as soon as a key was moved, added or removed."""
    curves = curves_of(action, owner)
    return checksum(_keys(curves.fcurves if curves is not None else ()))


def checksum(curves: Iterable[tuple[str, int, NDArray[np.float32]]]) -> str:
    """The fingerprint of an action with these F-curves: data path, array index, and frame, value, frame, value, ..."""
    check = 0
    for path, index, keys in curves:
        check = zlib.crc32(keys.tobytes(), zlib.crc32(f"{path}{index}".encode(), check))
    return f"{check:08x}"


def _keys(fcurves: Any) -> Iterator[tuple[str, int, NDArray[np.float32]]]:
    for curve in fcurves:
        keys = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", keys)
        yield curve.data_path, curve.array_index, keys


def sign(action: bpy.types.Action, check: str) -> None:
    """Notes which keys, by their fingerprint, the take gave the action."""
    action[KEYS] = check


def untouched(action: bpy.types.Action, owner: bpy.types.ID) -> bool:
    """Whether the keys are still as the take made them."""
    return str(action.get(KEYS, "")) == fingerprint(action, owner)
