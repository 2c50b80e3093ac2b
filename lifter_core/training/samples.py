"""Training and validation samples: a motion, a body, a camera, a detector; windows or single frames of it."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..lifting import TAP_RATE
from ..normalise import Encoded, encode, look_at, own_pose, standard_scale
from .bodies import mirror, recombine, resize, straighten_arms
from .cameras import Views, place, wander
from .mocap import Motion, stretches
from .noise import Detector, detect, episodes, offsets, own_3d

Array = NDArray[Any]

FRAMES = 120  # of a training sequence, at TAP_RATE
_FOCAL_SD = 0.13  # sd of the log of the assumed focal length against the true one
OWN_KNOWN = 0.8  # of the sequences have the detector's own 3D
_OWN_KNOWN_EXACT = 0.4  # of those with exact 2D
_UP_KNOWN = 0.5  # of the sequences know up
_EXACT = 0.1  # of the training sequences have exact 2D
_WILD = 0.2  # of the training cameras are far from level
_UP_ERROR = np.radians(5.0)  # sd of its direction's error about each axis, the solver's kind


class Sequences(NamedTuple):
    """C sequences of T frames as a network sees them.

    Attributes:
        encoded: C * T frames. target: (C * T, J, 3) in their virtual cameras' axes at standard size; size: (C * T,) the
            factor that brings a target back to its true size.
        there: (C, T) false beyond the ends of a clip.
    """

    encoded: Encoded
    target: Array
    size: Array
    there: NDArray[np.bool_]


def focal_error(count: int, rng: np.random.Generator) -> Array:
    """(C, 1, 1) factors on tangents: the assumed focal length is a guess."""
    return np.exp(rng.normal(0, _FOCAL_SD, (count, 1, 1))).astype(np.float32)


def known_up(up: Array, rng: np.random.Generator) -> Array:
    """(C, T, 3) up as somebody might know it: off by some degrees, mostly for good; zeros in the clips without it."""
    c, t = up.shape[:2]
    out = up + _UP_ERROR * (0.8 * rng.standard_normal((c, 1, 3)) + 0.6 * wander((c, t, 3), 0.97, rng))
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    return np.asarray((out * (rng.random((c, 1, 1)) < _UP_KNOWN)).astype(np.float32))


def look(
    views: Views,
    there: NDArray[np.bool_],
    model: Detector,
    rng: np.random.Generator,
    clean: bool = False,
    exact: float = 0.0,
) -> Sequences:
    """Projects, detects and encodes.

    A share ``exact`` of the sequences has exact and sure 2D, so that a network can learn to trust what is good; what else
    may be known is known there more seldom. ``clean`` leaves offsets, noise and the focal length's error out everywhere,
    the detector's own 3D and up as well: what the papers call ground-truth 2D.
    """
    c, t, j = views.joints.shape[:3]
    scale = standard_scale(views.joints.reshape(-1, j, 3)).reshape(c, t)
    scale = np.broadcast_to(np.median(scale, axis=1, keepdims=True), (c, t))[..., None, None]
    depth = np.maximum(views.root[..., 2], 0.5)
    if clean:
        own: Array | None = None
        up: Array | None = None
        points = views.joints + views.root[:, :, None]
        tangents = points[..., :2] / np.maximum(points[..., 2:], 0.3)
        confidence = np.ones((c, t, j), np.float32)
    else:
        # the detector sees a crop about the person: it errs in the axes of a camera that looks at the body
        turn = look_at(np.concatenate([views.root[..., :2], depth[..., None]], -1))
        standard = (views.joints @ turn * scale).astype(np.float32)
        perfect = rng.random((c, 1)) < exact
        moved = offsets(views.joints * scale, model, rng) * ~perfect[..., None, None]
        points = views.joints + moved / scale + views.root[:, :, None]
        tangents = points[..., :2] / np.maximum(points[..., 2:], 0.3)
        unit = 1 / (depth * scale[..., 0, 0])  # tangents a metre of a standard body
        speed = np.gradient(tangents, axis=1) * TAP_RATE / unit[..., None, None]
        errors, confidence = detect(standard, speed, model, rng)
        errors *= ~perfect[..., None, None]
        known = (rng.random((c, 1)) < np.where(perfect, _OWN_KNOWN_EXACT, OWN_KNOWN)) & there
        own = own_pose(own_3d(standard, errors, model, rng).reshape(-1, j, 3)) * known.reshape(-1, 1, 1)
        tangents = tangents + errors * unit[..., None, None]
        true = tangents[perfect[:, 0]]
        episodes(tangents, unit, confidence, rng)
        tangents[perfect[:, 0]], confidence[perfect[:, 0]] = true, 1
        # a point out of the picture's wide surroundings is not seen
        confidence[(np.abs(tangents[..., 0]) > 1.2) | (np.abs(tangents[..., 1]) > 1.2)] = 0
        confidence[~there] = 0
        tangents = tangents * focal_error(c, rng)[..., None]
        up = known_up(views.up, rng).reshape(-1, 3)
    encoded = encode(tangents.reshape(-1, j, 2), confidence.reshape(-1, j), own, up)
    target = (views.joints.reshape(-1, j, 3) @ encoded.view) * scale.reshape(-1, 1, 1)
    return Sequences(encoded, target.astype(np.float32), (1 / scale).reshape(-1).astype(np.float32), there)


def draw(motion: Motion, count: int, model: Detector, rng: np.random.Generator, frames: int = FRAMES) -> Sequences:
    """``count`` fresh training sequences."""
    clips = rng.choice(len(motion.start), count, p=motion.chance)
    joints, there = stretches(motion, clips, frames, TAP_RATE, rng)
    joints = resize(straighten_arms(recombine(mirror(joints, rng), rng), rng), rng)
    return look(place(joints, rng, _WILD), there, model, rng, exact=_EXACT)


def window_rows(there: NDArray[np.bool_], taps: tuple[int, ...], centres: Array) -> NDArray[np.intp]:
    """(N, W) the frames about each centre, indices into C * T frames, -1 where there is none.

    Args:
        there: (C, T); centres: (N, 2) sequence and frame.
    """
    frames = there.shape[1]
    at = centres[:, 1:] + np.array(taps)
    inside = (at >= 0) & (at < frames)
    rows = centres[:, :1] * frames + np.clip(at, 0, frames - 1)
    return np.where(inside & there.reshape(-1)[rows], rows, -1)
