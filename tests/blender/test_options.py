"""The engine's options in Blender: shown, kept in presets and passed on as their declarations say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_lift_addon
import lifter_core
from blender_lift_addon import batch
from blender_lift_addon.panels.option_rows import draw_options
from blender_lift_addon.properties.option_properties import option_values, property_names
from lifter_core.declare import Place
from lifter_core.options import given, offered


class Rows:
    """Notes which properties a panel shows, instead of drawing them."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def column(self, **_: Any) -> "Rows":
        return self

    row = column

    def prop(self, settings: Any, name: str, **_: Any) -> None:
        assert name in settings.bl_rna.properties
        self.shown.append(name)


def clean_up() -> Any:
    return bpy.context.scene.lift.takes.add().clean_up


def test_a_panel_shows_every_option_that_it_offers() -> None:
    settings, rows = clean_up(), Rows()
    draw_options(rows, settings, Place.CLEAN_UP)
    parts = {"smooth_body", "smooth_hands", "smooth_feet", "smooth_root"}
    assert set(rows.shown) == set(property_names(Place.CLEAN_UP)) - parts
    settings.by_part, rows = True, Rows()
    draw_options(rows, settings, Place.CLEAN_UP)
    assert rows.shown == property_names(Place.CLEAN_UP)


def test_what_is_set_is_what_the_engine_takes() -> None:
    settings = clean_up()
    values = option_values(settings, Place.CLEAN_UP)
    assert set(values) == {option.name for option in offered(Place.CLEAN_UP)}
    assert (values["facing"], values["height"], values["in_place"], values["smooth_hands"]) == (
        "keep",
        None,
        False,
        0.5,
    )
    settings.turn, settings.facing, settings.floor_tilt_y = True, 0.5, -0.1
    settings.use_height, settings.height, settings.use_fov = True, 1.9, True
    settings.smooth, settings.root, settings.camera = 0.25, "IN_PLACE", "still"
    told = given(option_values(settings, Place.CLEAN_UP))
    assert told["facing"] == pytest.approx(28.6479, abs=1e-4)
    assert told["floor_tilt"] == (0.0, pytest.approx(-5.7296, abs=1e-4))
    assert (told["height"], told["fov"]) == (pytest.approx(1.9), pytest.approx(65))
    assert (told["smooth_feet"], told["in_place"], told["camera"]) == (0.25, True, "still")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--heigth", "170"], "did you mean --height?"),
        (["--height", "1.7"], "takes centimetres from 50 to 300, not 1.7"),
    ],
)
def test_a_wrong_option_of_the_command_is_explained(
    line: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert batch.main(["walk.mp4", "--out", str(tmp_path), *line]) == 2
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1


NEW_OPTIONS = """\
    hover: float | None = option(
        None, "Lifts the person above the floor", "solving", Place.EVERYWHERE, unit="m", range=(0, 9), field=Field("Hover")
    )
    props: Path | None = option(None, "Where the props are", "solving", Place.COMMANDS | Place.CLEAN_UP)
"""
LOOK = """
import os, sys
from pathlib import Path
import bpy
import blender_lift_addon
from blender_lift_addon import batch, delivery
from blender_lift_addon.arguments import solve_arguments
from blender_lift_addon.operators.presets import LIFT_OT_add_clean_up_preset, LIFT_OT_add_lift_preset
from blender_lift_addon.properties.option_properties import option_values
from lifter_core.declare import Place

blender_lift_addon.register()
entry = bpy.context.scene.lift.takes.add()
entry.clean_up.use_hover, entry.clean_up.hover, entry.clean_up.props = True, 1.5, __file__
print(*solve_arguments(Path("a"), Path("b"), option_values(entry.clean_up, Place.CLEAN_UP)))
print(*LIFT_OT_add_lift_preset.preset_values, *LIFT_OT_add_clean_up_preset.preset_values)
batch.main(["--help"])
sys.stdout.flush()
os._exit(0)
"""


def test_a_new_option_is_in_the_add_on_once_it_is_declared(tmp_path: Path) -> None:
    leave = shutil.ignore_patterns("training", "weights", "__pycache__", "wheels")
    for package in (lifter_core, blender_lift_addon):
        shutil.copytree(Path(package.__file__).parent, tmp_path / package.__name__, ignore=leave)
    file = tmp_path / "lifter_core" / "options.py"
    text = file.read_text("utf-8")
    assert text.count("    camera: str = option(") == 1
    file.write_text(text.replace("    camera: str = option(", NEW_OPTIONS + "    camera: str = option("), "utf-8")
    script = tmp_path / "look.py"
    script.write_text(LOOK)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "BLENDER_USER_RESOURCES": str(tmp_path / "user")}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert f"--hover 1.5 --props {script}" in done.stdout, done.stderr
    for kept in ("scene.lift.use_hover", "scene.lift.hover", "clean_up.use_hover", "clean_up.hover", "clean_up.props"):
        assert kept in done.stdout
    assert "--hover M" in done.stdout
