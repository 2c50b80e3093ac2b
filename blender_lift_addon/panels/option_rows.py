# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the engine's options that a panel offers."""

from itertools import groupby
from typing import Any

import bpy

from lifter_core.declare import Option, Place
from lifter_core.options import offered

from ..properties.option_properties import switch_of, value_names


def draw_options(layout: bpy.types.UILayout, settings: Any, place: Place) -> None:
    """One row an option, in the order of their declaration; options with a check box in common stand under it."""
    options = offered(place)
    for name, group in groupby(options, _group):
        together = list(group)
        if len(together) > 1:
            layout.prop(settings, name)
            if getattr(settings, name):
                column = layout.column(align=True)
                for one in together:
                    column.prop(settings, value_names(one)[0])
        elif (switch := switch_of(together[0])) is not None:
            heading = together[0].shown.heading or together[0].shown.label
            _row(layout, settings, heading, switch.prop, value_names(together[0]))
        else:
            column = layout.column(align=True)
            followers = [one for one in options if one.follows == together[0].name]
            column.active = not any(getattr(settings, _group(one)) for one in followers)
            for prop in value_names(together[0]):
                column.prop(settings, prop)


def _group(option: Option) -> str:
    """The check box that an option stands under, or its own name."""
    switch = switch_of(option)
    return switch.prop if switch else option.name


def _row(layout: bpy.types.UILayout, settings: Any, heading: str, known: str, names: list[str]) -> None:
    """A value that counts only if its box is ticked."""
    row = layout.row(heading=heading)
    row.prop(settings, known, text="")
    value = row.row()
    value.active = getattr(settings, known)
    for name in names:
        value.prop(settings, name, text="")
