"""Normalisation: the input and the output of every lifting network, in a virtual camera that looks at the torso.

Pixels become rays. The virtual camera is the real one rotated, by the smallest rotation, to look along the ray to the torso; so
the input depends less on where in the picture the person stands, while perspective stays exact. In that camera the points are
divided by their spread (root mean square distance from the axis); the spread and the torso's ray are three global inputs.
Two more inputs are optional: the detector's own 3D pose and the direction up. The network's output is in the virtual camera's
axes, in metres about the pelvis, for a body of standard size (STANDARD_LENGTH), as one picture does not show absolute size.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .skeleton import JOINT, JOINT_NAMES

Array = NDArray[Any]

DERIVED = tuple(JOINT[name] for name in ("pelvis", "spine", "thorax", "neck", "head"))
MEASURED = tuple(i for i in range(len(JOINT_NAMES)) if i not in DERIVED)
NODE_CHANNELS = 6  # x, y in units of the spread; confidence; x, y, z of the detector's own 3D
GLOBAL_CHANNELS = 6  # log of the spread; torso ray x/z and y/z; x, y, z of the direction up
PLAIN_CHANNELS = 3  # of nodes and of globals, for networks that use neither the detector's own 3D nor the direction up

# pelvis-spine-thorax + thigh + shin of a standard body, metres: the mean of the CMU subjects
STANDARD_LENGTH = 1.35
_TORSO = tuple(JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip"))
LOG_SPREAD = (-1.9, 0.6)  # mean and standard deviation of log(spread) in training, to standardise it


class Encoded(NamedTuple):
    """A batch of N poses as input of the networks.

    Attributes:
        nodes: (N, J, 6) x, y (virtual camera, in units of the spread) and confidence, zeros where the point is missing; then
            the detector's own 3D in metres about the hips at standard size, zeros where it is unknown.
        globals: (N, 6) log spread (standardised), torso ray x/z, y/z; the direction up, virtual camera axes, zeros if unknown.
        view: (N, 3, 3) rotation from the virtual camera's axes to the real camera's.
    """

    nodes: Array
    globals: Array
    view: Array


def fill_derived(points: Array, confidence: Array) -> tuple[Array, Array]:
    """Computes the joints that no detector finds (pelvis, spine, thorax, neck, head) from those that it finds.

    Args:
        points: (N, J, 2), any unit; confidence: (N, J), 0 = missing. Only the MEASURED joints are read.

    Returns:
        copies with the derived joints filled in; a derived joint's confidence is the smallest of those it is computed from.
    """
    p, c = points.copy(), confidence.copy()
    j = JOINT

    def mid(a: str, b: str) -> tuple[Array, Array]:
        return (p[:, j[a]] + p[:, j[b]]) / 2, np.minimum(c[:, j[a]], c[:, j[b]])

    pelvis, c_pelvis = mid("left_hip", "right_hip")
    thorax, c_thorax = mid("left_shoulder", "right_shoulder")
    ears, c_ears = mid("left_ear", "right_ear")
    p[:, j["pelvis"]], c[:, j["pelvis"]] = pelvis, c_pelvis
    p[:, j["thorax"]], c[:, j["thorax"]] = thorax, c_thorax
    p[:, j["spine"]], c[:, j["spine"]] = 0.35 * pelvis + 0.65 * thorax, np.minimum(c_pelvis, c_thorax)
    p[:, j["neck"]], c[:, j["neck"]] = 0.4 * thorax + 0.6 * ears, np.minimum(c_ears, c_thorax)
    p[:, j["head"]], c[:, j["head"]] = 1.6 * ears - 0.6 * thorax, np.minimum(c_ears, c_thorax)
    return p, c


def norm(vectors: Array) -> Array:
    """(...) lengths of vectors (..., 2 or 3); several times as fast as numpy's sum over such a short axis."""
    total = vectors[..., 0] ** 2
    for k in range(1, vectors.shape[-1]):
        total = total + vectors[..., k] ** 2
    return np.asarray(np.sqrt(total))


def look_at(direction: Array) -> Array:
    """(N, 3, 3) the smallest rotations R with R @ (0, 0, 1) = direction / |direction|; direction (N, 3), z > 0."""
    d = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    k = 1 / (1 + z)
    rows = [1 - x * x * k, -x * y * k, x, -x * y * k, 1 - y * y * k, y, -x, -y, z]
    return np.stack(rows, -1).reshape(*d.shape[:-1], 3, 3)


def torso_ray(tangents: Array, confidence: Array) -> Array:
    """(N, 3) the ray to the mean of the torso's points, or of all points where fewer than two of those are known; z = 1."""
    seen = (confidence > 0).astype(tangents.dtype)
    torso = seen[:, _TORSO]
    few = torso.sum(1) < 2
    weight = np.zeros_like(seen)
    weight[:, _TORSO] = torso
    if few.any():
        weight[few] = seen[few]
        weight[np.ix_(few, DERIVED)] = 0
    total = np.maximum(weight.sum(1), 1e-6)[:, None]
    centre = np.einsum("nj,njk->nk", weight, tangents) / total
    return np.concatenate([centre, np.ones_like(centre[:, :1])], 1)


def encode(tangents: Array, confidence: Array, own: Array | None = None, up: Array | None = None) -> Encoded:
    """Converts image rays into network input.

    Args:
        tangents: (N, J, 2) x/z and y/z of each MEASURED joint's ray, (pixel - principal point) / focal length.
        confidence: (N, J) 0 to 1; 0 = missing (its tangent may then be anything finite).
        own: (N, J, 3) the detector's own 3D as own_pose() gives it, zeros where not known; up: (N, 3) unit vectors in the
            camera's axes, or zeros.

    Returns:
        Encoded; all zeros for a pose without any known point.
    """
    t = np.ascontiguousarray(tangents, np.float32)
    seen = (confidence > 0).astype(np.float32)
    ray = torso_ray(t, confidence)
    view = look_at(ray)
    # x_virtual = view^T x_camera
    v = t @ view[:, :2] + view[:, 2:]
    local = v[..., :2] * (1 / np.maximum(v[..., 2:], 0.2))
    local, conf = fill_derived(local, confidence.astype(np.float32))
    w = seen[:, MEASURED]
    spread = np.sqrt((w * norm(local[:, MEASURED]) ** 2).sum(1) / np.maximum(w.sum(1), 1) + 1e-9)
    nodes = np.zeros((*conf.shape, NODE_CHANNELS), np.float32)
    nodes[..., :2] = np.clip(local / spread[:, None, None], -6, 6)
    nodes[..., 2] = conf
    nodes[conf <= 0] = 0
    flat = np.zeros((len(t), GLOBAL_CHANNELS), np.float32)
    flat[:, 0] = (np.log(spread) - LOG_SPREAD[0]) / LOG_SPREAD[1]
    flat[:, 1:3] = ray[:, :2]
    if own is not None:
        nodes[..., 3:] = own
    if up is not None:
        flat[:, 3:] = np.einsum("ni,nij->nj", up, view)
    return Encoded(nodes, flat, view.astype(np.float32))


def own_pose(points: Array) -> Array:
    """The detector's own 3D as network input: derived joints filled in, about the middle of the hips, at standard size.

    Args:
        points: (N, J, 3) of which the MEASURED joints are read; any unit. Because the detector is given a crop around the
            person, its axes are treated as those of the virtual camera.
    """
    p = points.copy()
    j = JOINT

    def mid(part: str) -> Array:
        return np.asarray((p[:, j[f"left_{part}"]] + p[:, j[f"right_{part}"]]) / 2)

    p = p - mid("hip")[:, None]
    thorax, ears = mid("shoulder"), mid("ear")
    p[:, j["pelvis"]], p[:, j["thorax"]], p[:, j["spine"]] = 0, thorax, 0.65 * thorax
    p[:, j["neck"]], p[:, j["head"]] = 0.4 * thorax + 0.6 * ears, 1.6 * ears - 0.6 * thorax
    return np.asarray(p * standard_scale(p)[:, None, None])


def standard_scale(joints: Array) -> Array:
    """(N,) the factor that scales each body to the standard size; joints (N, J, 3) in any unit."""

    def length(a: str, b: str) -> Array:
        return norm(joints[:, JOINT[a]] - joints[:, JOINT[b]])

    legs = sum(length(f"{s}_hip", f"{s}_knee") + length(f"{s}_knee", f"{s}_ankle") for s in ("left", "right"))
    trunk = length("pelvis", "spine") + length("spine", "thorax")
    return STANDARD_LENGTH / np.maximum(trunk + legs / 2, 1e-6)
