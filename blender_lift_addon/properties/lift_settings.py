# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set for the next lift, and how the scene's takes are shown."""

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from lifter_core.declare import Place

from ..scene_view import show_take
from .option_properties import option_properties
from .takes import LiftTake

SOURCES = (
    ("FILE", "File", "A video file", "FILE_MOVIE", 0),
    ("CLIP", "Clip", "A movie clip that is in this file already", "TRACKER", 1),
    ("STRIP", "Strip", "A movie strip of the video sequencer; only the part that it shows is lifted", "SEQUENCE", 2),
)
QUALITIES = (  # costs: benchmarks/qualities.py
    (
        "DRAFT",
        "Draft",
        "A quick look: some 13 s of one processor core for 10 s of video. Often mixes up left and right when the person "
        "turns",
    ),
    (
        "STANDARD",
        "Standard",
        "For clear footage, half the work of Best: some 20 s of one processor core for 10 s of video. Mixes up left and "
        "right now and then",
    ),
    (
        "BEST",
        "Best",
        "The most careful detection, which looks at every picture in the mirror too, for fast motion, turns and crossed "
        "limbs: some 37 s of processor cores, two of which can work at once, for 10 s of video",
    ),
)
FRAME_RATES = (
    (
        "MATCH",
        "Match Clip",
        "Set the scene to the clip's frame rate, so that every frame of footage has its key. Not if the scene has takes "
        "already",
    ),
    ("KEEP", "Keep Scene", "Leave the scene's frame rate as it is. Keys fall between frames where the rates differ"),
)


def _other_clip(settings: Any, context: bpy.types.Context) -> None:
    """Whoever was picked was in the other clip."""
    settings.person, settings.whom = (-1.0, -1.0, 0.0), "MAIN"


def _strip_names(settings: Any, context: bpy.types.Context, typed: str) -> list[str]:
    return [s.name for s in strips(settings.id_data) or () if s.type == "MOVIE" and typed.lower() in s.name.lower()]


def _other_take(settings: Any, context: bpy.types.Context) -> None:
    take = active_take(settings.id_data)
    if take is not None:
        show_take(settings.id_data, take.uid, settings.solo)


class LiftSettings(bpy.types.PropertyGroup):
    """The choices in the Lift tab; those of the engine's options that it offers are added below."""

    source: EnumProperty(  # type: ignore[valid-type]
        name="Source",
        description="Where the clip comes from",
        items=SOURCES,
        update=_other_clip,
    )
    clip: StringProperty(  # type: ignore[valid-type]
        name="Clip",
        description="The video to lift: one shot, the person whole in the picture, camera on a stand if possible",
        update=_other_clip,
    )
    movie_clip: PointerProperty(  # type: ignore[valid-type]
        type=bpy.types.MovieClip,
        name="Movie Clip",
        description="A movie clip of this file, for example the one open in the Movie Clip Editor",
        update=_other_clip,
    )
    strip: StringProperty(  # type: ignore[valid-type]
        name="Strip",
        description="A movie strip of this scene's sequencer. The armature begins where the strip does",
        search=_strip_names,
        search_options={"SUGGESTION"},
        update=_other_clip,
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
        default="BEST",
    )
    whom: EnumProperty(  # type: ignore[valid-type]
        name="Person",
        description="Whom to lift when there are several people in the clip",
        items=(
            ("MAIN", "Main Person", "Whoever is largest and in the picture for longest"),
            ("PICKED", "Picked", "Whoever you click on in a picture of the clip"),
        ),
    )
    person: FloatVectorProperty(size=3, default=(-1.0, -1.0, 0.0))  # type: ignore[valid-type]
    frame_rate: EnumProperty(  # type: ignore[valid-type]
        name="Frame Rate",
        description="Whether the scene takes over the clip's frame rate",
        items=FRAME_RATES,
    )
    takes: CollectionProperty(type=LiftTake)  # type: ignore[valid-type]
    active_take: IntProperty(  # type: ignore[valid-type]
        name="Take",
        description="The take that the panels below are about. Choosing it shows it through its own camera",
        update=_other_take,
    )
    solo: BoolProperty(  # type: ignore[valid-type]
        name="Only This Take",
        description="Hide the scene's other takes, so that only the person of this footage is seen over it",
        default=True,
        update=_other_take,
    )
    live: BoolProperty(  # type: ignore[valid-type]
        name="Live",
        description="Solve the take anew whenever a setting is changed",
        default=True,
    )
    show_keypoints: BoolProperty(  # type: ignore[valid-type]
        name="Keypoints",
        description=(
            "In the camera view, draw the stick figure that was found in the footage: green where the detector was "
            "sure, red where it guessed"
        ),
        default=True,
    )
    show_lost: BoolProperty(  # type: ignore[valid-type]
        name="Tracking Lost",
        description="Mark the frames without a person in red, in the timeline and in the camera view",
        default=True,
    )
    show_contacts: BoolProperty(  # type: ignore[valid-type]
        name="Foot Contacts",
        description="In the timeline, show when the left and the right foot are planted",
        default=True,
    )


LiftSettings.__annotations__ |= option_properties(Place.TAB)


def strips(scene: bpy.types.Scene) -> Any:
    """The sequencer's strips, those in meta strips too; None without a sequencer."""
    editor: Any = scene.sequence_editor
    if editor is None:
        return None
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def settings_of(scene: bpy.types.Scene | None) -> LiftSettings:
    """The scene's choices."""
    assert scene is not None
    settings: LiftSettings = scene.lift  # type: ignore[attr-defined]
    return settings


def active_take(scene: bpy.types.Scene | None) -> LiftTake | None:
    """The take chosen in the list."""
    settings = settings_of(scene)
    takes: Any = settings.takes
    return takes[settings.active_take] if 0 <= settings.active_take < len(takes) else None


CLASSES = (LiftSettings,)
