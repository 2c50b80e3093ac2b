# SPDX-License-Identifier: GPL-3.0-or-later
"""Lift, video to armature: the Blender add-on. It starts the engine (lifter_core) and builds what comes back."""

import bpy

from . import delivery, live_clean_up, operators, overlay, panels, pictures, properties, retarget, runs, saving

CLASSES: tuple[type, ...] = (
    *properties.CLASSES,
    *operators.CLASSES,
    *panels.CLASSES,
    *retarget.CLASSES,
)
_PARTS = (properties, operators, runs, saving, pictures, overlay, panels, retarget)


def register() -> None:
    """Called by Blender when the add-on is switched on."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for part in _PARTS:
        part.register()
    live_clean_up.register(delivery.solve_take)
    # Here, so that `python -m blender_lift_addon.batch` does not find the module imported already.
    from . import batch

    batch.register()


def unregister() -> None:
    """Called by Blender when the add-on is switched off; a run under way is stopped."""
    from . import batch

    batch.unregister()
    live_clean_up.unregister()
    for part in reversed(_PARTS):
        part.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
