"""Detection: models are made right, people are told apart and followed, and nobody is not somebody."""

import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lifter_core.detect import detect
from lifter_core.detect import models as model_files
from lifter_core.detect.follow import Expectation, crop
from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.detect.people import _fleeting, nearest
from lifter_core.detect.survey import Sighting, Track, _joined, _link, ranked, tiles
from lifter_core.detect.tflite import add_metadata
from lifter_core.errors import BadInputError, LiftError, NobodyFoundError
from lifter_core.video import ClipInfo

from .conftest import MakeVideo


def seen(time: float, x: float, y: float = 300.0, extent: float = 300.0) -> Sighting:
    return Sighting(time, np.array([x, y], np.float32), extent / 3, extent, 0.9)


def linked(sightings: list[Sighting]) -> list[Track]:
    tracks: list[Track] = []
    for time in sorted({s.time for s in sightings}):
        _link(tracks, [s for s in sightings if s.time == time])
    return _joined(tracks)


def test_names_are_paired_and_in_blazepose_order() -> None:
    assert len(set(KEYPOINT_NAMES)) == 33
    wanted = {0: "nose", 2: "left_eye", 5: "right_eye", 8: "right_ear", 11: "left_shoulder", 16: "right_wrist"}
    wanted |= {
        19: "left_index",
        23: "left_hip",
        26: "right_knee",
        27: "left_ankle",
        30: "right_heel",
        31: "left_foot_index",
    }
    assert {i: KEYPOINT_NAMES[i] for i in wanted} == wanted


def test_two_people_who_cross_stay_two_tracks() -> None:
    times = np.arange(0, 5, 0.5)
    tracks = linked([seen(t, 200 + 100 * t) for t in times] + [seen(t, 700 - 100 * t, 340) for t in times])
    assert sorted(len(t.sightings) for t in tracks) == [10, 10]
    for track in tracks:
        steps = np.diff([s.centre[0] for s in track.sightings])
        assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize(
    "again, people",
    [
        (seen(8.0, 210), 1),  # at the same place after a while: the same person
        (seen(8.0, 600), 2),  # elsewhere: somebody else
        (seen(8.0, 210, extent=100), 2),  # much smaller: somebody else
        (seen(30.0, 210), 2),  # much later: nobody knows
    ],
)
def test_who_comes_back_to_their_place_is_the_same_person(again: Sighting, people: int) -> None:
    assert len(linked([seen(0.0, 200), seen(0.5, 200), again])) == people


def test_main_person_is_the_one_seen_long_and_large() -> None:
    near = Track([seen(t, 100, extent=400) for t in range(10)])
    far = Track([seen(t, 500, extent=250) for t in range(12)])
    passer_by = Track([seen(t, 900, extent=600) for t in range(2)])
    ghost = Track([seen(3, 900, extent=900)])
    assert ranked([ghost, far, passer_by, near], 0.5) == [near, far, passer_by]
    assert ranked([ghost], 0.5) == []
    assert ranked([ghost], 0.01) == [ghost]  # a clip of a single frame shows nobody twice


def test_who_is_pointed_at_is_followed() -> None:
    times = np.arange(0, 5, 0.5)
    left, right = [seen(t, 200 + 20 * t) for t in times], [seen(t, 900 - 20 * t) for t in times]
    late = [seen(t, 250) for t in times + 20]
    tracks = [Track(left), Track(right), Track(late)]
    info = ClipInfo("clip.mp4", 1000, 600, 25.0, 30.0, 750)
    assert nearest(tracks, info, 0.2, 0.5, 0.0) is tracks[0]
    assert nearest(tracks, info, 0.75, 0.4, 4.0) is tracks[1]
    assert nearest(tracks, info, 0.3, 0.5, 21.0) is tracks[2]
    with pytest.raises(NobodyFoundError, match="point at"):
        nearest(tracks, info, 0.5, 0.05, 0.0)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (720, 720), (4000, 500), (321, 577)])
@pytest.mark.parametrize("rows", [1, 2])
def test_tiles_cover_the_picture(size: tuple[int, int], rows: int) -> None:
    covered = np.zeros(size[::-1], bool)
    for x, y, w, h in tiles(*size, rows):
        assert x >= 0 and y >= 0 and x + w <= size[0] and y + h <= size[1]
        covered[y : y + h, x : x + w] = True
    assert covered.all()


def test_expectation_goes_on_a_second_beyond_the_track() -> None:
    expected = Expectation(Track([seen(1.0, 100), seen(1.5, 150), seen(3.5, 250, extent=400)]))
    for time, x in ((1.25, 125), (2.5, 200), (0.5, 50), (4.0, 275)):
        found = expected(time)
        assert found is not None
        assert found[0] == pytest.approx([x, 300])
    assert expected(-0.1) is None
    assert expected(4.6) is None
    sure, unsure = expected(1.5), expected(2.5)
    assert sure is not None and unsure is not None
    assert sure[2] < unsure[2]  # far from any sighting the person may be farther off


def test_crop_stays_in_the_picture() -> None:
    assert crop(np.array([10.0, 300.0]), 200, 640, 480) == (0, 200, 200, 200)
    assert crop(np.array([320.0, 240.0]), 900, 640, 480) == (0, 0, 640, 480)


def test_moments_of_somebody_are_dropped_only_beside_longer_stretches() -> None:
    found = np.array([1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1], np.bool_)
    assert np.flatnonzero(_fleeting(found, 10)).tolist() == [0, 14, 15], "a blink parts no stretch"
    assert not _fleeting(found, 50).any(), "there is nothing longer to believe"
    assert not _fleeting(np.array([0, 1, 0, 1, 1], np.bool_), 10).any()


def test_how_short_is_too_short_is_a_matter_of_time() -> None:
    found = np.zeros(200, np.bool_)
    found[:100], found[150:156] = True, True
    assert np.flatnonzero(_fleeting(found, 60)).tolist() == list(range(150, 156))
    assert not _fleeting(found, 30).any()


def test_metadata_is_added_before_an_untouched_model() -> None:
    vtable = struct.pack("<HH8H", 20, 12, 4, 0, 0, 0, 8, 0, 0, 0)  # version, buffers
    model = b"".join([struct.pack("<I4s", 28, b"TFL3"), vtable, struct.pack("<iII", 20, 3, 4), struct.pack("<I", 0)])
    extended = add_metadata(model, b"the metadata")
    assert extended.endswith(model)
    assert b"TFLITE_METADATA" in extended and b"the metadata" in extended
    assert add_metadata(extended, b"again") == extended
    with pytest.raises(ValueError, match="TFLite"):
        add_metadata(b"no model at all", b"")


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "_from_npm", lambda _: {"pose_detection.tflite": b"something else"})
    with pytest.raises(LiftError, match="not the known file"):
        model_files.make_models(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_missing_model_names_the_command_that_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFTER_MODELS", raising=False)
    monkeypatch.setattr(model_files, "user_models_dir", lambda: tmp_path)
    monkeypatch.setattr(model_files, "__file__", str(tmp_path / "models.py"))
    with pytest.raises(BadInputError, match=r"run: lifter setup$"):
        model_files.find_model("heavy")
    with pytest.raises(BadInputError, match="choose one of lite, full, heavy"):
        model_files.find_model("huge")
    (tmp_path / "pose_landmarker_heavy.task").touch()
    assert model_files.find_model("heavy") == tmp_path / "pose_landmarker_heavy.task"


def test_made_models_are_whole(detector: str) -> None:
    with zipfile.ZipFile(model_files.find_model(detector)) as task:
        assert task.testzip() is None
        assert set(task.namelist()) == {"pose_detector.tflite", "pose_landmarks_detector.tflite"}


def test_empty_room_has_nobody_in_it(make_video: MakeVideo, detector: str) -> None:
    rng = np.random.default_rng(0)
    clip = make_video([rng.integers(90, 110, (120, 160, 3), np.uint8) for _ in range(3)], [0, 40, 80])
    with pytest.raises(NobodyFoundError):
        detect(clip, detector)


def test_the_detectors_remarks_stay_off_standard_error(shared: Path, detector: str) -> None:
    clip = shared / "awkward" / "18b_bars_person_gray_person.mp4"  # nobody at first: the last remark comes late
    script = f"""
import pathlib
from lifter_core.detect import detect
detect(pathlib.Path({str(clip)!r}), {detector!r}, 0.3, 0.8)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def trunk_height(points: NDArray[np.float32]) -> NDArray[np.float32]:
    shoulder, hip = KEYPOINT_NAMES.index("left_shoulder"), KEYPOINT_NAMES.index("left_hip")
    return np.asarray(points[:, hip, 1] - points[:, shoulder, 1], np.float32)


def test_person_is_followed_through_a_real_clip(shared: Path, detector: str) -> None:
    reports: list[tuple[str, int, int]] = []
    detection = detect(
        shared / "clips" / "tfjs_pose_squats.mp4", detector, 1.0, 3.0, flip=False,
        report=lambda stage, done, total, message="": reports.append((stage, done, total)),
    )  # fmt: skip
    (person,) = detection.people
    assert person.points.shape == (10, 33, 2)
    assert person.found.all()
    assert person.world is not None and np.isfinite(person.world).all()
    assert person.timestamps == pytest.approx(np.arange(1, 3, 0.2), abs=1e-3)
    assert person.image_size == (720, 1280)
    assert (trunk_height(person.points) > 100).all()  # upright, in pixels of the whole picture
    assert (person.confidence >= 0).all() and (person.confidence <= 1).all()
    assert [r for r in reports if r[0] == "detect"][-1] == ("detect", 10, 10)


def test_who_is_gone_for_a_while_leaves_a_gap(shared: Path, detector: str) -> None:
    (person,) = detect(shared / "awkward" / "18b_bars_person_gray_person.mp4", detector, flip=False).people
    assert person.found[35:65].all() and person.found[110:140].all()
    assert not person.found[:28].any() and not person.found[75:98].any()
    gone = ~person.found
    assert np.isnan(person.points[gone]).all() and (person.confidence[gone] == 0).all()


def test_main_person_is_not_swapped_for_the_man_on_the_roof(shared: Path, detector: str) -> None:
    (person,) = detect(shared / "clips" / "sports2d_demo.mp4", detector, 1.0, 4.5, flip=False).people
    hips = person.points[:, KEYPOINT_NAMES.index("left_hip")]
    assert person.found.mean() > 0.85
    assert (hips[person.found, 1] > 600).all()  # he is at 280 px
    assert np.abs(np.diff(hips[person.found, 0])).max() < 60


@pytest.mark.parametrize(("x", "place"), [(0.15, (0.15, 0.36)), (0.87, (0.68, 0.83))])
def test_who_was_picked_is_followed_though_another_is_plainer(
    x: float, place: tuple[float, float], shared: Path, detector: str
) -> None:
    """He bends down with his back to the camera, beside a woman who is seen whole."""
    detection = detect(shared / "clips" / "mmhuman3d_multi.mp4", detector, person=(x, 0.4, 0.0), flip=False)
    (person,) = detection.people
    across = np.median(person.points[..., 0], 1) / 1080
    assert person.found.mean() > 0.9
    assert (across[person.found] > place[0]).all() and (across[person.found] < place[1]).all()
    assert detection.others, "who was not picked is noted"
    assert all(np.abs(np.median(other[:, 1]) / 1080 - x) > 0.1 for other in detection.others)
