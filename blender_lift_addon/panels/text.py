# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in panels."""

from typing import Any

import blf
import bpy

MARGIN = 92  # px at interface scale 1: the sidebar's edges, its tabs, a box's edges and an icon


def paragraph(
    context: bpy.types.Context, layout: bpy.types.UILayout, text: str, icon: Any, alert: bool = False
) -> None:
    """Text on as many lines as the sidebar's width asks for; Blender's labels do not wrap."""
    assert context.preferences is not None
    scale = context.preferences.system.ui_scale
    width = (context.region.width if context.region else 300) - MARGIN * scale
    blf.size(0, 11.5 * scale)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and blf.dimensions(0, longer)[0] > width:
            lines.append(word)
        else:
            lines[-1] = longer
    column = layout.column(align=True)
    column.alert = alert
    column.scale_y = 0.8
    for number, line in enumerate(lines):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")
