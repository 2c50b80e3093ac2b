"""The take: it checks itself when made; what is saved is loaded; whatever else is in a file is refused with one error."""

import contextlib
import io
import random
import struct
import zipfile
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifter_core.errors import BadInputError
from lifter_core.npz import MAX_BYTES, MAX_TEXT_BYTES
from lifter_core.take import FORMAT, MINOR, Take, load_take, read_take, save_take
from lifter_core.take_meta import CameraMeta, TakeMeta

from .make_take_fixture import FRAMES, META, fixture_take
from .mutations import MUTATIONS, mutate
from .walker import walking_take

FIXTURES = Path(__file__).parent / "fixtures"
NEWEST = (FIXTURES / f"take_minor_{MINOR}.npz").read_bytes()
TAKE = fixture_take()


def assert_same(one: Take, other: Take) -> None:
    for field in fields(Take):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, field.name)
            assert a.dtype == b.dtype, field.name
        else:
            assert a == b, field.name


def rewritten(changes: dict[str, Any], data: bytes = NEWEST) -> io.BytesIO:
    """The file with arrays changed, or left out (None)."""
    with np.load(io.BytesIO(data)) as z:
        arrays = {**{name: z[name] for name in z.files}, **changes}
    out = io.BytesIO()
    np.savez_compressed(out, **{name: value for name, value in arrays.items() if value is not None})
    out.seek(0)
    return out


def test_a_take_survives_the_file(tmp_path: Path):
    for take in (walking_take(), TAKE):
        save_take(take, tmp_path / "a.npz")
        assert_same(load_take(tmp_path / "a.npz"), take)
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"], "no temporary file is left"


def test_other_programs_can_read_it_without_pickle(tmp_path: Path):
    save_take(walking_take(), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as z:
        assert str(z["format"]) == FORMAT and int(z["minor"]) == MINOR
        assert z["positions"].shape[2] == len(z["joint_names"])
        assert z["rotations"].shape[2] == len(z["bone_names"])


@pytest.mark.parametrize("minor", range(MINOR + 1))
def test_files_of_every_minor_version_are_read(minor: int):
    take = load_take(FIXTURES / f"take_minor_{minor}.npz")
    assert take.positions.shape == (1, FRAMES, 30, 3)
    assert take.present.tolist() == [[False, True, True, True]]
    assert take.camera_zoom is not None and take.camera_zoom[-1] == pytest.approx(1.02)
    assert take.camera_turns is not None and take.keypoints_world is not None
    assert replace(take.meta, heights=(), bodies=()) == META
    assert take.meta.heights == (1.8,)
    if minor == 0:
        assert take.joint_sigma is None and take.meta.bodies == ()
    else:
        assert take.joint_sigma is not None and take.joint_sigma[0, 1, 0] == np.float32(0.02)
        assert take.meta.bodies[0]["left_thigh"] == (0.42, 0.012)


def test_an_older_file_is_of_the_present_version_once_saved(tmp_path: Path):
    old = load_take(FIXTURES / "take_minor_0.npz")
    save_take(old, tmp_path / "new.npz")
    assert_same(load_take(tmp_path / "new.npz"), old)
    with np.load(tmp_path / "new.npz") as z:
        assert int(z["minor"]) == MINOR


def test_a_newer_minor_version_is_read_and_its_metadata_kept(tmp_path: Path):
    meta = replace(TAKE.meta, extra={"mood": [1, None]}, camera=replace(TAKE.meta.camera, extra={"lens": "wide"}))
    newer = {"minor": MINOR + 3, "face_weights": np.zeros((1, 4, 52)), "meta": meta.to_json()}
    take = read_take(rewritten(newer))
    assert_same(replace(take, meta=TAKE.meta), read_take(io.BytesIO(NEWEST)))
    save_take(take, tmp_path / "again.npz")
    assert load_take(tmp_path / "again.npz").meta == meta
    assert '"mood": [1, null]' in take.meta.to_json() and '"lens": "wide"' in take.meta.to_json()


@pytest.mark.parametrize("content", [b"", b"not a take", b"PK\x03\x04 half a zip"])
def test_what_is_no_take_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(BadInputError, match="not a take"):
        load_take(tmp_path / "a.npz")


def test_a_missing_take_and_another_format_are_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match="cannot be read"):
        load_take(tmp_path / "none.npz")
    np.savez(tmp_path / "b.npz", format=np.array("lift-take/9"))
    with pytest.raises(BadInputError, match="lift the clip again"):
        load_take(tmp_path / "b.npz")


def test_a_take_is_not_changed_once_it_is_made():
    with pytest.raises(FrozenInstanceError):
        TAKE.fps = 3.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        TAKE.positions[0, 1] = 0
    own = np.array(TAKE.timestamps)
    assert not replace(TAKE, timestamps=own).timestamps.flags.writeable and own.flags.writeable


def changed(name: str, at: Any, value: Any) -> Any:
    array = np.array(getattr(TAKE, name))
    array[at] = value
    return array


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"fps": 0.0}, "fps"),
        ({"fps": np.nan}, "fps"),
        ({"timestamps": [0, 1, 1, 2]}, "timestamps do not rise"),
        ({"timestamps": [0, 1, np.nan, 2]}, "timestamps do not rise"),
        ({"timestamps": [0, 1, 2]}, r"timestamps has the shape \(3,\) and not \(4,\)"),
        ({"positions": TAKE.positions[..., :2]}, "positions has the shape"),
        ({"positions": changed("positions", (0, 2, 5, 1), np.nan)}, "positions are not finite where"),
        ({"rotations": changed("rotations", (0, 0), 0.5)}, "rotations are not NaN where"),
        ({"rotations": changed("rotations", (0, 2, 3), 0.0)}, "quaternions of length 1"),
        ({"root_positions": changed("root_positions", (0, 1, 0), np.inf)}, "not finite|not NaN"),
        ({"bone_parents": changed("bone_parents", 2, 5)}, "before its parent"),
        ({"bone_parents": changed("bone_parents", 2, -1)}, "only root"),
        ({"joint_parents": changed("joint_parents", 0, 4)}, "no tree"),
        ({"joint_parents": changed("joint_parents", 3, 30)}, "no tree"),
        ({"joint_parents": changed("joint_parents", 3, -2)}, "no tree"),
        ({"joint_bones": changed("joint_bones", 3, 22)}, "bones that are not there"),
        ({"joint_bones": TAKE.joint_bones + 0.5}, "joint_bones has the type float64"),
        ({"joint_names": ("nose", *TAKE.joint_names[:-1])}, "joint_names are not names that differ"),
        ({"rest_offsets": changed("rest_offsets", (0, 1), np.nan)}, "rest_offsets are not finite"),
        ({"observed": ~TAKE.observed}, "observed names frames"),
        ({"observed": TAKE.observed.astype(int)}, "observed has the type int64"),
        ({"image_size": (640, 0)}, "image_size"),
        ({"camera_matrix": np.zeros((3, 3))}, "no focal length"),
        ({"camera_rotation": TAKE.camera_rotation * 1.1}, "not rotations"),
        ({"camera_rotation": -TAKE.camera_rotation}, "not rotations"),
        ({"camera_zoom": [1, 1, 0, 1]}, "camera_zoom"),
        ({"joint_sigma": -np.ones((1, 4, 30))}, "joint_sigma is below 0"),
        ({"joint_sigma": np.ones((1, 4, 29))}, "joint_sigma has the shape"),
        ({"keypoints": changed("keypoints", (0, 1, 0, 0), np.inf)}, "keypoints are infinite"),
        ({"meta": TakeMeta(heights=(1.7, 1.8))}, "2 heights for 1 people"),
        ({"meta": {"source": "a.mp4"}}, "no TakeMeta"),
    ],
)
def test_a_take_that_contradicts_itself_is_not_made(changes: dict[str, Any], complaint: str):
    with pytest.raises(BadInputError, match=complaint):
        replace(TAKE, **changes)


@pytest.mark.parametrize(
    "values",
    [
        {"source": 3},
        {"rotation": "left"},
        {"rotation": float("nan")},
        {"flip": 1},
        {"damaged": -1},
        {"damaged": True},
        {"options": [1]},
        {"options": {"height": float("inf")}},
        {"options": {"clip": Path("a.mp4")}},
        {"heights": (0.0,)},
        {"heights": 1.8},
        {"bodies": ({"thigh": (0.4,)},)},
        {"bodies": ({"thigh": (0.4, -0.1)},)},
        {"camera": {"still": True}},
        {"extra": {"deep": [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]}},
    ],
)
def test_metadata_of_another_type_are_refused(values: dict[str, Any]):
    with pytest.raises(BadInputError, match="meta's"):
        TakeMeta(**values)


@pytest.mark.parametrize("values", [{"still": 1}, {"reason": None}, {"cuts": (1.5,)}, {"cuts": (-1,)}])
def test_metadata_of_the_camera_are_checked(values: dict[str, Any]):
    with pytest.raises(BadInputError, match=r"meta's camera\."):
        CameraMeta(**values)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"damaged": NaN}', "[" * 100000, '{"rotation": 1e999}', "9" * 9999]
)
def test_metadata_that_are_no_json_object_are_refused(text: str):
    with pytest.raises(BadInputError):
        TakeMeta.from_json(text)


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def npy(shape: str, data: bytes, descr: str = "<f4") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def members_of(data: bytes = NEWEST) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(data: bytes) -> str:
    with pytest.raises(BadInputError) as refusal:
        read_take(io.BytesIO(data))
    return str(refusal.value)


def test_a_small_file_that_claims_gigabytes_is_refused_without_allocating_them():
    claim = npy("(1, 4, 30, 1000000000)", bytes(100))
    assert "positions claims 480000000000 bytes but has 100" in refused(zip_of(members_of() | {"positions.npy": claim}))

    true = zip_of(members_of() | {"positions.npy": npy("(1073741824,)", bytes(100))})
    at = true.index(b"positions.npy", true.index(b"PK\x01\x02")) - 46
    lying = true[: at + 24] + struct.pack("<I", (1 << 32) - 2) + true[at + 28 :]  # the zip claims 4 GB too
    assert "positions claims 4294967294 bytes but is stored in" in refused(lying)


def test_a_large_array_of_the_wrong_shape_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch):
    packed = zip_of(members_of() | {"positions.npy": npy("(4, 1000, 1000, 1)", bytes(16_000_000))})
    assert len(packed) < 40_000
    read: list[int] = []
    whole = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda f, n=-1: read.append(len(out := whole(f, n))) or out)
    assert "positions has the shape (4, 1000, 1000, 1)" in refused(packed)
    assert max(read) <= 4096


def test_no_more_than_the_limit_is_read_from_one_file(monkeypatch: pytest.MonkeyPatch):
    assert MAX_BYTES >= 10 * 3600 * 60 * 2500 // 3, "three people for an hour at 60 frames a second"
    monkeypatch.setattr("lifter_core.npz.MAX_BYTES", 10_000)
    assert "and at most 10000 are read" in refused(NEWEST)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("positions", npy("(1,)", bytes(8), "|O"), "neither numbers nor text"),
        ("joint_names", npy(f"({1 << 60},)", b"", "<U0"), "neither numbers nor text"),
        ("joint_names", npy(f"({MAX_TEXT_BYTES},)", bytes(4 * MAX_TEXT_BYTES), "<U1"), "longer than text may be"),
        ("joint_names", npy("(30,)", b"\xff" * 120, "<U1"), "no characters"),
        ("observed", npy("(1, 4)", b"\2" * 4, "|b1"), "neither true nor false"),
        ("fps", npy("(0, -5)", b""), "impossible shape"),
        ("meta", npy("()", bytes(8), "<f8"), "meta is not a single value"),
    ],
)
def test_arrays_that_numpy_would_take_or_choke_on_are_refused(name: str, content: bytes, complaint: str):
    assert complaint in refused(zip_of(members_of() | {f"{name}.npy": content}))


def test_other_compression_encryption_and_repeated_names_are_refused():
    assert "deflate" in refused(zip_of(members_of(), zipfile.ZIP_LZMA))
    data = bytearray(NEWEST)
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "damaged" in refused(bytes(data))
    twice = io.BytesIO(NEWEST)
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("fps.npy", b"")
    assert "holds fps twice" in refused(twice.getvalue())


@pytest.mark.parametrize("name", ["fps", "meta", "image_size", "positions", "keypoint_names"])
def test_a_file_that_lacks_an_array_is_refused(name: str):
    assert f"it lacks {name}" in refused(rewritten({name: None}).getvalue())


finite = st.floats(-1e6, 1e6, width=32)
words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
extra_keys = st.dictionaries(words.map(lambda word: f"new {word}"), json_values, max_size=3)


@st.composite
def metas(draw: st.DrawFn, people: int = 1) -> TakeMeta:
    some = st.none() | st.text()
    body = st.dictionaries(words, st.tuples(st.floats(1e-3, 3), st.floats(0, 1)), max_size=3)
    return TakeMeta(
        **{
            name: draw(some)
            for name in ("lifter_core", "source", "sha256", "detector", "model", "device", "focal_source")
        },
        rotation=draw(st.none() | finite),
        flip=draw(st.none() | st.booleans()),
        damaged=draw(st.integers(0, 10**9)),
        options=draw(st.dictionaries(st.text(), json_values, max_size=3)),
        camera=CameraMeta(
            draw(st.booleans()), draw(st.text()), tuple(draw(st.lists(st.integers(0, 99)))), draw(extra_keys)
        ),
        heights=tuple(draw(st.sampled_from([[], [1.7] * people]))),
        bodies=tuple(draw(st.just([]) | st.lists(body, min_size=people, max_size=people))),
        extra=draw(extra_keys),
    )


@st.composite
def takes(draw: st.DrawFn) -> Take:
    people, frames, bones, joints, points = (draw(st.integers(low, 4)) for low in (1, 1, 1, 1, 0))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    present = np.array(draw(st.lists(st.booleans(), min_size=people * frames, max_size=people * frames)))
    present = present.reshape(people, frames)

    def moving(*shape: int) -> np.ndarray:
        array = rng.normal(size=(people, frames, *shape))
        array[~present] = np.nan
        return array

    def either(array: np.ndarray) -> np.ndarray | None:
        return array if draw(st.booleans()) else None

    def names(count: int) -> tuple[str, ...]:
        return tuple(draw(st.lists(words, min_size=count, max_size=count, unique=True)))

    rotations = moving(bones, 4)
    turns = np.linalg.qr(rng.normal(size=(frames, 3, 3)))[0]
    seen = rng.normal(size=(people, frames, points, 3))
    seen[rng.random(seen.shape) < 0.3] = np.nan
    return Take(
        fps=draw(st.floats(1e-3, 1e4)),
        timestamps=draw(finite) + np.cumsum(rng.uniform(0.01, 1, frames)),
        joint_names=names(joints),
        joint_parents=np.array([-1, *(draw(st.integers(-1, j)) for j in range(joints - 1))]),
        joint_bones=rng.integers(0, bones, joints),
        joint_offsets=rng.normal(size=(people, joints, 3)),
        positions=moving(joints, 3),
        bone_names=names(bones),
        bone_parents=np.array([-1, *(draw(st.integers(0, b)) for b in range(bones - 1))]),
        rotations=rotations / np.linalg.norm(rotations, axis=-1, keepdims=True),
        rest_offsets=rng.normal(size=(people, bones, 3)),
        root_positions=moving(3),
        keypoint_names=names(points),
        keypoints=seen,
        observed=present & (rng.random(present.shape) < 0.5),
        contacts=rng.random((people, frames, 2)) < 0.5,
        image_size=(draw(st.integers(1, 9999)), draw(st.integers(1, 9999))),
        camera_matrix=np.diag([draw(st.floats(1, 1e5))] * 2 + [1]),
        camera_rotation=turns * np.linalg.det(turns)[:, None, None],
        camera_translation=rng.normal(size=(frames, 3)),
        meta=draw(metas(people)),
        keypoints_world=either(seen),
        camera_zoom=either(rng.uniform(0.1, 9, frames)),
        camera_turns=either(rng.normal(size=(frames, 4))),
        joint_sigma=either(np.abs(moving(joints))),
    )


def test_bytes_spliced_anywhere_give_one_kind_of_error_or_a_take():
    for kind in MUTATIONS:
        for number in range(30):
            data = MUTATIONS[kind](NEWEST, random.Random(f"{kind}/{number}"))
            with contextlib.suppress(BadInputError):
                assert isinstance(read_take(io.BytesIO(data)), Take)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), minor=st.integers(0, MINOR))
def test_damaged_files_give_one_kind_of_error_or_a_take(seed: int, minor: int):
    _, data = mutate((FIXTURES / f"take_minor_{minor}.npz").read_bytes(), random.Random(seed))
    try:
        take = read_take(io.BytesIO(data))
    except BadInputError:
        return
    assert isinstance(take, Take)


@settings(max_examples=200, deadline=None)
@given(
    bits=st.lists(st.integers(0, 8 * len(NEWEST) - 1), min_size=1, max_size=4),
    end=st.integers(0, len(NEWEST)) | st.none(),
)
def test_flipped_bits_and_truncations_give_one_kind_of_error_or_the_take(bits: list[int], end: int | None):
    data = bytearray(NEWEST)
    for bit in bits:
        data[bit // 8] ^= 1 << bit % 8
    try:
        take = read_take(io.BytesIO(bytes(data[:end])))
    except BadInputError:
        return
    assert take.positions.shape == TAKE.positions.shape


@settings(max_examples=50, deadline=None)
@given(meta=metas())
def test_metadata_survive_json(meta: TakeMeta):
    assert TakeMeta.from_json(meta.to_json()) == meta


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 2000), cut=st.integers(0, 20), piece=json_values | st.text(max_size=5))
def test_spliced_json_gives_one_kind_of_error_or_metadata(at: int, cut: int, piece: Any):
    text = TAKE.meta.to_json()
    at %= len(text)
    with contextlib.suppress(BadInputError):
        assert isinstance(TakeMeta.from_json(text[:at] + str(piece) + text[at + cut :]), TakeMeta)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(take=takes())
def test_any_take_survives_the_file(tmp_path_factory: pytest.TempPathFactory, take: Take):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    save_take(take, path)
    assert_same(load_take(path), take)
