# SPDX-License-Identifier: GPL-3.0-or-later
"""How a take is cleaned up: what `lifter solve` can do anew in seconds."""

import math
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ..live import changed
from ..options import CleanUp

PARTS = ("body", "hands", "feet", "root")
CAMERAS = (
    ("auto", "Automatic", "Look at the background to tell whether the camera moved"),
    (
        "still",
        "Still",
        "The camera stood on a stand. Choose it if the armature's path wavers though the camera did not",
    ),
    ("moving", "Moving", "The camera turned or zoomed. The camera in the scene gets keys"),
)


def _part(name: str, what: str) -> Any:
    return FloatProperty(
        name=name,
        description=f"How much {what} is smoothed",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
        update=changed,
    )


class LiftCleanUp(bpy.types.PropertyGroup):
    """The choices of the Clean-Up panel, one set for each take."""

    smooth: FloatProperty(  # type: ignore[valid-type]
        name="Smoothing",
        description="How much jitter is taken out. 0 keeps the raw motion, 0.5 suits most clips, 1 is very soft",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
        update=changed,
    )
    by_part: BoolProperty(  # type: ignore[valid-type]
        name="By Body Part",
        description="Set the smoothing of body, hands, feet and root each by itself",
        update=changed,
    )
    smooth_body: _part("Body", "the motion of spine, head, arms and legs")  # type: ignore[valid-type]
    smooth_hands: _part("Hands", "the motion of the hands")  # type: ignore[valid-type]
    smooth_feet: _part("Feet", "the motion of the feet")  # type: ignore[valid-type]
    smooth_root: _part("Root", "the path of the pelvis through the scene")  # type: ignore[valid-type]
    foot_lock: FloatProperty(  # type: ignore[valid-type]
        name="Foot Lock",
        description="How firmly a planted foot is held to its place on the floor. 0 leaves the feet free",
        min=0.0,
        max=1.0,
        default=1.0,
        subtype="FACTOR",
        update=changed,
    )
    floor_height: FloatProperty(  # type: ignore[valid-type]
        name="Floor Height",
        description="Raises (or lowers) the floor that was found, if the feet sink into it or float above it",
        default=0.0,
        soft_min=-0.5,
        soft_max=0.5,
        subtype="DISTANCE",
        unit="LENGTH",
        precision=3,
        step=1,
        update=changed,
    )
    floor_tilt_x: FloatProperty(  # type: ignore[valid-type]
        name="Floor Tilt X",
        description="Tilts the floor that was found about the X axis, if the person leans to the front or the back",
        default=0.0,
        soft_min=math.radians(-20),
        soft_max=math.radians(20),
        subtype="ANGLE",
        unit="ROTATION",
        update=changed,
    )
    floor_tilt_y: FloatProperty(  # type: ignore[valid-type]
        name="Y",
        description="Tilts the floor that was found about the Y axis, if the person leans to a side",
        default=0.0,
        soft_min=math.radians(-20),
        soft_max=math.radians(20),
        subtype="ANGLE",
        unit="ROTATION",
        update=changed,
    )
    root: EnumProperty(  # type: ignore[valid-type]
        name="Root",
        description="Whether the person moves through the scene",
        items=(
            ("MOTION", "Root Motion", "The person walks through the scene as in the clip"),
            ("IN_PLACE", "In Place", "The person stays above one point of the floor, as for game characters"),
        ),
        update=changed,
    )
    turn: BoolProperty(  # type: ignore[valid-type]
        name="Turn to Face",
        description="Turn the whole take, its camera included, so that the person begins in a chosen direction",
        update=changed,
    )
    facing: FloatProperty(  # type: ignore[valid-type]
        name="Facing",
        description="The direction in which the person begins: 0 looks along -Y, as Blender's characters do",
        default=0.0,
        min=-math.pi,
        max=math.pi,
        subtype="ANGLE",
        unit="ROTATION",
        update=changed,
    )
    use_height: BoolProperty(  # type: ignore[valid-type]
        name="Known Height",
        description="Scale the take anew to the person's height",
        update=changed,
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
        update=changed,
    )
    use_fov: BoolProperty(  # type: ignore[valid-type]
        name="Known Lens",
        description="Solve the take anew with the camera's field of view",
        update=changed,
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
        update=changed,
    )
    camera: EnumProperty(  # type: ignore[valid-type]
        name="Camera",
        description="Whether the camera moved while the clip was filmed",
        items=CAMERAS,
        update=changed,
    )


def clean_up_options(settings: LiftCleanUp) -> CleanUp:
    """The choices as the engine takes them."""
    parts = {f"smooth_{part}": getattr(settings, f"smooth_{part}") for part in PARTS} if settings.by_part else {}
    return CleanUp(
        smooth=settings.smooth,
        foot_lock=settings.foot_lock,
        floor_height=settings.floor_height,
        floor_tilt=(math.degrees(settings.floor_tilt_x), math.degrees(settings.floor_tilt_y)),
        in_place=settings.root == "IN_PLACE",
        facing=math.degrees(settings.facing) if settings.turn else None,
        height=settings.height * 100 if settings.use_height else None,
        fov=math.degrees(settings.fov) if settings.use_fov else None,
        camera=settings.camera,
        **parts,
    )


CLASSES = (LiftCleanUp,)
