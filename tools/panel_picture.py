"""The picture of the Lift tab in the README: a take in Blender's window, the tab open.

blender --python tools/panel_picture.py -- TAKE.npz CLIP.mp4 OUT.png

Needs a Blender with a window in which the extension is installed.
"""

import importlib
import sys
from typing import Any

import addon_utils
import bpy

context: Any = bpy.context  # a window's: its scene and window manager are there
MODULE = "bl_ext.user_default.lift_video"
FRAME = 100


def main(take_path: str, clip: str, out: str) -> None:
    """Builds the take, opens the tab, and saves the window a moment later."""
    addon_utils.enable(MODULE, default_set=True)
    context.preferences.view.show_splash = False
    bpy.data.objects.remove(bpy.data.objects["Cube"])  # stands where the person will
    from lifter_core.take import load_take

    build = importlib.import_module(f"{MODULE}.build")
    scene = context.scene
    scene.lift.clip = clip
    build.add_take(scene, load_take(take_path), clip, "walk")
    scene.frame_set(FRAME)

    def open_tab() -> None:
        window = context.window_manager.windows[0]
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                space = area.spaces.active
                space.show_region_ui = True
                space.region_3d.view_perspective = "CAMERA"
                next(r for r in area.regions if r.type == "UI").active_panel_category = "Lift"
                area.tag_redraw()
        bpy.app.timers.register(save, first_interval=2.0)

    def save() -> None:
        with context.temp_override(window=context.window_manager.windows[0]):
            bpy.ops.screen.screenshot(filepath=out)
        print("SHOT", flush=True)
        bpy.ops.wm.quit_blender()

    bpy.app.timers.register(open_tab, first_interval=1.0)


main(*sys.argv[sys.argv.index("--") + 1 :])
