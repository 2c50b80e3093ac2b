"""Stands in for `python -m lifter_core lift CLIP -o TAKE ...` (or solve): what it does depends on the clip's name."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path


def say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def main() -> int:
    assert sys.argv[1:3] == ["-m", "lifter_core"], sys.argv
    if sys.argv[3] == "frame":
        return 1  # no thumbnails in tests
    clip, take = Path(sys.argv[4]), Path(sys.argv[6])
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
    solved = os.environ.get("FAKE_ENGINE_SOLVED") if sys.argv[3] == "solve" else None
    shutil.copy(solved or os.environ["FAKE_ENGINE_TAKE"], take)
    say(stage="done", take=str(take))
    return 0


if __name__ == "__main__":
    sys.exit(main())
