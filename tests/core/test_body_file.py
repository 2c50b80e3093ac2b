"""A person's body in a file: from takes, for more takes of the same person."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifter_core import cli
from lifter_core.body_file import FORMAT, combined, read_body, write_body
from lifter_core.errors import BadInputError
from lifter_core.pipeline import solve_again
from lifter_core.solve.body import PARTS, STANDARD_PARTS
from lifter_core.take import Take, load_take, save_take

from .walker import walking_take

MEASURES = {part: (float(length), 0.01) for part, length in zip(PARTS, STANDARD_PARTS, strict=True)}


def with_body(take: Take, measures: dict[str, tuple[float, float]]) -> Take:
    return replace(take, meta=replace(take.meta, bodies=(measures,)))


def test_a_body_written_is_the_body_read(tmp_path: Path):
    write_body(MEASURES, tmp_path / "body.json")
    np.testing.assert_allclose(read_body(tmp_path / "body.json"), STANDARD_PARTS, atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["body.json"]


def test_several_takes_weigh_by_how_well_each_knows_the_body():
    take = walking_take(10)
    sure = {**MEASURES, "shin": (0.40, 0.004), "thigh": (0.44, 0.004)}
    unsure = {**MEASURES, "shin": (0.44, 0.04), "thigh": (0.40, 0.04)}
    both = combined([(Path("a.npz"), with_body(take, sure)), (Path("b.npz"), with_body(take, unsure))])
    assert both["shin"][0] == pytest.approx(0.40, abs=0.002)
    assert both["shin"][1] < 0.004
    larger = {part: (1.1 * length, 1.1 * sd) for part, (length, sd) in MEASURES.items()}
    joined = combined([(Path("a.npz"), with_body(take, MEASURES)), (Path("b.npz"), with_body(take, larger))])
    for part in PARTS:  # one shape at two sizes
        assert joined[part][0] / joined["shin"][0] == pytest.approx(MEASURES[part][0] / MEASURES["shin"][0])


def test_a_take_solved_with_a_body_has_that_body_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    save_take(walking_take(20), tmp_path / "walk.npz")
    long_legs = {**MEASURES, "thigh": (0.46, 0.01), "shin": (0.47, 0.01)}
    write_body(long_legs, tmp_path / "body.json")
    again = ["solve", str(tmp_path / "walk.npz"), "-o", str(tmp_path / "new.npz"), "--progress", "none"]
    assert cli.main([*again, "--body", str(tmp_path / "body.json"), "--model", "residual_mlp"]) == 0
    take = load_take(tmp_path / "new.npz")
    assert take.meta.bodies[0]["thigh"][0] == pytest.approx(0.46, abs=1e-3)
    assert take.meta.bodies[0]["thigh"][1] == 0
    assert take.meta.options["body"] == str(tmp_path / "body.json")
    assert cli.main(["info", str(tmp_path / "new.npz")]) == 0
    assert "thigh 46.0 cm" in capsys.readouterr().out


def test_a_take_stands_for_its_body_and_a_told_height_scales_it(tmp_path: Path):
    first = walking_take(20)
    save_take(with_body(first, MEASURES), tmp_path / "first.npz")
    take = solve_again(first, "residual_mlp", body=tmp_path / "first.npz", height=1.2)
    parts = {part: length for part, (length, _) in take.meta.bodies[0].items()}
    assert take.meta.heights[0] == pytest.approx(1.2, abs=1e-3)
    assert parts["shin"] / parts["thigh"] == pytest.approx(MEASURES["shin"][0] / MEASURES["thigh"][0], abs=1e-3)


def test_the_body_command_joins_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("a.npz", "b.npz"):
        save_take(walking_take(10), tmp_path / name)
    takes = [str(tmp_path / name) for name in ("a.npz", "b.npz")]
    assert cli.main(["body", *takes, "-o", str(tmp_path / "body.json")]) == 0
    assert "±" in capsys.readouterr().out
    assert json.loads((tmp_path / "body.json").read_text())["format"] == FORMAT


def test_what_is_no_body_is_refused_in_one_sentence(tmp_path: Path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInputError, match="no body file; make one with lifter body"):
        read_body(tmp_path / "x.json")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_body(tmp_path / "missing.json")
    old = walking_take(10)
    save_take(replace(old, meta=replace(old.meta, bodies=())), tmp_path / "old.npz")
    with pytest.raises(BadInputError, match="solve it anew"):
        read_body(tmp_path / "old.npz")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([None, -1, 0, "long", [1], [1, 2, 3], [float("inf"), 0], [True, 0]]))
def test_damaged_bodies_give_our_own_error(tmp_path_factory: pytest.TempPathFactory, noise: bytes, wrong: object):
    path = tmp_path_factory.mktemp("bodies") / "body.json"
    parts = {part: list(pair) for part, pair in MEASURES.items()} | {"shin": wrong}
    for content in (noise, json.dumps({"format": FORMAT, "parts": parts}).encode()):
        path.write_bytes(content)
        with pytest.raises(BadInputError):
            read_body(path)
