"""What is known of a person in each frame, weighted: the keypoints' rays, the lifted joints, the feet on the floor."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..bends import HINGES, likeliest
from ..keypoints import Keypoints
from ..lifting import joints_2d
from ..skeleton import JOINT_NAMES
from .chain import KNUCKLES, POINT, POINTS

Array = NDArray[Any]

# what errors of neighbouring frames share makes them count for less: a frame tells as much as its part of this time, s
MEMORY = 0.15
_PIXEL_SD = {"toe": 0.022, "heel": 0.017, "hand": 0.022, "wrist": 0.018, "elbow": 0.018, "ear": 0.02, "nose": 0.02}
_PIXEL_OTHER = 0.016  # m at the person's depth
_KNUCKLE_SD = 0.035
_SIGMA = 0.07  # m: the expected error of lifted joints that do not say it
_ACROSS, _ALONG = 0.7, 0.85  # of the expected error, per axis across the line of sight and along it
_LEAST_SIGMA = 0.02
_BEND_SD = np.radians(4.0)  # the likeliest bend of a knee or an elbow is not known better
_LEAST_MASS = 0.3  # probability about the likeliest bend below which it says nothing


# Where the detector's points lie beside the joints, metres on a standard body: outward, up and forward in the trunk's frame.
# Means over rendered people (training/fit_noise.py, whose noise.npz a test holds these to).
_OFFSETS = {
    "nose": (0, 0.018, -0.016), "ear": (-0.039, -0.009, 0.034), "hip": (0.004, 0.002, 0.019), "knee": (-0.002, 0.003, -0.003),
    "ankle": (0.003, 0.020, 0.007), "heel": (0.002, -0.003, 0.014), "toe": (-0.013, 0.006, -0.017),
    "shoulder": (-0.002, 0.030, -0.003), "elbow": (-0.004, 0.013, 0.008), "wrist": (-0.002, 0.006, -0.003),
    "hand": (-0.017, 0.001, -0.011),
}  # fmt: skip


def _offsets() -> Array:
    """(P, 3) the offset of each of chain.POINTS in the rest pose's axes (left along +X, facing -Y, Z up)."""
    rows = []
    for name in POINTS:
        outward, up, forward = _OFFSETS.get("hand" if name in KNUCKLES else name.split("_")[-1], (0.0, 0.0, 0.0))
        side = 1.0 if name.startswith("left_") else -1.0 if name.startswith("right_") else 0.0
        rows.append((side * outward, -forward, up))
    return np.array(rows)


OFFSETS: Array = _offsets()


class Evidence(NamedTuple):
    """T frames of one person; all in the first frame's camera axes unless said.

    Attributes:
        times: (T,) s; share: (T,) how much of an independent observation a frame is.
        view: (T, 3, 3) from the first frame's camera axes to each frame's; rays: (T, P, 2) x/z, y/z there; ray_weight:
            (T, P) 1/m^2, for an error at the person's depth.
        lifted: (T, J, 3) m about the pelvis, at the body's size; information: (T, J, 3, 3) 1/m^2.
        bend: (T, H) rad, the likeliest bends of bends.HINGES; bend_weight: (T, H) 1/rad^2.
    """

    times: Array
    share: Array
    view: Array
    rays: Array
    ray_weight: Array
    lifted: Array
    information: Array
    bend: Array
    bend_weight: Array

    def part(self, rows: slice) -> "Evidence":
        """The frames of ``rows``."""
        return Evidence(*(x[rows] for x in self))


def gather(
    keypoints: Keypoints,
    matrix: Array,
    lifted: Array,
    sigma: Array | None,
    view: Array,
    zoom: Array,
    spikes: Array,
    bends: Array | None = None,
) -> Evidence:
    """Weights everything that was seen.

    Args:
        matrix: (3, 3) camera of the first frame; lifted: (T, J, 3) m, complete, at the body's size, first frame's axes;
        sigma: (T, J) m or None; view: (T, 3, 3); zoom: (T,); spikes: (T, J) true where a joint is not to be believed;
        bends: (T, H, CLASSES) probabilities (bends.py), or None.
    """
    found = keypoints.found
    times = keypoints.timestamps
    step = np.gradient(times) if len(times) > 1 else np.array([1 / keypoints.fps])
    share = np.minimum(step / MEMORY, 1.0)
    points, confidence = joints_2d(keypoints)
    count = len(POINTS)
    pixels = np.full((len(times), count, 2), np.nan)
    sure = np.zeros((len(times), count))
    pixels[:, : len(JOINT_NAMES)], sure[:, : len(JOINT_NAMES)] = points, confidence
    for name in KNUCKLES:
        if name in keypoints.names:
            k = keypoints.index(name)
            pixels[:, POINT[name]], sure[:, POINT[name]] = keypoints.points[:, k], keypoints.confidence[:, k]
    focal = np.array([matrix[0, 0], matrix[1, 1]]) * zoom[:, None]
    rays = (np.nan_to_num(pixels) - matrix[:2, 2]) / focal[:, None]
    sd = np.array([_KNUCKLE_SD if n in KNUCKLES else _PIXEL_SD.get(n.split("_")[-1], _PIXEL_OTHER) for n in POINTS])
    trust = np.where(found[:, None] & np.isfinite(pixels).all(-1), sure**2, 0.0)
    trust[:, : len(JOINT_NAMES)] *= np.where(spikes, 0.05, 1.0)
    ray_weight = trust / sd**2 * share[:, None]

    error = np.full(lifted.shape[:2], _SIGMA) if sigma is None else np.nan_to_num(sigma, nan=1.0)
    error = np.maximum(error, _LEAST_SIGMA)
    error[spikes] *= 4
    middle = (rays[:, : len(JOINT_NAMES)] * trust[:, : len(JOINT_NAMES), None]).sum(1)
    middle = middle / np.maximum(trust[:, : len(JOINT_NAMES)].sum(1), 1e-6)[:, None]
    sight = np.concatenate([middle, np.ones((len(times), 1))], 1)
    sight = np.einsum("tij,ti->tj", view, sight / np.linalg.norm(sight, axis=-1, keepdims=True))
    along = sight[:, :, None] * sight[:, None]
    shape = along / _ALONG**2 + (np.eye(3) - along) / _ACROSS**2
    weight = np.where(found[:, None], share[:, None] / error**2, 0.0)
    bend, bend_weight = np.zeros((2, len(times), len(HINGES)))
    if bends is not None:
        said = likeliest(np.nan_to_num(np.asarray(bends, np.float64)))
        sure = np.clip((said.mass - _LEAST_MASS) / (1 - _LEAST_MASS), 0, 1)
        bend, bend_weight = said.angle, found[:, None] * share[:, None] * sure / np.maximum(said.sd, _BEND_SD) ** 2
    information = weight[..., None, None] * shape[:, None]
    return Evidence(times, share, view, rays, ray_weight, lifted, information, bend, bend_weight)
