"""Every option of a lift, declared once.

The command lines, the add-on's panels and presets, the tables in the documents (``python -m lifter_core.options``), all checks
and a take's record of its options are made from the declarations below. To add an option, declare it here and use it where it
has its effect, as an attribute of DetectOptions or SolveOptions.
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .declare import Checked, Choice, Field, Option, Place, Switch, declared, option
from .errors import BadInputError

_BY_PART = Switch("by_part", "By Body Part", "Set the smoothing of body, hands, feet and root each by itself")
_SMOOTHED = "How much {} is smoothed: 0 not at all, 0.5 standard, 1 much"
_AMOUNT = (0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class DetectOptions(Checked):
    """What the detection of the people in a clip is told. Units: seconds from the clip's first frame."""

    detector: str = option(
        "heavy",
        "The detector that looks for the person in each frame: lite is the fastest, heavy the best, or one of your own",
        "detection",
        Place.LIFT | Place.DETECT,
        recorded=False,
    )
    flip: bool = option(
        True,
        "Look at the mirror image of each picture too and average: better, and a second processor core's work",
        "detection",
        Place.LIFT | Place.DETECT,
        recorded=False,
    )
    start: float | None = option(
        None,
        "Lift from this second of the clip on",
        "detection",
        Place.LIFT | Place.DETECT | Place.BATCH,
        unit="s",
        range=(0, math.inf),
        otherwise="from its first frame",
    )
    end: float | None = option(
        None,
        "Lift up to this second of the clip",
        "detection",
        Place.LIFT | Place.DETECT | Place.BATCH,
        unit="s",
        range=(0, math.inf),
        otherwise="to its last frame",
    )
    person: tuple[float, float, float] | None = option(
        None,
        "Whom to lift when there are several people: a place in the picture (two numbers from 0 to 1, from its upper left "
        "corner) and the second of the clip at which the person is there",
        "detection",
        Place.LIFT | Place.DETECT,
        ranges=(_AMOUNT, _AMOUNT, (0, math.inf)),
        metavar=("X", "Y", "S"),
        otherwise="whoever is largest and seen longest",
    )


@dataclass(frozen=True, kw_only=True)
class SolveOptions(Checked):
    """What is told once the people are detected: how their motion is lifted to 3D and solved.

    Those of the stage ``lifting`` (fov, model, device) are for the steps before the solver. Angles are in degrees, lengths in
    metres. ``facing`` counts counter-clockwise seen from above; None = as filmed, the world's Y along the camera's view.
    """

    smooth: float = option(
        0.5,
        "How much jitter is taken out: 0 keeps the raw motion, 0.5 suits most clips, 1 is very soft",
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        range=_AMOUNT,
        field=Field("Smoothing"),
    )
    smooth_body: float | None = option(
        None,
        _SMOOTHED.format("the motion of spine, head, arms and legs"),
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        range=_AMOUNT,
        follows="smooth",
        field=Field("Body", switch=_BY_PART, start=0.5),
    )
    smooth_hands: float | None = option(
        None,
        _SMOOTHED.format("the motion of the hands"),
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        range=_AMOUNT,
        follows="smooth",
        field=Field("Hands", switch=_BY_PART, start=0.5),
    )
    smooth_feet: float | None = option(
        None,
        _SMOOTHED.format("the motion of the feet"),
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        range=_AMOUNT,
        follows="smooth",
        field=Field("Feet", switch=_BY_PART, start=0.5),
    )
    smooth_root: float | None = option(
        None,
        _SMOOTHED.format("the path of the pelvis through the scene"),
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        range=_AMOUNT,
        follows="smooth",
        field=Field("Root", switch=_BY_PART, start=0.5),
    )
    foot_lock: float = option(
        1.0,
        "How firmly a planted foot is held to its place on the floor: 0 leaves the feet free, as they were seen",
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        range=_AMOUNT,
        field=Field("Foot Lock"),
    )
    floor_height: float = option(
        0.0,
        "Raises (or lowers) the floor that was found, if the feet sink into it or float above it",
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        unit="m",
        range=(-3, 3),
        field=Field("Floor Height", soft=(-0.5, 0.5), precision=3, step=1, preset=False),
    )
    floor_tilt: tuple[float, float] = option(
        (0.0, 0.0),
        "Tilts the floor that was found: about the X axis if the person leans to the front or the back, about the Y axis if "
        "the person leans to a side",
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        unit="deg",
        range=(-60, 60),
        metavar=("X", "Y"),
        field=Field("Floor Tilt", soft=(-20, 20), preset=False),
    )
    in_place: bool = option(
        False,
        "Whether the person stays above one point of the floor instead of moving through the scene",
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        field=Field(
            "Root",
            prop="root",
            items=(
                Choice("MOTION", "Root Motion", "The person walks through the scene as in the clip"),
                Choice("IN_PLACE", "In Place", "The person stays above one point of the floor, as for game characters"),
            ),
        ),
    )
    facing: float | None = option(
        None,
        "The direction in which the person begins: 0 looks along -Y, as Blender's characters do, 90 along +X. The whole take "
        "turns, its camera included",
        "solving",
        Place.COMMANDS | Place.CLEAN_UP,
        unit="deg",
        none_word="keep",
        otherwise="keep: as filmed",
        field=Field(
            "Facing",
            heading="Turn to Face",
            switch=Switch(
                "turn",
                "Turn to Face",
                "Turn the whole take, its camera included, so that the person begins in a chosen direction",
            ),
            start=0.0,
            limits=(-180, 180),
        ),
    )
    height: float | None = option(
        None,
        "The person's standing height, from the floor to the top of the head, without shoes: sets the scale of the motion",
        "solving",
        Place.EVERYWHERE,
        unit="m",
        command_unit="cm",
        range=(0.5, 3),
        otherwise="an average height",
        field=Field(
            "Person's Height",
            switch=Switch(
                "use_height", "Known Height", "Scale the motion to the person's height, not to an average one"
            ),
            start=1.7,
            soft=(0.5, 2.5),
            preset=False,
        ),
    )
    body: Path | None = option(
        None,
        "The person's body, from another take of the same person (.npz) or a file that lifter body made (.json): the lengths "
        "of the bones are taken from it instead of found from the clip",
        "solving",
        Place.COMMANDS | Place.BATCH | Place.CLEAN_UP,
        none_word="own",
        otherwise="own: found from the clip",
        field=Field("Body File", preset=False),
    )
    fov: float | None = option(
        None,
        "The camera's field of view: how much it sees from the left edge of the picture to the right",
        "lifting",
        Place.EVERYWHERE,
        unit="deg",
        range=(5, 160),
        otherwise="as the file or the camera's movement tells, else that of an ordinary lens",
        field=Field(
            "Field of View",
            switch=Switch(
                "use_fov", "Known Lens", "Use the camera's field of view, which is not told by the footage alone"
            ),
            start=65,
            precision=3,
            preset=False,
        ),
    )
    camera: str = option(
        "auto",
        "Whether the camera moved while the clip was filmed",
        "solving",
        Place.EVERYWHERE,
        choices=(
            Choice("auto", "Automatic", "Look at the background to tell whether the camera moved"),
            Choice(
                "still",
                "Still",
                "The camera stood on a stand. Choose it if the armature's path wavers though the camera did not",
            ),
            Choice("moving", "Moving", "The camera turned or zoomed. The camera in the scene gets keys"),
        ),
        field=Field("Camera", preset=False),
    )
    model: str | None = option(
        None,
        "The lifting network, one of those that the command lifter models lists",
        "lifting",
        Place.COMMANDS,
        otherwise="the one that lifter models calls the default",
        recorded=False,
    )
    device: str = option(
        "auto",
        "Where the network runs: auto takes CUDA, else MPS, else the CPU",
        "lifting",
        Place.COMMANDS,
        choices=tuple(Choice(name, name, "") for name in ("auto", "cpu", "cuda", "mps")),
        recorded=False,
    )

    def smoothing(self, part: str) -> float:
        """The amount for ``root``, ``body``, ``hands`` or ``feet``, as a factor of the standard: 0, or 1/8 to 8."""
        own: float | None = getattr(self, f"smooth_{part}")
        amount = self.smooth if own is None else own
        return 0.0 if amount <= 0 else float(8.0 ** (2 * min(amount, 1.0) - 1))


OPTIONS = {one.name: one for group in (DetectOptions, SolveOptions) for one in declared(group)}


def offered(place: Place) -> list[Option]:
    """The options that are offered there."""
    return [one for one in OPTIONS.values() if place in one.places]


def nearest(name: str, known: Mapping[str, Any] | list[str], what: str = "option") -> str:
    """One sentence on a name that is not known, with the known one that is most like it."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"There is no {what} {name}; " + (f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}.")


def given(values: Mapping[str, Any], *groups: type[Checked]) -> dict[str, Any]:
    """The options that were given (those that are not None), checked; texts that stand for None stay as they are.

    Args:
        values: name to value, in the options' units; groups: where they must belong: DetectOptions, SolveOptions or both,
            none = both.

    Raises:
        BadInputError: a name that no option has, an option that has no effect here, or a value that it does not take.
    """
    here = {one.name for group in groups or (DetectOptions, SolveOptions) for one in declared(group)}
    told = {}
    for name, value in values.items():
        if name not in OPTIONS:
            raise BadInputError(nearest(name, sorted(here)))
        if name not in here:
            raise BadInputError(
                f"The option {name} concerns {OPTIONS[name].stage} and has no effect here; leave it out."
            )
        if value is not None:
            one = OPTIONS[name]
            told[name] = one.none_word if one.none_word and value == one.none_word else one.checked(value)
    return told


def recorded(told: Mapping[str, Any]) -> dict[str, Any]:
    """What of the given options a take lists in ``meta["options"]``, as JSON can hold it."""
    return {
        name: str(value.absolute()) if isinstance(value, Path) else value
        for name, value in told.items()
        if OPTIONS[name].recorded
    }


def usable(record: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What of a take's ``meta["options"]`` this version can use, and the names of what it cannot.

    A newer version may have recorded options that this one does not know, or values that it does not take: they have no part
    in a new solve of the take. A file that an option names is not looked for here.
    """
    used: dict[str, Any] = {}
    for name, value in record.items():
        if value is not None and name in OPTIONS:
            try:
                used |= {name: value} if OPTIONS[name].kind is Path else given({name: value})
            except BadInputError:
                continue
    return used, [name for name, value in record.items() if value is not None and name not in used]


def options_from(values: Mapping[str, Any]) -> SolveOptions:
    """The SolveOptions among ``values``; what is missing or None is as by default, other names are passed over.

    Raises:
        BadInputError: an option does not take its value.
    """
    names = {one.name for one in declared(SolveOptions)}
    return SolveOptions(**{name: value for name, value in values.items() if name in names and value is not None})


if __name__ == "__main__":
    import sys

    from .option_tables import main

    sys.exit(main(sys.argv[1:]))
