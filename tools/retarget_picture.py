"""The picture of retargeting in the documents: a take over its footage, a Rigify rig and a rig of Mixamo's beside it.

blender --python tools/retarget_picture.py -- TAKE.npz CLIP.mp4 [FRAME [RIGIFY.blend]]

Needs a Blender with a window and Rigify; runs the add-on from this repository. RIGIFY.blend keeps the generated rig for
the next time. Prints SHOT when the window is ready to be taken, for example with ImageMagick:
import -window root docs/pictures/retarget.jpg
"""

import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import bpy
from mathutils import Vector

import blender_lift_addon
from blender_lift_addon.build import add_take
from blender_lift_addon.retarget.retarget_settings import retarget_of
from blender_lift_addon.retarget.rig import data_of
from lifter_core.take import load_take
from tests.blender import target_rigs

context: Any = bpy.context
OFFSET = 1.3  # m, between the rigs


def retarget_onto(rig: bpy.types.Object, source: bpy.types.Object) -> None:
    """As the button does it."""
    settings = retarget_of(context.scene)
    settings.source, settings.target = source, rig
    operators: Any = bpy.ops
    operators.lift.retarget()


def build(take_path: str, clip: str, frame: int, kept: str) -> None:
    """The scene."""
    blender_lift_addon.register()
    context.preferences.addons.new().module = blender_lift_addon.__name__
    for ob in list(bpy.data.objects):
        bpy.data.objects.remove(ob)
    scene = context.scene
    lifted = add_take(scene, load_take(take_path), Path(clip), "Walk")
    source = lifted.armatures[0]
    assert scene.camera is not None
    aside = scene.camera.matrix_world.to_3x3() @ Vector((1.0, 0.0, 0.0))
    aside.z = 0.0
    aside.normalize()
    mixamo = target_rigs.fixture_rig("mixamo")
    rigify = target_rigs.rigify_rig(Path(kept) if kept else None)
    bones, controls = data_of(mixamo), data_of(rigify)
    for place, rig in ((-OFFSET, mixamo), (OFFSET, rigify)):
        rig.location = aside * place
        rig.show_in_front = True
        retarget_onto(rig, source)
    bones.display_type = "BBONE"
    for bone in bones.bones:
        bone.bbone_x = bone.bbone_z = 0.02 if "Hand" in bone.name or "Toe" in bone.name else 0.045
    for collection in controls.collections_all:
        collection.is_visible = collection.name.startswith(("Torso", "Arm", "Leg", "Fingers", "Root")) and (
            "IK" not in collection.name and "Tweak" not in collection.name
        )
    for ob in context.view_layer.objects.selected:
        ob.select_set(False)
    context.view_layer.objects.active = rigify
    rigify.select_set(True)
    scene.frame_set(frame)


def open_tab() -> None:
    """The camera's view, the Lift tab with only Retarget open."""
    area = next(area for area in context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")
    space = area.spaces.active
    space.region_3d.view_perspective = "CAMERA"
    space.overlay.show_relationship_lines = space.overlay.show_floor = False
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(window=context.window_manager.windows[0], area=area, region=region):
        bpy.ops.view3d.view_center_camera()
    next(region for region in area.regions if region.type == "UI").active_panel_category = "Retarget"
    area.tag_redraw()


def main(take_path: str, clip: str, frame: str = "90", kept: str = "") -> None:
    """Builds the scene, then opens the tab: its names are known once the sidebar has been drawn."""

    def start() -> None:
        try:
            build(take_path, clip, int(frame), kept)
            for area in context.window_manager.windows[0].screen.areas:
                if area.type == "VIEW_3D":
                    area.spaces.active.show_region_ui = True
        except Exception:
            traceback.print_exc()
        bpy.app.timers.register(tab, first_interval=2.0)

    def tab() -> None:
        try:
            open_tab()
        except Exception:
            traceback.print_exc()
        bpy.app.timers.register(lambda: print("SHOT", flush=True), first_interval=4.0)

    context.preferences.view.show_splash = False
    # Only its own panel in the picture.
    blender_lift_addon.retarget.panel.LIFT_PT_retarget.bl_category = "Retarget"
    blender_lift_addon.retarget.panel.LIFT_PT_retarget.bl_options = set()
    bpy.app.timers.register(start, first_interval=1.0)


main(*sys.argv[sys.argv.index("--") + 1 :])
