# SPDX-License-Identifier: GPL-3.0-or-later
"""From one armature to another: a take's motion, or any, on any rig whose bones are mapped (docs/retargeting.md)."""

from . import export, fit, map_operators, operators, panel, retarget_settings

CLASSES: tuple[type, ...] = (
    *retarget_settings.CLASSES,
    *operators.CLASSES,
    *fit.CLASSES,
    *map_operators.CLASSES,
    *export.CLASSES,
    *panel.CLASSES,
)


def register() -> None:
    """Gives every scene its choices."""
    retarget_settings.register()


def unregister() -> None:
    """Takes them away."""
    retarget_settings.unregister()
