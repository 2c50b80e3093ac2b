# SPDX-License-Identifier: GPL-3.0-or-later
"""A take's times as frames of a scene."""

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from lifter_core.take import Take

from .motion_curves import scene_frames
from .opened_clips import Reel
from .tags import uid_of


@dataclass(frozen=True)
class Timing:
    """How a new take's times become a scene's frames.

    Attributes:
        clip_rate: frames a second at which Blender counts the clip's frames.
        rate: those of the scene as it is.
        match: whether the scene takes over the clip's.
        first: scene frame of the take's first.
    """

    clip_rate: float
    rate: float
    match: bool
    first: int

    def frames(self, take: Take) -> NDArray[np.float64]:
        """(T,) scene frames of the take's frames."""
        whole, base = blender_rate(self.clip_rate)
        return take_frames(take, whole / base if self.match else self.rate, self.first)


def timing(scene: bpy.types.Scene, take: Take, opened: Reel | None, match: bool, first_frame: int | None) -> Timing:
    """That of a take that is to be added to the scene, which does not change by it; first_frame None is the scene's."""
    # Blender shows a clip by this rate, which for a variable one is not the average that the decoder tells.
    clip_rate = opened.rate if opened and opened.rate >= 1 else take.fps
    return Timing(clip_rate, scene_rate(scene), match, scene.frame_start if first_frame is None else first_frame)


def has_takes(scene: bpy.types.Scene, but: str = "") -> bool:
    """Whether there are takes (but for that one) in the scene, to be neither cut off nor put out of step."""
    return any(uid_of(ob) not in ("", but) for ob in scene.objects)


def scene_rate(scene: bpy.types.Scene) -> float:
    """The scene's frames a second."""
    return scene.render.fps / scene.render.fps_base


def blender_rate(fps: float) -> tuple[int, float]:
    """Frames a second as Blender has them: a whole number and a divisor, which it keeps in single precision."""
    whole = max(1, round(fps))
    return whole, float(np.float32(whole / fps))


def take_frames(take: Take, fps: float, first: int) -> NDArray[np.float64]:
    """(T,) scene frames of the take's frames at the scene's rate, the first of them at ``first``."""
    return scene_frames(take.timestamps - take.timestamps[0], fps, first)
