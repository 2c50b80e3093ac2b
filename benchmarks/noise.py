"""Is the fitted detector like the detector? The errors of pairs beside those that the model draws on training mocap.

    python benchmarks/noise.py MOCAP_FOLDER PAIRS.npz

Metres on a standard body, image plane, all measured joints; frames where the detector is elsewhere altogether are left out of
the pairs and left to noise.episodes(), which is not drawn here.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifter_core.lifting import TAP_RATE
from lifter_core.normalise import MEASURED, own_pose, standard_scale
from lifter_core.training.cameras import place
from lifter_core.training.fit_noise import prepared
from lifter_core.training.metrics import mpjpe, pa_mpjpe
from lifter_core.training.mocap import load_motion, stretches
from lifter_core.training.noise import detect, fitted, offsets, own_3d
from lifter_core.training.synthetic.pairs import read_pairs

Array = NDArray[Any]
_M = list(MEASURED)


def row(name: str, errors: list[Array], confidence: list[Array], own: Array, joints: Array) -> str:
    """One line of the table; errors (T, J, 2) and confidence (T, J) a clip, own and joints (N, J, 3)."""
    parts = [e[:, _M] for e in errors]
    length = np.concatenate([np.linalg.norm(p, axis=-1) for p in parts])
    second = np.concatenate([np.linalg.norm(np.diff(p, 2, axis=0), axis=-1) for p in parts])
    power = np.concatenate([(p**2).reshape(-1) for p in parts]).mean()
    constant = np.concatenate([(p.mean(0) ** 2).ravel() for p in parts]).mean() / power

    def correlation(lag: int) -> float:
        long = [p for p in parts if len(p) > lag + 5]
        return float(np.mean([(p[lag:] * p[:-lag]).mean() for p in long]) / np.mean([(p**2).mean() for p in long]))

    sure = np.concatenate([c[:, _M] for c in confidence])
    own = own_pose(own)
    cells = [
        name, *(f"{q:.3f}" for q in np.quantile(length, [0.5, 0.9, 0.99])),
        " / ".join(f"{q:.3f}" for q in np.quantile(second, [0.5, 0.9])), f"{constant:.0%}",
        " / ".join(f"{correlation(k):.2f}" for k in (1, 5, 15)),
        " / ".join(f"{np.median(length[k]):.3f}" for k in (sure < 0.3, (sure >= 0.3) & (sure < 0.95), sure >= 0.95)),
        f"{mpjpe(own, joints).mean():.0f} / {pa_mpjpe(own, joints).mean():.0f} mm",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("pairs", type=Path)
    args = parser.parse_args()
    print(
        "| | median | p90 | p99 | second difference, median / p90 | constant share | autocorrelation, lag 1 / 5 / 15 "
        "| median at confidence < .3 / < .95 / above | own 3D: MPJPE / PA |"
    )
    print("|---" * 9 + "|")
    clips = [c for c in map(prepared, read_pairs(args.pairs, "train")) if c is not None]
    print(
        row(
            "pairs",
            [c.errors for c in clips],
            [c.confidence for c in clips],
            np.concatenate([c.world for c in clips]),
            np.concatenate([c.joints for c in clips]),
        )
    )
    rng, model, motion = np.random.default_rng(0), fitted(), load_motion(args.mocap)
    chosen = rng.choice(len(motion.start), 300, p=motion.chance)
    joints, _ = stretches(motion, chosen, 60, TAP_RATE, rng)
    views = place(joints, rng)
    count, frames, j = views.joints.shape[:3]
    body = (
        views.joints
        * np.median(standard_scale(views.joints.reshape(-1, j, 3)).reshape(count, frames), 1)[:, None, None, None]
    )
    points = views.joints + views.root[:, :, None]
    tangents = points[..., :2] / np.maximum(points[..., 2:], 0.3)
    speed = np.gradient(tangents, axis=1) * TAP_RATE * np.maximum(views.root[..., 2], 0.5)[..., None, None]
    moved = offsets(body, model, rng)[..., :2]
    errors, confidence = detect(body, speed, model, rng)
    own = own_3d(body, errors, model, rng)
    print(row("model", list(errors + moved), list(confidence), own.reshape(-1, j, 3), body.reshape(-1, j, 3)))


if __name__ == "__main__":
    main()
