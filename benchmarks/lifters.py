"""The shipped networks side by side: error on validation mocap, size, speed.

    python benchmarks/lifters.py MOCAP_FOLDER [--write]

MOCAP_FOLDER holds cmu_60.npz and hdm05_60.npz (docs/training.md). Each validation frame stands before its own random
camera (fixed seed); ``noisy`` adds the detector noise of lifter_core/training/noise.py, ``clean`` is the exact projection.
PA-MPJPE / MPJPE in mm over 12 limb joints, about the hips, at the true body size, flip averaging on. ``--write`` puts the
figures into the model cards (lifter_core/weights/*.json), where ``lifter models`` reads them.
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from lifter_core.lifting import predict_poses
from lifter_core.normalise import Encoded
from lifter_core.runtime import WEIGHTS, Model, load, shipped
from lifter_core.training.evaluate import score, validation_set


def poses_a_second(model: Model, encoded: Encoded, batch: int, seconds: float = 1.5) -> float:
    """Poses a second through the network alone, without flip averaging."""
    part = Encoded(*(a[:batch] for a in encoded))
    model.predict(part)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        model.predict(part)
        done += batch
    return done / (time.perf_counter() - began)


def main() -> None:
    """Prints a table, one row a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    sets = {
        "CMU val, noisy": validation_set(args.mocap / "cmu_60.npz", clean=False),
        "CMU val, clean": validation_set(args.mocap / "cmu_60.npz", clean=True),
        "HDM05 val, noisy": validation_set(args.mocap / "hdm05_60.npz", clean=False),
    }
    print(f"{os.cpu_count()} CPU cores, {time.strftime('%Y-%m-%d')}, ONNX Runtime; PA-MPJPE / MPJPE in mm")
    print(f"| network | parameters | samples | {' | '.join(sets)} | poses/s, batch 1 | batch 1024 |")
    print("|---" * (len(sets) + 5) + "|")
    cards = shipped()
    for name, card in cards.items():
        model = load(name, backend="onnxruntime")
        figures = {}
        for label, samples in sets.items():
            f = score(lambda encoded, model=model: predict_poses(model, encoded), samples)  # type: ignore[misc]
            figures[label] = f"{f.pa_mpjpe:.1f} / {f.mpjpe:.1f}"
        encoded = sets["CMU val, noisy"].encoded
        speed = [poses_a_second(model, encoded, batch) for batch in (1, 1024)]
        parts = [cards[part] for part in card.get("mean_of", [name])]
        size = [sum(c["parameters"] for c in parts), sum(c["training"]["samples"] for c in parts)]
        row = [name, *(f"{s / 1e6:.1f} M" for s in size), *figures.values()]
        print("| " + " | ".join(row + [f"{np.round(s, -2):,.0f}" for s in speed]) + " |", flush=True)
        if args.write:
            path = WEIGHTS / f"{name}.json"
            card["figures"] = figures
            path.write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()
