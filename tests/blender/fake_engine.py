"""Stands in for `python -m lifter_core lift CLIP -o TAKE ...` (or solve): what it does depends on the clip's name.

The command line is read as the real engine reads it: what that refuses ends this with exit code 2, too.
"""

import json
import os
import shutil
import subprocess
import sys
import time

from lifter_core.cli import command_parser
from lifter_core.command_line import read_options
from lifter_core.declare import Place


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def main() -> int:
    assert sys.argv[1:3] == ["-m", "lifter_core"], sys.argv
    args = command_parser().parse_args(sys.argv[3:])
    if args.command == "frame":
        return 1  # no thumbnails in tests
    assert args.progress == "json", args
    clip, place = (args.clip, Place.LIFT) if args.command == "lift" else (args.take, Place.SOLVE)
    read_options(args, place)
    pace = float(os.environ.get("FAKE_ENGINE_PACE", "0.0"))  # s a frame
    print("library chatter on stdout")
    print("options", *sys.argv[7:], file=sys.stderr, flush=True)
    for stage in ("read", "detect", "lift", "solve"):
        for done in range(0, 231, 23):
            say(stage=stage, done=done, total=230, message="", fps=18.0, eta=(230 - done) / 18.0)
            time.sleep(pace * 23)
    if "damaged" in clip.stem:
        say(error="The clip has no picture in it; choose another.")
        return 2
    if "crash" in clip.stem:
        print("Traceback: something broke", file=sys.stderr)
        return 1
    if "hang" in clip.stem:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
        print(f"grandchild {child.pid}", file=sys.stderr, flush=True)
        say(stage="detect", done=99, total=0)
        time.sleep(100)
    say(stage="write", done=1, total=1)
    solved = os.environ.get("FAKE_ENGINE_SOLVED") if args.command == "solve" else None
    shutil.copy(solved or os.environ["FAKE_ENGINE_TAKE"], args.out)
    say(stage="done", take=str(args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
