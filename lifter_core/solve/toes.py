"""Toes bend where the foot rolls over its ball: they do not go through the floor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import about
from ..skeleton import BONE, JOINT
from .body import Body

Array = NDArray[Any]

_MOST = np.radians(90.0)


def bend_toes(body: Body, bones: Array, heights: Array) -> Array:
    """Global rotations (T, B, 3, 3) in the world with each toes bone turned up about the foot's own hinge as far as needed.

    Args:
        heights: (T, 2) m, of the left and right ball of the foot above the floor.
    """
    out = bones.copy()
    for k, side in enumerate(("left", "right")):
        foot = bones[:, BONE[f"{side}_foot"]]
        tip = body.joint_offsets[JOINT[f"{side}_toe"]]
        hinge, along = -foot[:, :, 0], foot @ tip  # about the person's right, toes go up
        a, b = along[:, 2], np.cross(hinge, along)[:, 2]
        reach = np.hypot(a, b)
        wanted = np.clip(-np.maximum(heights[:, k], 0.0) / np.maximum(reach, 1e-9), -1, 1)
        # a cos x + b sin x = wanted * reach, the smaller turn upwards; counted from 0 to a full turn, since a foot on its tip
        # has its toes on either side of straight down
        angle = np.mod(np.arctan2(b, a) - np.arccos(wanted), 2 * np.pi)
        angle = np.where(a < wanted * reach, np.minimum(angle, _MOST), 0.0)
        out[:, BONE[f"{side}_toes"]] = about(hinge, angle) @ foot
    return out
