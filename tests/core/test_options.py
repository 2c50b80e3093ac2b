"""Options: declared once, checked everywhere, and what a new one takes."""

import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as always
from hypothesis import strategies as st

import lifter_core
from lifter_core.cli import command_parser, main
from lifter_core.command_line import read_options, words
from lifter_core.declare import Checked, Option, Place, declared, option
from lifter_core.errors import BadInputError
from lifter_core.option_tables import renewed
from lifter_core.options import OPTIONS, DetectOptions, SolveOptions, given, offered, usable
from lifter_core.pipeline import lift_clip, solve_again
from lifter_core.take import load_take, save_take

from .walker import walking_take

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"heigth": 1.8}, "There is no option heigth; did you mean height?"),
        ({"height": 180}, "height takes metres from 0.5 to 3, not 180."),
        ({"height": "1.8"}, "height takes metres from 0.5 to 3, not 1.8."),
        ({"smooth": math.nan}, "smooth takes a number from 0 to 1, not nan."),
        ({"fov": True}, "fov takes degrees from 5 to 160, not True."),
        ({"floor_tilt": (1, 90)}, "floor_tilt takes 2 numbers, degrees from -60 to 60, not (1, 90)."),
        ({"floor_tilt": 3}, "floor_tilt takes 2 numbers, degrees from -60 to 60, not 3."),
        ({"facing": "left"}, "facing takes degrees or keep, not left."),
        ({"camera": "handheld"}, "camera takes auto, still or moving, not handheld."),
        ({"in_place": 1}, "in_place takes True or False, not 1."),
    ],
)
def test_an_option_that_cannot_be_is_one_sentence(options: dict[str, Any], sentence: str, tmp_path: Path):
    with pytest.raises(BadInputError) as raised:
        lift_clip(tmp_path / "none.mp4", **options)
    assert str(raised.value) == sentence
    with pytest.raises(BadInputError) as raised:
        solve_again(walking_take(), **options)
    assert str(raised.value) == sentence
    if "heigth" not in options:
        with pytest.raises(BadInputError) as raised:
            SolveOptions(**options)
        assert str(raised.value) == sentence


def test_an_option_that_has_no_effect_is_refused():
    with pytest.raises(BadInputError, match="The option start concerns detection and has no effect here"):
        solve_again(walking_take(), start=1.0)


@pytest.mark.parametrize("options", [{"person": (0.5, 1.5, 0)}, {"start": -1}, {"detector": 3}, {"flip": "no"}])
def test_what_the_detection_is_told_is_checked(options: dict[str, Any], tmp_path: Path):
    with pytest.raises(BadInputError, match=f"{next(iter(options))} takes"):
        lift_clip(tmp_path / "none.mp4", **options)
    with pytest.raises(BadInputError, match=f"{next(iter(options))} takes"):
        DetectOptions(**options)


def test_numbers_of_numpy_and_lists_are_taken():
    options = SolveOptions(height=np.float32(1.75), floor_tilt=[1, np.int64(2)], in_place=np.bool_(True), facing="keep")
    assert (options.height, options.floor_tilt, options.in_place, options.facing) == (1.75, (1.0, 2.0), True, None)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["--heigth", "180"], "There is no option --heigth; did you mean --height?"),
        (["--height", "1.8"], "--height takes centimetres from 50 to 300, not 1.8."),
        (["--facing", "left"], "--facing takes degrees or keep, not left."),
        (["--floor-tilt", "0", "90"], "--floor-tilt takes 2 numbers, degrees from -60 to 60, not 0 90."),
        (["another.npz"], "another.npz is one word too many; --help lists what can be given."),
    ],
)
def test_the_command_line_says_it_in_its_own_units(
    line: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    save_take(walking_take(), tmp_path / "walk.npz")
    command = ["solve", str(tmp_path / "walk.npz"), "-o", str(tmp_path / "new.npz"), "--progress", "none"]
    assert main([*command, *line]) == 2
    assert capsys.readouterr().err == f"lifter: {sentence}\n"


def values_of(one: Option) -> st.SearchStrategy[Any]:
    """What the option takes, with so many digits as the command line keeps."""
    if one.choices:
        return st.sampled_from(one.values)
    if one.kind is Path:
        return st.just(Path(__file__)) | st.just(one.none_word or Path(__file__))
    if one.kind is not float:
        return st.booleans() if one.kind is bool else st.sampled_from(["fast", "temporal"])
    numbers = [
        st.integers(math.ceil(max(low, -900) * 100), math.floor(min(high, 900) * 100)).map(lambda x: x / 100)
        for low, high in (one.range_of(i) for i in range(one.count))
    ]
    return (
        st.tuples(*numbers) if one.count > 1 else numbers[0] | (st.just(one.none_word) if one.none_word else numbers[0])
    )


@always(st.fixed_dictionaries({}, optional={one.name: values_of(one) for one in offered(Place.LIFT)}))
def test_words_for_another_program_are_read_back_as_they_were(told: dict[str, Any]):
    args = command_parser().parse_args(["lift", "clip.mp4", "-o", "take.npz", *words(told)])
    assert read_options(args, Place.LIFT) == given(told)


def test_every_option_can_be_as_it_is_by_default_and_follows_one_that_there_is():
    assert DetectOptions() == DetectOptions(**{one.name: one.default for one in declared(DetectOptions)})
    for one in OPTIONS.values():
        assert one.checked(one.default) == one.default
        assert one.help[0].isupper() and not one.help.endswith("."), "tooltips have no full stop"
        assert not one.follows or one.follows in OPTIONS


def test_what_a_newer_version_recorded_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    record = {"height": 1.6, "gravity": "moon", "camera": "drone", "person": [0.5, 0.5, 1.0], "fov": None}
    assert usable(record) == ({"height": 1.6, "person": (0.5, 0.5, 1.0)}, ["gravity", "camera"])
    walk = walking_take()
    save_take(replace(walk, meta=replace(walk.meta, options=record)), tmp_path / "walk.npz")
    command = ["solve", str(tmp_path / "walk.npz"), "-o", str(tmp_path / "new.npz"), "--model", "fast"]
    assert main([*command, "--progress", "none"]) == 0
    assert "options that this version cannot use: gravity, camera" in capsys.readouterr().err
    assert load_take(tmp_path / "new.npz").meta.options == {"height": 1.6, "person": [0.5, 0.5, 1.0]}


def test_a_path_is_an_option_like_others(tmp_path: Path):
    @dataclass(frozen=True, kw_only=True)
    class WithPath(Checked):
        props: Path | None = option(None, "A file", "solving", Place.COMMANDS)

    file = tmp_path / "props.json"
    with pytest.raises(BadInputError, match="props takes the path of a file that is there, not"):
        WithPath(props=file)
    file.write_text("{}")
    assert WithPath(props=str(file)).props == file
    assert WithPath().props is None


@pytest.mark.parametrize("name", ["options.md", "blender.md"])
def test_the_documents_have_the_tables_of_today(name: str):
    text = (ROOT / "docs" / name).read_text("utf-8")
    assert "<!-- options " in text
    assert renewed(text) == text, f"run: python -m lifter_core.options docs/{name}"


NEW_OPTIONS = """\
    hover: float = option(
        0.0, "Lifts the whole person above the floor", "solving", Place.COMMANDS, unit="m", command_unit="cm", range=(0, 9)
    )
    props: Path | None = option(None, "Where the props are", "solving", Place.COMMANDS, none_word="none")
"""


@pytest.fixture
def with_a_new_option(tmp_path: Path) -> Path:
    """A copy of the package in which two files are changed: the options' declarations, and the one that uses the new one."""
    source = Path(lifter_core.__file__).parent
    large = [f"{name}.{kind}" for name in ("temporal", "residual_mlp") for kind in ("onnx", "safetensors")]
    left_out = shutil.ignore_patterns("training", "__pycache__", *large)
    package = shutil.copytree(source, tmp_path / "copy" / "lifter_core", ignore=left_out)
    for name, before, after in (
        ("options.py", "    camera: str = option(", NEW_OPTIONS + "    camera: str = option("),
        ("solve/place.py", "-= options.floor_height", "-= options.floor_height - options.hover"),
    ):
        text = (package / name).read_text("utf-8")
        assert text.count(before) == 1
        (package / name).write_text(text.replace(before, after), "utf-8")
    return package.parent


RUN = """
import contextlib, io, json, sys
from pathlib import Path
from lifter_core.cli import main
for line in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        code = main(line) if isinstance(line, list) else Path(line).unlink()
    print(json.dumps([code, said.getvalue()]))
"""


def run(folder: Path, *lines: Any) -> list[Any]:
    """The command's exit codes and what it said, line after line; a name instead of a line is a file to remove."""
    told = json.dumps([[str(word) for word in line] if isinstance(line, list) else str(line) for line in lines])
    environment = os.environ | {"PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=told,
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_adding_an_option_takes_two_files(with_a_new_option: Path, tmp_path: Path):
    walk, floor, air = (tmp_path / f"{name}.npz" for name in ("walk", "floor", "air"))
    save_take(walking_take(), walk)
    base = ["solve", walk, "--model", "fast", "--progress", "none", "-o"]
    solved, high, far = run(
        with_a_new_option, [*base, floor], [*base, air, "--hover", 150], [*base, air, "--hover", 1500]
    )
    assert (solved, high) == ([0, ""], [0, ""])
    assert far == [2, "lifter: --hover takes centimetres from 0 to 900, not 1500.\n"]
    np.testing.assert_allclose(load_take(air).positions - load_take(floor).positions - [0, 0, 1.5], 0, atol=1e-5)
    assert [load_take(path).meta.options for path in (floor, air)] == [{}, {"hover": 1.5}]
    tables = [sys.executable, "-m", "lifter_core.options"]
    printed = subprocess.run(tables, cwd=with_a_new_option, capture_output=True, text=True, check=True).stdout
    assert "| `hover` | `--hover CM` |  | metres from 0 to 9 | 0 | Lifts the whole person above the floor |" in printed


def test_a_new_option_that_is_a_path_stays_with_the_take_until_it_is_taken_back(
    with_a_new_option: Path, tmp_path: Path
):
    walk, a, b, props = (tmp_path / name for name in ("walk.npz", "a.npz", "b.npz", "props.json"))
    save_take(walking_take(), walk)
    props.write_text("{}")
    base = ["solve", "--model", "fast", "--progress", "none"]
    again = [*base, a, "-o", b]
    told, gone, wrong, back = (
        line
        for line in run(
            with_a_new_option,
            [*base, walk, "-o", a, "--props", props],
            props,
            again,
            [*again, "--props", props],
            [*again, "--props", "none"],
        )
        if line[0] is not None
    )
    assert (told, back) == ([0, ""], [0, ""])
    assert gone == [2, f"lifter: props takes the path of a file that is there or none, not {props}.\n"]
    assert wrong == [2, f"lifter: --props takes the path of a file that is there or none, not {props}.\n"]
    assert load_take(a).meta.options == {"props": str(props)}
    assert load_take(b).meta.options == {"props": "none"}


def test_a_clip_is_lifted_with_the_new_option(with_a_new_option: Path, shared: Path, tmp_path: Path, detector: str):
    clip, take = shared / "clips" / "tfjs_pose_squats.mp4", tmp_path / "air.npz"
    quick = ["--model", "fast", "--detector", detector, "--no-flip", "--start", 2, "--end", 2.6, "--progress", "none"]
    assert run(with_a_new_option, ["lift", clip, "-o", take, *quick, "--hover", 100]) == [[0, ""]]
    air = load_take(take)
    assert air.meta.options == {"start": 2.0, "end": 2.6, "hover": 1.0}
    assert 0.9 < np.nanmin(air.positions[..., 2]) < 1.1
