"""The whole-clip refinement and what stands around it, against closed forms and known performances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifter_core.camera_motion import CameraMotion
from lifter_core.lifting import Lifted
from lifter_core.pinhole import project
from lifter_core.rotations import about, turned
from lifter_core.skeleton import BONE, BONE_NAMES, JOINT, JOINT_NAMES
from lifter_core.solve import SolveOptions, options_from, residuals, solve_joints
from lifter_core.solve import refine as refinement
from lifter_core.solve.banded import solve_band
from lifter_core.solve.body import STANDARD, STANDARD_PARTS, body_of
from lifter_core.solve.chain import TURN, UNKNOWN, all_bones, derivative, pose
from lifter_core.solve.evidence import Evidence, gather
from lifter_core.solve.pose import forward
from lifter_core.solve.stance import likely
from lifter_core.solve.toes import bend_toes
from lifter_core.solve.world import estimate_up
from lifter_core.take import Take

from .walker import Walk, walk

BODY = body_of(STANDARD_PARTS)
FEET = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "ball", "toe")]


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 999))
def test_the_band_is_solved_as_the_dense_matrix(count: int, n: int, seed: int):
    rng = np.random.default_rng(seed)
    diagonal = rng.normal(size=(count, n, n))
    diagonal = diagonal @ diagonal.transpose(0, 2, 1) + 20 * np.eye(n)
    one, two = rng.normal(size=(count - 1, n, n)), rng.normal(size=(max(count - 2, 0), n))
    dense = np.zeros((count, n, count, n))
    for t in range(count):
        dense[t, :, t] = diagonal[t]
    for t in range(count - 1):
        dense[t + 1, :, t], dense[t, :, t + 1] = one[t], one[t].T
    for t in range(count - 2):
        dense[t + 2, :, t] = dense[t, :, t + 2] = np.diag(two[t])
    right = rng.normal(size=(count, n, 3))
    expected = np.linalg.solve(dense.reshape(count * n, -1), right.reshape(count * n, 3)).reshape(count, n, 3)
    np.testing.assert_allclose(solve_band(diagonal, one, two, right), expected, atol=1e-9)


def test_points_move_with_small_turns_as_their_levers_say():
    rng = np.random.default_rng(0)
    turns = turned(rng.normal(0, 0.5, (4, len(UNKNOWN), 3)))
    turns[:, TURN["spine_3"]] = (
        turned(rng.normal(0, 0.02, (4, 3))) @ turns[:, TURN["pelvis"]]
    )  # its share is exact there
    small = rng.normal(0, 1e-6, (4, 3 * len(UNKNOWN)))
    before = pose(BODY, turns)
    after = pose(BODY, turned(small.reshape(4, -1, 3)) @ turns)
    said = np.einsum("tpik,tk->tpi", derivative(before.lever), small)
    np.testing.assert_allclose(after.points - before.points, said, atol=2e-8)
    np.testing.assert_allclose(
        before.points[:, : len(JOINT_NAMES)], forward(BODY, all_bones(turns), np.zeros((4, 3)))[:, :26]
    )


def truth_of(w: Walk) -> tuple[residuals.State, Evidence]:
    """The walker's own rotations and path in camera axes, and perfect evidence of them."""
    from lifter_core.solve.pose import pose_from_joints

    camera = w.world @ w.rotation.T + w.translation
    bones = pose_from_joints(w.body, camera, w.keypoints.timestamps)
    state = residuals.State(bones[:, [BONE[name] for name in UNKNOWN]], camera[:, JOINT["pelvis"]])
    count = len(camera)
    still = np.broadcast_to(np.eye(3), (count, 3, 3))
    spikes = np.zeros((count, len(JOINT_NAMES)), bool)
    return state, gather(w.keypoints, w.matrix, w.lifted.astype(float), None, still, np.ones(count), spikes)


def joints_of(w: Walk, state: residuals.State) -> np.ndarray:
    return forward(w.body, all_bones(state.turns), state.root)


def test_a_perfect_start_stays_and_a_wrong_one_comes_back():
    w = walk(40)
    state, evidence = truth_of(w)
    camera = w.world @ w.rotation.T + w.translation
    limbs = [
        JOINT[n] for n in JOINT_NAMES if n.split("_")[-1] in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    ]
    kept = joints_of(w, refinement.refine(w.body, state, evidence, residuals.Smoothing()).state)
    assert np.linalg.norm((kept - camera)[:, limbs], axis=-1).mean() < 0.006
    rng = np.random.default_rng(0)
    wrong = residuals.State(
        turned(rng.normal(0, 0.15, (40, len(UNKNOWN), 3))) @ state.turns, state.root + [0.1, 0, 0.3]
    )
    assert np.linalg.norm((joints_of(w, wrong) - camera)[:, limbs], axis=-1).mean() > 0.1
    found = joints_of(w, refinement.refine(w.body, wrong, evidence, residuals.Smoothing(), rounds=8).state)
    assert np.linalg.norm((found - kept)[:, limbs], axis=-1).mean() < 0.004


def test_windows_of_long_clips_leave_no_seams(monkeypatch: pytest.MonkeyPatch):
    w = walk(150)
    state, evidence = truth_of(w)
    rng = np.random.default_rng(0)
    start = residuals.State(turned(rng.normal(0, 0.05, (150, len(UNKNOWN), 3))) @ state.turns, state.root)
    whole = joints_of(w, refinement.refine(w.body, start, evidence, residuals.Smoothing(), rounds=3).state)
    monkeypatch.setattr(refinement, "_WINDOW", 70)
    monkeypatch.setattr(refinement, "_OVERLAP", 15)
    parts = joints_of(w, refinement.refine(w.body, start, evidence, residuals.Smoothing(), rounds=3).state)
    assert np.abs(parts - whole).max() < 0.002


def test_a_knee_lifted_backwards_does_not_bend_backwards():
    w = walk(30)
    joints = w.lifted.astype(float)
    hip, knee, ankle = (joints[:, JOINT[f"left_{p}"]] for p in ("hip", "knee", "ankle"))
    middle = hip + 0.48 * (ankle - hip)
    joints[:, JOINT["left_knee"]] = middle - 0.15 * (knee - middle) / np.linalg.norm(
        knee - middle, axis=-1, keepdims=True
    )
    take = solve_joints([w.keypoints], [Lifted(joints)], w.matrix)
    thigh, shin = (BONE[f"left_{b}"] for b in ("thigh", "shin"))
    assert take.bone_parents[shin] == thigh
    local = take.rotations[0, :, shin].astype(float)
    bend = np.degrees(2 * np.arctan2(local[:, 1], local[:, 0]))
    assert bend.min() > -3


def performance(root: np.ndarray, camera_pitch: float = 10.0, noise: float = 0.0) -> tuple[Take, np.ndarray]:
    """Somebody who stands with bent knees while the pelvis follows ``root`` (T, 3), solved; and the true world joints."""
    w = walk(len(root), pitch=camera_pitch)
    bones = np.broadcast_to(np.eye(3), (len(root), len(BONE_NAMES), 3, 3)).copy()
    x = np.array([1.0, 0, 0])
    for side in ("left", "right"):
        bones[:, BONE[f"{side}_thigh"]] = about(x, np.array(-0.3))
        bones[:, BONE[f"{side}_shin"]] = about(x, np.array(0.3))
    joints = forward(BODY, bones, root)
    joints[..., 2] -= joints[0, FEET, 2].min()
    camera = joints @ w.rotation.T + w.translation
    pixels = project(camera, w.matrix)
    rng = np.random.default_rng(0)
    from lifter_core.detect.mediapipe import KEYPOINT_NAMES
    from lifter_core.skeleton import KEYPOINT_SOURCES

    points = np.repeat(pixels[:, [JOINT["nose"]]], len(KEYPOINT_NAMES), 1)
    for j, name in enumerate(JOINT_NAMES):
        for source in KEYPOINT_SOURCES.get(name, (name,)):
            if source in KEYPOINT_NAMES:
                points[:, KEYPOINT_NAMES.index(source)] = pixels[:, j]
    w.keypoints.points[:] = points + rng.normal(0, 200 * noise + 1e-9, points.shape)
    lifted = (camera - camera[:, :1])[:, : len(JOINT_NAMES)] + rng.normal(
        0, noise + 1e-9, (len(root), len(JOINT_NAMES), 3)
    )
    return solve_joints([w.keypoints], [Lifted(lifted)], w.matrix, SolveOptions(height=BODY.height)), joints


def test_planted_feet_stay_where_they_are_and_above_the_floor():
    take, _ = performance(np.zeros((60, 3)), noise=0.02)
    assert take.contacts[0].mean() > 0.95
    feet = take.positions[0][:, FEET]
    assert np.linalg.norm(np.diff(feet[:, [0, 1, 3, 4]], axis=0), axis=-1).mean() < 0.0015
    assert feet[..., 2].min() > -0.005
    assert abs(np.median(feet[:, [0, 1, 3, 4], 2])) < 0.02


def test_a_jump_leaves_the_floor():
    seconds = np.arange(60) / 30
    up = np.clip(2.4 * (seconds - 0.8) - 4.905 * (seconds - 0.8) ** 2, 0, None)
    take, truth = performance(np.stack([0 * up, 0 * up, up], 1))
    flying = up > 0.15
    assert not take.contacts[0, flying].any()
    found = take.positions[0][:, FEET, 2].min(1)
    assert abs(found.max() - truth[:, FEET, 2].min(1).max()) < 0.06
    assert take.contacts[0, :20].all() and take.contacts[0, -10:].all()


@pytest.mark.parametrize("pitch", [0.0, 12.0, 25.0])
def test_balance_tells_up(pitch: float):
    w = walk(60, pitch=pitch)
    up, sure = estimate_up(w.lifted.astype(float), np.full(60, 1 / 30))
    assert np.degrees(np.arccos(up @ w.rotation[:, 2])) < 5
    assert 0.5 < sure < 1


def test_up_is_an_ordinary_cameras_when_nobody_stands():
    lying = STANDARD[None, : len(JOINT_NAMES)].repeat(30, 0) @ np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])
    up, _ = estimate_up(lying, np.full(30, 1 / 30))
    assert np.degrees(np.arccos(-up[1])) < 12


def test_the_likeliest_course_has_no_flicker():
    odds = np.full((40, 1), 2.0)
    odds[20:] = -2
    odds[[5, 30]] *= -1  # one frame each way
    np.testing.assert_array_equal(likely(odds, 3.5)[:, 0], np.arange(40) < 20)


@given(st.floats(0, 1.0), st.floats(0, 0.05))
def test_toes_stay_above_the_floor_however_the_foot_is_pitched(pitch: float, height: float):
    bones = np.broadcast_to(np.eye(3), (1, len(BONE_NAMES), 3, 3)).copy()
    foot = about(np.array([1.0, 0, 0]), np.array(pitch))  # heel up
    for side in ("left", "right"):
        bones[:, BONE[f"{side}_foot"]] = bones[:, BONE[f"{side}_toes"]] = foot
    joints = forward(BODY, bones, np.zeros((1, 3)))
    balls = joints[:, [JOINT["left_ball"], JOINT["right_ball"]]]
    lift = np.array([0, 0, height - balls[0, 0, 2]])
    bent = forward(BODY, bend_toes(BODY, bones, (balls + lift)[..., 2]), np.zeros((1, 3)) + lift)
    assert bent[0, JOINT["left_toe"], 2] > -1e-3
    assert bent[0, JOINT["left_ball"], 2] == pytest.approx(height)


def picture(take: Take) -> np.ndarray:
    x = np.einsum("tij,tkj->tki", take.camera_rotation, take.positions[0]) + take.camera_translation[:, None]
    return project(x, take.camera_matrix)


@pytest.mark.parametrize(
    "options", [{"in_place": True}, {"facing": 0.0}, {"floor_tilt": (5.0, -3.0)}, {"floor_height": 0.2}]
)
def test_where_the_world_lies_does_not_change_the_picture(options: dict):
    w = walk(30)
    plain = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix)
    other = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix, SolveOptions(**options))
    assert np.abs(other.positions - plain.positions).max() > 0.05
    np.testing.assert_allclose(picture(other), picture(plain), atol=0.05)


def test_in_place_stays_over_the_origin_and_facing_faces_there():
    w = walk(30)
    take = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix, SolveOptions(in_place=True, facing=90.0))
    assert np.abs(take.root_positions[0, :, :2]).max() < 1e-4
    hips = take.positions[0, :10, JOINT["left_hip"]] - take.positions[0, :10, JOINT["right_hip"]]
    ahead = np.cross(hips.mean(0), [0, 0, 1.0])
    assert ahead[0] / np.linalg.norm(ahead) > 0.98, "90 degrees from -Y is +X"


def test_less_smoothing_and_no_foot_lock_do_what_they_say():
    w = walk(60)
    rng = np.random.default_rng(0)
    lifted = w.lifted + rng.normal(0, 0.02, w.lifted.shape)

    def roughness(**options: float) -> float:
        take = solve_joints([w.keypoints], [Lifted(lifted)], w.matrix, SolveOptions(foot_lock=0.0, **options))
        return float(
            np.abs(np.diff(take.positions[0][:, JOINT["left_hand"]] - take.root_positions[0], 2, axis=0)).mean()
        )

    assert roughness(smooth=0.0) > 1.5 * roughness() > 1.5 * roughness(smooth=1.0)
    assert roughness(smooth_body=0.0, smooth_hands=0.0) > 1.5 * roughness()


def test_a_panning_camera_is_taken_out():
    w = walk(45)
    turns = about(np.array([0, 1.0, 0]), np.linspace(0, 0.3, 45))
    camera = np.einsum("tij,tkj->tki", turns, w.world @ w.rotation.T + w.translation)
    zoom = np.linspace(1, 1.2, 45)
    pixels = camera[..., :2] / camera[..., 2:] * w.matrix[0, 0] * zoom[:, None, None] + w.matrix[:2, 2]
    still = solve_joints([w.keypoints], [Lifted(w.lifted)], w.matrix, SolveOptions(foot_lock=0.0))
    from lifter_core.detect.mediapipe import KEYPOINT_NAMES
    from lifter_core.skeleton import KEYPOINT_SOURCES

    for j, name in enumerate(JOINT_NAMES):
        for source in KEYPOINT_SOURCES.get(name, (name,)):
            if source in KEYPOINT_NAMES:
                w.keypoints.points[:, KEYPOINT_NAMES.index(source)] = pixels[:, j]
    lifted = (camera - camera[:, :1])[:, : len(JOINT_NAMES)]
    motion = CameraMotion(turns, zoom, False)
    take = solve_joints([w.keypoints], [Lifted(lifted)], w.matrix, SolveOptions(foot_lock=0.0), motion=motion)
    np.testing.assert_allclose(take.camera_rotation @ take.camera_rotation[0].T, turns, atol=1e-6)
    walked = [np.linalg.norm(t.root_positions[0, -1] - t.root_positions[0, 0]) for t in (still, take)]
    assert walked[0] == pytest.approx(walked[1], rel=0.03)


def test_options_read_from_a_take_or_the_command_line():
    options = options_from({"height": 1.8, "fov": 50, "smooth": None, "floor_tilt": [1, 2], "facing": "keep"})
    assert options == SolveOptions(height=1.8, fov=50.0, floor_tilt=(1.0, 2.0))
    assert options.smoothing("root") == 1
    assert SolveOptions(smooth=1.0, smooth_feet=0.0).smoothing("feet") == 0
    assert SolveOptions(smooth=1.0, smooth_feet=0.0).smoothing("body") == pytest.approx(8)
