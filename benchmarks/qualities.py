"""What the qualities of the Lift panel cost: whole lifts of a clip, by the command that the add-on runs.

    .venv/blender-4.5-engine/bin/python -m benchmarks.qualities CLIP.mp4 [CLIP.mp4 ...]

Prints seconds of one processor core for 10 s of video at 30 frames a second, everything in it from starting the engine to
the written take; the processor's seconds, as the clock depends on what else the machine does. Needs bpy, the engine and the
detector's models (LIFTER_MODELS).
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from blender_lift_addon.arguments import QUALITIES, LiftOptions
from lifter_core.take import load_take

FRAMES = 300


def cost(clip: Path, quality: str) -> tuple[float, int]:
    """Seconds of the processor for a lift, and the take's frames."""
    with tempfile.TemporaryDirectory() as folder:
        take = Path(folder, "take.npz")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = LiftOptions(quality).arguments(clip, take)
        subprocess.run([sys.executable, "-m", "lifter_core", *words, "--progress", "none"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return spent, len(load_take(take).timestamps)


def main() -> None:
    """Prints a line a clip and quality."""
    parser = argparse.ArgumentParser(description="Times the qualities of the Lift panel.")
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    for clip in parser.parse_args().clips:
        for quality in QUALITIES:
            seconds, frames = cost(clip, quality)
            print(f"{clip.name:24} {quality:9} {seconds * FRAMES / frames:6.1f} s for {FRAMES} frames (had {frames})")


if __name__ == "__main__":
    main()
