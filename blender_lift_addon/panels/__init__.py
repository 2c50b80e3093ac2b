# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lift tab in the 3D view's sidebar, its menu, progress in the status bar, and the preferences."""

import bpy

from . import clean_up, display, menu, preferences, queue, takes, video

CLASSES = (*preferences.CLASSES, *video.CLASSES, *takes.CLASSES, *clean_up.CLASSES, *display.CLASSES, *menu.CLASSES)


def register() -> None:
    """Adds to Blender's own panels."""
    bpy.types.STATUSBAR_HT_header.append(queue.draw_status)
    menu.register()


def unregister() -> None:
    """Takes it away."""
    menu.unregister()
    bpy.types.STATUSBAR_HT_header.remove(queue.draw_status)
