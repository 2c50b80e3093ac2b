"""How long Blender's window waits for the engine's client: a poll, and ending the engine with all that it started.

    .venv/blender-4.5/bin/python -m benchmarks.engine

The engine is the tests' fake one (tests/blender/fake_engine.py): the client costs the same whatever the engine does. Times are
seconds by the clock, the longest of all polls of a run and of ten cancellations. Needs Linux or macOS.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from blender_lift_addon.arguments import LiftOptions
from blender_lift_addon.engine import Engine
from lifter_core.take import save_take
from tests.blender import fake_engine
from tests.blender.synthetic_take import synthetic_take

RUNS = 10


def start(folder: Path, program: Path, clip: str) -> Engine:
    """A run of the fake engine in a new folder."""
    own = Path(tempfile.mkdtemp(dir=folder))
    return Engine(LiftOptions().arguments(folder / clip, own / "take.npz"), own, str(program))


def longest_poll(engine: Engine) -> float:
    """Polls as the timer does until the engine has ended; returns the longest poll in seconds."""
    longest = 0.0
    while engine.running:
        began = time.perf_counter()
        engine.poll()
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.01)
    return longest


def cancellation(engine: Engine) -> float:
    """Seconds to end an engine that hangs, and the process that it has started."""
    while "grandchild" not in engine.log_tail():
        time.sleep(0.02)
    began = time.perf_counter()
    engine.cancel()
    return time.perf_counter() - began


def main() -> None:
    """Prints both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "python-fake"
        program.write_text(f"#!{sys.executable}\n" + Path(fake_engine.__file__).read_text())
        program.chmod(0o755)
        save_take(synthetic_take(frames=20), folder / "canned.npz")
        os.environ["FAKE_ENGINE_TAKE"] = str(folder / "canned.npz")
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
        polls = [longest_poll(start(folder, program, "good.mp4")) for _ in range(RUNS)]
        ends = [cancellation(start(folder, program, "hang.mp4")) for _ in range(RUNS)]
    print(f"{max(polls):8.4f} s  the longest poll of {RUNS} runs")
    print(f"{max(ends):8.4f} s  the longest of {RUNS} cancellations")


if __name__ == "__main__":
    main()
