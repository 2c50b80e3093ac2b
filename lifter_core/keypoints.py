"""The 2D result: keypoints of one person over a clip, with gaps and confidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass
class Keypoints:
    """What a detector found of one person in T frames.

    Attributes:
        names: K keypoint names (``left_knee``, ...; left and right are the person's own).
        points: (T, K, 2) pixels of the upright, square-pixel picture; NaN where nothing was found.
        confidence: (T, K) 0 to 1; 0 where nothing was found.
        timestamps: (T,) seconds from the clip's first frame.
        image_size: width, height of the upright picture in pixels.
        fps: the clip's average frame rate.
        world: (T, K, 3) the detector's own 3D in metres about the hips (camera axes), NaN where not found, or None.
    """

    names: tuple[str, ...]
    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    timestamps: NDArray[np.float64]
    image_size: tuple[int, int]
    fps: float
    world: NDArray[np.float32] | None = None

    @property
    def found(self) -> NDArray[np.bool_]:
        """(T,) true where the person was found."""
        return np.asarray(np.isfinite(self.points).all((1, 2)))

    def index(self, name: str) -> int:
        """The position of a keypoint by name."""
        return self.names.index(name)
