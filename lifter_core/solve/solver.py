"""The solver: keypoints and lifted joints of a clip in, a take out."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..camera_motion import CameraMotion
from ..keypoints import Keypoints
from ..lifting import Lifted
from ..options import SolveOptions
from ..progress import Report, silent
from ..rotations import continuous, to_quaternion
from ..skeleton import BONE_NAMES, BONE_PARENTS, JOINT, TAKE_JOINT_BONES, TAKE_JOINT_NAMES, TAKE_JOINT_PARENTS
from ..spans import runs
from ..take import Take
from ..take_meta import TakeMeta
from . import world
from .body import PARTS, body_of
from .chain import TURN, all_bones
from .evidence import gather
from .initial_guess import first_guess
from .lengths import known_of
from .place import camera_to_world, place
from .pose import forward, local
from .refine import Refined, refine
from .residuals import Ground, Smoothing, State
from .stance import POINTS as STANCE
from .stance import find_stance
from .toes import bend_toes

Array = NDArray[Any]

_STEP = 0.35  # s
# rounds of the refinement: without the floor, with it and with unknown lengths, and with the lengths found
_FIRST_ROUNDS, _GROUND_ROUNDS, _LAST_ROUNDS = 2, (2, 3), 2


def solve_joints(
    people: list[Keypoints],
    lifted: list[Lifted],
    camera_matrix: Array,
    options: SolveOptions | None = None,
    meta: TakeMeta | None = None,
    report: Report = silent,
    motion: CameraMotion | None = None,
    parts: Array | None = None,
) -> Take:
    """Solves a clip.

    Args:
        people: keypoints of P people, all with the same T frames; lifted: their joints, as lift() gives them.
        camera_matrix: (3, 3) pixels, of the first frame.
        motion: how the camera turned and zoomed; None = it stood still.
        parts: (K,) the lengths of body.PARTS of the first person, metres, if they are known; None = found from the clip.

    Returns:
        The take; its world has Z up, the floor at z = 0 and the first person's first place over the origin.

    Raises:
        ValueError: no people, or a person who is in no frame.
    """
    options = options or SolveOptions()
    if not people or any(not np.isfinite(one.joints).any() for one in lifted):
        raise ValueError("solve_joints needs at least one person, each found in some frame")
    times = people[0].timestamps
    count = len(times)
    view, zoom = np.broadcast_to(np.eye(3), (count, 3, 3)), np.ones(count)
    if motion is not None and options.camera != "still":
        view, zoom = motion.rotations, motion.zoom
    smoothing = Smoothing(*(options.smoothing(part) for part in ("root", "body", "hands", "feet")))

    guesses, clips, found, spans = [], [], [], []
    for i, (keypoints, one) in enumerate(zip(people, lifted, strict=True)):
        report("solve", i, len(people))
        known_body = body_of(parts) if parts is not None and i == 0 else None
        guess = first_guess(
            keypoints, np.asarray(one.joints, np.float64), camera_matrix, options.height, view, zoom, known_body
        )
        error = None if one.sigma is None else np.asarray(one.sigma, np.float64)
        clip = gather(keypoints, camera_matrix, guess.lifted, error, view, zoom, guess.spikes, one.bends)
        guesses.append(guess)
        clips.append(clip)
        spans.append(runs(guess.present))
        start = State(guess.turns, guess.root)
        found.append(refine(guess.body, start, clip, smoothing, None, _FIRST_ROUNDS, spans[i]))

    step = np.gradient(times) if count > 1 else np.array([1 / people[0].fps])
    up, floor = _ground(guesses[0].present, found[0], step, None)
    known: float | None = None
    stances: list[Array] = [np.zeros((count, 4)) for _ in guesses]
    for rounds in _GROUND_ROUNDS:
        for i, guess in enumerate(guesses):  # the first person's feet find the floor for all
            stances[i] = find_stance(_joints(found[i]), times, up, known, found[i].state.root, guess.present)
            if i == 0:
                up, floor = _ground(guess.present, found[0], step, stances[0])
                known = floor
            ground = Ground(up, floor, stances[i], options.foot_lock)
            its_prior = None if parts is not None and i == 0 else known_of(guess.body, options.height)
            before = found[i]
            found[i] = refine(before.body, before.state, clips[i], smoothing, ground, rounds, spans[i], its_prior)
    for i, person in enumerate(found):  # with the body as it is now, so that feet come to rest on the floor
        ground = Ground(up, floor, stances[i], options.foot_lock)
        end = refine(person.body, person.state, clips[i], smoothing, ground, _LAST_ROUNDS, spans[i])
        found[i] = end._replace(doubt=person.doubt)

    main = found[0].state
    laid = place(up, floor, main.root, main.turns[:, TURN["pelvis"]], guesses[0].present, times, options)
    balls = [JOINT["left_ball"], JOINT["right_ball"]]
    positions, rotations, roots, touching = [], [], [], []
    for guess, (body, state, _), stance in zip(guesses, found, stances, strict=True):
        bones, level = all_bones(state.turns), camera_to_world(up)  # toes bend over the floor that was found
        heights = forward(body, bones, state.root)[:, balls] @ up - floor
        bones = laid.turn @ level.T @ bend_toes(body, level @ bones, heights)
        root = laid.points(state.root)
        joints = forward(body, bones, root)
        quaternions = continuous(to_quaternion(local(bones)))
        absent = ~guess.present
        joints[absent], quaternions[absent], root[absent] = np.nan, np.nan, np.nan
        positions.append(joints)
        rotations.append(quaternions)
        roots.append(root)
        feet = np.stack([stance[:, :2].max(1), stance[:, 2:].max(1)], 1)
        touching.append((feet > 0.5) & guess.present[:, None])
    report("solve", len(people), len(people))
    return Take(
        fps=people[0].fps,
        timestamps=times,
        joint_names=TAKE_JOINT_NAMES,
        joint_parents=np.array(TAKE_JOINT_PARENTS, np.int32),
        joint_bones=np.array(TAKE_JOINT_BONES, np.int32),
        joint_offsets=np.stack([f.body.joint_offsets for f in found]).astype(np.float32),
        positions=np.stack(positions).astype(np.float32),
        bone_names=BONE_NAMES,
        bone_parents=np.array(BONE_PARENTS, np.int32),
        rotations=np.stack(rotations).astype(np.float32),
        rest_offsets=np.stack([f.body.rest_offsets for f in found]).astype(np.float32),
        root_positions=np.stack(roots).astype(np.float32),
        keypoint_names=people[0].names,
        keypoints=np.stack([np.dstack([p.points, p.confidence]) for p in people]).astype(np.float32),
        observed=np.stack([g.observed for g in guesses]),
        contacts=np.stack(touching),
        image_size=people[0].image_size,
        camera_matrix=np.asarray(camera_matrix, np.float64),
        camera_rotation=view @ laid.turn.T,
        camera_translation=-np.einsum("tij,tj->ti", view, laid.shift @ laid.turn),
        meta=replace(
            meta or TakeMeta(),
            heights=tuple(round(float(f.body.height), 3) for f in found),
            bodies=tuple(_told(f) for f in found),
        ),
    )


def _told(person: Refined) -> dict[str, tuple[float, float]]:
    """Each part of the body with its length and the standard deviation of that, metres; 0 where the length was given."""
    doubt = np.zeros(len(PARTS)) if person.doubt is None else person.doubt
    lengths = zip(PARTS, person.body.parts, doubt, strict=True)
    return {part: (round(float(length), 4), round(float(length * sd), 4)) for part, length, sd in lengths}


def _joints(person: Refined) -> Array:
    """(T, J+, 3) all joints of a take, in the axes of the state."""
    return forward(person.body, all_bones(person.state.turns), person.state.root)


def _ground(present: NDArray[np.bool_], person: Refined, step: Array, stance: Array | None) -> tuple[Array, float]:
    """(3,) up in the first frame's camera axes, and the height of the floor along it, from one person."""
    rows = present
    joints = _joints(person)
    up, _ = world.estimate_up(joints[rows], step[rows], person.state.root[rows])
    if stance is None:  # every half second some foot is on the floor
        feet = joints[rows][:, list(STANCE)]
        reach = max(1, round(_STEP / float(np.median(step))))
        for _ in range(3):
            low = feet @ up
            lowest = np.pad(low.min(1), reach, mode="edge")
            near = np.lib.stride_tricks.sliding_window_view(lowest, 2 * reach + 1).min(-1)
            stance = low < near[:, None] + 0.03
            up = world.fit_floor(feet[stance], np.repeat(step[rows][:, None], 4, 1)[stance], up)
        return up, float(np.median(feet[stance] @ up))
    planted = joints[:, list(STANCE)][stance > 0.5]
    seconds = np.repeat(step[:, None], stance.shape[1], 1)[stance > 0.5]
    up = world.fit_floor(planted, seconds, up)
    if len(planted) < 5:
        return up, float(np.quantile((joints[rows][:, world.LOW] @ up).min(1), 0.1))
    return up, float(np.median(planted @ up))
