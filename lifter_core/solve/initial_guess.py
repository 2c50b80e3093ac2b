"""A first guess for the refinement: cleaned joints, one body, where the root is, rotations along the joints."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..keypoints import Keypoints
from ..lifting import joints_2d
from ..skeleton import BONE, JOINT, JOINT_NAMES
from .body import Body, measure, scaled
from .chain import UNKNOWN
from .filters import fill_gaps, outliers, smooth
from .pose import forward, pose_from_joints
from .root_path import root_translation, steady_path

Array = NDArray[Any]

_LONGEST_GAP = 1.0  # s: longer absences are not bridged
_SPIKE = 0.06  # m: smaller jumps are left to the smoothing
_JOINT_SIGMA = 0.06  # s
_ROOT_SIGMA_ACROSS, _ROOT_SIGMA_DEPTH = 0.06, 0.2  # s


class Guess(NamedTuple):
    """One person, first frame's camera axes.

    Attributes:
        body: the person's measures; turns: (T, U, 3, 3) global rotations of chain.UNKNOWN; root: (T, 3) m.
        lifted: (T, J, 3) the lifted joints at the body's size, gaps filled; spikes: (T, J) true where not to be believed.
        present: (T,) in the clip; observed: (T,) found by the detector.
    """

    body: Body
    turns: Array
    root: Array
    lifted: Array
    spikes: NDArray[np.bool_]
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


def first_guess(
    keypoints: Keypoints,
    lifted: Array,
    matrix: Array,
    height: float | None,
    view: Array,
    zoom: Array,
    body: Body | None = None,
) -> Guess:
    """Cleans what was lifted and puts a body along it.

    Args:
        lifted: (T, J, 3) metres about the pelvis in each frame's camera axes, NaN where not found; matrix: (3, 3) of the
            first frame; height: m or None; view: (T, 3, 3) from the first frame's axes to each frame's; zoom: (T,);
        body: the person's, if it is known (``height`` then scales it); None = measured on the lifted joints.
    """
    times = keypoints.timestamps
    points, confidence = joints_2d(keypoints)
    found = np.asarray(np.isfinite(lifted).all((1, 2)))
    lifted = np.einsum("tji,tkj->tki", view, lifted)
    derived = ~np.isfinite(points).all(-1).any(0)
    weights = np.where(found[:, None], np.maximum(confidence, 0.05), 0.0)
    # confidence of a joint without a keypoint: the person was found, no more
    weights[:, derived] = np.where(found, 0.7, 0.0)[:, None]

    flat = fill_gaps(times, lifted.reshape(len(times), -1), found)
    spikes = np.asarray(outliers(times, flat, floor=_SPIKE).reshape(lifted.shape).any(-1))
    joints = smooth(times, flat, np.repeat(weights * np.where(spikes, 0.02, 1.0), 3, 1), _JOINT_SIGMA).reshape(
        lifted.shape
    )

    body = body or measure(lifted[found], weights[found])
    body = scaled(body, height / body.height if height else 1.0)
    size = _size(body, joints[found])
    joints = joints * size

    focal = np.array([matrix[0, 0], matrix[1, 1]]) * zoom[:, None]
    rays = (np.nan_to_num(points) - matrix[:2, 2]) / focal[:, None]
    seen = np.where(found[:, None] & ~derived, confidence**2, 0.0) + 1e-9
    rotations = pose_from_joints(body, joints, times)
    posed = forward(body, rotations, np.zeros((len(times), 3)))[:, : len(JOINT_NAMES)]
    turned = np.einsum("tij,tkj->tki", view, posed)
    raw = fill_gaps(times, root_translation(turned, rays, seen), found)
    bad = outliers(times, np.log(raw[:, 2:]), seconds=0.15, floor=0.06)[:, 0]
    path = steady_path(times, raw, found * np.where(bad, 0.02, 1.0), _ROOT_SIGMA_ACROSS, _ROOT_SIGMA_DEPTH)
    root = np.einsum("tji,tj->ti", view, path)
    turns = rotations[:, [BONE[name] for name in UNKNOWN]]
    return Guess(body, turns, root, flat.reshape(lifted.shape) * size, spikes, bridged(times, found), found)


def _size(body: Body, joints: Array) -> float:
    """The factor from the lifted joints' size to the body's: over thighs, shins and trunk."""
    pairs = [("pelvis", "spine"), ("spine", "thorax")]
    pairs += [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))]
    rows = [(JOINT[a], JOINT[b]) for a, b in pairs]
    wanted = sum(np.linalg.norm(body.rest[a] - body.rest[b]) for a, b in rows)
    shown = sum(np.median(np.linalg.norm(joints[:, a] - joints[:, b], axis=-1)) for a, b in rows)
    return float(wanted / shown)
