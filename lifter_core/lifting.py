"""Keypoints to 3D joints: rays, a lifting network, flip averaging."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bends import HINGE_JOINTS
from .keypoints import Keypoints
from .normalise import Encoded, encode, own_pose
from .progress import Report, silent
from .runtime import Model
from .skeleton import JOINT_MIRROR, JOINT_NAMES, KEYPOINT_SOURCES

Array = NDArray[Any]

TAP_RATE = 30.0  # frames a second that a window's taps are counted in
_GRID = 120.0  # moments a second between which a window's frames are not told apart
_REACH = 0.1  # s: further from a found frame nothing is known
_EXPECTED_ERROR = 0.06  # m: of a network that does not say


class Lifted(NamedTuple):
    """A lifted clip of T frames; NaN where the person was not found.

    Attributes:
        joints: (T, J, 3) metres about the pelvis in camera axes (x right, y down, z forward), for a body of standard size.
        sigma: (T, J) the error to expect, metres; None where it is not known.
        bends: (T, H, CLASSES) probabilities of how far each of bends.HINGES is bent; None where the network does not say.
    """

    joints: Array
    sigma: Array | None = None
    bends: Array | None = None


def joints_2d(keypoints: Keypoints) -> tuple[Array, Array]:
    """The detector's points as joints: (T, J, 2) pixels and (T, J) confidence, 0 (and NaN) where nothing is known.

    A joint seen by several keypoints is at their mean, with the least of their confidences.
    """
    count = len(keypoints.timestamps)
    points = np.full((count, len(JOINT_NAMES), 2), np.nan, np.float32)
    confidence = np.zeros((count, len(JOINT_NAMES)), np.float32)
    for j, name in enumerate(JOINT_NAMES):
        sources = [s for s in KEYPOINT_SOURCES.get(name, (name,)) if s in keypoints.names]
        if sources:
            rows = [keypoints.index(s) for s in sources]
            points[:, j] = keypoints.points[:, rows].mean(1)
            confidence[:, j] = keypoints.confidence[:, rows].min(1)
    confidence[~np.isfinite(points).all(-1)] = 0
    return points, confidence


def own_joints(keypoints: Keypoints) -> Array:
    """(T, J, 3) the detector's own 3D as own_pose() has it; zeros where there is none."""
    out = np.zeros((len(keypoints.timestamps), len(JOINT_NAMES), 3), np.float32)
    if keypoints.world is None:
        return out
    for j, name in enumerate(JOINT_NAMES):
        sources = [s for s in KEYPOINT_SOURCES.get(name, (name,)) if s in keypoints.names]
        if sources:
            out[:, j] = keypoints.world[:, [keypoints.index(s) for s in sources]].mean(1)
    there = np.isfinite(out).all((1, 2))
    out[there] = own_pose(out[there])
    out[~there] = 0
    return out


def flipped(encoded: Encoded) -> Encoded:
    """The mirror image of the same poses (or windows of them)."""
    nodes, flat = encoded.nodes[..., JOINT_MIRROR, :].copy(), encoded.globals.copy()
    nodes[..., [0, 3]] *= -1
    flat[..., [1, 3]] *= -1
    return Encoded(nodes, flat, encoded.view)


def predict_poses(model: Model, encoded: Encoded, windows: NDArray[np.intp] | None = None) -> Lifted:
    """The mean of the network's answers to each pose and to its mirror image.

    Args:
        encoded: M frames; windows: (N, W) which frames each of N answers sees, by the model's taps, -1 = none (None: the M
            frames themselves, and nothing about them).

    Returns:
        Lifted, N frames: joints in the virtual camera of the window's middle frame.
    """
    mirror = flipped(encoded)
    both = Encoded(*(np.concatenate(pair) for pair in zip(encoded, mirror, strict=True)))
    if windows is not None:
        windows = np.concatenate([windows, np.where(windows < 0, -1, windows + len(encoded.nodes))])
    out = model.predict(both, windows)
    n = len(out) // 2
    there, back = out[:n], out[n:, JOINT_MIRROR]
    joints = (there[..., :3] + back[..., :3] * np.array([-1, 1, 1], np.float32)) / 2
    sigma = np.full(joints.shape[:2], _EXPECTED_ERROR, np.float32)
    if out.shape[-1] > 3:
        sigma = np.exp((there[..., 3] + back[..., 3]) / 2)
    bends = None
    if out.shape[-1] > 4:
        logits = ((there + back) / 2)[:, list(HINGE_JOINTS), 4:]
        bends = np.exp(logits - logits.max(-1, keepdims=True))
        bends /= bends.sum(-1, keepdims=True)
    return Lifted(joints, sigma, bends)


def tap_windows(
    times: Array, found: NDArray[np.bool_], taps: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Where the windows of a clip's found frames look.

    Args:
        times: (T,) s; found: (T,); taps: offsets in TAP_RATE-ths of a second, one of them 0.

    Returns:
        moments (M,) s, first the F found frames themselves, then the others needed, on a grid of _GRID a second; windows
        (F, W) indices into them, -1 beyond the clip. Any frame rate, steady or not, is seen at the taps' pace.
    """
    own = times[found]
    at = np.round((own[:, None] + np.array(taps) / TAP_RATE) * _GRID).astype(np.intp)
    slots, index = np.unique(at, return_inverse=True)
    windows = index.reshape(at.shape) + len(own)
    windows[:, taps.index(0)] = np.arange(len(own))
    slack = 0.5 / _GRID
    inside = (slots / _GRID >= own[0] - slack) & (slots / _GRID <= own[-1] + slack)
    windows[~np.concatenate([np.ones(len(own), bool), inside])[windows]] = -1
    return np.concatenate([own, slots / _GRID]), windows


def _at(
    times: Array, found: NDArray[np.bool_], moments: Array, values: Array, confidence: Array
) -> tuple[Array, Array]:
    """(M, J, C) values and (M, J) confidence between found frames; confidence is 0 further than _REACH from one."""
    own = times[found]
    values, confidence = values[found], confidence[found]
    high = np.clip(np.searchsorted(own, moments), 1, max(len(own) - 1, 1))
    low = high - 1
    high = np.minimum(high, len(own) - 1)
    step = np.maximum(own[high] - own[low], 1e-9)
    part = np.clip((moments - own[low]) / step, 0, 1)[:, None]
    a, b = confidence[low], confidence[high]
    both = np.where(part < 0.01, a, np.where(part > 0.99, b, np.minimum(a, b)))
    far = np.minimum(np.abs(moments - own[low]), np.abs(moments - own[high])) > _REACH
    between = values[low] + (values[high] - values[low]) * part[..., None]
    return between.astype(np.float32), np.where(far[:, None], 0, both).astype(np.float32)


def lift(
    keypoints: Keypoints,
    camera_matrix: NDArray[np.float64],
    model: Model,
    report: Report = silent,
    up: Array | None = None,
) -> Lifted:
    """Lifts one person's clip.

    Args:
        camera_matrix: (3, 3) pixels; its focal length may be a guess.
        up: (3,) or (T, 3) the world's up in the camera's axes, if something is known of it.

    Returns:
        Lifted; NaN where the person was not found.
    """
    points, confidence = joints_2d(keypoints)
    focal = np.array([camera_matrix[0, 0], camera_matrix[1, 1]])
    tangents = (np.nan_to_num(points) - camera_matrix[:2, 2]) / focal
    found, times = keypoints.found, keypoints.timestamps
    joints = np.full((len(found), len(JOINT_NAMES), 3), np.nan, np.float32)
    sigma = np.full((len(found), len(JOINT_NAMES)), np.nan, np.float32)
    bends: Array | None = None
    report("lift", 0, len(found))
    if found.any():
        own = own_joints(keypoints)
        moments, windows = times[found], None
        if model.taps:
            moments, windows = tap_windows(times, found, model.taps)
        both, sure = _at(times, found, moments, np.concatenate([tangents, own], -1), confidence)
        ups = None
        if up is not None:
            each = np.broadcast_to(up, (len(found), 3))
            nearest = (
                np.abs(times[found][:, None] - moments[None]).argmin(0)
                if each.std(0).any()
                else np.zeros(len(moments), int)
            )
            ups = each[found][nearest].astype(np.float32)
        encoded = encode(both[..., :2], sure, both[..., 2:], ups)
        answer = predict_poses(model, encoded, windows)
        joints[found] = answer.joints @ encoded.view[: len(answer.joints)].transpose(0, 2, 1)
        sigma[found] = answer.sigma
        if answer.bends is not None:
            bends = np.full((len(found), *answer.bends.shape[1:]), np.nan, np.float32)
            bends[found] = answer.bends
    report("lift", len(found), len(found))
    return Lifted(joints, sigma, bends)
