# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets for a lift; kept with the scene."""

import math
from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from .engine import LiftOptions

QUALITIES = (
    ("lite", "Draft", "A quick look: several times as fast as Best. Mixes up left and right now and then"),
    ("full", "Standard", "A good balance for clear footage: about three times as fast as Best"),
    ("heavy", "Best", "The most careful detection, for fast motion, turns and crossed limbs. Takes the longest"),
)
FRAME_RATES = (
    ("MATCH", "Match Clip", "Set the scene to the clip's frame rate, so that every frame of footage has its key"),
    ("KEEP", "Keep Scene", "Leave the scene's frame rate as it is. Keys fall between frames where the rates differ"),
)


class LiftSettings(bpy.types.PropertyGroup):
    """The choices in the Lift tab."""

    clip: StringProperty(  # type: ignore[valid-type]
        name="Clip",
        description="The video to lift: one shot, the person whole in the picture, camera on a stand if possible",
    )
    use_range: BoolProperty(  # type: ignore[valid-type]
        name="Only a Part",
        description="Lift only a part of the clip instead of all of it",
    )
    start: FloatProperty(  # type: ignore[valid-type]
        name="Start",
        description="Where the part begins, in seconds from the clip's first frame",
        min=0.0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
        precision=2,
    )
    end: FloatProperty(  # type: ignore[valid-type]
        name="End",
        description="Where the part ends, in seconds from the clip's first frame",
        min=0.0,
        default=10.0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
        precision=2,
    )
    quality: EnumProperty(  # type: ignore[valid-type]
        name="Quality",
        description="How carefully the person is looked for in each frame",
        items=QUALITIES,
        default="heavy",
    )
    use_height: BoolProperty(  # type: ignore[valid-type]
        name="Known Height",
        description="Scale the motion to the person's height. Otherwise an average height is assumed",
    )
    height: FloatProperty(  # type: ignore[valid-type]
        name="Person's Height",
        description="From the floor to the top of the head, without shoes",
        min=0.5,
        max=2.5,
        default=1.7,
        subtype="DISTANCE",
        unit="LENGTH",
        precision=2,
    )
    use_fov: BoolProperty(  # type: ignore[valid-type]
        name="Known Lens",
        description="Use the camera's field of view. Otherwise an ordinary lens is assumed",
    )
    fov: FloatProperty(  # type: ignore[valid-type]
        name="Field of View",
        description="How much the camera sees from the left edge of the picture to the right",
        min=math.radians(5),
        max=math.radians(160),
        default=math.radians(65),
        subtype="ANGLE",
        unit="ROTATION",
        precision=3,
    )
    frame_rate: EnumProperty(  # type: ignore[valid-type]
        name="Frame Rate",
        description="Whether the scene takes over the clip's frame rate",
        items=FRAME_RATES,
    )


def settings_of(scene: bpy.types.Scene | None) -> LiftSettings:
    """The scene's choices."""
    assert scene is not None
    settings: LiftSettings = scene.lift  # type: ignore[attr-defined]
    return settings


def clip_path(settings: LiftSettings) -> Path:
    """The clip as an absolute path."""
    return Path(bpy.path.abspath(settings.clip))


def why_not(settings: LiftSettings) -> str:
    """Why this cannot be lifted, in words for a tooltip, or nothing if it can."""
    if not settings.clip:
        return "Choose a video first"
    if not clip_path(settings).is_file():
        return "There is no file at the clip's path; choose it again"
    if settings.use_range and settings.end <= settings.start:
        return "The part of the clip must end after it starts"
    return ""


def lift_options(settings: LiftSettings) -> LiftOptions:
    """The choices as the engine takes them."""
    return LiftOptions(
        detector=settings.quality,
        start=settings.start if settings.use_range else None,
        end=settings.end if settings.use_range else None,
        height=settings.height * 100 if settings.use_height else None,
        fov=math.degrees(settings.fov) if settings.use_fov else None,
    )


def register() -> None:
    """Gives every scene its choices."""
    bpy.types.Scene.lift = PointerProperty(type=LiftSettings)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    """Takes them away."""
    del bpy.types.Scene.lift  # type: ignore[attr-defined]


CLASSES = (LiftSettings,)
