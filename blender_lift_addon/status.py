# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling the user while no operator of ours runs: the status bar's messages, and redrawing what shows progress."""

from typing import Any

import bpy

_messages: list[tuple[str, str]] = []


def tell(text: str, kind: str) -> None:
    """Shows a message in the status bar (and the Info editor). kind: INFO, WARNING or ERROR.

    A report only reaches the status bar from an operator that Blender itself runs, so a modal one is started that
    reports at its first event.
    """
    if bpy.app.background:
        return
    _messages.append((text, kind))
    if not bpy.app.timers.is_registered(_call):
        bpy.app.timers.register(_call, first_interval=0.01)


def next_message() -> tuple[str, str] | None:
    """The message that has waited longest."""
    return _messages.pop(0) if _messages else None


def windows() -> list[bpy.types.Window]:
    """Blender's windows."""
    manager = bpy.context.window_manager
    return list(manager.windows) if manager else []


def redraw(timelines: bool = True) -> None:
    """Has the sidebars, the status bar and, as the takes' contacts are drawn there, the timelines drawn anew."""
    for window in windows():
        for area in window.screen.areas:
            if area.type == "DOPESHEET_EDITOR" and timelines:
                area.tag_redraw()
            elif area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
        # The status bar is in no list of areas. Setting its text has it redrawn, but would wipe a running tool's hints.
        if not len(window.modal_operators) and window.workspace is not None:
            window.workspace.status_text_set(None)


def _call() -> float | None:
    if not _messages or not windows():
        return None
    with bpy.context.temp_override(window=windows()[0]):
        operators: Any = bpy.ops
        operators.lift.tell("INVOKE_DEFAULT")
    return 0.2 if _messages else None
