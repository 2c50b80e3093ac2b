#!/usr/bin/env python3
"""The project's two commands, each with all its set-up.

    python3 run.py demo [CLIP] [--out FOLDER]     lift a clip: take, BVH, Blender scene, preview
    python3 run.py test                           every test, linter and type check, in each supported Blender

They need Python 3.11 or later and pip; what they set up lands in ``.venv/`` and ``.cache/``.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tools import checks, environments, samples


def demo(clip: Path | None, out: Path) -> int:
    """Lifts the clip (the sample where None) into ``out`` and returns the exit code of the step that failed, or 0.

    Raises:
        SetupError: the set-up failed.
    """
    began = time.monotonic()
    engine = environments.any_blender()
    models = samples.models(engine)
    name = clip.stem if clip else "demo"
    clip = clip or samples.clip()
    # what other Pythons and tools write or read is passed as absolute paths: the steps run in the project's folder
    clip, out = clip.resolve(), out.resolve()
    take, blend = out / f"{name}.npz", out / f"{name}.blend"
    bvh, video = out / f"{name}.bvh", out / f"{name}.mp4"
    steps = [
        ["lifter_core", "lift", clip, "-o", take, "--bvh", bvh, "--preview", video],
        ["blender_lift_addon.batch", "--take", take, "--clip", clip, "--out", out],
    ]
    print(f"Set-up took {time.monotonic() - began:.0f} s. Lifting {clip.name} ...", flush=True)
    environment = environments.clean_environment(LIFTER_MODELS=str(models))
    for step in steps:
        command = [str(part) for part in [engine, "-m", *step]]
        code = subprocess.run(command, env=environment, cwd=environments.ROOT).returncode
        if code:
            return code
    print(f"\nDone in {time.monotonic() - began:.0f} s:")
    for path, what in (
        (take, "the take: joints, rotations, camera (docs/take.md)"),
        (bvh, "the motion for any 3D program"),
        (blend, "Blender: the animated armature, the camera, the clip behind it"),
        (video.with_suffix(".png"), "a frame with the skeleton over it"),
        (video, "the clip with the skeleton over it"),
    ):
        if not path.exists():
            print(f"{path} was not written.", file=sys.stderr)
            return 1
        print(f"  {path}  ({path.stat().st_size / 1e6:.1f} MB)  {what}")
    return 0


def main() -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="run.py", description="Lift: video to armature")
    commands = parser.add_subparsers(dest="command", required=True)
    lift = commands.add_parser("demo", help="lift a clip into a folder: take, BVH, Blender scene, preview")
    lift.add_argument("clip", nargs="?", type=Path, help="a video of one person (default: a sample clip)")
    lift.add_argument("--out", type=Path, default=Path("output"), help="the folder to write to (default: output)")
    commands.add_parser("test", help="run every test, linter and type check")
    arguments = parser.parse_args()
    try:
        if arguments.command == "demo":
            return demo(arguments.clip, arguments.out)
        return checks.run_all()
    except environments.SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
