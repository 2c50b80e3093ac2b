"""Does somebody who stands straight come out straight, and somebody whose knees are bent, bent?

    python benchmarks/standing.py [--bodies 48] [--model NAME] [--limits]

Drawn bodies of all proportions (lifter_core/anthropometry.py) stand for two seconds before cameras all around (yaw 0 to 360,
pitch -10 to 25, field of view 30 to 80 degrees), with knees and elbows at 3 degrees, or both bent by 15, 30, 60 or 90. Their
2D points, exact or with the fitted detector's errors, are lifted and solved with nothing told. Printed: the flexion of knees
and elbows where it is 3 degrees, median and 95 %, lifted and solved; the median error where it is bent; and how far the
body's proportions are off, median, with the same for a standard body. ``--limits`` ends with status 1 if an aim is missed.
"""

import argparse
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shots import seen

from lifter_core.bends import flexion
from lifter_core.pinhole import camera_matrix, focal_of_view
from lifter_core.pipeline import lift_person
from lifter_core.rotations import about
from lifter_core.runtime import DEFAULT_MODEL, Model, load
from lifter_core.skeleton import BONE, BONES, JOINT_NAMES
from lifter_core.solve import solve_joints
from lifter_core.solve.body import PARTS, STANDARD_PARTS, Body, body_of
from lifter_core.solve.lengths import people
from lifter_core.solve.pose import forward

Array = NDArray[Any]

FPS, FRAMES = 30.0, 60
BENDS = (3, 15, 30, 60, 90)
_SIZE = (1280, 720)
# aims: knee flexion of people who stand straight, median and 95 %; error of bent ones; proportions in per cent
_STRAIGHT, _STRAIGHT_95, _BENT, _PROPORTIONS = 4.0, 10.0, 8.0, 3.0
_RATIOS = {
    "shin/thigh": ("shin", "thigh"),
    "leg/trunk": ("thigh+shin", "spine+chest"),
    "arm/trunk": ("upper_arm+forearm", "spine+chest"),
}


class Case(NamedTuple):
    """Somebody before a camera: joints (T, J, 3) in camera axes, m, the camera's matrix (3, 3), and the body."""

    joints: Array
    matrix: Array
    body: Body


def case(number: int, bend: float, rng: np.random.Generator) -> Case:
    """Somebody of drawn proportions with knees and elbows bent by ``bend`` degrees, before a camera."""
    prior = people()
    body = body_of(np.exp(rng.multivariate_normal(prior.mean, prior.covariance)))
    joints = _pose(body, np.radians(bend), rng)
    yaw = 2 * np.pi * ((number * 0.618034 + rng.uniform(0, 0.1)) % 1)
    pitch, fov = np.radians(rng.uniform(-10, 25)), rng.uniform(30, 80)
    focal = focal_of_view(_SIZE[0], fov)
    matrix = np.array([[focal, 0, _SIZE[0] / 2], [0, focal, _SIZE[1] / 2], [0, 0, 1]])
    level = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # Z up, seen from -Y: the front
    view = about(np.array([1.0, 0, 0]), np.array(pitch)) @ level @ about(np.array([0, 0, 1.0]), np.array(yaw))
    middle = (joints.max((0, 1)) + joints.min((0, 1))) / 2
    about_middle = (joints - middle) @ view.T
    tall = float(np.ptp(about_middle[..., 1]))
    distance = tall * focal / (_SIZE[1] * rng.uniform(0.5, 0.85))
    return Case(about_middle + [rng.uniform(-0.3, 0.3), 0, distance], matrix, body)


def _pose(body: Body, bend: float, rng: np.random.Generator) -> Array:
    """(T, J, 3) metres, Z up, facing -Y: swaying a little, feet apart, arms hanging or raised."""
    x, y, z = np.eye(3)
    turns = np.broadcast_to(np.eye(3), (len(BONES), 3, 3)).copy()

    def put(bone: str, turn: Array) -> None:
        turns[BONE[bone]] = turn

    # the ankle stays under the hip: thigh * sin(forward) = shin * sin(bend - forward)
    thigh, shin = (body.parts[PARTS.index(name)] for name in ("thigh", "shin"))
    forward_turn = np.arctan2(shin * np.sin(bend), thigh + shin * np.cos(bend))
    lean = about(x, np.array(0.5 * max(bend - np.radians(5), 0) * 0.8))
    for bone in ("spine_1", "spine_2", "spine_3", "neck", "head", "left_clavicle", "right_clavicle"):
        put(bone, lean)
    spread, raised = rng.uniform(0.0, 0.18), np.radians(rng.uniform(-80, 20) if rng.random() < 0.7 else 0.0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        out = about(y, np.array(-sign * spread))
        put(f"{side}_thigh", out @ about(x, np.array(-forward_turn)))
        put(f"{side}_shin", out @ about(x, np.array(bend - forward_turn)))
        put(f"{side}_foot", np.eye(3))
        put(f"{side}_toes", np.eye(3))
        arm = lean @ about(y, np.array(-sign * raised)) @ about(x, np.array(rng.uniform(-0.5, 0.5)))
        put(f"{side}_upper_arm", arm)
        fore = arm @ about(z, np.array(-sign * bend))
        put(f"{side}_forearm", fore)
        put(f"{side}_hand", fore)
    times = np.arange(FRAMES) / FPS
    sway = np.radians(1.0) * np.stack([np.sin(2 * np.pi * (f * times + rng.random())) for f in (0.3, 0.4, 0.2)], 1)
    whole = about(x, sway[:, 0]) @ about(y, sway[:, 1]) @ about(z, 3 * sway[:, 2])
    return forward(body, np.einsum("tij,bjk->tbik", whole, turns), np.zeros((FRAMES, 3)))[:, : len(JOINT_NAMES)]


def ratios(parts: Array) -> Array:
    """(3,) the proportions of _RATIOS of a body's PARTS (K,)."""

    def total(names: str) -> float:
        return float(sum(parts[PARTS.index(name)] for name in names.split("+")))

    return np.array([total(a) / total(b) for a, b in _RATIOS.values()])


def run(model: Model, exact: bool, count: int) -> list[str]:
    """Prints the figures of one kind of 2D; returns those that miss their aim."""
    missed: list[str] = []
    off: list[Array] = []
    print(f"\n{'exact 2D' if exact else 'fitted detector errors'}, {count} bodies a row, network {model.name}; degrees")
    print(
        f"{'true bend':<12}{'knees lifted: median / 95 %':>30}{'solved':>16}{'elbows solved':>16}{'error of knees, elbows':>26}"
    )
    for bend in BENDS:
        lifted_bends, solved_bends = [], []
        for number in range(count):
            rng = np.random.default_rng([int(exact), bend, number])
            one = case(number, bend, rng)
            keypoints = seen(one.joints, one.matrix, {}, FPS, rng, exact, _SIZE)
            matrix = camera_matrix(_SIZE)
            lifted = lift_person(keypoints, matrix, model)
            take = solve_joints([keypoints], [lifted], matrix)
            lifted_bends.append(np.degrees(flexion(lifted.joints)))
            solved_bends.append(np.degrees(flexion(take.positions[0])))
            found = np.array([take.meta.bodies[0][part][0] for part in PARTS])
            off.append(
                np.abs(
                    [ratios(found) / ratios(one.body.parts) - 1, ratios(STANDARD_PARTS) / ratios(one.body.parts) - 1]
                )
            )
        before, after = (np.concatenate(x) for x in (lifted_bends, solved_bends))
        knees, elbows = after[:, :2], after[:, 2:]
        errors = np.median(np.abs(knees - bend)), np.median(np.abs(elbows - bend))
        spread = [f"{np.median(v):.0f} / {np.quantile(v, 0.95):.0f}" for v in (before[:, :2], knees, elbows)]
        print(
            f"{bend:<12}{spread[0]:>30}{spread[1]:>16}{spread[2]:>16}{f'{errors[0]:.1f}, {errors[1]:.1f}':>26}",
            flush=True,
        )
        if bend == BENDS[0]:
            if np.median(knees) > _STRAIGHT or np.quantile(knees, 0.95) > _STRAIGHT_95:
                missed.append(f"straight knees {spread[1]}")
        elif max(errors) > _BENT:
            missed.append(f"bent by {bend}: off by {errors[0]:.1f} and {errors[1]:.1f}")
    middle = np.median(np.array(off), axis=0) * 100
    for name, found, standard in zip(_RATIOS, *middle, strict=True):
        print(f"{name}: off by {found:.1f} %, median ({standard:.1f} % with the standard body for all)")
        if found > _PROPORTIONS:
            missed.append(f"{name} off by {found:.1f} %")
    return missed


def main() -> int:
    """Prints the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=48)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--limits", action="store_true", help="end with status 1 if an aim is missed")
    args = parser.parse_args()
    model = load(args.model)
    print(time.strftime("%Y-%m-%d"))
    missed = [
        f"{kind}: {what}"
        for kind, exact in (("exact", True), ("noisy", False))
        for what in run(model, exact, args.bodies)
    ]
    print("\naims missed: " + ("; ".join(missed) or "none"))
    return 1 if missed and args.limits else 0


if __name__ == "__main__":
    sys.exit(main())
