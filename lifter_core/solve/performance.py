"""The solver: keypoints and lifted joints of a clip in, a take out."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..camera_motion import CameraMotion
from ..keypoints import Keypoints
from ..lifting import joints_2d
from ..progress import Report, silent
from ..skeleton import (
    BONE_NAMES,
    BONE_PARENTS,
    JOINT,
    JOINT_NAMES,
    TAKE_JOINT_BONES,
    TAKE_JOINT_NAMES,
    TAKE_JOINT_PARENTS,
)
from ..take import Take
from . import world
from .body import Body, measure, scaled
from .camera import root_translation, steady_path
from .filters import fill_gaps, outliers, smooth
from .options import SolveOptions
from .pose import forward, local, pose_from_joints
from .rotations import continuous, to_quaternion

Array = NDArray[Any]

_LONGEST_GAP = 1.0  # s: longer absences are not bridged
_SPIKE = 0.06  # m: smaller jumps are left to the smoothing
_JOINT_SIGMA = 0.06  # s
_ROOT_SIGMA_ACROSS, _ROOT_SIGMA_DEPTH = 0.06, 0.2  # s
_TO_RAY = 0.5  # how far a confident joint is moved onto the ray of its keypoint


class _Person(NamedTuple):
    """One person in camera axes: body, global rotations (T, B, 3, 3), root (T, 3), present and observed (T,)."""

    body: Body
    rotations: Array
    root: Array
    joints: Array
    present: NDArray[np.bool_]
    observed: NDArray[np.bool_]


def bridged(times: Array, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(T,) true where found, and in gaps between found frames of no more than a second."""
    present = found.copy()
    rows = np.flatnonzero(found)
    for a, b in pairwise(rows):
        if b - a > 1 and times[b] - times[a] <= _LONGEST_GAP:
            present[a:b] = True
    return present


def _solve_person(keypoints: Keypoints, lifted: Array, matrix: Array, options: SolveOptions) -> _Person:
    times = keypoints.timestamps
    points, confidence = joints_2d(keypoints)
    found = np.asarray(np.isfinite(lifted).all((1, 2)))
    present = bridged(times, found)
    # confidence of a joint without a keypoint: the person was found, no more
    derived = ~np.isfinite(points).all(-1).any(0)
    weights = np.where(found[:, None], np.maximum(confidence, 0.05), 0.0)
    weights[:, derived] = np.where(found, 0.7, 0.0)[:, None]

    flat = fill_gaps(times, lifted.reshape(len(times), -1), found)
    spikes = outliers(times, flat, floor=_SPIKE).reshape(lifted.shape).any(-1)
    weights = weights * np.where(spikes, 0.02, 1.0)
    w3 = np.repeat(weights, 3, 1)
    joints = smooth(times, flat, w3, _JOINT_SIGMA).reshape(lifted.shape)

    body = measure(lifted[found], weights[found])
    body = scaled(body, options.height / body.height if options.height else 1.0)
    size = _size(body, joints[found])
    joints = joints * size

    tangents = (np.nan_to_num(points) - matrix[:2, 2]) / np.array([matrix[0, 0], matrix[1, 1]])
    seen = np.where(found[:, None] & ~derived, confidence**2, 0.0) + 1e-9
    root = _root(times, joints, tangents, seen, found)
    placed = joints + root[:, None]
    pull = _TO_RAY * np.where(seen > 1e-6, confidence, 0.0) * np.where(spikes, 0.2, 1.0)
    pull = smooth(times, pull, np.ones_like(pull), _JOINT_SIGMA, degree=0)[..., None]
    ray = smooth(times, fill_gaps(times, np.where(found[:, None, None], tangents, 0).reshape(len(times), -1), found),
                 np.repeat(weights, 2, 1), _JOINT_SIGMA).reshape(tangents.shape)  # fmt: skip
    placed[..., :2] += pull * (ray * placed[..., 2:] - placed[..., :2])
    _recentre(placed)
    rotations = pose_from_joints(body, placed, times)
    posed = forward(body, rotations, np.zeros((len(times), 3)))
    root = _root(times, posed[:, : len(JOINT_NAMES)], tangents, seen, found)
    return _Person(body, rotations, root, posed + root[:, None], present, found)


def _recentre(joints: Array) -> None:
    """Keeps pelvis and thorax in the middle of hips and shoulders after those moved (in place)."""
    for middle, part in (("pelvis", "hip"), ("thorax", "shoulder")):
        sides = joints[:, [JOINT[f"left_{part}"], JOINT[f"right_{part}"]]]
        joints[:, JOINT[middle]] = sides.mean(1)


def _root(times: Array, joints: Array, tangents: Array, seen: Array, found: NDArray[np.bool_]) -> Array:
    raw = root_translation(joints, tangents, seen)
    raw = fill_gaps(times, raw, found)
    bad = outliers(times, np.log(raw[:, 2:]), seconds=0.15, floor=0.06)[:, 0]
    weight = found * np.where(bad, 0.02, 1.0)
    return steady_path(times, raw, weight, _ROOT_SIGMA_ACROSS, _ROOT_SIGMA_DEPTH)


def _world(person: _Person, times: Array, step: Array) -> tuple[Array, float]:
    """(3, 3) camera to world, and the height of the floor in the turned axes, from one person's upright poses and feet."""
    rows = person.present
    joints = person.joints
    up = world.up_direction(joints[rows], step[rows])
    heights, speeds = world.feet(joints, times, up)
    stands = world.planted(heights, speeds) & rows[:, None]
    points = np.concatenate([_lower_end(joints[stands[:, k]], side, up) for k, side in enumerate(("left", "right"))])
    seconds = np.concatenate([step[stands[:, 0]], step[stands[:, 1]]])
    up = world.fit_floor(points, seconds, up)
    heights, speeds = world.feet(joints, times, up)
    return world.camera_to_world(up), world.floor_height(heights[rows], speeds[rows])


def _lower_end(joints: Array, side: str, up: Array) -> Array:
    """(N, 3) the heel or toe that is lower."""
    ends = joints[:, [JOINT[f"{side}_heel"], JOINT[f"{side}_toe"]]]
    lower = (ends @ up).argmin(1)
    return np.asarray(ends[np.arange(len(ends)), lower])


def _size(body: Body, joints: Array) -> float:
    """The factor from the lifted joints' size to the body's: over thighs, shins and trunk."""
    pairs = [("pelvis", "spine"), ("spine", "thorax")]
    pairs += [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))]
    rows = [(JOINT[a], JOINT[b]) for a, b in pairs]
    wanted = sum(np.linalg.norm(body.rest[a] - body.rest[b]) for a, b in rows)
    shown = sum(np.median(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1)) for a, b in rows)
    return float(wanted / shown)


def solve(
    people: list[Keypoints],
    lifted: list[Array],
    camera_matrix: Array,
    options: SolveOptions | None = None,
    meta: dict[str, Any] | None = None,
    report: Report = silent,
    sigma: list[Array] | None = None,
    motion: CameraMotion | None = None,
) -> Take:
    """Solves a clip before a still camera.

    Args:
        people: keypoints of P people, all with the same T frames; lifted: their joints, (T, J, 3) each, as lift() gives.
        camera_matrix: (3, 3) pixels, of the first frame.
        sigma: the expected error of the lifted joints, (T, J) metres each; None = not known.
        motion: how the camera turned and zoomed; None = it stood still.

    Returns:
        The take; its world has Z up, the floor at z = 0 and the first person's first place over the origin.

    Raises:
        ValueError: no people, or a person who is in no frame.
    """
    options = options or SolveOptions()
    if not people or any(not np.isfinite(x).any() for x in lifted):
        raise ValueError("solve needs at least one person, each found in some frame")
    times = people[0].timestamps
    solved = []
    for i, (keypoints, joints) in enumerate(zip(people, lifted, strict=True)):
        report("solve", i, len(people))
        solved.append(_solve_person(keypoints, np.asarray(joints, np.float64), camera_matrix, options))

    step = np.gradient(times) if len(times) > 1 else np.array([1 / people[0].fps])
    main = solved[0]
    turn, floor = _world(main, times, step)
    start = turn @ main.root[main.present][0]
    origin = np.array([start[0], start[1], floor])  # world point over which the camera's place is measured

    count = len(times)
    positions, rotations, roots, touching = [], [], [], []
    for person in solved:
        joints = person.joints @ turn.T - origin
        heights, speeds = world.feet(joints, times, np.array([0, 0, 1.0]))
        quaternions = continuous(to_quaternion(local(turn @ person.rotations)))
        root = person.root @ turn.T - origin
        absent = ~person.present
        joints[absent], quaternions[absent], root[absent] = np.nan, np.nan, np.nan
        positions.append(joints)
        rotations.append(quaternions)
        roots.append(root)
        touching.append(world.contacts(heights, speeds, times) & person.present[:, None])
    report("solve", len(people), len(people))
    return Take(
        fps=people[0].fps,
        timestamps=times,
        joint_names=TAKE_JOINT_NAMES,
        joint_parents=np.array(TAKE_JOINT_PARENTS, np.int32),
        joint_bones=np.array(TAKE_JOINT_BONES, np.int32),
        joint_offsets=np.stack([p.body.joint_offsets for p in solved]).astype(np.float32),
        positions=np.stack(positions).astype(np.float32),
        bone_names=BONE_NAMES,
        bone_parents=np.array(BONE_PARENTS, np.int32),
        rotations=np.stack(rotations).astype(np.float32),
        rest_offsets=np.stack([p.body.rest_offsets for p in solved]).astype(np.float32),
        root_positions=np.stack(roots).astype(np.float32),
        keypoint_names=people[0].names,
        keypoints=np.stack([np.dstack([p.points, p.confidence]) for p in people]).astype(np.float32),
        observed=np.stack([p.observed for p in solved]),
        contacts=np.stack(touching),
        image_size=people[0].image_size,
        camera_matrix=np.asarray(camera_matrix, np.float64),
        camera_rotation=np.broadcast_to(turn.T, (count, 3, 3)).copy(),
        camera_translation=np.broadcast_to(turn.T @ origin, (count, 3)).copy(),
        meta=dict(meta or {}, heights=[round(p.body.height, 3) for p in solved]),
    )
