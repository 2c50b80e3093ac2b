"""Detector noise: what BlazePose makes of a moving person's true joints, fitted to rendered people with known joints.

``fit_noise.py`` reads pairs of detections and truth and writes ``noise.npz`` beside this file; here sequences are drawn
from it. For a joint: an offset in the trunk's frame (a detector's shoulder is not the mocap's); a confidence that goes with
the pose (what is behind the body is less sure), with the clip and with time; an error whose size goes with that
confidence and with speed, part of it constant for the clip, the rest autoregressive, with heavy tails and correlated between
joints; a lag. The detector's own 3D is a linear function of the true pose and of the 2D error, with a clip's own constant
and AR(1) errors. Episodes (limbs lost or misplaced, left and right swapped, parts out of the picture) are put on top.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..normalise import MEASURED, norm
from ..skeleton import JOINT, JOINT_MIRROR, JOINT_NAMES
from .cameras import fading, wander

Array = NDArray[Any]

FITTED = Path(__file__).with_name("noise.npz")
RATE = 30.0  # frames a second that the fitted correlations are for
_COUNT = len(JOINT_NAMES)
_SMOOTH = 0.4
_CLIP = (0.12, 0.2)  # log of a clip's own difficulty: sd of its normal part, mean of the exponential part of hard clips


class Detector(NamedTuple):
    """The fitted model; J joints, M of them measured. Lengths are metres on a standard body (normalise.py).

    Attributes:
        offset: (J, 3) detector minus joint, left / up / forward in the trunk's frame; ``offset_sd`` (J, 3) of a clip's own.
        score: (J, F) normal score of the confidence, linear in pose_features(); ``score_sd`` (2,) of its clip and
            frame parts; ``score_keep`` AR(1); ``score_mix`` (M, M) Cholesky factor of the correlation between joints.
        knots: (J, K, 2) normal score and the confidence it stands for.
        size: (J, 4) log of the error's size, linear in 1, score, score^2, speed (m/s).
        error_keep: AR(1); ``error_constant``: part of the variance that is the clip's; ``error_mix`` (2M, 2M);
            ``tail``: sd of the log of a slowly changing factor.
        lag: frames that the detection is late.
        world: (3M, 3J + 2M + 1) linear map; ``world_clip``, ``world_frame`` (3M, R) factors of the covariance of the
            clip's and of the frame's part; ``world_keep`` AR(1); ``world_tail``: sd of the log of a clip's own factor.
    """

    offset: Array
    offset_sd: Array
    score: Array
    score_sd: Array
    score_keep: Array
    score_mix: Array
    knots: Array
    size: Array
    error_keep: Array
    error_constant: Array
    error_mix: Array
    tail: Array
    lag: Array
    world: Array
    world_clip: Array
    world_frame: Array
    world_keep: Array
    world_tail: Array


def fitted(path: Path = FITTED) -> Detector:
    """The model as fitted (raises FileNotFoundError when it is not there)."""
    with np.load(path) as z:
        return Detector(**{name: z[name].astype(np.float32) for name in Detector._fields})


def trunk_frame(joints: Array) -> Array:
    """(..., 3, 3) rows: the trunk's left, up and forward; joints (..., J, 3) in any axes."""
    j = JOINT
    across = joints[..., j["left_shoulder"], :] - joints[..., j["right_shoulder"], :]
    across = across + joints[..., j["left_hip"], :] - joints[..., j["right_hip"], :]
    across /= np.maximum(norm(across), 1e-6)[..., None]
    up = joints[..., j["thorax"], :] - joints[..., j["pelvis"], :]
    up = up - (up * across).sum(-1, keepdims=True) * across
    up /= np.maximum(norm(up), 1e-6)[..., None]
    return np.stack([across, up, np.cross(across, up)], -2)


def pose_features(joints: Array) -> Array:
    """(..., J, F) what a joint's confidence may depend on; joints (..., J, 3) about the pelvis, standard size, camera axes.

    1, depth of the joint behind the trunk's middle, how far it lies over the trunk in the picture while behind it, depth
    squared, whether the trunk faces the camera, and whether the joint's side is the far one.
    """
    features = _features(joints, list(range(joints.shape[-2])))
    return np.stack(np.broadcast_arrays(*features), -1)


def _features(joints: Array, which: list[int]) -> list[Array]:
    """pose_features() of some of the joints one by one, each (..., len(which)) or broadcast to that."""
    middle = (joints[..., JOINT["pelvis"], :] + joints[..., JOINT["thorax"], :]) / 2
    depth = joints[..., which, 2] - middle[..., None, 2]
    frame = trunk_frame(joints)
    facing = -frame[..., 2, 2][..., None]
    far = frame[..., 0, 2][..., None] * SIDE[which]
    beside = norm(joints[..., which, :2] - middle[..., None, :2])
    hidden = np.clip(depth / 0.15, 0, 1) * np.clip(1 - beside / 0.35, 0, 1)
    return [np.ones_like(facing), depth, depth**2, hidden, facing, far]


SIDE: Array = np.array(
    [1.0 if n.startswith("left_") else -1.0 if n.startswith("right_") else 0.0 for n in JOINT_NAMES], np.float32
)
_PART = tuple(name.split("_")[-1] for name in JOINT_NAMES)
_LIMBS = [
    np.array([JOINT[f"{side}_{part}"] for part in parts])
    for side in ("left", "right")
    for parts in (("shoulder", "elbow", "wrist", "hand"), ("elbow", "wrist", "hand"), ("wrist", "hand"),
                  ("knee", "ankle", "heel", "toe"), ("ankle", "heel", "toe"), ("heel", "toe"))
]  # fmt: skip


def _joints(*parts: str) -> NDArray[np.intp]:
    return np.array([i for i, p in enumerate(_PART) if p in parts])


_EVERYTHING = np.arange(_COUNT)
_UPPER = _joints("nose", "ear", "shoulder", "elbow", "wrist", "hand")
_LOWER = _joints("knee", "ankle", "heel", "toe")
_FEET = _joints("ankle", "heel", "toe")


def offsets(joints: Array, model: Detector, rng: np.random.Generator) -> Array:
    """(C, T, J, 3) to be added to joints (C, T, J, 3; standard size): the detector's points are not the joints."""
    n = len(joints)
    strength = rng.normal(1, 0.25, (n, 1, 1))
    local = model.offset * strength + model.offset_sd * rng.standard_normal((n, _COUNT, 3))
    return np.asarray(local.astype(np.float32)[:, None] @ trunk_frame(joints))


def _smooth_wander(shape: tuple[int, ...], keep: float, rng: np.random.Generator) -> Array:
    """Unit-variance AR(2) along axis 1: wander() once more low-passed, as errors slide rather than jump."""
    x = wander(shape, keep, rng)
    x[:, 1:] *= 1 - _SMOOTH
    x = fading(shape[1], _SMOOTH) @ x
    x *= ((1 + _SMOOTH) * (1 - keep * _SMOOTH) / ((1 - _SMOOTH) * (1 + keep * _SMOOTH))) ** 0.5
    return x


def detect(joints: Array, speed: Array, model: Detector, rng: np.random.Generator) -> tuple[Array, Array]:
    """Errors and confidence of C sequences of T frames.

    Args:
        joints: (C, T, J, 3) about the pelvis at standard size, axes of a camera that looks at the body.
        speed: (C, T, J, 2) m/s over the picture.

    Returns:
        errors (C, T, J, 2), metres over the picture (x right, y down), and confidence (C, T, J), 0 for derived joints.
    """
    n, frames = joints.shape[:2]
    m = list(MEASURED)
    score: Array = sum(weight * feature for weight, feature in zip(model.score[m].T, _features(joints, m), strict=True))
    clip_sd, frame_sd = model.score_sd
    score += clip_sd * rng.standard_normal((n, 1, 1)) + 0.5 * clip_sd * rng.standard_normal((n, 1, len(m)))
    score += frame_sd * wander((n, frames, len(m)), float(model.score_keep), rng) @ model.score_mix.T
    confidence = np.zeros((n, frames, _COUNT), np.float32)
    for k, j in enumerate(m):
        confidence[..., j] = np.interp(score[..., k], *model.knots[j].T)

    fast = np.minimum(norm(speed[:, :, m]), 5)
    a = model.size[m]
    size = np.exp(np.clip(a[:, 0] + a[:, 1] * score + a[:, 2] * score**2 + a[:, 3] * fast, -7, -1.6))
    tail = float(model.tail)
    size *= np.exp(tail * wander(size.shape, 0.9, rng) - tail**2)
    size *= np.exp(rng.normal(0, _CLIP[0], (n, 1, 1)) + rng.exponential(_CLIP[1], (n, 1, 1)) - _CLIP[1])
    constant = float(model.error_constant)
    shape = (n, frames, 2 * len(m))
    moving = _smooth_wander(shape, float(model.error_keep), rng) * (1 - constant) ** 0.5
    unit = (moving + constant**0.5 * rng.standard_normal((n, 1, shape[2]), np.float32)) @ model.error_mix.T
    errors = np.zeros((n, frames, _COUNT, 2), np.float32)
    errors[:, :, m] = unit.reshape(n, frames, len(m), 2) * size[..., None]
    errors -= speed * (float(model.lag) / RATE * rng.uniform(0, 1.5, (n, 1, 1, 1))).astype(np.float32)
    return errors, confidence


def own_3d(joints: Array, errors: Array, model: Detector, rng: np.random.Generator) -> Array:
    """The detector's own 3D, (C, T, J, 3) about the hips, standard size; derived joints are zero. Arguments as in detect()."""
    n, frames = joints.shape[:2]
    m = list(MEASURED)
    given = np.concatenate(
        [joints.reshape(n, frames, -1), errors[:, :, m].reshape(n, frames, -1), np.ones((n, frames, 1), np.float32)], -1
    )
    mean = given @ model.world.T
    tail = float(model.world_tail)
    factor = np.exp(rng.normal(0, tail, (n, 1, 1)) - tail**2).astype(np.float32)
    clip = rng.standard_normal((n, 1, model.world_clip.shape[1]), np.float32) @ model.world_clip.T
    frame = _smooth_wander((n, frames, model.world_frame.shape[1]), float(model.world_keep), rng) @ model.world_frame.T
    out = np.zeros_like(joints)
    out[:, :, m] = (mean + factor * (clip + frame)).reshape(n, frames, len(m), 3)
    return out


def _spells(n: int, frames: int, chance: float, seconds: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(C, T) true in spells of about ``seconds`` that take ``chance`` of all frames."""
    length = max(1.0, seconds * RATE)
    out = np.zeros((n, frames), bool)
    for row in np.flatnonzero(rng.random(n) < min(1.0, chance * frames / length)):
        a = int(rng.integers(-int(length), frames))
        out[row, max(a, 0) : max(a, 0) + 1 + int(rng.exponential(length))] = True
    return out


def episodes(points: Array, unit: Array, confidence: Array, rng: np.random.Generator) -> None:
    """Puts what goes badly wrong on top, in place.

    Args:
        points: (C, T, J, 2) detections; unit: (C, T) what a metre is in them; confidence: (C, T, J).
    """
    n, frames = confidence.shape[:2]
    for limb in _LIMBS:  # misplaced, more so outwards; or lost from sight and guessed
        wrong = np.flatnonzero((spell := _spells(n, frames, 0.004, 0.25, rng)).any(1))
        for c in wrong:
            jump = rng.normal(0, 0.13, 2) * np.linspace(0.4, 1, len(limb))[:, None]
            rows = np.flatnonzero(spell[c])
            points[np.ix_([c], rows, limb)] += jump * unit[c, rows][None, :, None, None]
            confidence[np.ix_([c], rows, limb)] *= rng.uniform(0.2, 1)
        for c in np.flatnonzero((spell := _spells(n, frames, 0.012, 0.7, rng)).any(1)):
            rows = np.flatnonzero(spell[c])
            guess = 0.05 * wander((1, len(rows), len(limb), 2), 0.9, rng) + rng.normal(0, 0.05, (1, 1, len(limb), 2))
            points[np.ix_([c], rows, limb)] += guess * unit[c, rows][None, :, None, None]
            confidence[np.ix_([c], rows, limb)] *= rng.uniform(0.05, 0.6)
    for group, chance in ((_EVERYTHING, 0.004), (_LOWER, 0.005), (_UPPER, 0.002)):
        other = JOINT_MIRROR[group]
        for c in np.flatnonzero((spell := _spells(n, frames, chance, 0.15, rng)).any(1)):
            rows = np.flatnonzero(spell[c])
            points[np.ix_([c], rows, group)] = points[np.ix_([c], rows, other)]
    # out of the picture, mostly throughout: guessed badly or not given
    for group, chance, seconds in (
        (_FEET, 0.02, 20.0), (_LOWER, 0.03, 20.0), (_joints("hip", "knee", "ankle", "heel", "toe"), 0.01, 20.0),
        (_joints("nose", "ear"), 0.008, 2.0), (_EVERYTHING, 0.01, 0.15),
    ):  # fmt: skip
        for c in np.flatnonzero((spell := _spells(n, frames, chance, seconds, rng)).any(1)):
            rows = np.flatnonzero(spell[c])
            cell = np.ix_([c], rows, group)
            if len(group) == _COUNT or rng.random() < 0.5:
                confidence[cell] = 0
                continue
            guess = 0.03 * wander((1, len(rows), len(group), 2), 0.9, rng) + rng.normal(0, 0.05, (1, 1, len(group), 2))
            points[cell] += guess * unit[c, rows][None, :, None, None]
            confidence[cell] = rng.uniform(0.01, 0.3)
    confidence[rng.random(confidence.shape) < 0.005] = 0
    np.clip(confidence, 0, 1, out=confidence)
