"""Geometry of a camera that rotates and zooms without translating: how it moves image points, and fitting that to points.

Points are pixels from the picture's middle (x right, y down). With focal length f a point p is the ray (p, f); after the
turn R and with focal length f * zoom it is at p' = f * zoom * (R ray)_xy / (R ray)_z, the homography K' R K^-1
(Hartley and Zisserman, Multiple View Geometry, 8.4).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LEAST_DEPTH = 0.05  # limit of a rotated ray's depth, as a fraction of the focal length; keeps the division finite


class Turn(NamedTuple):
    """The change from one frame's camera to another's.

    Attributes: rotation (3, 3); zoom: the ratio of the focal lengths; focal: the first one's focal length in px.
    """

    rotation: NDArray[np.float64]
    zoom: float
    focal: float

    def then(self, rotation: Array, zoom: float) -> "Turn":
        """Composes this change with one that follows it."""
        return Turn(rotation @ self.rotation, self.zoom * zoom, self.focal)


def no_turn(focal: float) -> Turn:
    """A camera that does not move."""
    return Turn(np.eye(3), 1.0, focal)


def warp(turn: Turn, points: Array) -> Array:
    """(N, 2) places in the second frame of points (N, 2) of the first; far outside the picture for points behind the camera."""
    # Python floats do not turn float32 points into float64
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(turn.rotation).tolist()
    focal, far = float(turn.focal), float(turn.focal * turn.zoom)
    x, y = points[..., 0], points[..., 1]
    scale = far / np.maximum(g * x + h * y + i * focal, _LEAST_DEPTH * focal)
    out = np.empty(points.shape, points.dtype)
    out[..., 0] = (a * x + b * y + c * focal) * scale
    out[..., 1] = (d * x + e * y + f * focal) * scale
    return out


def fit_turn(
    start: Turn,
    before: Array,
    after: Array,
    weights: Array | None = None,
    scale: float = 0.3,
    zooms: bool = True,
    focal_prior: tuple[float, float] | None = None,
    rounds: int = 6,
) -> tuple[Turn, NDArray[np.float64]]:
    """Fits rotation and zoom to point pairs by robust Gauss-Newton with Geman-McClure weights.

    Args:
        start: the initial estimate. Its focal length is kept unless focal_prior is given.
        before, after: (N, 2) the points in both frames; weights: (N,) a weight for each.
        scale: px: the residual at which a point's robust weight is 1/4. The first round uses at least eight times as much.
        zooms: whether the zoom is fitted too.
        focal_prior: prior mean of the focal length (px) and the standard deviation of its logarithm; the focal length is then
            fitted too.
        rounds: iterations.

    Returns:
        the fitted change, and (N,) each point's final robust weight, 0 to 1.
    """
    rotation, zoom, focal = start.rotation, start.zoom, start.focal
    ux, uy = (np.ascontiguousarray(before[:, i], np.float64) for i in (0, 1))
    seen = np.concatenate([after[:, 0], after[:, 1]]).astype(np.float64)
    count = len(ux)
    weights = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    share = np.ones(count)
    rows = [0, 1, 2] + ([3] if zooms else []) + ([4] if focal_prior else [])
    jacobian = np.zeros((5, 2 * count))
    for step in range(rounds):
        (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
        z = np.maximum(g * ux + h * uy + i * focal, _LEAST_DEPTH * focal)
        x, y = (a * ux + b * uy + c * focal) / z, (d * ux + e * uy + f * focal) / z
        far = focal * zoom
        jacobian[3, :count], jacobian[3, count:] = x, y
        residual = seen - far * jacobian[3]
        squares = residual * residual
        squares = squares[:count] + squares[count:]
        wide = scale * max(8.0 * 0.4**step, 1.0)
        wide = (
            wide * wide if step > rounds // 2 else max(wide * wide, float(np.median(squares)))
        )  # wherever it may begin
        share = 1 / (1 + squares / wide) ** 2
        jacobian[0, :count], jacobian[0, count:] = -x * y, -1 - y * y
        jacobian[1, :count], jacobian[1, count:] = 1 + x * x, x * y
        jacobian[2, :count], jacobian[2, count:] = -y, x
        if focal_prior:
            lean = focal / z
            jacobian[4, :count], jacobian[4, count:] = x + (c - x * i) * lean, y + (f - y * i) * lean
        one = weights * share
        j = jacobian[rows] * far
        weighted = j * np.concatenate([one, one])
        normal, right = weighted @ j.T, weighted @ residual
        if focal_prior:
            pull = (scale / focal_prior[1]) ** 2
            normal[-1, -1] += pull
            right[-1] -= pull * math.log(focal / focal_prior[0])
        normal.flat[:: len(rows) + 1] += 1e-9 * normal.trace() + 1e-12
        delta = np.zeros(5)
        delta[rows] = np.linalg.solve(normal, right)
        if not np.isfinite(delta).all():
            break
        rotation = _turned(rotation, delta[:3].tolist())
        zoom *= math.exp(min(max(delta[3], -0.5), 0.5))
        focal *= math.exp(min(max(delta[4], -0.3), 0.3))
    # one step towards the nearest orthogonal matrix, so that rounding errors do not accumulate
    rotation = rotation @ (1.5 * np.eye(3) - 0.5 * rotation.T @ rotation)
    return Turn(rotation, zoom, focal), share


def _turned(rotation: Array, vector: list[float]) -> Array:
    """The rotation followed by one about a vector, limited to 0.5 rad; ten times as fast as ``rotations.turned`` for one."""
    angle = math.hypot(*vector)
    if angle < 1e-12:
        return rotation
    x, y, z = (v / angle for v in vector)
    angle = min(angle, 0.5)
    s, k = math.sin(angle), 1 - math.cos(angle)
    return (
        np.array(
            [
                [1 - k * (y * y + z * z), k * x * y - s * z, k * x * z + s * y],
                [k * x * y + s * z, 1 - k * (x * x + z * z), k * y * z - s * x],
                [k * x * z - s * y, k * y * z + s * x, 1 - k * (x * x + y * y)],
            ]
        )
        @ rotation
    )
