"""A camera for a rendered clip: where it stands, how it turns, what it sees of the person.

World: Z up, metres. Camera axes: OpenCV (x right, y down, z forward); a point is seen at K (R x + t).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .plan import Shot

Array = NDArray[Any]

_TRIES = 6000
_REACH = 15  # frames: a panning camera follows the mean over so many before and after
_LEAST_PX = 290.0  # height of a standing person at that distance
_INSIDE = 0.97  # of all points of all frames are in the picture, unless it is cropped
_FLOOR, _LOWEST, _HIGHEST, _FARTHEST = 0.15, 2.0, 5.5, 8.0


class View(NamedTuple):
    """K (3, 3); rotation (T, 3, 3) and translation (T, 3), world to camera; centre (3,); what it is like."""

    matrix: Array
    rotation: Array
    translation: Array
    centre: Array
    info: dict[str, float]

    def to_camera(self, points: Array) -> Array:
        """(T, N, 3) world -> camera coordinates."""
        return np.einsum("tij,tnj->tni", self.rotation, points) + self.translation[:, None]

    def project(self, points: Array) -> Array:
        """(T, N, 3) world -> (T, N, 2) pixels."""
        seen = self.to_camera(points) @ self.matrix.T
        return seen[..., :2] / np.maximum(seen[..., 2:], 0.05)


def place(shot: Shot, points: Array, facing: Array, height: float, rng: np.random.Generator) -> View | None:
    """A random camera that sees the person as the shot wants it, or None when there is none.

    Pitch mostly 0 to 20 degrees down, else -15 to 45; roll N(0, 6), in 15 % up to 30 degrees; field of view (longer side) 30
    to 75 degrees; 2 to 8 m away.

    Args:
        points: (T, N, 3) the true joints; facing: (T, 2) of the chest; height: standing, m.
    """
    size = np.array(shot.size, float)
    middle = points.mean(1)
    aim = _smooth(middle) if shot.moving else np.broadcast_to(middle.mean(0), middle.shape)
    front = facing[len(facing) // 2]
    azimuth = math.atan2(front[1], front[0]) + shot.azimuth
    for attempt in range(_TRIES):
        fov = math.radians(rng.uniform(30, 75))
        focal = size.max() / 2 / math.tan(fov / 2)
        # the shot's wish for the person's size is given up little by little
        share = np.clip(0.45 + 0.5 * shot.wish + rng.normal(0, 0.05 + 0.3 * attempt / _TRIES), 0.35, 1.2)
        share *= 1.35 if shot.cropped else 1.0
        distance = focal * height / (share * size[1])
        if not _LOWEST <= distance <= _FARTHEST or focal * height / distance < _LEAST_PX:
            continue
        pitch = math.radians(rng.uniform(-2, 20) if rng.random() < 0.7 else rng.uniform(-15, 45))
        around = azimuth + rng.normal(0, 0.15 + attempt / _TRIES)
        direction = np.array([math.cos(around) * math.cos(pitch), math.sin(around) * math.cos(pitch), math.sin(pitch)])
        centre = aim[len(aim) // 2] + distance * direction
        if not _FLOOR < centre[2] < _HIGHEST:
            continue
        wild = rng.random() < 0.15
        roll = math.radians(rng.uniform(-30, 30) if wild else rng.normal(0, 6))
        shift = rng.normal(0, 0.12, 3)
        if shot.cropped:  # feet or head out of the picture
            shift[2] += rng.choice([-1, 1], p=[0.25, 0.75]) * rng.uniform(0.15, 0.5)
        shake = _smooth(rng.normal(0, 0.03, middle.shape), 4) if shot.moving else 0.0
        rotation = _look(centre, aim + shift + shake, roll)
        matrix = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
        translation = -rotation @ centre
        view = View(matrix, rotation, translation, centre, {})
        depth = view.to_camera(points)[..., 2]
        pixels = view.project(points)
        inside = ((pixels > 3) & (pixels < size - 4)).all(-1) & (depth > 0.4)
        share_in = float(inside.mean())
        if depth.min() < 0.5 or not (0.55 < share_in < 0.92 if shot.cropped else share_in > _INSIDE):
            continue
        tall = float(focal * height / np.median(depth))
        info = {
            "fov": math.degrees(fov), "distance": float(distance), "pitch": math.degrees(pitch),
            "roll": math.degrees(roll), "height_px": tall, "inside": share_in,
            "azimuth": math.degrees(math.remainder(around - math.atan2(front[1], front[0]), 2 * math.pi)),
        }  # fmt: skip
        return view._replace(info=info)
    return None


def _look(centre: Array, at: Array, roll: float) -> Array:
    """(T, 3, 3) rotations of a camera at ``centre`` that looks at (T, 3) points, rolled."""
    z = at - centre
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    x = np.cross(z, [0, 0, 1.0])
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    y = np.cross(z, x)
    c, s = math.cos(roll), math.sin(roll)
    return np.stack([c * x + s * y, -s * x + c * y, z], -2)


def _smooth(track: Array, reach: int = _REACH) -> Array:
    """(T, 3) means over ``reach`` frames before and after, twice."""
    for _ in range(2):
        padded = np.pad(track, ((reach, reach), (0, 0)), "edge")
        track = np.stack([padded[i : i + len(track)] for i in range(2 * reach + 1)]).mean(0)
    return track
