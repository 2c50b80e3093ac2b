"""The camera's motion from the background: closed forms of its maths, and small films of a known scene."""

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lifter_core.camera_motion import Background, CameraEstimate, Tracks, estimate_motion
from lifter_core.camera_motion.geometry import Turn, fit_turn, no_turn, warp
from lifter_core.camera_motion.patches import pyramid, shift_between
from lifter_core.pipeline import solve_again
from lifter_core.rotations import turn_of, turned
from lifter_core.take import load_take, save_take

from .walker import walking_take

Array = NDArray[Any]

SIZE = (320, 180)
FOCAL = 400.0
GRID = np.stack(np.meshgrid(np.linspace(-150, 150, 9), np.linspace(-80, 80, 6)), -1).reshape(-1, 2)
small = st.floats(-0.3, 0.3)
vectors = st.tuples(small, small, small).map(np.array)


@given(st.tuples(*[st.floats(-1.8, 1.8)] * 3).map(np.array))
def test_rotation_vectors_and_matrices_are_inverse(vector: Array) -> None:
    matrix = turned(vector)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.allclose(turn_of(matrix), vector, atol=1e-7)


def test_half_a_turn_has_a_rotation_vector() -> None:
    axis = np.array([2.0, -1.0, 2.0]) / 3
    assert np.allclose(turned(turn_of(turned(axis * np.pi))), turned(axis * np.pi), atol=1e-6)


@given(vectors, vectors, st.floats(0.7, 1.5), st.floats(0.7, 1.5))
def test_two_turns_are_one(first: Array, second: Array, zoom: float, again: float) -> None:
    one = Turn(turned(first), zoom, FOCAL)
    two = Turn(turned(second), again, FOCAL * zoom)
    assert np.allclose(warp(one.then(two.rotation, two.zoom), GRID), warp(two, warp(one, GRID)), rtol=1e-6, atol=1e-4)


@given(vectors.map(lambda v: v * 0.3), st.floats(0.8, 1.25))
def test_a_turn_is_found_among_points_that_move_otherwise(vector: Array, zoom: float) -> None:
    turn = Turn(turned(vector), zoom, FOCAL)
    after = warp(turn, GRID)
    after[::4] += [9.0, -4.0]  # a bystander
    found, share = fit_turn(no_turn(FOCAL), GRID, after, rounds=15)
    assert np.allclose(found.rotation, turn.rotation, atol=2e-4) and np.isclose(found.zoom, zoom, rtol=1e-3)
    assert share[1] > 0.9 and share[0] < 0.1


def test_another_focal_length_shows_the_same_picture_moving() -> None:
    angles = np.linspace(0, 0.2, 11)
    turns = np.stack([0.2 * angles, angles, 0 * angles, 0 * angles], 1)
    estimate = CameraEstimate(turns, FOCAL, False, "")
    wider = estimate.at_focal(FOCAL * 0.8, SIZE)
    # the picture's middle moves by focal * angle from frame to frame, its edges by a little more
    assert np.allclose(np.diff(wider.turns[:, :2], axis=0), np.diff(turns[:, :2], axis=0) / 0.8, rtol=0.08)
    assert np.allclose(wider.at_focal(FOCAL, SIZE).turns, turns, atol=2e-3)


def test_phase_correlation_finds_a_shift() -> None:
    picture = scene()[:90, :160].astype(np.float32)
    assert np.array_equal(shift_between(picture, np.roll(picture, (-7, 12), (0, 1))), [12, -7])


@functools.cache
def scene(seed: int = 0) -> NDArray[np.float32]:
    """(h, w) a wall of blotches of all sizes, as large as 1.7 pictures each way."""
    rng = np.random.default_rng(seed)
    out = np.zeros((320, 560))
    for cells, strength in ((12, 30.0), (40, 25.0), (120, 15.0)):
        rows, columns = np.linspace(0, cells - 1.001, 320), np.linspace(0, 1.75 * cells - 1.001, 560)
        out += strength * bilinear(rng.normal(size=(cells, int(1.75 * cells))), *np.meshgrid(columns, rows))
    return np.clip(out + 120, 0, 255).astype(np.float32)


def bilinear(picture: Array, x: Array, y: Array) -> Array:
    h, w = picture.shape
    x, y = np.clip(x, 0, w - 1.001), np.clip(y, 0, h - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = x - left, y - top
    upper = picture[top, left] * (1 - fx) + picture[top, left + 1] * fx
    lower = picture[top + 1, left] * (1 - fx) + picture[top + 1, left + 1] * fx
    return upper * (1 - fy) + lower * fy


def look(picture: Array, vector: Array, zoom: float = 1.0, noise: int = 0) -> NDArray[np.uint8]:
    """What a camera turned by a rotation vector sees of the scene."""
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5 - SIZE[0] / 2, np.arange(SIZE[1]) + 0.5 - SIZE[1] / 2)
    points = warp(Turn(turned(np.asarray(vector, float)).T, 1 / zoom, FOCAL * zoom), np.stack([x, y], -1))
    seen = bilinear(picture, points[..., 0] + picture.shape[1] / 2 - 0.5, points[..., 1] + picture.shape[0] / 2 - 0.5)
    return np.clip(seen + np.random.default_rng(noise).normal(0, 1.5, seen.shape), 0, 255).astype(np.uint8)


def track(frames: list[NDArray[np.uint8]], people: Callable[[int], list[Array]] = lambda t: []) -> Tracks:
    background = Background(SIZE)
    for t, frame in enumerate(frames):
        background(frame, people(t))
    return background.tracks()


def errors(estimate: CameraEstimate, vectors: Array) -> Array:
    """(T,) degrees off the true turns."""
    truth = turned(vectors) @ turned(vectors[0]).T
    off = np.swapaxes(truth, 1, 2) @ estimate.motion("moving").rotations
    return np.degrees(np.linalg.norm(turn_of(off), axis=1))


def test_pan_tilt_and_roll_are_found_and_close() -> None:
    part = np.sin(np.linspace(0, np.pi, 24))
    vectors = np.stack([0.06 * part, -0.3 * part + 0.12, 0.05 * part], 1)
    tracks = track([look(scene(), v, noise=t) for t, v in enumerate(vectors)])
    estimate = estimate_motion(tracks, FOCAL)
    assert not estimate.still and not estimate.cuts
    assert len(tracks.births) > 1, "the pan leaves the first view"
    assert errors(estimate, vectors).max() < 0.05 and errors(estimate, vectors)[-1] < 0.02
    motion = estimate.motion()
    assert np.array_equal(motion.zoom, np.ones(24)), "a lens that does not zoom, does not zoom at all"
    assert np.allclose(motion.rotations[0], np.eye(3))


def test_zoom_is_found() -> None:
    zoom = np.linspace(1, 1.8, 24)
    vectors = np.linspace(0, 0.05, 24)[:, None] * [0, 1, 0]
    estimate = estimate_motion(
        track([look(scene(), v, z, t) for t, (v, z) in enumerate(zip(vectors, zoom, strict=True))]), FOCAL
    )
    assert not estimate.still
    assert np.allclose(estimate.motion().zoom, zoom, rtol=0.01)
    assert errors(estimate, vectors).max() < 0.1


def test_still_camera_is_exactly_still_though_somebody_passes_and_the_light_changes() -> None:
    wall, person = scene(), scene(1)

    def frame(t: int) -> NDArray[np.uint8]:
        seen = (look(wall, np.zeros(3), noise=t) * (1 + 0.2 * np.sin(t / 3))).clip(0, 255).astype(np.uint8)
        seen[30:, 10 * t : 10 * t + 70] = person[30 : SIZE[1], :70]
        return seen

    for told in (True, False):
        people = [[np.array([[10 * t, 30], [10 * t + 70, 180]], float)] if told else [] for t in range(25)]
        estimate = estimate_motion(track([frame(t) for t in range(25)], people.__getitem__), FOCAL)
        assert estimate.still and not estimate.cuts
        motion = estimate.motion()
        assert motion.still and np.array_equal(motion.rotations, np.tile(np.eye(3), (25, 1, 1)))
        assert np.array_equal(motion.zoom, np.ones(25))


def test_a_shake_of_half_a_pixel_is_a_movement() -> None:
    vectors = np.random.default_rng(3).normal(0, 0.5 / FOCAL, (30, 3)) * [1, 1, 0]
    estimate = estimate_motion(track([look(scene(), v, noise=t) for t, v in enumerate(vectors)]), FOCAL)
    assert not estimate.still
    assert errors(estimate, vectors).max() < 0.02


def test_a_wall_without_marks_says_nothing_and_somebody_before_it_is_not_the_background() -> None:
    def frame(t: int) -> NDArray[np.uint8]:
        wall = np.full(SIZE[::-1], 140, np.uint8)
        wall[40:160, 5 * t + 20 : 5 * t + 50] = scene(2)[:120, :30]
        return wall

    estimate = estimate_motion(track([frame(t) for t in range(20)]), FOCAL)
    assert estimate.still and "too little" in estimate.reason


def test_a_cut_is_told_and_each_shot_goes_on_from_the_one_before() -> None:
    vectors = np.linspace(0, 0.1, 24)[:, None] * [0, 1, 0]
    frames = [look(scene(5 * (t >= 12)), v, noise=t) for t, v in enumerate(vectors)]
    estimate = estimate_motion(track(frames), FOCAL)
    assert estimate.cuts == (12,)
    turns = np.degrees(estimate.motion().rotations[:, 0, 2])
    steps = np.diff(turns)
    step = np.degrees(0.1 / 23)
    assert np.allclose(np.delete(steps, 11), step, atol=0.03) and abs(steps[11]) < 0.03


def test_frames_without_a_view_are_bridged() -> None:
    vectors = np.linspace(0, 0.05, 20)[:, None] * [0, 1, 0]
    frames = [look(scene(), v, noise=t) for t, v in enumerate(vectors)]
    frames[8] = frames[9] = np.full_like(frames[0], 255)  # a flash
    estimate = estimate_motion(track(frames), FOCAL)
    assert estimate.cuts == () and errors(estimate, vectors).max() < 0.05


def test_the_user_has_the_last_word() -> None:
    turns = np.linspace(0, 0.1, 5)[:, None] * [0, 1, 0, 0]
    moving = CameraEstimate(turns, FOCAL, False, "turns")
    assert moving.motion("still").still and np.array_equal(moving.motion("still").rotations[4], np.eye(3))
    assert not CameraEstimate(turns, FOCAL, True, "").motion("moving").still
    assert not moving.motion("auto").still


def test_motion_is_kept_in_the_take_and_solved_again(tmp_path: Path) -> None:
    turns = np.linspace(0, 0.2, 40)[:, None] * [0, 1, 0, 0]
    take = replace(walking_take(40), camera_turns=turns, camera_zoom=np.linspace(1, 1.5, 40))
    save_take(take, tmp_path / "take.npz")
    take = load_take(tmp_path / "take.npz")
    assert take.camera_zoom is not None and take.camera_zoom[-1] == pytest.approx(1.5)
    still = solve_again(take)
    assert np.ptp(still.camera_rotation, 0).max() == 0 and still.camera_zoom is None
    moving = solve_again(take, camera="moving")
    camera = moving.camera_rotation @ moving.camera_rotation[0].T
    assert np.allclose(turn_of(camera), take.camera_turns[:, :3], atol=1e-6)
    assert moving.camera_turns is not None and np.allclose(moving.camera_turns, take.camera_turns)
    wide = solve_again(moving, fov=120)
    assert wide.meta.focal_source == "option"
    assert wide.camera_turns is not None and wide.camera_turns[-1, 1] > 0.24, "a wider lens turned further"


def test_the_finest_pictures_are_halved_twice() -> None:
    assert [p.shape for p in pyramid(np.zeros((181, 321), np.uint8))] == [(181, 321), (90, 160), (45, 80)]
