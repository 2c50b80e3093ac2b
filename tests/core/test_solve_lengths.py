"""The lengths of the body's parts as unknowns of the clip, and the likeliest bends of knees and elbows."""

import numpy as np
import pytest

from lifter_core.bends import CLASSES, EDGES, HINGES, classes_of, flexion, likeliest
from lifter_core.rotations import turned
from lifter_core.skeleton import JOINT, JOINT_NAMES
from lifter_core.solve import refine as refinement
from lifter_core.solve import residuals
from lifter_core.solve.body import PARTS, STANDARD, STANDARD_PARTS, along_bones, body_of, measure, part_shares
from lifter_core.solve.chain import UNKNOWN, pose, stretch
from lifter_core.solve.evidence import gather
from lifter_core.solve.lengths import known_of, people

from .test_solve_refine import truth_of
from .walker import walk

BODY = body_of(STANDARD_PARTS)


def test_the_standard_parts_make_the_standard_body():
    np.testing.assert_allclose(BODY.rest, STANDARD, atol=1e-12)
    shares = part_shares(BODY)
    np.testing.assert_allclose(sum(share.joint_offsets for share in shares), BODY.joint_offsets, atol=1e-12)


def test_how_points_move_with_the_lengths_is_their_derivative():
    rng = np.random.default_rng(0)
    turns = turned(rng.normal(0, 0.5, (3, len(UNKNOWN), 3)))
    small = rng.normal(0, 1e-6, len(PARTS))
    before, after = (pose(body, turns).points for body in (BODY, body_of(STANDARD_PARTS * np.exp(small))))
    np.testing.assert_allclose(after - before, stretch(BODY, turns) @ small, atol=1e-10)


def test_bones_keep_their_directions_when_put_along_another_body():
    joints = np.repeat(STANDARD[None, : len(JOINT_NAMES)], 2, 0) + np.random.default_rng(0).normal(0, 0.03, (2, 26, 3))
    longer = body_of(STANDARD_PARTS * np.exp(np.random.default_rng(1).normal(0, 0.1, len(PARTS))))
    out = along_bones(longer, joints)
    np.testing.assert_allclose(flexion(out), flexion(joints), atol=1e-6)
    shin = np.linalg.norm(out[:, JOINT["left_ankle"]] - out[:, JOINT["left_knee"]], axis=-1)
    np.testing.assert_allclose(shin, longer.parts[PARTS.index("shin")])


def test_a_walk_tells_the_proportions_of_the_body_apart_from_its_height():
    w = walk(60)
    state, evidence = truth_of(w)
    factors = {"shin": 1.06, "thigh": 0.95, "forearm": 1.08}
    wrong = body_of(STANDARD_PARTS * [factors.get(part, 1.0) for part in PARTS])
    wrong = body_of(wrong.parts * w.body.height / wrong.height)
    prior = people()._replace(mean=np.log(wrong.parts))
    found = refinement.refine(wrong, state, evidence, residuals.Smoothing(), rounds=8, prior=prior)
    assert found.body.height == pytest.approx(w.body.height, rel=1e-6)
    assert found.doubt is not None and (found.doubt > 0.002).all() and (found.doubt < 0.15).all()
    for part, factor in factors.items():
        k = PARTS.index(part)
        before, after = (abs(np.log(body.parts[k] / w.body.parts[k])) for body in (wrong, found.body))
        assert after < 0.6 * before, f"{part}, {factor}"


def test_known_lengths_stay():
    w = walk(20)
    state, evidence = truth_of(w)
    found = refinement.refine(w.body, state, evidence, residuals.Smoothing(), rounds=2)
    np.testing.assert_array_equal(found.body.parts, w.body.parts)
    assert found.doubt is None


def test_what_is_known_beforehand_lies_between_people_and_what_was_lifted():
    longer = measure(np.repeat(STANDARD[None, : len(JOINT_NAMES)], 3, 0), np.ones((3, len(JOINT_NAMES))))
    shape = np.log(longer.parts) + (people().mean - np.log(longer.parts)).mean()
    k = PARTS.index("shin")
    ends = sorted((people().mean[k], shape[k]))
    assert ends[0] - 0.02 < known_of(longer).mean[k] < ends[1] + 0.02
    assert (np.diag(known_of(longer).covariance) < np.diag(people().covariance)).all()


def test_a_known_child_has_a_childs_proportions():
    trunk, leg = PARTS.index("spine"), PARTS.index("shin")
    child, adult = people(1.15).mean, people().mean
    assert child[leg] - child[trunk] < adult[leg] - adult[trunk] - 0.03


def test_the_likeliest_bend_is_the_mode_not_the_mean():
    probabilities = np.zeros((1, 1, CLASSES))
    probabilities[..., :2] = 0.3
    probabilities[..., 3:7] = 0.1
    bend = likeliest(probabilities)
    assert np.degrees(bend.angle[0, 0]) == pytest.approx(3)
    assert bend.mass[0, 0] == pytest.approx(0.6)
    angles = np.radians((np.array(EDGES[:-1]) + EDGES[1:]) / 2)
    np.testing.assert_array_equal(classes_of(angles), np.arange(CLASSES))


def test_likely_straight_knees_straighten_and_likely_bent_ones_stay():
    w = walk(40)
    state, _ = truth_of(w)
    count = len(w.lifted)
    bends = np.zeros((count, len(HINGES), CLASSES))
    bends[:, 0, 0] = 1  # the left knee is said to be straight, the rest as it is
    for h in (1, 2, 3):
        bends[np.arange(count), h, classes_of(flexion(w.lifted))[:, h]] = 1
    still, spikes = np.broadcast_to(np.eye(3), (count, 3, 3)), np.zeros((count, len(JOINT_NAMES)), bool)
    lifted = w.lifted.astype(float)
    found = []
    for said in (None, bends):
        evidence = gather(w.keypoints, w.matrix, lifted, None, still, np.ones(count), spikes, said)
        end = refinement.refine(w.body, state, evidence, residuals.Smoothing(), rounds=5).state
        found.append(np.degrees(flexion(pose(w.body, end.turns).points)).mean(0))
    assert found[1][0] < found[0][0] - 2, "though the picture, from the side, shows it bent"
    assert abs(found[1][1] - found[0][1]) < 4
