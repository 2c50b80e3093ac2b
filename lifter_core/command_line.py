"""Options on a command line: its arguments, their values, and the words for values that another program is to get."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .declare import Option, Place
from .errors import BadInputError
from .options import OPTIONS, nearest, offered

_METAVARS = {"m": "M", "cm": "CM", "deg": "DEG", "s": "S"}


def flag(option: Option) -> str:
    """How the option is written on a command line."""
    return f"--{option.name.replace('_', '-')}"


def add_options(parser: argparse.ArgumentParser, place: Place) -> None:
    """Adds the arguments of all options that are offered at a place. What is not given is None."""
    for one in offered(place):
        more: dict[str, Any] = {}
        if one.kind is bool:
            more["action"] = argparse.BooleanOptionalAction
        elif one.choices:
            more["choices"] = one.values
        else:
            more |= {"type": str if one.none_word or one.kind is str else one.kind, "metavar": metavar(one)}
        if one.count > 1:
            more["nargs"] = one.count
        text = one.help[0].lower() + one.help[1:]
        if place is not Place.SOLVE:  # there, what is not given stays as the take has it
            text += f" (default: {default(one)})"
        parser.add_argument(flag(one), default=None, help=text.replace("%", "%%"), **more)


def metavar(option: Option) -> str | tuple[str, ...]:
    """What stands for the option's value in its help."""
    if option.metavar:
        return option.metavar
    unit = option.command_unit or option.unit
    if option.kind is not float:
        word = "FILE" if option.kind is Path else "NAME"
    else:
        word = _METAVARS[unit] if unit else "0..1" if option.ranges == ((0.0, 1.0),) else "X"
    return f"{word}|{option.none_word}" if option.none_word else word


def default(option: Option) -> str:
    """What holds where the option is not given, as the command line has it."""
    if option.kind is bool:
        return "yes" if option.default else "no"
    if option.default is not None:
        return " ".join(_values(option, option.default))
    return option.otherwise or (f"as --{option.follows}" if option.follows else option.none_word or "none")


def read_options(args: argparse.Namespace, place: Place) -> dict[str, Any]:
    """The options that were given, in their own units and checked.

    Raises:
        BadInputError: an option does not take its value.
    """
    told = {}
    for one in offered(place):
        written = getattr(args, one.name)
        if written is None:
            continue
        if one.none_word and written == one.none_word:
            told[one.name] = written
            continue
        try:
            told[one.name] = one.checked(_in_own_units(one, written))
        except (ValueError, BadInputError):
            said = " ".join(map(_number, written)) if one.count > 1 else written
            text = _number(said) if isinstance(said, float) else said
            raise BadInputError(f"{flag(one)} takes {one.demand(command_line=True)}, not {text}.") from None
    return told


def words(told: Mapping[str, Any]) -> list[str]:
    """The command line's words for these options, in the order of their declaration; None is left out."""
    line: list[str] = []
    for name, one in OPTIONS.items():
        value = told.get(name)
        if value is None:
            continue
        if one.kind is bool:
            line.append(flag(one) if value else flag(one).replace("--", "--no-", 1))
        else:
            line += [flag(one), *_values(one, value)]
    return line


def refuse(unknown: Sequence[str], args: argparse.Namespace, without_dashes: Sequence[str]) -> None:
    """Says what is wrong with words that the parser left over.

    Args:
        args: what it found; without_dashes: the names in it that are no options.

    Raises:
        BadInputError: there are such words.
    """
    if not unknown:
        return
    word = next((word for word in unknown if word.startswith("--")), unknown[0]).partition("=")[0]
    if word.startswith("--"):
        raise BadInputError(
            nearest(word, [f"--{name.replace('_', '-')}" for name in vars(args) if name not in without_dashes])
        )
    raise BadInputError(f"{word} is one word too many; --help lists what can be given.")


def _in_own_units(option: Option, written: Any) -> Any:
    if option.kind is not float:
        return written
    scale = option.scale(command_line=True)
    return [x / scale for x in written] if option.count > 1 else float(written) / scale


def _values(option: Option, value: Any) -> list[str]:
    if option.kind is not float or value == option.none_word:
        return [str(value)]
    scale = option.scale(command_line=True)
    return [_number(x * scale) for x in (value if option.count > 1 else [value])]


def _number(value: float) -> str:
    """A number in at most six digits; never with an exponent, which argparse would take for an option after a minus."""
    text = f"{value:g}"
    return f"{value:.9f}".rstrip("0").rstrip(".") if "e-" in text else f"{value:.0f}" if "e" in text else text
