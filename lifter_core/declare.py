"""What an option is: how it is declared, which values it takes, and what is said of one that it does not take.

The options themselves are in options.py.
"""

import math
import types
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Flag, auto
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from .errors import BadInputError

INFINITE = (-math.inf, math.inf)
UNITS = {"m": "metres", "cm": "centimetres", "deg": "degrees", "s": "seconds"}
_PER_UNIT = {("m", "cm"): 100.0}


class Place(Flag):
    """Where an option is offered."""

    LIFT = auto()  # lifter lift
    DETECT = auto()  # lifter detect
    SOLVE = auto()  # lifter solve
    BATCH = auto()  # blender --command lift
    TAB = auto()  # the add-on's Lift tab, for the next lift
    CLEAN_UP = auto()  # the add-on's Clean-Up panel, for a take
    COMMANDS = LIFT | SOLVE
    EVERYWHERE = COMMANDS | BATCH | TAB | CLEAN_UP


class Choice(NamedTuple):
    """One of the values of an option, with the text that a menu shows for it."""

    value: str
    label: str
    help: str


class Switch(NamedTuple):
    """The add-on's check box that says whether an option without a default is set. Several options may share one."""

    prop: str
    label: str
    help: str


@dataclass(frozen=True)
class Field:
    """How the add-on shows an option.

    Attributes:
        label: its name in the panel; heading: what stands before its check box, if not the label.
        prop: the name of its property, if not the option's. Saved .blend files and presets know it by this name.
        switch: the check box of a number without a default; None = ``use_`` and the option's name.
        start: what the field shows before anything is set, for a number without a default; in the option's unit.
        limits: narrower than the option's range; soft: what can be reached by dragging; both in the option's unit.
        precision, step: of a number, as Blender has them.
        items: for a yes-or-no option that is shown as a menu: no, then yes.
        preset: whether clean-up presets keep it; not what is true of one clip only.
    """

    label: str
    heading: str = ""
    prop: str = ""
    switch: Switch | None = None
    start: float | None = None
    limits: tuple[float, float] | None = None
    soft: tuple[float, float] | None = None
    precision: int = 2
    step: int = 3
    items: tuple[Choice, ...] = ()
    preset: bool = True


@dataclass(frozen=True)
class Option:
    """An option of a lift. Name, type and default are those of the field that it is declared with.

    Attributes:
        help: what it does, as one sentence or more without the last full stop.
        stage: whom it concerns: ``detection``, ``lifting`` or ``solving``.
        places: where it is offered.
        unit: of its value: ``m``, ``deg``, ``s`` or none; command_unit: the same on the command line, if it differs.
        ranges: the least and the greatest value; one pair for all numbers of the option, or one for each.
        choices: the values that a text may have; none = any text.
        none_word: the text that stands for None, where None can be set again; none = it cannot.
        follows: the option whose value counts while this one is None; otherwise: what holds then, in words.
        metavar: what the command line's help shows for the value.
        field: how the add-on shows it; None = by its name.
        recorded: whether a take lists it in ``meta["options"]``; the others have a place of their own in ``meta``.
        name, kind, count, default: of the declaration; kind is float, bool, str or Path, count the numbers it takes.
    """

    help: str
    stage: str
    places: Place
    unit: str = ""
    command_unit: str = ""
    ranges: tuple[tuple[float, float], ...] = (INFINITE,)
    choices: tuple[Choice, ...] = ()
    none_word: str = ""
    follows: str = ""
    otherwise: str = ""
    metavar: str | tuple[str, ...] = ""
    field: Field | None = None
    recorded: bool = True
    name: str = ""
    kind: type = float
    count: int = 1
    default: Any = None

    @property
    def values(self) -> tuple[str, ...]:
        """The texts that it can be."""
        return tuple(choice.value for choice in self.choices)

    @property
    def shown(self) -> Field:
        """How the add-on shows it: as ``field`` says, else by its name."""
        return self.field or Field(self.name.replace("_", " ").capitalize())

    def range_of(self, index: int) -> tuple[float, float]:
        """The least and the greatest value of one of its numbers."""
        return self.ranges[min(index, len(self.ranges) - 1)]

    def scale(self, command_line: bool) -> float:
        """How many of the command line's units make one of its unit."""
        return _PER_UNIT[self.unit, self.command_unit] if command_line and self.command_unit else 1.0

    def checked(self, value: Any) -> Any:
        """The value in the option's own type: a float, a tuple of floats, a bool, a str or a Path; None where it may be.

        Raises:
            BadInputError: the option does not take this value.
        """
        value = value.item() if getattr(value, "shape", None) == () else value  # of NumPy
        if self.default is None and (value is None or (self.none_word and value == self.none_word)):
            return None
        taken = self._numbers(value) if self.kind is float else self._other(value)
        if taken is None:
            raise BadInputError(f"{self.name} takes {self.demand()}, not {value}.")
        return taken

    def demand(self, command_line: bool = False) -> str:
        """Which values it takes, in words; on the command line in its units."""
        if self.kind is bool:
            text = "True or False"
        elif self.kind is Path:
            text = "the path of a file that is there"
        elif self.kind is str:
            text = _either(self.values) if self.choices else "a name"
        else:
            text = self._demanded_numbers(command_line)
        return f"{text} or {self.none_word}" if self.none_word else text

    def _demanded_numbers(self, command_line: bool) -> str:
        scale, unit = self.scale(command_line), self.command_unit if command_line and self.command_unit else self.unit
        what = UNITS[unit] if unit else "a number" if self.count == 1 else "numbers"
        spans = [_span(low * scale, high * scale) for low, high in self.ranges]
        if len(spans) > 1:
            return f"{self.count} {what}: {', '.join(spans)}"
        return (f"{self.count} numbers, " if self.count > 1 else "") + f"{what} {spans[0]}".strip()

    def _numbers(self, value: Any) -> float | tuple[float, ...] | None:
        try:
            given = [value] if self.count == 1 else list(value)
            if len(given) != self.count or any(isinstance(x, bool | str) for x in given):
                return None
            numbers = tuple(float(x) for x in given)
        except (TypeError, ValueError, OverflowError):
            return None
        if not all(self.range_of(i)[0] <= x <= self.range_of(i)[1] and math.isfinite(x) for i, x in enumerate(numbers)):
            return None
        return numbers[0] if self.count == 1 else numbers

    def _other(self, value: Any) -> Any:
        if self.kind is Path:
            return Path(value) if isinstance(value, str | Path) and Path(value).is_file() else None
        return value if isinstance(value, self.kind) and (not self.choices or value in self.values) else None


def option(
    default: Any, help: str, stage: str, places: Place, *, range: tuple[float, float] | None = None, **more: Any
) -> Any:
    """Declares an option, where a dataclass that inherits from Checked has the default of its field.

    For example ``foot_lock: float = option(1.0, "How firmly ...", "solving", Place.COMMANDS, range=(0, 1))``.

    Args:
        range: the least and the greatest value of each of its numbers; more: attributes of Option.
    """
    if range is not None:
        more["ranges"] = (range,)
    return field(default=default, metadata={"option": Option(help, stage, places, **more)})


class Checked:
    """A frozen dataclass of options: no value that an option does not take ever gets into it."""

    def __post_init__(self) -> None:
        """Checks every value.

        Raises:
            BadInputError: an option does not take its value.
        """
        for one in declared(type(self)):
            object.__setattr__(self, one.name, one.checked(getattr(self, one.name)))


def declared(group: type[Any]) -> tuple[Option, ...]:
    """The options that a dataclass declares, in its order."""
    hints = get_type_hints(group)
    found = []
    for one in fields(group):
        kind, count = _type(hints[one.name])
        found.append(replace(one.metadata["option"], name=one.name, kind=kind, count=count, default=one.default))
    return tuple(found)


def _type(hint: Any) -> tuple[type, int]:
    """What an annotation allows besides None: the type, and how many of it."""
    if isinstance(hint, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not types.NoneType)
    return (float, len(get_args(hint))) if get_origin(hint) is tuple else (hint, 1)


def _span(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    return f"from {low:g} to {high:g}" if math.isfinite(high) else f"from {low:g} on"


def _either(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
