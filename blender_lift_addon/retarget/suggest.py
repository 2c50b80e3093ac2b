# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Retarget panel starts from after a lift: the new armature, and the user's own kind of rig."""

import bpy

from .kinds import kinds, recognise
from .rig import data_of

ANY = "NONE"


def kind_items() -> list[tuple[str, str, str]]:
    """The kinds of rigs as an enum's items, none first."""
    known = [(kind.key.upper(), kind.name, f"Armatures with the bones of {kind.name}") for kind in kinds().values()]
    return [(ANY, "None", "The Retarget panel's target is left as it is"), *sorted(known, key=lambda item: item[1])]


def suggest(scene: bpy.types.Scene, lifted: bpy.types.Object, kind: str) -> None:
    """Makes ``lifted`` the source; and an armature of the scene of that kind the target, unless one is chosen already."""
    choices = scene.lift_retarget  # type: ignore[attr-defined]
    choices.source = lifted
    if kind == ANY or choices.target is not None:
        return
    for candidate in scene.objects:
        if candidate.type != "ARMATURE" or candidate == lifted:
            continue
        match = recognise([bone.name for bone in data_of(candidate).bones])
        if match.kind is not None and match.kind.key.upper() == kind:
            choices.target = candidate
            return
