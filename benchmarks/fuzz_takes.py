"""Damages take files a million times and reads them: each is refused with a BadInputError or is a valid take.

``python -m benchmarks.fuzz_takes [--cases N] [--seed S]`` prints how many ended how, by kind of damage, and ends with 1 if any
other error came out. A case is made again by its number and the seed (``--first NUMBER --cases 1``).
"""

import argparse
import io
import random
import sys
import traceback
import warnings
from collections import Counter
from pathlib import Path

from lifter_core.cli import describe
from lifter_core.errors import BadInputError
from lifter_core.take import read_take
from tests.core.mutations import MUTATIONS, mutate

FIXTURES = sorted((Path(__file__).parent.parent / "tests" / "core" / "fixtures").glob("take_minor_*.npz"))


def main() -> int:
    """Runs the cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    takes = [path.read_bytes() for path in FIXTURES]
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(args.first, args.first + args.cases):
        rng = random.Random(f"{args.seed}/{number}")
        kind, data = mutate(rng.choice(takes), rng)
        outcome, trace = _outcome(data)
        counts[kind, outcome] += 1
        if trace and counts[kind, outcome] <= 3:
            print(f"case {number}, {kind}:\n{trace}", file=sys.stderr)
        if (number + 1 - args.first) % 50_000 == 0:
            ended = Counter(outcome for _, outcome in counts.elements())
            print(f"{ended.total()} cases: {dict(ended)}", file=sys.stderr, flush=True)
    outcomes = sorted({outcome for _, outcome in counts}, key=lambda o: (o != "refused", o != "valid", o))
    print(f"{'':<26}" + "".join(f"{outcome:>16}" for outcome in outcomes))
    for kind in MUTATIONS:
        print(f"{kind:<26}" + "".join(f"{counts[kind, outcome]:>16}" for outcome in outcomes))
    print(f"{'all':<26}" + "".join(f"{sum(counts[k, outcome] for k in MUTATIONS):>16}" for outcome in outcomes))
    return int(any(outcome not in ("refused", "valid") for outcome in outcomes))


def _outcome(data: bytes) -> tuple[str, str]:
    """How it ended, and where an error that should not be came from."""
    try:
        describe(read_take(io.BytesIO(data)))  # what is accepted can be used
    except BadInputError:
        return "refused", ""
    except Exception as error:
        return type(error).__name__, traceback.format_exc()
    return "valid", ""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
