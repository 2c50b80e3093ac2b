# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets, kept with the scene."""

import bpy
from bpy.props import PointerProperty

from . import clean_up, lift_settings, takes

CLASSES = (*clean_up.CLASSES, *takes.CLASSES, *lift_settings.CLASSES)


def register() -> None:
    """Gives every scene its choices."""
    bpy.types.Scene.lift = PointerProperty(type=lift_settings.LiftSettings)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    """Takes them away."""
    del bpy.types.Scene.lift  # type: ignore[attr-defined]
