"""Every network of the literature side by side: the same samples, the same compute, the same figures.

    python benchmarks/study.py train MOCAP --out RUNS [--seconds 100] [--seed 1 2] [--only NAME ...]
    python benchmarks/study.py report RUNS [--write]

``train`` gives each network SECONDS of processor time of one thread for its training steps, at its paper's size and a constant
rate, all in bf16 where the processor multiplies that faster (AMX), else in float32; the running average of the weights is
what is measured. Samples are drawn once, with the fitted detector noise,
and kept in RUNS/samples: all networks see the same ones in the same order, and drawing them costs nobody's time. The papers'
networks see 2D points and confidence only. The error is logged at every mark of samples, so the runs compare at equal data, and
at SECONDS, so they compare at equal compute; a network that has not seen AT_LEAST samples by then goes on to them.

A stopped run goes on from its last checkpoint when the same command is given again; with more SECONDS finished ones go on too,
and the report is of the longest time that all have. MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=8000000000 in the
environment spares glibc's giving memory back and forth, up to a tenth of the time.
``report`` prints the table for docs/lifters.md and with --write puts it there and draws docs/pictures/study.png (needs
matplotlib).
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from study_training import MARKS, SYSTEMS, train


def spread(values: list[float]) -> str:
    """The mean, and over several seeds half of the range."""
    mean = f"{np.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {(max(values) - min(values)) / 2:.1f}"


Result = dict[str, Any]
Log = list[dict[str, Any]]


def _runs(out: Path) -> dict[str, list[tuple[Result, Log]]]:
    """Each network's runs: result and log, at the longest time that every network was trained for with some seed."""
    results = [
        (json.loads(path.read_text()), path.parent / "log.jsonl") for path in sorted(out.glob("*/*/result-*.json"))
    ]
    names = {result["name"] for result, _ in results}
    times = [{r["seconds"] for r, _ in results if r["name"] == name} for name in names]
    seconds = max(set.intersection(*times), default=0) if times else 0
    runs: dict[str, list[tuple[Result, Log]]] = {}
    for result, path in results:
        if result["seconds"] == seconds:
            log = [json.loads(line) for line in path.read_text().splitlines()]
            runs.setdefault(result["name"], []).append((result, log))
    return {name: runs[name] for name in SYSTEMS if name in runs}


def _at(log: Log, mark: int) -> list[float] | None:
    """PA-MPJPE and MPJPE when ``mark`` samples were seen."""
    lines = [line["noisy"] for line in log if mark <= line["samples"] < 1.5 * mark]
    return lines[0] if lines else None


def report(out: Path) -> str:
    """The table, one row a system, as Markdown."""
    runs = _runs(out)
    if not runs:
        raise SystemExit(f"No time in {out} that all its networks were trained for; let `train` finish first.")
    logs = [log for several in runs.values() for _, log in several]
    marks = [m for m in MARKS if all(_at(log, m) for log in logs)][-1:]  # the last that all have reached
    marks += [m for m in MARKS if m > max(marks, default=0) and sum(bool(_at(log, m)) for log in logs) > len(logs) / 2][
        -1:
    ]
    head = [
        "network",
        "parameters",
        "seeds",
        "samples",
        "noisy 2D: PA-MPJPE / MPJPE",
        "MPJVE",
        "acceleration",
        "clean 2D",
    ]
    head += [f"at {mark:,} samples" for mark in marks] + ["poses/s, batch 1", "batch 1024"]
    table = [head, ["---"] * len(head)]
    for name, several in runs.items():
        results = [result for result, _ in several]

        def both(rows: list[list[float]]) -> str:
            return " / ".join(spread([row[k] for row in rows]) for k in (0, 1))

        noisy = [r["noisy"] for r in results]
        row = [name, f"{results[0]['parameters'] / 1e6:.2f} M", str(len(results))]
        row += [f"{round(np.mean([r['samples'] for r in results]), -2):,.0f}", both(noisy)]
        row += [spread([figures[k] for figures in noisy]) for k in (2, 3)] + [both([r["clean"] for r in results])]
        for mark in marks:
            reached = [figures for _, log in several if (figures := _at(log, mark))]
            row.append(both(reached) if len(reached) == len(several) else "not reached")
        row += [f"{np.mean([r['speed'][k] for r in results]):,.0f}" for k in (0, 1)]
        table.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in table)


def plot(out: Path, picture: Path) -> None:
    """Error against compute and against samples, a line a run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, both = pyplot.subplots(1, 2, figsize=(13, 5.5), sharey=True)
    for i, (name, several) in enumerate(_runs(out).items()):
        for k, (_, log) in enumerate(several):
            error = [line["noisy"][0] for line in log]
            for axes, key in zip(both, ("seconds", "samples"), strict=True):
                style = {
                    "label": name if k == 0 else None,
                    "color": pyplot.get_cmap("tab20")(i),
                    "lw": 1.5 - 0.7 * min(k, 1),
                }
                axes.plot([line[key] for line in log], error, ".-", **style)
    for axes, what in zip(both, ("seconds of training steps, one core", "samples"), strict=True):
        axes.set(xscale="log", xlabel=what)
        axes.grid(alpha=0.3)
    both[0].set_ylabel("PA-MPJPE, mm (CMU val, fitted detector noise)")
    both[1].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(picture, dpi=100)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train")
    one.add_argument("mocap", type=Path)
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--seconds", type=float, default=100.0, help="of training steps, each network")
    one.add_argument("--at-least", type=int, default=10_000, help="samples, at which all can be compared")
    one.add_argument("--seed", type=int, nargs="+", default=[1])
    one.add_argument("--only", nargs="*", choices=list(SYSTEMS), default=list(SYSTEMS))
    two = commands.add_parser("report")
    two.add_argument("out", type=Path)
    two.add_argument("--write", action="store_true")
    args = parser.parse_args()
    if args.command == "train":
        train(args.mocap, args.out, args.seconds, args.at_least, args.seed, args.only)
        return
    table = report(args.out)
    print(table)
    if args.write:
        docs = Path(__file__).parents[1] / "docs"
        plot(args.out, docs / "pictures" / "study.png")
        page = docs / "lifters.md"
        before, rest = page.read_text().split("<!-- study -->\n", 1)
        after = rest.split("<!-- end of study -->", 1)[1]
        page.write_text(f"{before}<!-- study -->\n{table}\n<!-- end of study -->{after}")


if __name__ == "__main__":
    main()
