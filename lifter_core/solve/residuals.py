"""The residuals that refine() makes small, added to the normal equations one kind at a time.

rays       the distance, at the person's depth, between a point and the ray of its keypoint; weighted by confidence,
Cauchy loss
lifted     the distance of a point about the root from its lifted joint, less along the line of sight than across
it, by the expected error where the network says it; Cauchy loss
motion     accelerations of the root and of each rotation (uneven timestamps allowed), Cauchy loss so that kicks and
landings stay; per second of the clip, whatever the frame rate
joints     knees and elbows turn about their hinges; necks, clavicles, hands, feet and spine stay about their middle;
twists of straight limbs go to none, slowly
bends      knees and elbows are bent as far as is likeliest, where the network says what is (bends.py), Cauchy loss
limits     knees and elbows do not bend backwards (one-sided)
balance    who stands has the centre of mass above the planted feet (balance.py), Cauchy loss
contacts   planted heels and balls of the feet stay where they are and on the floor; none is under it (one-sided)
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..rotations import between, cross_matrix, turn_of
from .balance import STANCE_ROWS, balance
from .body import STANDARD_HEIGHT, Body
from .chain import SIZE, TURN, UNKNOWN, columns
from .evidence import MEMORY, OFFSETS, Evidence
from .pose import ELBOW_HINGE, KNEE_HINGE

Array = NDArray[Any]

_RAY_SCALE, _LIFTED_SCALE, _BEND_SCALE, _BALANCE_SCALE = 3.0, 3.0, 2.0, 3.0  # Cauchy, in standard deviations

# spectral density of accelerations, per part: m^2/s^3 and rad^2/s^3; beyond ``usual`` (m/s^2, rad/s^2) they cost less
ROOT = (2.0, 12.0)
_DENSITY = {
    "pelvis": (8.0, 40.0), "spine_3": (8.0, 40.0), "neck": (8.0, 40.0), "head": (8.0, 40.0), "clavicle": (6.0, 40.0),
    "upper_arm": (120.0, 80.0), "forearm": (250.0, 120.0), "hand": (60.0, 120.0), "thigh": (40.0, 80.0),
    "shin": (80.0, 120.0), "foot": (60.0, 120.0),
}  # fmt: skip
_AMOUNTS = {"hand": "hands", "foot": "feet"}  # which of the user's amounts a bone follows; others the body's

# prior of what a joint does (rotation vector, rad): mean none, standard deviation about the parent's x, y, z
_JOINTS = {
    "spine_3": ("pelvis", (0.6, 0.4, 0.5)), "neck": ("spine_3", (0.5, 0.35, 0.5)), "head": ("neck", (0.4, 0.3, 0.5)),
    "clavicle": ("spine_3", (0.12, 0.25, 0.2)), "hand": ("forearm", (0.12, 0.35, 0.5)), "foot": ("shin", (0.6, 0.15, 0.2)),
}  # fmt: skip
_HINGE_SD, _CARRY_SD, _PRONATION_SD, _TWIST_SD = 0.1, 0.12, 0.9, 0.6
_LIMIT_SD = 0.03
_STILL_SD, _FLOOR_SD, _UNDER_SD = 0.001, 0.006, 0.0015  # m in a 30th of a second; m; m
_NEAR_FLOOR, _NEAR_STRAIGHT = 0.01, 0.03  # m, rad


class Ground(NamedTuple):
    """The floor in the first frame's camera axes, and who stands on it.

    Attributes:
        up: (3,); height: of the floor along it, m; stance: (T, 4) 0 to 1, left heel, left ball, right heel, right ball;
        lock: 0 to 1, how firmly who stands stays.
    """

    up: Array
    height: float
    stance: Array
    lock: float = 1.0

    def part(self, rows: slice) -> "Ground":
        """The frames of ``rows``."""
        return self._replace(stance=self.stance[rows])


HINGES = ("left_thigh", "right_thigh", "left_upper_arm", "right_upper_arm")  # bones above the joints of bends.HINGES


class State(NamedTuple):
    """Global rotations of the unknown bones (T, U, 3, 3) and the root's place (T, 3)."""

    turns: Array
    root: Array


class Smoothing(NamedTuple):
    """How much smoother than usual: factors, 0 = not at all."""

    root: float = 1.0
    body: float = 1.0
    hands: float = 1.0
    feet: float = 1.0


class Normal:
    """The normal equations while residuals are added to them: ``size`` unknowns a frame, those of the lengths last."""

    def __init__(self, count: int, size: int) -> None:
        self.diagonal = np.zeros((count, size, size))
        self.next_one = np.zeros((count - 1, SIZE, SIZE))
        self.next_two = np.zeros((max(count - 2, 0), SIZE))
        self.right = np.zeros((count, size))

    def add(self, blocks: list[tuple[slice, Array]], residual: Array, weight: Array) -> None:
        """Adds weight * residual^2; blocks: (columns, (T, k, c)) of its derivative; residual (T, k); weight (T, k)."""
        for a, first in blocks:
            weighted = first.transpose(0, 2, 1) * weight[:, None]
            self.right[:, a] -= (weighted @ residual[..., None])[..., 0]
            for b, second in blocks:
                self.diagonal[:, a, b] += weighted @ second


def _cauchy(square: Array, scale: float) -> Array:
    return 1 / (1 + square / scale**2)


def beside_joints(body: Body, turns: Array) -> Array:
    """(T, P, 3) what the detector's points lie beside the body's own: constant in the trunk's frame, by the body's size."""
    trunk = between(turns[:, TURN["pelvis"]], turns[:, TURN["spine_3"]], 0.5)
    return np.einsum("tij,pj->tpi", trunk, OFFSETS * body.height / STANDARD_HEIGHT)


def add_seen(normal: Normal, points: Array, slopes: Array, state: State, beside: Array, evidence: Evidence) -> None:
    """Rays and lifted joints: both are quadratic in the points, so they are summed there first."""
    count, p = points.shape[:2]
    j = evidence.lifted.shape[1]
    camera = np.einsum("tij,tpj->tpi", evidence.view, points + beside + state.root[:, None])
    z = np.maximum(camera[..., 2], 0.2)
    off = camera[..., :2] - evidence.rays * z[..., None]  # m, at the point's depth
    w = evidence.ray_weight
    share = np.maximum(evidence.share, 1e-9)[:, None]
    w = w * _cauchy((off**2).sum(-1) * w / share, _RAY_SCALE)
    rows = np.zeros((count, p, 2, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1
    rows[..., 2] = -evidence.rays
    rows = rows @ evidence.view[:, None]
    weighted = rows.transpose(0, 1, 3, 2) * w[..., None, None]
    q = weighted @ rows  # (T, P, 3, 3)
    pull = -(weighted @ off[..., None])[..., 0]

    normal.diagonal[:, :3, :3] += q.sum(1)
    normal.right[:, :3] += pull.sum(1)
    flat = slopes.reshape(count, 3 * p, -1)
    moved = q @ slopes
    cross = moved.sum(1)
    normal.diagonal[:, :3, 3:] += cross
    normal.diagonal[:, 3:, :3] += cross.transpose(0, 2, 1)
    normal.diagonal[:, 3:, SIZE:] += flat.transpose(0, 2, 1) @ moved.reshape(count, 3 * p, -1)[..., SIZE - 3 :]
    normal.right[:, 3:] += (pull.reshape(count, 1, -1) @ flat)[:, 0]

    # lifted joints tell directions: they lie along the body's own bones, so they say nothing of the lengths
    away = evidence.lifted - points[:, :j]
    square = np.einsum("tjk,tjkl,tjl->tj", away, evidence.information, away)
    m = evidence.information * _cauchy(square / share, _LIFTED_SCALE)[..., None, None]
    pull = (m @ away[..., None])[..., 0]
    q[:, :j] += m
    turns = slice(3, SIZE)
    flat = flat[..., : SIZE - 3]
    normal.diagonal[:, turns, turns] += flat.transpose(0, 2, 1) @ (q @ slopes[..., : SIZE - 3]).reshape(
        count, 3 * p, -1
    )
    normal.right[:, turns] += (pull.reshape(count, 1, -1) @ flat[:, : 3 * j])[:, 0]


def add_motion(normal: Normal, state: State, times: Array, smoothing: Smoothing) -> None:
    h = np.diff(times)
    before, after = h[:-1], h[1:]
    c = np.stack([2 / (before * (before + after)), -2 / (before * after), 2 / (after * (before + after))])  # (3, T-2)
    velocity = turn_of(state.turns[1:] @ state.turns[:-1].swapaxes(-1, -2)) / h[:, None, None]
    spin = np.diff(velocity, axis=0) * (2 / (before + after))[:, None, None]
    path = np.diff(np.diff(state.root, axis=0) / h[:, None], axis=0) * (2 / (before + after))[:, None]
    residual = np.concatenate([path, spin.reshape(len(spin), -1)], 1)
    span = (before + after) / 2
    weight = np.empty_like(residual)
    names = [("root", ROOT, smoothing.root)]
    for bone in UNKNOWN:
        kind = bone.split("_", 1)[-1] if bone.startswith(("left_", "right_")) else bone
        names.append((bone, _DENSITY[kind], getattr(smoothing, _AMOUNTS.get(kind, "body"))))
    for k, (_, (density, usual), factor) in enumerate(names):
        cells = slice(3 * k, 3 * k + 3)
        size = (residual[:, cells] ** 2).sum(1)
        weight[:, cells] = (span * max(factor, 1e-4) / density * _cauchy(size, usual))[:, None]
    index = np.arange(SIZE)
    for a in range(3):
        first = slice(a, len(weight) + a)
        normal.right[first, :SIZE] -= weight * c[a][:, None] * residual
        normal.diagonal[first, index, index] += weight * c[a][:, None] ** 2
    normal.next_one[:-1, index, index] += weight * (c[0] * c[1])[:, None]
    normal.next_one[1:, index, index] += weight * (c[1] * c[2])[:, None]
    normal.next_two += weight * (c[0] * c[2])[:, None]


def _one_sided(value: Array, near: float) -> Array:
    """The weight of a limit: 1 beyond it (below 0), a little just before it, so that no step runs through it."""
    return np.where(value < 0, 1.0, np.where(value < near, 0.1, 0.0))


def add_joints(normal: Normal, turns: Array, evidence: Evidence) -> None:
    ones = evidence.share[:, None]
    sides = ("left_", "right_")

    def product(child: str, parent: str, u: Array, v: Array, target: float, sd: float) -> None:
        """A vector of the parent and one of the child keep an angle: their product is ``target``."""
        a, b = turns[:, TURN[parent]] @ u, turns[:, TURN[child]] @ v
        normal_vector = np.cross(a, b)[:, None]
        residual = (a * b).sum(-1, keepdims=True) - target
        normal.add([(columns(parent), normal_vector), (columns(child), -normal_vector)], residual, ones / sd**2)

    for kind, (above, sd) in _JOINTS.items():
        for side in sides if kind in ("clavicle", "hand", "foot") else ("",):
            child = side + kind
            parent = side + above if above in ("forearm", "shin") else above
            up = turns[:, TURN[parent]].transpose(0, 2, 1)
            residual = turn_of(up @ turns[:, TURN[child]])
            weight = ones / np.array(sd) ** 2
            normal.add([(columns(parent), -up), (columns(child), up)], residual, weight)
    x, y, z = np.eye(3)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        thigh, shin, upper, fore = (f"{side}_{b}" for b in ("thigh", "shin", "upper_arm", "forearm"))
        a, b = turns[:, TURN[thigh]] @ KNEE_HINGE, turns[:, TURN[shin]] @ KNEE_HINGE
        normal.add(
            [(columns(thigh), -cross_matrix(a)), (columns(shin), cross_matrix(b))],
            a - b,
            np.repeat(ones / _HINGE_SD**2, 3, 1),
        )
        product(fore, upper, ELBOW_HINGE[side], x, 0.0, _CARRY_SD)
        product(fore, upper, ELBOW_HINGE[side], y, 0.0, _PRONATION_SD)
        product(thigh, "pelvis", y, x, 0.0, _TWIST_SD)
        up = turns[:, TURN[f"{side}_clavicle"]].transpose(0, 2, 1)
        residual = turn_of(up @ turns[:, TURN[upper]])[:, :1]
        row = up[:, :1]
        normal.add([(columns(f"{side}_clavicle"), -row), (columns(upper), row)], residual, ones / _TWIST_SD**2)
        for above, below, hinge, way in ((thigh, shin, KNEE_HINGE, -z), (upper, fore, ELBOW_HINGE[side], sign * x)):
            first, second = turns[:, TURN[above]] @ way, turns[:, TURN[below]] @ way
            axis = turns[:, TURN[above]] @ hinge
            bend = np.arctan2((axis * np.cross(first, second)).sum(-1), (first * second).sum(-1))
            bent = np.minimum(bend, 0)[:, None]
            weight = ones / _LIMIT_SD**2 * _one_sided(bend[:, None], _NEAR_STRAIGHT)
            blocks = [(columns(above), -axis[:, None]), (columns(below), axis[:, None])]
            normal.add(blocks, bent, weight)
            hinge_number = HINGES.index(above)
            off, weight = bend - evidence.bend[:, hinge_number], evidence.bend_weight[:, hinge_number]
            weight = weight * _cauchy(off**2 * weight / np.maximum(evidence.share, 1e-9), _BEND_SCALE)
            normal.add(blocks, off[:, None], weight[:, None])


def add_balance(normal: Normal, points: Array, slopes: Array, evidence: Evidence, ground: Ground) -> None:
    wanted = balance(points, evidence.times, ground.up, ground.stance)
    off = np.einsum("tp,tpi,tai->ta", wanted.rows, points, wanted.axes) - wanted.target
    # the root moves the mass and the feet alike; lengths are not asked
    count = len(points)
    moved = np.einsum("tp,tpik->tik", wanted.rows, slopes[..., : SIZE - 3])
    weight = wanted.weight * evidence.share[:, None]
    weight = weight * _cauchy((off**2 * wanted.weight).sum(1), _BALANCE_SCALE).reshape(count, 1)
    normal.add([(slice(3, SIZE), wanted.axes @ moved)], off, weight)


def add_ground(normal: Normal, points: Array, slopes: Array, times: Array, ground: Ground) -> None:
    rows = STANCE_ROWS
    place = points[:, rows]  # (T, 4, 3)
    count = len(place)
    size = 3 + slopes.shape[-1]
    full = np.zeros((count, len(rows), 3, size))
    full[..., 3:] = slopes[:, rows]
    full[..., :3] = np.eye(3)
    if count > 1:
        h = np.diff(times)[:, None]
        both = np.minimum(ground.stance[1:], ground.stance[:-1])
        weight = ground.lock**2 * both / (_STILL_SD**2 * 30 * np.maximum(h, 1e-3))  # a random walk
        weight = np.repeat(weight, 3, 1)
        slide = (place[1:] - place[:-1]).reshape(count - 1, -1)
        flat = full.reshape(count, -1, size)
        # the lengths belong to both frames: their columns hold the difference, and stand with the later one
        first, second = flat[:-1].copy(), flat[1:].copy()
        second[..., SIZE:] -= first[..., SIZE:]
        first[..., SIZE:] = 0
        before, after = first.transpose(0, 2, 1) * weight[:, None], second.transpose(0, 2, 1) * weight[:, None]
        normal.diagonal[:-1] += before @ first
        normal.diagonal[1:] += after @ second
        normal.next_one -= (after @ first)[:, :SIZE, :SIZE]
        normal.diagonal[:-1, :SIZE, SIZE:] -= (before @ second)[:, :SIZE, SIZE:]
        normal.right[:-1] += (before @ slide[..., None])[..., 0]
        normal.right[1:] -= (after @ slide[..., None])[..., 0]
    step = np.gradient(times)[:, None] if count > 1 else np.array([[MEMORY]])
    share = np.minimum(step / MEMORY, 1.0)
    every = slice(0, size)
    rise = np.einsum("i,tpij->tpj", ground.up, full)
    height = place @ ground.up - ground.height
    normal.add([(every, rise)], height, ground.lock**2 * ground.stance * share / _FLOOR_SD**2)
    under = np.minimum(height, 0.0)
    normal.add([(every, rise)], under, share / _UNDER_SD**2 * _one_sided(height, _NEAR_FLOOR))
