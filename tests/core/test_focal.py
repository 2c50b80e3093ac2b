"""The focal length: what the user says, what the file says, what a pan shows, what is assumed."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from lifter_core.camera_motion import estimate_focal
from lifter_core.focal import find_focal, tagged_focal

from .conftest import MakeVideo
from .test_camera_motion import FOCAL, SIZE, look, scene, track

NAME = "com.apple.quicktime.camera.focal_length.35mm_equivalent"


def atom(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def keys(name: str, type_: int, value: bytes) -> bytes:
    """A QuickTime metadata atom of one key."""
    names = struct.pack(">II", 0, 1) + atom(b"mdta", name.encode())
    item = atom(struct.pack(">I", 1), atom(b"data", struct.pack(">II", type_, 0) + value))
    return atom(b"meta", atom(b"hdlr", bytes(8) + b"mdta" + bytes(13)) + atom(b"keys", names) + atom(b"ilst", item))


def with_keys(clip: Path, meta: bytes, in_track: bool) -> Path:
    """The clip with a metadata atom at the end of its (last) movie atom, or of the track in it."""
    data = clip.read_bytes()
    at = data.rindex(b"moov") - 4
    moov = data[at:]
    track = moov.index(b"trak") - 4
    size = struct.unpack(">I", moov[track : track + 4])[0]
    if in_track:
        grown = struct.pack(">I", size + len(meta)) + moov[track + 4 : track + size] + meta
        moov = moov[:track] + grown + moov[track + size :]
    else:
        moov += meta
    out = clip.with_name("tagged.mov")
    out.write_bytes(data[:at] + struct.pack(">I", len(moov)) + moov[4:])
    return out


@pytest.mark.parametrize("in_track", [False, True])
@pytest.mark.parametrize(
    "type_, value", [(1, b"26"), (21, struct.pack(">i", 26)), (23, struct.pack(">f", 26.0)), (75, b"\x1a")]
)
def test_phone_says_its_focal_length(make_video: MakeVideo, in_track: bool, type_: int, value: bytes) -> None:
    clip = with_keys(
        make_video([np.zeros((64, 96, 3), np.uint8)] * 2, [0, 40], "clip.mov"), keys(NAME, type_, value), in_track
    )
    with av.open(str(clip)) as container:
        assert len(list(container.decode(video=0))) == 2, "still a clip"
    assert tagged_focal(clip) == 26
    focal = find_focal((1920, 1080), tagged=26)
    assert focal.source == "file" and focal.pixels == pytest.approx(26 / 36 * 1920)
    assert find_focal((1080, 1920), tagged=26).pixels == pytest.approx(focal.pixels), "held upright: the same lens"


@pytest.mark.parametrize("name, value", [(NAME, b"0"), ("com.apple.quicktime.model", b"35 mm"), (NAME, b"none")])
def test_other_tags_say_nothing(make_video: MakeVideo, name: str, value: bytes) -> None:
    clip = with_keys(make_video([np.zeros((64, 96, 3), np.uint8)] * 2, [0, 40], "clip.mov"), keys(name, 1, value), True)
    assert tagged_focal(clip) is None


@pytest.mark.parametrize(
    "content", [b"", b"ftyp", b"\0\0\0\x08moov\0\0\0\x03trak", b"\0\0\0\x10ftypqt  \0\0\0\0\0\0\0\x01moov"]
)
def test_broken_files_say_nothing(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.mov"
    broken.write_bytes(content)
    assert tagged_focal(broken) is None
    assert tagged_focal(tmp_path / "missing.mov") is None


def test_the_user_is_believed_first_and_the_diagonal_last(make_video: MakeVideo) -> None:
    clip = make_video([np.zeros((64, 96, 3), np.uint8)] * 2, [0, 40])
    assert find_focal((1000, 600), 90.0, 26) == pytest.approx((500, "option"))
    assert find_focal((300, 400), None, tagged_focal(clip)) == (500, "assumed")


def test_a_pan_shows_the_focal_length_and_a_shake_does_not() -> None:
    pan = np.stack([0.03 * np.sin(np.arange(30) / 4), np.linspace(-0.2, 0.2, 30), np.zeros(30)], 1)
    tracks = track([look(scene(), v, noise=t) for t, v in enumerate(pan)])
    found = estimate_focal(tracks)
    assert found is not None and found.focal == pytest.approx(FOCAL, rel=0.04) and found.error < 0.06
    assert find_focal(SIZE, tracks=tracks) == (found.focal, "motion")
    shake = track([look(scene(), v, noise=t) for t, v in enumerate(0.05 * pan)])
    assert estimate_focal(shake) is None
    assert find_focal(SIZE, tracks=shake).source == "assumed"
