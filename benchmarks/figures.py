"""What a solved take is worth against the truth: one function a figure, all defined in docs/solver.md."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from shots import Shot

from lifter_core.rotations import least_rotation, to_matrix, turn_of
from lifter_core.skeleton import BONE, BONE_PARENTS, JOINT, JOINT_NAMES
from lifter_core.solve.body import measure
from lifter_core.solve.pose import pose_from_joints
from lifter_core.take import Take
from lifter_core.training.metrics import LIMBS, acceleration_error, mpjpe, pa_mpjpe

Array = NDArray[Any]

_FEET = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "toe")]
_ENDS = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("wrist", "ankle")]
# our bone, the mocap's, the direction it points at rest
_BONES = [("pelvis", "pelvis", (0, 0, 1)), ("spine_3", "chest", (0, 0, 1)), ("head", "head", (0, 0, 1))]
for _s, _sign in (("left", 1), ("right", -1)):
    _BONES += [(f"{_s}_{ours}", f"{_s[0]}_{theirs}", d) for ours, theirs, d in (
        ("upper_arm", "upperarm", (_sign, 0, 0)), ("forearm", "forearm", (_sign, 0, 0)), ("hand", "hand", (_sign, 0, 0)),
        ("thigh", "thigh", (0, 0, -1)), ("shin", "shin", (0, 0, -1)), ("foot", "foot", (0, -1, 0)))]  # fmt: skip


def in_camera(take: Take) -> Array:
    """(T, 26, 3) the solved joints in camera axes, m."""
    x = take.positions[0, :, : len(JOINT_NAMES)].astype(float)
    return np.einsum("tij,tkj->tki", take.camera_rotation, x) + take.camera_translation[:, None]


def _rigid(a: Array, b: Array) -> Array:
    """A turned and moved onto b, (T, 3) both; no scale."""
    a0, b0 = a - a.mean(0), b - b.mean(0)
    u, _, vt = np.linalg.svd(b0.T @ a0)
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return np.asarray(a0 @ turn.T + b.mean(0))


def planted(shot: Shot) -> NDArray[np.bool_]:
    """(T, 4) true where a true heel or toe moves less than 10 mm in a 30th of a second and is near the floor."""
    x = shot.world[:, _FEET]
    step = np.linalg.norm(np.diff(x, axis=0), axis=-1) * shot.keypoints.fps / 30
    step = np.maximum(np.concatenate([step[:1], step]), np.concatenate([step, step[-1:]]))
    return np.asarray((step < 0.010) & (x[..., 2] < 0.10))


def judge(shot: Shot, lifted: Array, take: Take, offsets: "Offsets") -> dict[str, float]:
    """All figures of one clip; NaN where a clip has nothing to say."""
    out: dict[str, float] = {}
    fps, world = shot.keypoints.fps, take.positions[0].astype(float)
    seen = in_camera(take)
    out["MPJPE lifted"], out["MPJPE solved"] = (float(mpjpe(x, shot.camera).mean()) for x in (lifted, seen))
    out["PA-MPJPE lifted"], out["PA-MPJPE solved"] = (float(pa_mpjpe(x, shot.camera).mean()) for x in (lifted, seen))
    out["accel"] = float(acceleration_error(seen, shot.camera).mean())
    out["accel lifted"] = float(acceleration_error(lifted, shot.camera).mean())

    def jitter(x: Array) -> float:
        return float(np.linalg.norm(np.diff(x[:, LIMBS], 3, axis=0), axis=-1).mean()) if len(x) > 3 else np.nan

    out["jitter ratio"] = jitter(world) / jitter(shot.world)
    root = shot.world[:, 0]
    length = float(np.linalg.norm(np.diff(root[:, :2], axis=0), axis=-1).sum())
    if length > 1.0:
        out["path %"] = float(np.linalg.norm(_rigid(world[:, 0], root) - root, axis=-1).mean()) / length * 100
    down = planted(shot)
    steps = np.linalg.norm(np.diff(world[:, _FEET], axis=0), axis=-1) * 1000 * fps / 30
    both = down[1:] & down[:-1]
    out["sliding"] = float(steps[both].mean()) if both.any() else np.nan
    feet = np.stack([down[:, :2].any(1), down[:, 2:].any(1)], 1)
    said = take.contacts[0]
    out["contact recall %"] = float(said[feet].mean()) * 100 if feet.any() else np.nan
    out["contact precision %"] = float(feet[said].mean()) * 100 if said.any() else np.nan
    points = [*_FEET, JOINT["left_ball"], JOINT["right_ball"]]
    out["penetration"] = max(0.0, -float(world[:, points, 2].min()) * 1000)
    out["float"] = float(np.median(world[:, _FEET, 2][down])) * 1000 if down.any() else np.nan
    up = take.camera_rotation[0] @ np.array([0, 0, 1.0])
    out["gravity"] = float(np.degrees(np.arccos(np.clip(up @ shot.rotation[:, 2], -1, 1))))
    out["lean"] = _lean(world, shot.world)
    rigid = [("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_elbow", "left_wrist"), ("spine", "thorax")]
    lengths = np.array([np.linalg.norm(world[:, JOINT[a]] - world[:, JOINT[b]], axis=-1) for a, b in rigid])
    out["bone dev %"] = float((lengths.std(1) / lengths.mean(1)).max()) * 100
    fast = np.linalg.norm(np.diff(shot.world[:, _ENDS], axis=0), axis=-1) * fps
    found = np.linalg.norm(np.diff(world[:, _ENDS], axis=0), axis=-1) * fps
    peaks = [np.quantile(found[:, k], 0.99) / np.quantile(fast[:, k], 0.99) for k in range(4) if fast[:, k].max() > 2]
    out["peak speed %"] = float(np.median(peaks)) * 100 if peaks else np.nan
    direction, twist = _rotations(shot, take, offsets)
    out["direction"], out["twist"] = direction, twist
    return out


def _lean(world: Array, true: Array) -> float:
    """Degrees between the bodies' axes (ankles to thorax) against their own vertical, over upright frames."""

    def axis(x: Array) -> Array:
        d = x[:, JOINT["thorax"]] - (x[:, JOINT["left_ankle"]] + x[:, JOINT["right_ankle"]]) / 2
        return d / np.linalg.norm(d, axis=-1, keepdims=True)

    a, b = axis(world), axis(true)
    upright = b[:, 2] > np.cos(np.radians(12))
    if upright.sum() < 5:
        return float("nan")
    tilts = [np.degrees(np.arccos(np.clip(x[upright, 2], -1, 1))) for x in (a, b)]
    return float(np.abs(np.median(tilts[0]) - np.median(tilts[1])))


def global_rotations(take: Take) -> Array:
    """(T, B, 3, 3) in the world."""
    turn = to_matrix(take.rotations[0].astype(float))
    for b, parent in enumerate(BONE_PARENTS):
        if parent >= 0:
            turn[:, b] = turn[:, parent] @ turn[:, b]
    return turn


Offsets = dict[tuple[str, str], Array]
# bones whose rest axes the mocap's files choose otherwise than we (a tilted pelvis, a foot along heel and toe)
_REST_DIFFERS = ("pelvis", "spine_3", "head", "upper_arm", "foot")


def rest_offsets(shots: list[Shot]) -> Offsets:
    """(3, 3) turns, by file and bone, from our bone's rest axes to the mocap's: from true joints alone, no solving."""
    found: dict[tuple[str, str], list[Array]] = {}
    for shot in shots:
        body = measure(shot.world, np.ones(shot.world.shape[:2]))
        fitted = pose_from_joints(body, shot.world, shot.keypoints.timestamps)
        for ours, theirs, _ in _BONES:
            if theirs in shot.bones and ours.removeprefix("left_").removeprefix("right_") in _REST_DIFFERS:
                between = fitted[:, BONE[ours]].transpose(0, 2, 1) @ shot.bones[theirs]
                found.setdefault((shot.file, ours), []).append(between.mean(0))
    out = {}
    for key, means in found.items():
        u, _, vt = np.linalg.svd(np.mean(means, axis=0))
        out[key] = u @ vt
    return out


def rotation_errors(shot: Shot, take: Take, offsets: Offsets) -> dict[str, tuple[float, float]]:
    """Median direction and twist errors, degrees, by our bone; its rest axes turned by ``offsets``."""
    turn = take.camera_rotation[:, None] @ global_rotations(take)
    errors = {}
    for ours, theirs, rest in _BONES:
        if theirs not in shot.bones:
            continue
        d = np.array(rest, float)
        found = turn[:, BONE[ours]] @ offsets.get((shot.file, ours), np.eye(3))
        true = shot.rotation @ shot.bones[theirs]
        a, b = found @ d, true @ d
        direction = np.degrees(np.arccos(np.clip((a * b).sum(-1), -1, 1)))
        rest_turn = true.transpose(0, 2, 1) @ (least_rotation(a, b) @ found)
        twist = np.degrees(np.linalg.norm(turn_of(rest_turn), axis=-1))
        errors[ours] = (float(np.median(direction)), float(np.median(twist)))
    return errors


def _rotations(shot: Shot, take: Take, offsets: Offsets) -> tuple[float, float]:
    errors = np.array(list(rotation_errors(shot, take, offsets).values()))
    if not len(errors):
        return float("nan"), float("nan")
    return float(np.median(errors[:, 0])), float(np.median(errors[:, 1]))
