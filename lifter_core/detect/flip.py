"""Flip averaging: a picture and its mirror image are looked at side by side, and what both say is averaged."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..skeleton import mirror_index
from .mediapipe import KEYPOINT_NAMES, Landmarker, Pose

_MIRROR = mirror_index(KEYPOINT_NAMES)
_BODY = slice(KEYPOINT_NAMES.index("left_shoulder"), None)  # without the face, whose points lie close together
_APART = 0.08  # extents between the two on average: one of them took left for right, or somebody else


class FlipAveraged:
    """A pair of landmarkers that follow one person, one of them in the mirror, each on a core of its own.

    Their errors are partly each other's mirror image, and seldom do both take left for right in the same picture. Called and
    closed like a Landmarker.
    """

    def __init__(self, model: Path) -> None:
        self._plain, self._mirrored = Landmarker(model), Landmarker(model)
        self._beside = ThreadPoolExecutor(1, "flip")

    def __enter__(self) -> "FlipAveraged":
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()
        self._plain.__exit__()
        self._mirrored.__exit__()

    def __call__(self, image: NDArray[np.uint8]) -> list[Pose]:
        """The person in an (h, w, 3) RGB picture, if either of the two finds them."""
        answer = self._beside.submit(self._mirrored, np.ascontiguousarray(image[:, ::-1]))
        plain = self._plain(image)
        mirrored = [unmirrored(pose, image.shape[1]) for pose in answer.result()]
        return [averaged(plain[0], mirrored[0])] if plain and mirrored else plain or mirrored

    def forget(self) -> None:
        """Drops the person followed, so that the next picture is searched afresh."""
        self._plain.forget()
        self._mirrored.forget()


def unmirrored(pose: Pose, width: int) -> Pose:
    """The pose of a mirrored picture ``width`` px wide, as it is in the picture itself."""
    points, world = pose.points[_MIRROR], pose.world[_MIRROR]
    points[:, 0] = width - points[:, 0]  # from the edge, as all pixel coordinates are counted here
    world[:, 0] *= -1
    return Pose(points, pose.visibility[_MIRROR], world)


def averaged(a: Pose, b: Pose) -> Pose:
    """The mean of two answers, each point weighted by how sure it is; where they are far apart, the surer answer."""
    extent = float(np.ptp(a.points, axis=0).max())
    if np.linalg.norm(a.points - b.points, axis=1)[_BODY].mean() > _APART * extent:
        return max(a, b, key=lambda pose: float(pose.visibility.mean()))
    weight = np.stack([a.visibility, b.visibility]) + np.float32(1e-3)
    weight /= weight.sum(0)

    def mean(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
        w = weight if first.ndim == 1 else weight[..., None]
        return np.asarray(first * w[0] + second * w[1], np.float32)

    return Pose(*(mean(x, y) for x, y in zip(a, b, strict=True)))
