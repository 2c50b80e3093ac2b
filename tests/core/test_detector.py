"""The seam for detectors: another one than MediaPipe's, registered by name, is all that a lift needs."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lifter_core.detect import Pose, detect, detector_names, register
from lifter_core.detect.detector import make_detector
from lifter_core.detect.flip import body_points
from lifter_core.detect.survey import parts_of
from lifter_core.errors import BadInputError, NobodyFoundError
from lifter_core.pipeline import lift_clip
from lifter_core.skeleton import JOINT
from lifter_core.solve.body import STANDARD

from .conftest import MakeVideo

NAMES = (
    "nose",
    *(
        f"{side}_{part}"
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)
FIGURE = STANDARD[[JOINT[name] for name in NAMES]] * [1, 0, -1] @ np.eye(3)[:, [0, 2]]  # the rest pose from the front
LOW, HIGH = FIGURE.min(0), FIGURE.max(0)


class CardboardDetector:
    """Takes every white card for a person in the rest pose, as large as the card; has no 3D of its own."""

    names, has_world = NAMES, False
    limbs = tuple(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
    )

    def __init__(self, people: int, models: Path | None) -> None:
        self.closed = False

    def __call__(self, image: NDArray[np.uint8]) -> list[Pose]:
        assert not self.closed
        rows, columns = np.nonzero(image.min(-1) > 180)
        if not len(rows):
            return []
        corner, opposite = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
        points = corner + (FIGURE - LOW) / (HIGH - LOW) * (opposite - corner)
        return [Pose(points.astype(np.float32), np.full(len(NAMES), 0.9, np.float32), None)]

    def forget(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


register("cardboard", CardboardDetector)


@pytest.fixture
def walking_card(make_video: MakeVideo) -> Path:
    """A white card of a person's size that goes to the right by 2 px a frame, from x = 60."""
    pictures = []
    for t in range(30):
        picture = np.full((240, 320, 3), 40, np.uint8)
        picture[60:180, 60 + 2 * t : 180 + 2 * t] = 255
        pictures.append(picture)
    return make_video(pictures, [40 * t for t in range(30)])


@pytest.mark.parametrize("flip", [False, True])
def test_a_registered_detector_lifts_a_clip(flip: bool, walking_card: Path) -> None:
    take = lift_clip(walking_card, "cardboard", "residual_mlp", "cpu", flip=flip)
    assert take.keypoint_names == NAMES
    assert take.keypoints_world is None
    assert take.meta.detector == "cardboard"
    assert take.observed.all()
    across = take.root_positions[0, :, 0]
    assert across[-1] - across[0] > 0.2, "whoever goes to the right in the picture goes to the right"


def test_its_points_arrive_in_pixels_of_the_whole_picture(walking_card: Path) -> None:
    detection = detect(walking_card, "cardboard")
    (person,) = detection.people
    assert person.world is None
    wrists = person.points[:, [NAMES.index("left_wrist"), NAMES.index("right_wrist")], 0]
    expected = 60 + 2 * np.arange(30)[:, None] + np.array([120, 0])
    np.testing.assert_allclose(wrists, expected, atol=3)
    assert (wrists[:, 0] > wrists[:, 1]).all(), "the mirror does not exchange left and right"


def test_a_clip_without_a_card_has_nobody_in_it(make_video: MakeVideo) -> None:
    clip = make_video([np.full((120, 160, 3), 40, np.uint8)] * 5, [40 * t for t in range(5)])
    with pytest.raises(NobodyFoundError):
        detect(clip, "cardboard")


def test_an_unknown_detector_is_refused_with_the_names_of_those_there_are(walking_card: Path) -> None:
    assert {"lite", "full", "heavy", "cardboard"} <= set(detector_names())
    with pytest.raises(BadInputError, match=r"no detector 'plywood'; choose one of .*cardboard"):
        detect(walking_card, "plywood")


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="already"):
        register("heavy", CardboardDetector)


def test_a_detector_without_hips_is_refused() -> None:
    detector = make_detector("cardboard")
    detector.names = ("nose", "left_shoulder", "right_shoulder")
    with pytest.raises(ValueError, match="left_hip"):
        parts_of(detector)


def test_the_face_is_left_out_of_the_body() -> None:
    assert body_points(("nose", "left_eye_inner", "mouth_left", "left_ear", "left_pinky", "right_heel")) == [4, 5]
    assert body_points(("nose", "left_eye")) == [0, 1]
