"""The detection: it checks itself, its file gives it back unchanged, and no file makes the reader fail otherwise."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifter_core.detection import ClipFacts, Detection, DetectorSettings, load_detection, save_detection
from lifter_core.errors import BadInputError
from lifter_core.pipeline import solve

from .walker import DETECTED_FRAMES as FRAMES
from .walker import walking_detection as walking


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_detection(walking(), tmp_path / "walk.npz")
    return tmp_path / "walk.npz"


def same(a: Detection, b: Detection) -> None:
    for name in ("clip", "settings", "image_size", "fps", "keypoint_names"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("timestamps", "points", "confidence", "world"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for mine, other in zip(a.others, b.others, strict=True):
        np.testing.assert_array_equal(mine, other)
    if a.background is None or b.background is None:
        assert a.background is b.background
        return
    for name in ("frames", "size", "scale", "births", "poor"):
        assert getattr(a.background, name) == getattr(b.background, name), name
    for one, two in zip(a.background.measurements, b.background.measurements, strict=True):
        for x, y in zip(one, two, strict=True):
            np.testing.assert_array_equal(x, y)


def test_a_detection_survives_the_file(saved: Path) -> None:
    same(load_detection(saved), walking())
    assert [p.name for p in saved.parent.iterdir()] == ["walk.npz"], "no temporary file is left"


def test_a_file_of_the_first_version_is_still_read() -> None:
    old = load_detection(Path(__file__).parent / "fixtures" / "detection_minor_0.npz")
    assert old.clip == ClipFacts("walk.mp4", "0" * 64, -90, 2, 26.0)
    assert old.settings == DetectorSettings("heavy", True, 1.0, None, (0.5, 0.4, 1.5), "0.1.0")
    assert old.points.shape == (1, 16, 33, 2) and old.world is not None
    assert np.flatnonzero(~old.people[0].found).tolist() == [6, 7]
    assert [len(other) for other in old.others] == [2, 1]
    assert old.background is not None and len(old.background.measurements) == 16


def test_what_a_detector_does_not_give_is_absent_in_the_file_too(tmp_path: Path) -> None:
    plain = replace(walking(), world=None, others=(), background=None, clip=ClipFacts())
    save_detection(plain, tmp_path / "plain.npz")
    same(load_detection(tmp_path / "plain.npz"), plain)


def test_a_saved_detection_is_solved_to_the_same_take_and_the_clip_is_not_needed(saved: Path) -> None:
    one = solve(walking(), "residual_mlp", "cpu", height=1.7)
    two = solve(load_detection(saved), "residual_mlp", "cpu", height=1.7)
    np.testing.assert_array_equal(one.positions, two.positions)
    assert one.meta == two.meta
    assert one.meta.source == "walk.mp4" and one.meta.sha256 == "0" * 64
    assert (one.meta.damaged, one.meta.rotation, one.meta.focal_source) == (2, -90, "file")
    assert one.meta.options == {"start": 1.0, "person": [0.5, 0.4, 1.5], "height": 1.7}
    assert not one.meta.camera.still, "the background tells that the camera pans"


def test_without_a_background_the_camera_is_taken_to_stand_still() -> None:
    take = solve(replace(walking(), background=None), "residual_mlp", "cpu")
    assert take.meta.camera.still and "not followed" in take.meta.camera.reason


def edited(**changes: Callable[[Any], Any]) -> Detection:
    """The walker's detection with some fields changed in place."""
    detection = walking()
    return replace(detection, **{name: change(getattr(detection, name)) for name, change in changes.items()})


def put(*at: int, value: float) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array = array.copy()
        array[at] = value
        return array

    return change


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"points": lambda x: x[:, :-1]}, "shape"),
        ({"points": lambda x: x.astype(np.str_)}, "type"),
        ({"points": put(0, 3, 5, value=np.nan)}, "all finite, or all NaN"),
        ({"points": put(0, 3, 5, value=np.inf)}, "all finite, or all NaN"),
        ({"points": lambda x: x * np.float32(np.nan), "confidence": lambda x: x * 0}, "found in no frame"),
        ({"points": lambda x: x[:0], "confidence": lambda x: x[:0], "world": lambda x: x[:0]}, "no people"),
        ({"confidence": put(0, 3, 5, value=1.5)}, "from 0 to 1"),
        ({"confidence": put(0, 6, 5, value=0.5)}, "0 where the person was not found"),
        ({"world": put(0, 3, 5, value=np.nan)}, "world must be finite"),
        ({"timestamps": put(4, value=0.0)}, "do not rise"),
        ({"timestamps": put(4, value=np.nan)}, "do not rise"),
        ({"keypoint_names": lambda x: (x[1], *x[1:])}, "same name"),
        ({"fps": lambda x: 0.0}, "frame rate"),
        ({"image_size": lambda x: (1280, 0)}, "1280 x 0 pixels"),
        ({"others": lambda x: (x[0] * np.nan,)}, "rows of 4"),
        ({"background": lambda x: replace(x, frames=FRAMES + 1)}, "another number of frames"),
        ({"background": lambda x: replace(x, births=[])}, "not there"),
        ({"background": lambda x: replace(x, measurements=x.measurements[::-1])}, "order"),
    ],
)
def test_contradictions_are_refused_when_a_detection_is_made(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        edited(**changes)


@pytest.mark.parametrize(
    "facts",
    [
        {"name": None},
        {"sha256": "abc"},
        {"rotation": "90"},
        {"rotation": True},
        {"damaged": -1},
        {"damaged": 10**400},
        {"focal_35mm": float("nan")},
        {"focal_35mm": 0},
    ],
)
def test_facts_of_the_clip_that_make_no_sense_are_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match="must be"):
        ClipFacts(**facts)


@pytest.mark.parametrize(
    "settings",
    [
        {"detector": 3},
        {"flip": "yes"},
        {"start": ""},
        {"end": float("inf")},
        {"person": (0.5, 0.5)},
        {"person": (0.5, 0.5, "now")},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(BadInputError, match="must be"):
        DetectorSettings(**({"detector": "heavy"} | settings))


def rewritten(path: Path, **changes: Any) -> Path:
    """The file with some arrays replaced, or (None) left out."""
    with np.load(path) as z:
        arrays = {name: z[name] for name in z.files} | changes
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_a_newer_minor_version_is_read_and_what_it_adds_is_left_aside(saved: Path) -> None:
    with np.load(saved) as z:
        meta = json.loads(str(z["meta"]))
    meta["clip"]["lens"], meta["weather"] = "wide", "rain"
    rewritten(saved, minor=np.int32(7), hands=np.zeros(3), meta=np.array(json.dumps(meta)))
    same(load_detection(saved), walking())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": np.array("lift-detection/2")}, "not a lift-detection/1 file"),
        ({"format": np.array("lift-take/1")}, "not a lift-detection/1 file"),
        ({"format": None}, "not a lift-detection/1 file"),
        ({"points": None}, "lacks points"),
        ({"background_shares": None}, "lacks background_shares"),
        ({"points": np.zeros((1, FRAMES - 1, 33, 2), np.float32)}, "shape"),
        ({"fps": np.array(np.nan)}, "frame rate"),
        ({"image_size": np.int32([0, 720])}, "no width"),
        ({"meta": np.array("{}")}, "facts of its"),
        ({"meta": np.array("[]")}, "facts of its"),
        ({"meta": np.array("[" * 100_000)}, "no JSON"),
        ({"meta": np.array('{"clip": {"damaged": "many"}, "settings": {"detector": "heavy"}}')}, "damaged packets"),
        ({"meta": np.array('{"clip": {}, "settings": {"detector": "heavy", "person": 3}}')}, "person must be"),
        ({"background_measurements": np.full((FRAMES, 3), 10**9, np.int32)}, "number of points"),
        ({"background_measurements": np.full((1, 3), -1, np.int32)}, "number of points"),
        ({"others_person": np.int32([-1, 0, 0])}, "order"),
    ],
)
def test_a_file_with_something_wrong_in_it_is_refused(saved: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        load_detection(rewritten(saved, **changes))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.npz", tmp_path):
        with pytest.raises(BadInputError, match="cannot be read"):
            load_detection(path)


@pytest.mark.parametrize("content", [b"", b"no detection", b"PK\x03\x04 half a zip"])
def test_what_is_no_npz_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BadInputError, match="not a detection that can be read"):
        load_detection(tmp_path / "a.npz")


def with_member(path: Path, name: str, head: dict[str, Any], body: bytes, claims: int | None = None) -> Path:
    """The file with one array replaced by a header and bytes that need not fit, of a claimed size."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, head)
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist()} | {f"{name}.npy": stream.getvalue() + body}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        if claims:
            info = archive.getinfo(f"{name}.npy")
            info.file_size = claims
    return path


@pytest.mark.parametrize("claims", [None, 4 << 30])
def test_a_small_file_that_claims_gigabytes_is_refused_before_they_are_taken(saved: Path, claims: int | None) -> None:
    head = {"descr": "<f4", "fortran_order": False, "shape": (1, FRAMES, 33, 1 << 26)}
    with_member(saved, "points", head, b"\0" * 100, claims)
    tracemalloc.start()
    with pytest.raises(BadInputError):
        load_detection(saved)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_zeros_that_unpack_to_more_than_their_header_says_are_not_unpacked(saved: Path) -> None:
    head = {"descr": "<f4", "fortran_order": False, "shape": (1, FRAMES, 33, 2)}
    with_member(saved, "points", head, b"\0" * (30 << 20))
    tracemalloc.start()
    with pytest.raises(BadInputError, match="claims"):
        load_detection(saved)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_no_more_is_unpacked_than_the_file_says_is_in_it(saved: Path) -> None:
    head = {"descr": "<f4", "fortran_order": False, "shape": (1, FRAMES, 33, 2)}
    with_member(saved, "points", head, b"\0" * (30 << 20), claims=128 + FRAMES * 33 * 2 * 4)
    tracemalloc.start()
    with pytest.raises(BadInputError):
        load_detection(saved)
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_pickled_objects_are_never_loaded(saved: Path) -> None:
    rewritten(saved, keypoint_names=np.array([print], dtype=object))
    with pytest.raises(BadInputError):
        load_detection(saved)


@given(data=st.data())
def test_no_damage_leads_to_another_error(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    whole = folder / "whole.npz"
    if not whole.exists():
        save_detection(walking(), whole)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1) | st.integers(1, 3000).map(lambda n: len(content) - n))
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    del content[len(content) - data.draw(st.sampled_from([0, 0, 0, 1, 100, 5000])) :]
    (folder / "damaged.npz").write_bytes(content)
    try:
        load_detection(folder / "damaged.npz")
    except BadInputError as error:
        assert "\n" not in str(error)
