"""The repair of mocap whose limbs are too long: who stands still is straight, and nothing else moves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifter_core.skeleton import JOINT, JOINT_NAMES
from lifter_core.solve.body import STANDARD
from lifter_core.training.limbs import (
    ARMS,
    LEGS,
    Limbs,
    fit_limbs,
    flexion,
    reach,
    repaired,
    report,
    skeleton_of,
    standing,
    straightened,
    with_limbs,
)
from lifter_core.training.mocap import Clip

UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # Z up, facing -Y -> Y up, facing +Z
MOVED = {JOINT[middle] for _, middle, _ in (*LEGS, *ARMS)}


def bent(knee: float, elbow: float = 10.0, frames: int = 90) -> np.ndarray:
    """(T, J, 3) somebody who stands with knees and elbows bent by degrees, Y up; the thigh and the shin lean alike."""
    joints = np.repeat(STANDARD[None, : len(JOINT_NAMES)] @ UP.T, frames, 0)
    for limbs, angle, down in ((LEGS, knee, True), (ARMS, elbow, False)):
        for root, middle, end in limbs:
            first = np.linalg.norm(STANDARD[JOINT[middle]] - STANDARD[JOINT[root]])
            second = np.linalg.norm(STANDARD[JOINT[end]] - STANDARD[JOINT[middle]])
            half = np.radians(angle / 2)
            along = np.array([0, -1.0, 0]) if down or elbow < 90 else np.array([1.0, 0, 0])
            ahead = np.array([0, 0, 1.0]) if down else np.array([0, 0, -1.0])
            joints[:, JOINT[middle]] = joints[:, JOINT[root]] + first * (np.cos(half) * along + np.sin(half) * ahead)
            joints[:, JOINT[end]] = joints[:, JOINT[middle]] + second * (np.cos(half) * along - np.sin(half) * ahead)
    return joints


def clip(joints: np.ndarray, subject: str = "1") -> Clip:
    return Clip({"subject": subject, "fps": 30.0}, joints)


def test_who_stands_still_with_limbs_too_long_is_straightened():
    stands = bent(25, 20)
    limbs = fit_limbs([clip(stands)])[skeleton_of(clip(stands))]
    assert limbs.legs == pytest.approx(np.cos(np.radians(12.5)), abs=0.002)
    after = straightened(stands, limbs)
    assert standing(stands, 30.0).all()
    for limb in LEGS:
        assert flexion(stands, limb)[0] == pytest.approx(25, abs=0.5)
        assert flexion(after, limb).max() < 6
    for limb in ARMS:
        assert flexion(after, limb).max() < 12


def test_only_knees_and_elbows_move_and_in_their_own_planes():
    before = bent(60, 40, 5)
    after = straightened(before, Limbs(0.96, 0.98))
    for j in set(range(len(JOINT_NAMES))) - MOVED:
        np.testing.assert_array_equal(after[:, j], before[:, j])
    for root, middle, end in (*LEGS, *ARMS):
        a, b, c = (before[:, JOINT[name]] for name in (root, middle, end))
        normal = np.cross(b - a, c - b)
        moved = after[:, JOINT[middle]] - b
        assert np.abs((normal / np.linalg.norm(normal, axis=-1, keepdims=True) * moved).sum(-1)).max() < 1e-9
        first = np.linalg.norm(after[:, JOINT[middle]] - a, axis=-1) / np.linalg.norm(b - a, axis=-1)
        assert first == pytest.approx(0.96 if middle.endswith("knee") else 0.98, abs=2e-3)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 150), st.floats(0.93, 1.0))
def test_a_repaired_limb_is_never_more_bent_than_before_or_all_but_straight(knee: float, factor: float):
    before = bent(knee, frames=3)
    after = straightened(before, Limbs(factor, 1.0))
    for limb in LEGS:
        assert (flexion(after, limb) <= np.maximum(flexion(before, limb), 5.0)).all()  # it comes to its length softly
        assert (reach(after, limb) <= 1 + 1e-9).all()


def test_limbs_of_the_right_length_stay():
    before = bent(3, 6)
    limbs = fit_limbs([clip(before)])[skeleton_of(clip(before))]
    assert limbs.legs > 0.998 and limbs.arms > 0.99
    np.testing.assert_array_equal(straightened(before, Limbs(1.0, 1.0)), before)


def test_squatting_is_not_taken_for_standing():
    mixed = [clip(bent(90)), clip(bent(5))]
    limbs = fit_limbs(mixed)[skeleton_of(mixed[0])]
    assert limbs.legs > 0.99
    assert flexion(repaired(mixed)[0].joints, LEGS[0])[0] > 80


def test_rotations_swing_with_the_bones():
    before = bent(30, frames=2)
    after = straightened(before, Limbs(0.97, 1.0))
    thigh = before[:, JOINT["left_knee"]] - before[:, JOINT["left_hip"]]
    turns = with_limbs({"l_thigh": np.repeat(np.eye(3)[None], 2, 0), "head": np.ones((2, 3, 3))}, before, after)
    swung = np.einsum("tij,tj->ti", turns["l_thigh"], thigh / np.linalg.norm(thigh, axis=-1, keepdims=True))
    wanted = after[:, JOINT["left_knee"]] - after[:, JOINT["left_hip"]]
    np.testing.assert_allclose(swung, wanted / np.linalg.norm(wanted, axis=-1, keepdims=True), atol=1e-9)
    np.testing.assert_array_equal(turns["head"], np.ones((2, 3, 3)))


def test_the_report_says_what_was_found_before_and_after():
    text = report([clip(bent(25)), clip(bent(20), "2")])
    assert "2 clips of 2 subjects" in text
    before, after = (
        next(line for line in text.splitlines() if what in line and "standing" in line)
        for what in ("captured", "repaired")
    )
    assert "25 degrees" in before or "/ 24 degrees" in before
    assert int(after.split("/")[-1].split()[0]) <= 6
