"""Reading clips: what comes out is upright, square, truly timed; what cannot be read is refused in one sentence."""

import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lifter_core.errors import BadInputError
from lifter_core.video import clip_sha256, probe, read_frames

from .conftest import MakeVideo


def grey(level: int, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def corner(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """Black with a white top left corner."""
    picture = grey(0, width, height)
    picture[: height // 2, : width // 2] = 255
    return picture


def white_part(image: NDArray[np.uint8]) -> tuple[float, float]:
    """The middle of the bright pixels: x, y as shares of the width and height."""
    y, x = np.nonzero(image[..., 1] > 128)
    return x.mean() / image.shape[1], y.mean() / image.shape[0]


def test_timestamps_are_the_files_own(make_video: MakeVideo) -> None:
    ticks = [0, 40, 80, 200, 210, 400]
    frames = list(read_frames(make_video([grey(40 * i) for i in range(6)], ticks)))
    assert [f.time for f in frames] == pytest.approx([t / 1000 for t in ticks], abs=1e-3)
    assert [f.index for f in frames] == list(range(6))
    assert [f.image.mean() for f in frames] == pytest.approx([40 * i for i in range(6)], abs=4)


def test_time_counts_from_the_first_frame(make_video: MakeVideo) -> None:
    clip = make_video([grey(0)] * 4, [5000, 5040, 5080, 5120], "offset.mkv")
    assert [f.time for f in read_frames(clip)] == pytest.approx([0, 0.04, 0.08, 0.12], abs=1e-3)


@pytest.mark.parametrize("start, end, expected", [(1.0, 1.1, 3), (3.96, None, 1), (None, 0.08, 2), (3.0, 3.2, 5)])
def test_range_is_half_open_and_exact(
    make_video: MakeVideo, start: float | None, end: float | None, expected: int
) -> None:
    clip = make_video([grey(2 * i) for i in range(100)], [40 * i for i in range(100)])
    frames = list(read_frames(clip, start, end))
    assert len(frames) == expected
    first = round((start or 0) * 25)
    assert frames[0].time == pytest.approx(first * 0.04, abs=1e-3)
    assert frames[0].image.mean() == pytest.approx(2 * first, abs=6)  # the picture of that time, after seeking too
    assert frames[0].index == 0


def test_interval_thins_frames_out(make_video: MakeVideo) -> None:
    clip = make_video([grey(0)] * 10, [40 * i for i in range(10)])
    assert [f.index for f in read_frames(clip, interval=0.16)] == [0, 4, 8]


@pytest.mark.parametrize(
    "rotation, place", [(0, (0.25, 0.25)), (90, (0.25, 0.75)), (-90, (0.75, 0.25)), (180, (0.75, 0.75))]
)
def test_rotation_is_applied(make_video: MakeVideo, rotation: int, place: tuple[float, float]) -> None:
    clip = make_video([corner()], [0], rotation=rotation)
    (frame,) = read_frames(clip)
    info = probe(clip)
    assert (info.width, info.height) == ((64, 96) if rotation in (90, -90) else (96, 64))
    assert frame.image.shape == (info.height, info.width, 3)
    assert white_part(frame.image) == pytest.approx(place, abs=0.03)


@pytest.mark.parametrize("aspect, size", [(Fraction(4, 3), (128, 64)), (Fraction(1, 2), (96, 128))])
def test_pixels_become_square(make_video: MakeVideo, aspect: Fraction, size: tuple[int, int]) -> None:
    clip = make_video([corner()], [0], aspect=aspect)
    assert (probe(clip).width, probe(clip).height) == size
    assert next(read_frames(clip)).image.shape == (size[1], size[0], 3)


def test_damaged_packets_are_skipped_and_counted(make_video: MakeVideo) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (20, 64, 96, 3), np.uint8)
    clip = make_video(list(noise), [40 * i for i in range(20)], codec="libx264")
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    clip.write_bytes(data)
    frames = list(read_frames(clip))
    assert 10 <= len(frames) < 20
    assert frames[-1].damaged > 0
    assert frames[-1].time == pytest.approx(19 * 0.04, abs=1e-3)


def test_probe_tells_rate_and_length(make_video: MakeVideo) -> None:
    info = probe(make_video([grey(0)] * 50, [40 * i for i in range(50)]))
    assert (info.name, info.fps, info.frame_count) == ("clip.mp4", pytest.approx(25), 50)
    assert info.duration == pytest.approx(2.0, abs=0.05)


def test_refusals_say_what_is_wrong(tmp_path: Path, make_video: MakeVideo) -> None:
    good = make_video([grey(0)] * 20, [40 * i for i in range(20)])
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[:600])
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(8000))
    for name, words in {
        "absent.mp4": "does not exist",
        ".": "is a folder",
        "empty.mp4": "is empty",
        "text.mp4": "not a video",
        "cut.mp4": "cut short",
        "sound.wav": "no moving picture",
    }.items():
        for read in (probe, lambda path: list(read_frames(path))):
            with pytest.raises(BadInputError, match=words) as refusal:
                read(tmp_path / name)
            assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("start, end", [(-1.0, None), (2.0, 1.0), (1.0, 1.0), (float("nan"), None), (100.0, None)])
def test_impossible_ranges_are_refused(make_video: MakeVideo, start: float, end: float | None) -> None:
    clip = make_video([grey(0)] * 5, [40 * i for i in range(5)])
    with pytest.raises(BadInputError):
        list(read_frames(clip, start, end))


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert clip_sha256(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    "name, count, size",
    [
        ("06_one_frame.mp4", 1, (432, 768)),
        ("08a_vfr.mp4", 60, (432, 768)),
        ("09a_portrait_phone_matrix-90.mp4", 100, (432, 768)),
        ("10a_odd_321x577_444.mp4", 40, (321, 577)),
        ("11a_hevc_10bit.mp4", 60, (432, 768)),
        ("14a_vp9.webm", 100, (432, 768)),
        ("16_percent_100%d_%03d.mp4", 100, (432, 768)),
        ("22a_interlaced.mp4", 50, (432, 768)),
        ("24_corrupt_middle.mp4", 97, (432, 768)),
        ("27_fragmented.mp4", 100, (432, 768)),
    ],
)
def test_awkward_files_give_all_their_frames(shared: Path, name: str, count: int, size: tuple[int, int]) -> None:
    frames = list(read_frames(shared / "awkward" / name))
    assert len(frames) == count
    assert frames[0].time == 0
    assert np.all(np.diff([f.time for f in frames]) > 0)
    assert {f.image.shape for f in frames} == {(size[1], size[0], 3)}
