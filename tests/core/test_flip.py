"""Flip averaging: both answers count, sides come out right, and the mirror image of a picture has the mirrored answer."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifter_core.detect.detector import Pose
from lifter_core.detect.flip import averaged, body_points, make_follower, unmirrored
from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.skeleton import mirror_index
from lifter_core.video import read_frames

MIRROR, BODY = mirror_index(KEYPOINT_NAMES), body_points(KEYPOINT_NAMES)


def pose(seed: int, sure: float = 0.9) -> Pose:
    rng = np.random.default_rng(seed)
    points = rng.uniform(100, 500, (33, 2)).astype(np.float32)
    return Pose(points, np.full(33, sure, np.float32), rng.normal(0, 0.5, (33, 3)).astype(np.float32))


def shifted(by: float, sure: float) -> Pose:
    base = pose(1)
    return Pose(base.points + np.float32(by), np.full(33, sure, np.float32), base.world)


@given(st.integers(0, 1000), st.integers(10, 4000))
def test_mirroring_twice_changes_nothing(seed: int, width: int) -> None:
    one = pose(seed)
    for a, b in zip(unmirrored(unmirrored(one, width, MIRROR), width, MIRROR), one, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


@given(st.integers(0, 1000), st.floats(0, 1), st.floats(0, 1))
def test_a_point_lies_between_the_two_answers_and_the_order_does_not_matter(
    seed: int, sure: float, other: float
) -> None:
    a = pose(seed, sure)
    b = Pose(a.points + np.float32(10), np.full(33, other, np.float32), a.world)
    both, swapped = averaged(a, b, BODY), averaged(b, a, BODY)
    assert (both.points > a.points - 1e-3).all() and (both.points < b.points + 1e-3).all()
    np.testing.assert_allclose(both.points, swapped.points, atol=1e-3)
    np.testing.assert_allclose(both.world, a.world, atol=1e-6)


def test_the_surer_answer_counts_more() -> None:
    both = averaged(shifted(0, 0.9), shifted(20, 0.1), BODY)
    assert (both.points - shifted(0, 1).points).mean() == pytest.approx(2.0, abs=0.1)


def test_an_answer_with_left_and_right_exchanged_is_not_mixed_in() -> None:
    right = shifted(0, 0.9)
    wrong = Pose(right.points[MIRROR], np.full(33, 0.6, np.float32), right.world[MIRROR])
    assert averaged(right, wrong, BODY) is right
    assert averaged(wrong, right, BODY) is right


def test_left_stays_left_and_the_mirrored_clip_has_the_mirrored_answer(shared: Path, detector: str) -> None:
    frames = [f.image for f in read_frames(shared / "clips" / "tfjs_pose_squats.mp4", 1.0, 2.0)]
    with closing(make_follower(detector)) as one, closing(make_follower(detector)) as other:
        for image in frames:
            plain = one(image)[0]
            mirror = unmirrored(other(image[:, ::-1])[0], image.shape[1], MIRROR)
            np.testing.assert_allclose(mirror.points, plain.points, atol=0.5)
    left, right = (plain.points[KEYPOINT_NAMES.index(f"{side}_shoulder"), 0] for side in ("left", "right"))
    assert left > right, "the man faces the camera"
