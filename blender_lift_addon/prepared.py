# SPDX-License-Identifier: GPL-3.0-or-later
"""A take's actions, made over several timer steps before anything of the take is in the scene: keys take the longest.

Until they are taken up they have no user and a name with a dot before it, so that Blender's menus hide them and no .blend
keeps them. They are looked for by name each time: an undo in between takes them away, and pointers to them with it.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import bpy

from lifter_core.rotations import Floats

from .armature import Rest
from .keyframes import assign, blank_action, key_pose, write_curve
from .motion_curves import Motion
from .tags import curves_of, sign

STEP = 0.02  # s; one more curve is begun until then
PREFIX = ".lift "


@dataclass(frozen=True)
class Prepared:
    """The actions of one take.

    Attributes:
        key: by which they are told from those of other takes.
        motions: of the take's people.
    """

    key: str
    motions: Sequence[Motion | None]

    def advance(self) -> bool:
        """Makes as much of the actions as one step has time for; false if there was nothing left to make."""
        end = time.perf_counter() + STEP
        made = False
        for person, motion in enumerate(self.motions):
            if motion is None:
                continue
            name = _name(self.key, person)
            action = bpy.data.actions.get(name) or blank_action(name, "OBJECT")
            curves = curves_of(action)
            # Each curve is written in one step, so those that are there are whole.
            for channel in motion.channels[len(curves.fcurves) :]:
                write_curve(curves, channel, motion.interpolation)
                made = True
                if time.perf_counter() > end:
                    return made
        return made

    def motion(self, person: int, frames: Floats, rest: Rest) -> Motion | None:
        """The person's, if it is for these frames and an armature with that rest pose."""
        motion = self.motions[person]
        return motion if motion is not None and motion.fits(frames, rest) else None

    def action(self, person: int) -> bpy.types.Action | None:
        """The person's action if all of it is made, signed."""
        action, motion = bpy.data.actions.get(_name(self.key, person)), self.motions[person]
        if action is None or motion is None or len(curves_of(action).fcurves) != len(motion.channels):
            return None
        sign(action, motion.check)
        return action

    def take_up(self, armature: bpy.types.Object, person: int, frames: Floats, rest: Rest, name: str) -> bool:
        """Has the person's action animate the armature, under its real name; false if what was prepared does not fit."""
        motion = self.motion(person, frames, rest)
        if motion is None:
            return False
        action = self.action(person)
        if action is None:
            key_pose(armature, motion, name)
            return True
        action.name = name
        assign(armature, action)
        return True

    def discard(self) -> None:
        """Removes the actions that were not taken up."""
        for person in range(len(self.motions)):
            action = bpy.data.actions.get(_name(self.key, person))
            if action is not None:
                bpy.data.actions.remove(action)


def sweep(wanted: Collection[str] = ()) -> None:
    """Removes the actions that were prepared for any but these keys."""
    kept = tuple(_name(key) for key in wanted)
    for action in list(bpy.data.actions):
        if action.name.startswith(PREFIX) and not action.users and not action.name.startswith(kept):
            bpy.data.actions.remove(action)


def _name(key: str, person: int | None = None) -> str:
    return f"{PREFIX}{key} {'' if person is None else person}"
