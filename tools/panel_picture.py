"""The picture of the Lift tab in the README: a take in Blender's window, the tab open.

blender --python tools/panel_picture.py -- TAKE.npz CLIP.mp4

Needs a Blender with a window in which the extension is installed. Prints SHOT when the window is ready to be taken, for
example with ImageMagick: import -window root docs/pictures/panel.png
"""

import importlib
import sys
from typing import Any

import addon_utils
import bpy

context: Any = bpy.context  # a window's: its scene and window manager are there
MODULE = "bl_ext.user_default.lift_video"
FRAME = 100


def main(take_path: str, clip: str) -> None:
    """Builds the take and opens the tab."""
    addon_utils.enable(MODULE, default_set=True)
    context.preferences.view.show_splash = False
    bpy.data.objects.remove(bpy.data.objects["Cube"])  # stands where the person will
    from lifter_core.take import load_take

    build = importlib.import_module(f"{MODULE}.build")
    scene = context.scene
    scene.lift.clip = clip
    build.add_take(scene, load_take(take_path), clip, "walk")
    scene.frame_set(FRAME)

    def views() -> list[Any]:
        windows = context.window_manager.windows
        return [area for window in windows for area in window.screen.areas if area.type == "VIEW_3D"]

    def open_sidebar() -> None:
        for area in views():
            area.spaces.active.show_region_ui = True
            area.spaces.active.region_3d.view_perspective = "CAMERA"
        bpy.app.timers.register(open_tab, first_interval=1.0)  # its tabs are known once it has been drawn

    def open_tab() -> None:
        for area in views():
            next(r for r in area.regions if r.type == "UI").active_panel_category = "Lift"
            area.tag_redraw()
        bpy.app.timers.register(lambda: print("SHOT", flush=True), first_interval=2.0)

    bpy.app.timers.register(open_sidebar, first_interval=1.0)


main(*sys.argv[sys.argv.index("--") + 1 :])
