"""The shipped networks side by side: error on validation mocap and on rendered people, size, speed.

    python benchmarks/lifters.py MOCAP_FOLDER [--pairs PAIRS.npz] [--split val] [--write]

MOCAP_FOLDER holds cmu_60.npz and hdm05_60.npz (docs/training.md). Sequences of 90 frames at 30 fps stand before random
cameras (fixed seed); ``noisy`` has the fitted detector noise of lifter_core/training/noise.py, in which the detector's own 3D
is known in 80 % and up in 50 % of the sequences, ``clean`` is the exact projection and nothing else. ``pairs`` are real
detections of rendered people moved by validation subjects' takes (docs/synthetic.md): the detector's own 3D is known, up
is not, with the row ``detector`` for that own 3D by itself. PA-MPJPE / MPJPE in mm over 12 limb joints, about the hips, at the
true body size, flip averaging on; acceleration error in mm/frame^2 at 30 fps, before any smoothing. ``--split test`` is for
the final table only. ``--write`` puts the figures into the model cards (lifter_core/weights/*.json).
The study of all the literature's networks is benchmarks/study.py.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifter_core.lifting import predict_poses
from lifter_core.normalise import Encoded
from lifter_core.runtime import WEIGHTS, Model, load, shipped
from lifter_core.training.evaluate import Figures, score, validation_set
from lifter_core.training.noise import fitted
from lifter_core.training.paired import draw_paired, prepare
from lifter_core.training.samples import Sequences
from lifter_core.training.synthetic.pairs import read_pairs


def poses_a_second(model: Model, encoded: Encoded, batch: int, seconds: float = 1.5) -> float:
    """Poses a second through the network alone, without flip averaging."""
    windows = np.random.default_rng(0).integers(0, len(encoded.nodes), (batch, max(len(model.taps), 1)))
    model.predict(encoded, windows)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        model.predict(encoded, windows)
        done += batch
    return done / (time.perf_counter() - began)


def figures(model: Model, sequences: Sequences) -> Figures:
    """A model's figures on a set, flip averaging on."""

    def predict(encoded: Encoded, windows: NDArray[np.intp] | None) -> Any:
        return predict_poses(model, encoded, windows)[0]

    return score(predict, sequences, model.taps)


def main() -> None:
    """Prints a table, one row a network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--split", default="val", choices=("val", "test"))
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    noise, test = fitted(), "_test" if args.split == "test" else ""
    sets = {
        f"CMU {args.split}, noisy": validation_set(args.mocap / f"cmu{test}_60.npz", False, noise, split=args.split),
        f"CMU {args.split}, clean": validation_set(args.mocap / f"cmu{test}_60.npz", True, noise, split=args.split),
        f"HDM05 {args.split}, noisy": validation_set(
            args.mocap / f"hdm05{test}_60.npz", False, noise, split=args.split
        ),
    }
    if args.pairs:
        held_out = prepare(read_pairs(args.pairs, "val"))
        sets["pairs"] = draw_paired(held_out, 0, np.random.default_rng(0), exact=True)
    print(
        f"{os.cpu_count()} CPU cores, {time.strftime('%Y-%m-%d')}, ONNX Runtime; PA-MPJPE / MPJPE in mm, acceleration error"
    )
    print(f"| network | parameters | samples | {' | '.join(sets)} | poses/s, batch 1 | batch 1024 |")
    print("|---" * (len(sets) + 5) + "|")
    if args.pairs:
        own = Model("detector", "", lambda encoded, windows: encoded.nodes[..., 3:])
        cells = [str(figures(own, s)) if name == "pairs" else "" for name, s in sets.items()]
        print("| " + " | ".join(["detector", "", "", *cells, "", ""]) + " |")
    for name, card in shipped().items():
        model = load(name, backend="onnxruntime")
        result = {label: str(figures(model, sequences)) for label, sequences in sets.items()}
        encoded = sets[f"CMU {args.split}, noisy"].encoded
        speed = [poses_a_second(model, encoded, batch) for batch in (1, 1024)]
        size = [card["parameters"], card["training"]["samples"]]
        row = [name, *(f"{s / 1e6:.1f} M" for s in size), *result.values()]
        print("| " + " | ".join(row + [f"{np.round(s, -2):,.0f}" for s in speed]) + " |", flush=True)
        if args.write:
            path = WEIGHTS / f"{name}.json"
            card["figures"] = result
            path.write_text(json.dumps(card, indent=1) + "\n")


if __name__ == "__main__":
    main()
