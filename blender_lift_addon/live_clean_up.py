# SPDX-License-Identifier: GPL-3.0-or-later
"""Live clean-up: a moment after the last change of a setting, the take is solved anew.

The properties tell it of a change, so it stands below them; what solves a take stands above and is given to it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

PAUSE = 0.4  # s without a change: nobody wants a run for each step of a slider

_waiting: dict[str, int] = {}  # take's uid -> its scene's number
_silent = 0
_solve: Callable[[bpy.types.Scene, Any], object] | None = None


def register(solve: Callable[[bpy.types.Scene, Any], object]) -> None:
    """From now on changed takes are solved anew: ``solve`` is given the scene and its LiftTake."""
    global _solve
    _solve = solve


def unregister() -> None:
    """From now on none is, nor those that wait."""
    global _solve
    _solve = None
    _waiting.clear()


@contextmanager
def quiet() -> Iterator[None]:
    """No take is solved anew for what is set meanwhile."""
    global _silent
    _silent += 1
    try:
        yield
    finally:
        _silent -= 1


def changed(settings: Any, context: bpy.types.Context) -> None:
    """Notes that a take's settings were changed; called by their update."""
    scene = settings.id_data
    if _silent or not scene.lift.live:
        return
    take = next((t for t in scene.lift.takes if t.clean_up == settings), None)
    if take is not None:
        _waiting[take.uid] = scene.session_uid
        if bpy.app.timers.is_registered(_start):
            bpy.app.timers.unregister(_start)
        bpy.app.timers.register(_start, first_interval=PAUSE)


def _start() -> None:
    for uid, number in list(_waiting.items()):
        scene = next((s for s in bpy.data.scenes if s.session_uid == number), None)
        take = next((t for t in scene.lift.takes if t.uid == uid), None) if scene else None  # type: ignore[attr-defined]
        if scene is not None and take is not None and _solve is not None:
            _solve(scene, take)
    _waiting.clear()
