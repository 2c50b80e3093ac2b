"""Flip averaging: a picture and its mirror image are looked at side by side, and what both say is averaged."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..skeleton import mirror_index
from .detector import Detector, Pose, make_detector

_FACE = ("nose", "eye", "ear", "mouth")  # points lie close together there, whoever's left and right it is
_APART = 0.08  # extents between the two on average: one of them took left for right, or somebody else


class FlipAveraged:
    """A pair of detectors that follow one person, one of them in the mirror, each on a core of its own: itself a detector.

    Their errors are partly each other's mirror image, and seldom do both take left for right in the same picture.
    """

    def __init__(self, plain: Detector, mirrored: Detector) -> None:
        """Two detectors of the same kind, which it closes."""
        self.names, self.limbs, self.has_world = plain.names, plain.limbs, plain.has_world
        self._plain, self._mirrored = plain, mirrored
        self._mirror = mirror_index(plain.names)
        self._body = body_points(plain.names)
        self._beside = ThreadPoolExecutor(1, "flip")

    def close(self) -> None:
        """Closes both."""
        self._beside.shutdown()
        self._plain.close()
        self._mirrored.close()

    def __call__(self, image: NDArray[np.uint8]) -> list[Pose]:
        """The person in an (h, w, 3) RGB picture, if either of the two finds them."""
        answer = self._beside.submit(self._mirrored, np.ascontiguousarray(image[:, ::-1]))
        plain = self._plain(image)
        mirrored = [unmirrored(pose, image.shape[1], self._mirror) for pose in answer.result()]
        return [averaged(plain[0], mirrored[0], self._body)] if plain and mirrored else plain or mirrored

    def forget(self) -> None:
        """Drops the person followed, so that the next picture is searched afresh."""
        self._plain.forget()
        self._mirrored.forget()


def make_follower(name: str, flip: bool = True, models: Path | None = None) -> Detector:
    """A registered detector that follows one person; with ``flip`` two of them, one of which sees the mirror image.

    Raises:
        BadInputError: as make_detector().
    """
    plain = make_detector(name, models=models)
    return FlipAveraged(plain, make_detector(name, models=models)) if flip else plain


def body_points(names: tuple[str, ...]) -> list[int]:
    """Which of a detector's points are not in the face (all, if it sees nothing but faces)."""
    body = [i for i, name in enumerate(names) if not any(part in name.split("_") for part in _FACE)]
    return body or list(range(len(names)))


def unmirrored(pose: Pose, width: int, mirror: NDArray[np.intp]) -> Pose:
    """The pose of a mirrored picture ``width`` px wide, as it is in the picture itself; ``mirror``: each point's other side."""
    points = pose.points[mirror]
    points[:, 0] = width - points[:, 0]  # from the edge, as all pixel coordinates are counted here
    world = None if pose.world is None else pose.world[mirror] * np.array([-1, 1, 1], np.float32)
    return Pose(points, pose.visibility[mirror], world)


def averaged(a: Pose, b: Pose, body: list[int]) -> Pose:
    """The mean of two answers, each point weighted by how sure it is; where they are far apart, the surer answer.

    ``body``: the points whose distance counts.
    """
    extent = float(np.ptp(a.points, axis=0).max())
    if np.linalg.norm(a.points - b.points, axis=1)[body].mean() > _APART * extent:
        return max(a, b, key=lambda pose: float(pose.visibility.mean()))
    weight = np.stack([a.visibility, b.visibility]) + np.float32(1e-3)
    weight /= weight.sum(0)

    def mean(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
        w = weight if first.ndim == 1 else weight[..., None]
        return np.asarray(first * w[0] + second * w[1], np.float32)

    world = None if a.world is None or b.world is None else mean(a.world, b.world)
    return Pose(mean(a.points, b.points), mean(a.visibility, b.visibility), world)
