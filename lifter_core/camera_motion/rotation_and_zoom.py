"""The type for a camera's rotation and zoom over a clip."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class CameraMotion:
    """The camera's rotation and zoom over T frames; it does not translate.

    Attributes:
        rotations: (T, 3, 3) from the first frame's camera axes to each frame's: x_cam_t = R_t @ x_cam_0 (x right, y down,
            z forward); the first is the identity.
        zoom: (T,) ratio of each frame's focal length to the first frame's: f_t = f_0 * zoom_t.
        still: the camera does not move; all rotations are then exactly the identity and all zooms exactly 1.
        reason: a short text for users: why the camera was judged still or moving.
    """

    rotations: NDArray[np.float64]
    zoom: NDArray[np.float64]
    still: bool
    reason: str = ""

    def __len__(self) -> int:
        return len(self.zoom)


def still_camera(frames: int, reason: str = "") -> CameraMotion:
    """The motion of a camera that does not move."""
    return CameraMotion(np.broadcast_to(np.eye(3), (frames, 3, 3)).copy(), np.ones(frames), True, reason)
