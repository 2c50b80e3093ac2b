# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's options as Blender properties: made from their declarations in lifter_core.options, and read back.

A number has a property of its name; several numbers one each (``_x``, ``_y``, ``_z``). Where the option has no default, a check
box says whether the number counts; a text or a path counts unless it is empty. Angles are radians here, degrees in the option.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty

from lifter_core.declare import Choice, Field, Option, Place, Switch
from lifter_core.options import offered

Update = Callable[[Any, bpy.types.Context], None]
_KINDS = {
    "m": {"subtype": "DISTANCE", "unit": "LENGTH"},
    "deg": {"subtype": "ANGLE", "unit": "ROTATION"},
    "s": {"subtype": "TIME_ABSOLUTE", "unit": "TIME_ABSOLUTE"},
}
_AXES = "xyz"


def switch_of(option: Option) -> Switch | None:
    """The check box of a number without a default."""
    if option.default is not None or option.kind is not float:
        return None
    return option.shown.switch or Switch(f"use_{option.name}", option.shown.label, option.help)


def value_names(option: Option) -> list[str]:
    """The names of the properties that hold the option's value."""
    name = option.shown.prop or option.name
    return [name] if option.count == 1 else [f"{name}_{axis}" for axis in _AXES[: option.count]]


def property_names(place: Place, presets: bool = False) -> list[str]:
    """The names of all properties of a place's options; with ``presets`` of those that its presets keep."""
    names: dict[str, None] = {}
    for option in offered(place):
        if presets and place is Place.CLEAN_UP and not option.shown.preset:
            continue
        switch = switch_of(option)
        names |= dict.fromkeys([*([switch.prop] if switch else []), *value_names(option)])
    return list(names)


def option_properties(place: Place, update: Update | None = None) -> dict[str, Any]:
    """Name to property, for the annotations of a PropertyGroup. ``update`` is called after each change."""
    made: dict[str, Any] = {}
    for option in offered(place):
        switch = switch_of(option)
        if switch:
            common: dict[str, Any] = {"name": switch.label, "description": switch.help, "update": update}
            made[switch.prop] = BoolProperty(**common)  # type: ignore[func-returns-value]
        for index, name in enumerate(value_names(option)):
            made[name] = _property(option, index, update)
    return made


def option_values(settings: Any, place: Place) -> dict[str, Any]:
    """What is set, by option and in its unit: the text for None where there is one, else None where nothing is set."""
    found: dict[str, Any] = {}
    for option in offered(place):
        switch = switch_of(option)
        if switch is None or getattr(settings, switch.prop):
            found[option.name] = _value(settings, option)
        elif option.follows:
            found[option.name] = found[option.follows]
        else:
            found[option.name] = option.none_word or None
    return found


def _property(option: Option, index: int, update: Update | None) -> Any:
    field = option.shown
    common: dict[str, Any] = {"name": field.label, "description": option.help, "update": update}
    if option.kind is bool:
        if not field.items:
            return BoolProperty(default=option.default, **common)
        return EnumProperty(items=_items(field.items), default=field.items[option.default].value, **common)
    if option.choices:
        return EnumProperty(items=_items(option.choices), default=option.default, **common)
    if option.kind is not float:
        return StringProperty(
            subtype="FILE_PATH" if option.kind is Path else "NONE", default=option.default or "", **common
        )
    if option.count > 1:
        axis = _AXES[index].upper()
        common["name"] = axis if index else f"{field.label} {axis}"
    return FloatProperty(**common, **_number(option, field, index))


def _items(choices: Sequence[Choice]) -> list[Any]:
    """Blender takes nothing but plain tuples."""
    return [tuple(choice) for choice in choices]


def _number(option: Option, field: Field, index: int) -> dict[str, Any]:
    """What a FloatProperty is told of a number: start, range, unit, precision."""
    default = option.default if option.count == 1 or option.default is None else option.default[index]
    numbers: dict[str, float] = {"default": (field.start or 0.0) if default is None else default}
    low, high = field.limits or option.range_of(index)
    soft = field.soft or (low, high)
    numbers |= {"min": low, "max": high, "soft_min": soft[0], "soft_max": soft[1]}
    scale = math.radians(1) if option.unit == "deg" else 1.0
    told: dict[str, Any] = {name: value * scale for name, value in numbers.items() if math.isfinite(value)}
    kind = _KINDS.get(option.unit) or ({"subtype": "FACTOR"} if (low, high) == (0, 1) else {})
    return told | kind | {"precision": field.precision, "step": field.step}


def _value(settings: Any, option: Option) -> Any:
    values = [getattr(settings, name) for name in value_names(option)]
    if option.kind is float:
        numbers = tuple(math.degrees(x) if option.unit == "deg" else x for x in values)
        return numbers[0] if option.count == 1 else numbers
    items = option.shown.items
    if option.kind is bool and items:
        return values[0] == items[1].value
    if option.kind is Path:
        return Path(bpy.path.abspath(values[0])) if values[0] else option.none_word or None
    return values[0] if option.kind is bool or option.choices else values[0] or None
