"""Every network of the literature side by side: the same samples, the same time, the same figures.

    python benchmarks/study.py train MOCAP --out RUNS [--seconds 200] [--only NAME ...]
    python benchmarks/study.py report RUNS [--write]

``train`` gives each network SECONDS of processor time (one thread, drawing its samples included), one after the other, at
its paper's size and a constant rate; the running average of the weights is what is measured. All see the same samples in the
same order (the seed is the same), with the fitted detector noise; the papers' networks see 2D points and confidence only.
At every mark of samples a line is logged, so the runs compare at equal data (EQUAL samples) and at
equal compute (their end). Finished runs are kept, an unfinished one goes on. ``report`` prints the table for docs/lifters.md
and with --write puts it there and draws docs/pictures/study.png (needs matplotlib).
"""

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

import torch

from lifter_core.training.evaluate import score, validation_set
from lifter_core.training.export import example_input
from lifter_core.training.noise import fitted
from lifter_core.training.trainer import Config, Study, predictor, train

MARKS = (5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 1_280_000)
EQUAL = 40_000  # samples at which runs are compared
GCN: dict[str, Any] = {"width": 128, "blocks": 4}
TAPS = (-40, -31, -25, -20, -16, -13, -10, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 31, 40)

# name in the table -> (network, arguments, samples a step)
SYSTEMS: dict[str, tuple[str, dict[str, Any], int]] = {
    "residual MLP (Martinez 2017)": ("residual_mlp", {"width": 1024, "blocks": 2}, 256),
    "GCN, Eq. 1 (full sharing)": ("gcn", GCN | {"sharing": "full"}, 256),
    "full, decoupled": ("gcn", GCN | {"sharing": "full", "decoupled": True}, 256),
    "pre-aggregation": ("gcn", GCN | {"sharing": "pre"}, 256),
    "pre-aggregation, decoupled": ("gcn", GCN | {"sharing": "pre", "decoupled": True}, 256),
    "post-aggregation": ("gcn", GCN | {"sharing": "post"}, 256),
    "post-aggregation, decoupled": ("gcn", GCN | {"sharing": "post", "decoupled": True}, 256),
    "convolution style": ("gcn", GCN | {"sharing": "convolution"}, 256),
    "no sharing (per edge)": ("gcn", GCN | {"sharing": "none"}, 256),
    "locally connected, k = 3 (Ci 2019)": ("locally_connected", {"width": 64, "blocks": 3, "hops": 3}, 256),
    "spatial-temporal, 1 frame (Cai 2019)": ("spatial_temporal", {"frames": 1}, 128),
    "spatial-temporal, 3 frames": ("spatial_temporal", {"frames": 3}, 128),
    "spatial-temporal, 7 frames": ("spatial_temporal", {"frames": 7}, 128),
    "ours, one frame, 2D only": ("temporal", {"taps": [0], "channels": 3, "global_channels": 3, "refine": 16}, 256),
    "ours, 27 frames, 2D only": ("temporal", {"taps": TAPS, "channels": 3, "global_channels": 3, "refine": 16}, 256),
    "ours, 27 frames, own 3D and up": (
        "temporal",
        {"taps": TAPS, "refine": 16, "channels": 6, "global_channels": 6},
        256,
    ),
}


def folder(name: str) -> str:
    """A run's folder name."""
    return re.sub(r"\W+", "-", name.lower()).strip("-")


def poses_a_second(network: torch.nn.Module, config: Config, batch: int, seconds: float = 2.0) -> float:
    """Poses a second of processor time, one thread, without flip averaging."""
    example = example_input(config, batch)
    network.eval()
    with torch.inference_mode():
        network(*example)
        began, done = time.process_time(), 0
        while time.process_time() - began < seconds:
            network(*example)
            done += batch
    return done / (time.process_time() - began)


def run(name: str, mocap: Path, out: Path, seconds: float, seed: int) -> None:
    """Trains one system and writes result.json."""
    network_name, arguments, batch = SYSTEMS[name]
    config = Config(network_name, arguments, 10**9, batch, 1e-3, seed)
    place = out / folder(name) / str(seed)
    if (place / "result.json").exists():
        return
    network = train(config, mocap, place, study=Study(seconds, MARKS))
    taps, arguments = config.taps(), config.network_arguments()
    result: dict[str, Any] = {"name": name, "seed": seed, "seconds": seconds, "batch": batch}
    model = fitted()
    for label, clean in (("noisy", False), ("clean", True)):
        figures = score(predictor(network, arguments), validation_set(mocap / "cmu_60.npz", clean, model), taps)
        result[label] = [round(x, 1) for x in figures]
    result["parameters"] = sum(p.numel() for p in network.parameters())
    result["speed"] = [round(poses_a_second(network, config, n)) for n in (1, 1024)]
    (place / "result.json").write_text(json.dumps(result, indent=1) + "\n")


def report(out: Path) -> str:
    """The table, one row a system, as Markdown."""
    head = (
        "| network | parameters | samples | noisy 2D: PA-MPJPE / MPJPE | MPJVE | acceleration | clean 2D "
        "| at {mark:,} samples | poses/s, batch 1 | batch 1024 |"
    )
    runs: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    for path in sorted(out.glob("*/*/result.json")):
        result = json.loads(path.read_text())
        lines = [json.loads(line) for line in (path.parent / "log.jsonl").read_text().splitlines()]
        runs.setdefault(result["name"], (result, lines))
    rows = [head.format(mark=EQUAL), "|---" * 10 + "|"]
    for name in SYSTEMS:
        if name not in runs:
            continue
        r, lines = runs[name]
        mpjpe, pa, velocity, acceleration = r["noisy"]
        near = [line for line in lines if EQUAL <= line["samples"] < 2 * EQUAL]
        equal = near[0]["cmu noisy"].split(",")[0] if near else "not reached"
        cells = [
            name, f"{r['parameters'] / 1e6:.2f} M", f"{lines[-1]['samples']:,}", f"{pa} / {mpjpe}", str(velocity),
            str(acceleration), f"{r['clean'][1]} / {r['clean'][0]}", equal, *(f"{s:,}" for s in r["speed"]),
        ]  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def plot(out: Path, picture: Path) -> None:
    """Error against processor time, a line a system."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 5.5))
    for i, name in enumerate(SYSTEMS):
        for path in sorted((out / folder(name)).glob("*/log.jsonl"))[:1]:
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            error = [float(line["cmu noisy"].split("/")[0]) for line in lines]
            axes.plot([line["seconds"] for line in lines], error, ".-", label=name, color=pyplot.cm.tab20(i))  # type: ignore[attr-defined]
    axes.set(xscale="log", xlabel="seconds of one core", ylabel="PA-MPJPE, mm (CMU val, fitted detector noise)")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("mocap", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--seconds", type=float, default=200.0)
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--only", nargs="*", choices=list(SYSTEMS), default=list(SYSTEMS))
    two = commands.add_parser("report")
    two.add_argument("out", type=Path)
    two.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.command == "train":
        for name in args.only:
            run(name, args.mocap, args.out, args.seconds, args.seed)
        return
    table = report(args.out)
    print(table)
    if args.write:
        docs = Path(__file__).parents[1] / "docs"
        plot(args.out, docs / "pictures" / "study.png")
        page = docs / "lifters.md"
        before, rest = page.read_text().split("<!-- study -->\n", 1)
        page.write_text(
            f"{before}<!-- study -->\n{table}\n<!-- end of study -->{rest.split('<!-- end of study -->', 1)[1]}"
        )


if __name__ == "__main__":
    main()
