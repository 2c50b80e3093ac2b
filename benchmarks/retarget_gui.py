"""Times Retarget to Rig in a Blender with a window: from the operator's call to the end of the redraw that shows its result.

blender --factory-startup --python benchmarks/retarget_gui.py -- [RIGIFY.blend [FRAMES]]

Made-up motion onto the generated Rigify rig, FK and IK. RIGIFY.blend keeps the rig for the next time (or brings it, where
Rigify cannot generate). Runs the add-on from this repository; prints a table and quits.
"""

import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import bpy

import blender_lift_addon
from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.retarget_settings import retarget_of
from tests.blender import target_rigs
from tests.blender.synthetic_take import synthetic_take

context: Any = bpy.context
operators: Any = bpy.ops


def prepare(kept: str, frames: int, limbs: str) -> None:
    """The scene before the click: a take, the rig, both chosen; drawn once."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with context.temp_override(window=context.window_manager.windows[0]):  # a timer has none, and Edit Mode needs one
        take = synthetic_take(frames=frames, people=1, moving_camera=False)
        settings = retarget_of(context.scene)
        settings.source = add_take(context.scene, take, uid="benchmark").armatures[0]
        settings.target = target_rigs.rigify_rig(Path(kept) if kept else None)
        settings.limbs = limbs
        bpy.ops.ed.undo_push(message="before")
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)


def press() -> tuple[float, float, float]:
    """Seconds until the operator is done, until the window is drawn, and of one core until then."""
    with context.temp_override(window=context.window_manager.windows[0]):
        begun, spent = time.perf_counter(), time.process_time()
        operators.lift.retarget("EXEC_DEFAULT", True)
        done = time.perf_counter() - begun
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
        return done, time.perf_counter() - begun, time.process_time() - spent


def main(kept: str = "", frames: str = "10000") -> None:
    """Prints the table."""
    blender_lift_addon.register()
    context.preferences.addons.new().module = blender_lift_addon.__name__

    def run() -> None:
        try:
            print(f"Blender {bpy.app.version_string}, {os.cpu_count()} cores, {frames} frames, window redrawn")
            print("| limbs | operator s | with the redraw s | CPU s, all threads |\n|---|---|---|---|")
            for limbs in ("fk", "ik"):
                prepare(kept, int(frames), limbs)
                done, drawn, spent = press()
                print(f"| {limbs.upper()} | {done:.2f} | {drawn:.2f} | {spent:.2f} |", flush=True)
        except Exception:
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(0)

    context.preferences.view.show_splash = False
    bpy.app.timers.register(run, first_interval=2.0, persistent=True)


arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
main(*arguments)
