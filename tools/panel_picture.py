"""The pictures of the Lift tab in the documents: a take in Blender's window, the tab open.

blender --python tools/panel_picture.py -- WHAT TAKE.npz CLIP.mp4

WHAT is ``lift`` (the clip and its settings), ``queue`` (two clips under way: it really lifts them), ``takes`` (the list of
takes, clean-up and display) or ``pick`` (picking a person). Needs a Blender with a window in which the extension is
installed. Prints SHOT when the window is ready to be taken, for example with ImageMagick:
import -window root docs/pictures/panel.jpg
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import addon_utils
import bpy

context: Any = bpy.context  # a window's: its scene and window manager are there
MODULE = "bl_ext.user_default.lift_video"
FRAME = 100
START = 3.3  # s


def part(name: str) -> Any:
    """A module of the installed add-on."""
    return importlib.import_module(f"{MODULE}.{name}")


def main(what: str, take_path: str, clip: str) -> None:
    """Builds the scene and opens the tab."""
    addon_utils.enable(MODULE, default_set=True)
    context.preferences.view.show_splash = False
    scene = context.scene
    scene.lift.clip = clip
    if what == "pick":
        scene.lift.use_range, scene.lift.start = True, START  # where both people are in the picture
    if what in ("takes", "lift"):
        lifted = add(take_path, Path(clip))
        scene.frame_set(FRAME)

    def views() -> list[Any]:
        windows = context.window_manager.windows
        return [area for window in windows for area in window.screen.areas if area.type == "VIEW_3D"]

    def open_sidebar() -> None:
        for area in views():
            area.spaces.active.show_region_ui = True
        bpy.app.timers.register(open_tab, first_interval=1.0)  # its tabs are known once it has been drawn

    def open_tab() -> None:
        for area in views():
            next(r for r in area.regions if r.type == "UI").active_panel_category = "Lift"
            area.tag_redraw()
        bpy.app.timers.register(act, first_interval=1.0)

    def act() -> None:
        area = views()[0]
        region = next(region for region in area.regions if region.type == "WINDOW")
        wait = 1.0
        if what in ("takes", "lift"):
            part("scene_view").show(context.window_manager.windows[0], lifted)
        with context.temp_override(window=context.window_manager.windows[0], area=area, region=region):
            operators: Any = bpy.ops
            if what == "pick":
                operators.lift.pick_person("INVOKE_DEFAULT")
            elif what == "queue":
                operators.lift.video_to_armature()
                operators.lift.video_to_armature()
                wait = 12.0
        bpy.app.timers.register(ready, first_interval=wait)

    def ready() -> float | None:
        """The clip's pictures are made beside Blender, and take their time on a busy machine."""
        pictures = part("pictures")
        if (what == "pick" and pictures.picture(Path(clip), START) is None) or not pictures.thumbnail(
            Path(clip), START if what == "pick" else 0.0
        ):
            return 0.5
        bpy.app.timers.register(lambda: print("SHOT", flush=True), first_interval=3.0)
        return None

    bpy.app.timers.register(open_sidebar, first_interval=1.0)


def add(take_path: str, clip: Path) -> Any:
    """Adds the take as a lift would; returns what it became."""
    from lifter_core.take import load_take

    store, scene_view = part("store"), part("scene_view")
    take, uid = load_take(take_path), store.new_uid()
    lifted = part("build").add_take(context.scene, take, clip, clip.stem, uid=uid)
    part("delivery").list_take(
        context.scene, take, Path(take_path), uid, part("clip_source").Source(clip, name=clip.stem)
    )
    window = context.window_manager.windows[0]
    scene_view.hide_default_cube(context.scene, window.view_layer)
    return lifted


main(*sys.argv[sys.argv.index("--") + 1 :])
