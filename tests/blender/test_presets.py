"""Presets: the user's and those that come with the add-on."""

import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake engine is a script with a shebang")
MENUS = {"settings": "LIFT_PT_lift_presets", "clean_up": "LIFT_PT_clean_up_presets"}


def test_presets_bring_settings_back(lifted: Any) -> None:
    settings = bpy.context.scene.lift
    settings.quality, settings.use_height, settings.height = "DRAFT", True, 1.9
    lifted.clean_up.smooth, lifted.clean_up.root = 0.9, "IN_PLACE"
    assert bpy.ops.lift.add_lift_preset(name="Tall") == {"FINISHED"}
    assert bpy.ops.lift.add_clean_up_preset(name="Mine") == {"FINISHED"}
    settings.quality, settings.use_height, settings.height = "BEST", False, 1.7
    bpy.ops.lift.reset_clean_up()
    for folder, name in (("settings", "Tall"), ("clean_up", "Mine")):
        path = Path(bpy.utils.user_resource("SCRIPTS", path=f"presets/lift/{folder}")) / f"{name}.py"
        menu = f"LIFT_PT_{'lift' if folder == 'settings' else folder}_presets"
        bpy.ops.script.execute_preset(filepath=str(path), menu_idname=menu)
    assert (settings.quality, settings.use_height, settings.height) == ("DRAFT", True, pytest.approx(1.9))
    assert (lifted.clean_up.smooth, lifted.clean_up.root) == (pytest.approx(0.9), "IN_PLACE")


def test_presets_that_come_with_the_add_on(lifted: Any) -> None:
    settings = bpy.context.scene.lift
    found: dict[str, Any] = {}
    for kind, menu in MENUS.items():
        folder = bpy.utils.preset_paths(f"lift/{kind}")[-1]
        for file in sorted(Path(folder).glob("*.py")):
            settings.quality, settings.camera = "STANDARD", "auto"
            bpy.ops.lift.reset_clean_up()
            bpy.ops.script.execute_preset(filepath=str(file), menu_idname=menu)
            clean_up = settings.takes[0].clean_up
            found[file.stem] = (
                (settings.quality, settings.camera)
                if kind == "settings"
                else (round(clean_up.smooth, 2), clean_up.foot_lock, clean_up.root, clean_up.turn)
            )
    assert found == {
        "Camera_on_a_Stand": ("BEST", "still"),
        "Hand-Held_Camera": ("BEST", "moving"),
        "Quick_Look": ("DRAFT", "auto"),
        "Game_Character": (0.5, 1.0, "IN_PLACE", True),
        "Raw": (0.0, 0.0, "MOTION", False),
        "Soft": (0.8, 1.0, "MOTION", False),
        "Standard": (0.5, 1.0, "MOTION", False),
    }
