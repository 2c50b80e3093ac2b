"""``lifter-train CONFIG``: trains a network, stops at any time, goes on with the same command."""

import argparse
import sys
from pathlib import Path

from ..errors import BadInputError

CONFIGS = Path(__file__).parent / "configs"


def main(argv: list[str] | None = None) -> int:
    """Entry point of ``lifter-train``; returns the exit code."""
    parser = argparse.ArgumentParser(prog="lifter-train", description=__doc__)
    names = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.toml")))
    parser.add_argument("config", help=f"a .toml file, or the name of a shipped one: {names}")
    parser.add_argument("--data", type=Path, required=True, help="folder with cmu_60.npz and cmu_full_30.npz")
    parser.add_argument("--pairs", type=Path, help="rendered pairs to mix in (docs/synthetic.md)")
    parser.add_argument("--own", type=Path, help="folder of your own motion (.bvh, .amc with .asf, .npz) to mix in")
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/CONFIG); an unfinished run goes on")
    parser.add_argument("--export", type=Path, help="write the finished network (.safetensors, .onnx) to this folder")
    args = parser.parse_args(argv)
    path = Path(args.config)
    if not path.suffix:
        path = CONFIGS / f"{path.name}.toml"
    if not path.is_file():
        parser.error(f"there is no config {args.config}; shipped: {names}")
    from .trainer import Config, train

    config = Config.read(path)
    try:
        network = train(config, args.data, args.out or Path("runs") / path.stem, args.pairs, args.own)
    except (BadInputError, FileNotFoundError) as error:
        print(f"lifter-train: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lifter-train: stopped; the same command goes on from the last checkpoint.", file=sys.stderr)
        return 130
    if args.export:
        from .export import export

        export(network, config, path.stem, args.export)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
