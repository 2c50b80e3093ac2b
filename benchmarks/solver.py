"""Detected keypoints to solved takes on rendered people with known joints: MPJPE, PA-MPJPE, acceleration error.

    python benchmarks/solver.py PAIRS.npz [PAIRS.npz ...] [--model NAME]

PAIRS are BlazePose detections of rendered, mocap-driven people with the truth (see docs/training.md). Compared side by
side: MediaPipe's own world landmarks, the lifted joints, the solved take; camera axes, 12 limb joints, about the hips.
The true focal length is not told (the prior is used), nor the height.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lifter_core.detect.mediapipe import KEYPOINT_NAMES
from lifter_core.keypoints import Keypoints
from lifter_core.lifting import lift
from lifter_core.runtime import DEFAULT_MODEL, load
from lifter_core.skeleton import JOINT_NAMES
from lifter_core.solve import solve
from lifter_core.solve.camera import camera_matrix
from lifter_core.training.metrics import LIMBS, acceleration_error, mpjpe, pa_mpjpe

Array = NDArray[Any]


class Clip(NamedTuple):
    """A rendered clip: keypoints found and true limb joints (T, J, 3), camera axes, metres; other joints are zero."""

    keypoints: Keypoints
    truth: Array


def read_pairs(path: Path) -> Iterator[Clip]:
    """The clips of a file of pairs."""
    with np.load(path) as z:
        meta = json.loads(str(z["meta"]))
        arrays = {k: z[k] for k in ("det", "world", "P3", "R", "t")}
    for info in meta["clips"]:
        rows = slice(info["start_row"], info["start_row"] + info["len"])
        a = {k: v[rows] for k, v in arrays.items()}
        truth = np.zeros((info["len"], len(JOINT_NAMES), 3))
        camera = np.einsum("fij,fpj->fpi", a["R"], a["P3"]) + a["t"][:, None]
        for j in LIMBS:
            side, part = JOINT_NAMES[j].split("_")
            truth[:, j] = camera[:, info["names"].index(f"{side[0]}_{part}")]
        det = a["det"]
        keypoints = Keypoints(
            KEYPOINT_NAMES,
            det[..., :2],
            np.nan_to_num(det[..., 3]),
            np.arange(info["len"]) / info["fps"],
            (info["size"][0], info["size"][1]),
            info["fps"],
            a["world"],
        )
        yield Clip(keypoints, truth)


def main() -> None:
    """Prints one row a method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    args = parser.parse_args()
    model = load(args.model)
    rows: dict[str, list[Array]] = {}
    clips = 0
    for path in args.pairs:
        for clip in read_pairs(path):
            k = clip.keypoints
            if k.found.mean() < 0.5:
                continue
            clips += 1
            matrix = camera_matrix(k.image_size)
            lifted = lift(k, matrix, model)
            take = solve([k], [lifted], matrix)
            solved = np.einsum("tij,tkj->tki", take.camera_rotation, take.positions[0].astype(float))
            own = np.zeros_like(lifted)
            assert k.world is not None
            for j in LIMBS:
                own[:, j] = k.world[:, k.index(JOINT_NAMES[j])]
            for name, joints in (("MediaPipe world", own), (f"lifted ({model.name})", lifted), ("solved take", solved)):
                f = k.found
                both = f[2:] & f[1:-1] & f[:-2]
                figures = np.array(
                    [
                        mpjpe(joints[f], clip.truth[f]).mean(),
                        pa_mpjpe(joints[f], clip.truth[f]).mean(),
                        acceleration_error(joints, clip.truth)[both].mean(),
                    ]
                )
                rows.setdefault(name, []).append(figures)
    print(f"{clips} clips, mean over clips; mm and mm/frame^2 at 30 fps")
    print(f"{'':<24}{'MPJPE':>8}{'PA-MPJPE':>10}{'accel':>8}")
    for name, figures_of in rows.items():
        a, b, c = np.mean(figures_of, axis=0)
        print(f"{name:<24}{a:>8.1f}{b:>10.1f}{c:>8.1f}")


if __name__ == "__main__":
    main()
