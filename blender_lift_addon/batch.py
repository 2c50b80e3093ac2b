# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips to .blend files without a window: `blender --command lift CLIP... --out DIR`.

With the bpy module the same is `python -m blender_lift_addon.batch CLIP... --out DIR`.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bpy

from lifter_core.command_line import add_options, read_options, refuse
from lifter_core.declare import Place
from lifter_core.errors import BadInputError, LiftError
from lifter_core.take import load_take, save_take

from .arguments import QUALITIES, LiftOptions
from .build import add_take
from .clip_source import Source
from .delivery import list_take, remarks
from .engine import Engine, EngineError, Progress
from .preferences import engine_python, processes
from .scene_view import look_through_camera
from .store import new_uid

EXPORTS = ("bvh",)

POLL = 0.1  # s

_command: Any = None


def save_blend(take_path: Path, clip: Path | None, name: str, out: Path, exports: Sequence[str] = ()) -> None:
    """Writes out/name.blend, out/name.npz and the exports from a take; replaces what is open in Blender.

    Raises:
        LiftError: the take cannot be read.
    """
    take = load_take(take_path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    assert scene is not None
    uid = new_uid()
    lifted = add_take(scene, take, clip.absolute() if clip else None, name, uid=uid)
    scene.frame_set(lifted.first_seen)
    for screen in bpy.data.screens:  # whoever opens the file sees the armature over the footage
        for area in screen.areas:
            look_through_camera(scene.render, area)
    file = out.absolute() / f"{name}.npz"
    save_take(take, file)
    list_take(scene, take, file, uid, Source(clip.absolute() if clip else Path(), name=name))
    if remark := remarks(take):
        print(f"{name}: {remark}", file=sys.stderr)
    # The first save of a new file makes the clip's path relative to it.
    bpy.ops.wm.save_as_mainfile(
        filepath=str(out.absolute() / f"{name}.blend"), check_existing=False, relative_remap=True
    )
    if "bvh" in exports:
        from lifter_core.export.bvh import write_bvh

        people = take.positions.shape[0]
        for person in range(people):
            suffix = f"_{person + 1}" if people > 1 else ""
            write_bvh(take, out / f"{name}{suffix}.bvh", person=person)


def lift_files(
    clips: Sequence[Path], out: Path, options: LiftOptions, exports: Sequence[str] = (), at_a_time: int = 1
) -> int:
    """Lifts each clip and saves it under its name in the folder out; returns how many failed.

    So many engines run at a time; what they yield is built and saved by this process, one after the other.
    """
    failed = 0
    waiting = list(zip(clips, _names(clips), strict=True))
    going: list[_Job] = []
    try:
        while waiting or going:
            while waiting and len(going) < at_a_time:
                clip, name = waiting.pop(0)
                try:
                    going.append(_Job(clip, name, options))
                except EngineError as error:
                    failed += 1
                    print(f"{clip}: {error}", file=sys.stderr)
            for job in [job for job in going if job.ended()]:
                going.remove(job)
                failed += not job.save(out, exports)
            time.sleep(POLL)
    finally:
        for job in going:
            job.close()
    return failed


class _Job:
    """One clip under way."""

    def __init__(self, clip: Path, name: str, options: LiftOptions) -> None:
        self.clip, self.name = clip, name
        self.folder = Path(tempfile.mkdtemp(prefix="lift-", dir=bpy.app.tempdir))
        self._show = _shower(clip.name)
        try:
            words = options.arguments(clip, self.folder / f"{clip.stem}.npz")
            self.engine = Engine(words, self.folder, engine_python())
        except EngineError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def ended(self) -> bool:
        """Shows how far it is; true once the engine has ended."""
        self.engine.poll()
        self._show(self.engine.progress)
        return not self.engine.running

    def save(self, out: Path, exports: Sequence[str]) -> bool:
        """Saves what it yielded, or says why there is nothing."""
        try:
            if self.engine.take is None:
                log = self.engine.log_tail()
                if "engine stopped" in self.engine.error and log:
                    print(log, file=sys.stderr)
                raise EngineError(self.engine.error)
            save_blend(self.engine.take, self.clip, self.name, out, exports)
            print(f"{self.clip}: saved {out / self.name}.blend")
            return True
        except (EngineError, LiftError, OSError, RuntimeError) as error:
            print(f"{self.clip}: {error}", file=sys.stderr)
            return False
        finally:
            self.close()

    def close(self) -> None:
        """Ends the engine and removes its files."""
        self.engine.cancel()
        shutil.rmtree(self.folder, ignore_errors=True)


def _names(clips: Sequence[Path]) -> list[str]:
    """A name for each clip, told apart by a number where two clips are called the same."""
    names: list[str] = []
    for clip in clips:
        count = sum(name == clip.stem or name.rpartition("_")[0] == clip.stem for name in names)
        names.append(f"{clip.stem}_{count + 1}" if count else clip.stem)
    return names


def _shower(name: str) -> Callable[[Progress], None]:
    """Shows a clip's progress on standard error: as one changing line, or in a log as a line a stage."""
    stage = ""

    def show(progress: Progress) -> None:
        nonlocal stage
        if sys.stderr.isatty():
            count = f" {progress.done}/{progress.total}" if progress.total else ""
            left = f", {progress.eta:.0f} s left" if progress.eta is not None else ""
            print(f"\r{name}: {progress.stage}{count}{left}\033[K", end="", file=sys.stderr, flush=True)
        elif progress.stage != stage:
            print(f"{name}: {progress.stage}", file=sys.stderr, flush=True)
        stage = progress.stage

    return show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="blender --command lift",
        description="Lifts the person in each clip to an animated armature. For each clip it saves NAME.blend "
        "(armature, camera, the clip behind it) and NAME.npz (the take) in the output folder.",
        epilog="Example: blender --command lift walk.mp4 jump.mp4 --out lifted --height 178 --export bvh",
    )
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="a video of a person")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to save; made if need be")
    parser.add_argument(
        "--quality",
        choices=[quality.lower() for quality in QUALITIES],
        default="best",
        help="draft is the fastest (default: best)",
    )
    add_options(parser, Place.BATCH)
    parser.add_argument("--jobs", type=int, metavar="N", help="clips at a time (default: as the preferences say)")
    parser.add_argument("--export", choices=EXPORTS, action="append", default=[], help="save this file too")
    parser.add_argument("--take", type=Path, metavar="NPZ", help="build from this take instead of lifting; one clip")
    parser.add_argument("--clip", type=Path, metavar="CLIP", help="with --take: the clip behind the camera")
    return parser


def main(arguments: Sequence[str]) -> int:
    """The command. Returns the exit code: 0, or 1 if any clip failed (2 for a wrong command line)."""
    parser = _parser()
    try:
        given, unknown = parser.parse_known_args(list(arguments))
        if given.take is None and (not given.clips or given.clip is not None):
            parser.error("name at least one clip (--clip is for --take)")
        if given.take is not None and given.clips:
            parser.error("with --take, name the clip by --clip")
        refuse(unknown, given, ("clips",))
        options = LiftOptions(given.quality.upper(), read_options(given, Place.BATCH))
    except SystemExit as end:  # Blender would take it for a crash
        return end.code if isinstance(end.code, int) else 2
    except LiftError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if given.take is None:
        at_a_time = given.jobs or processes()
        return 1 if lift_files(given.clips, given.out, options, given.export, at_a_time) else 0
    try:
        if given.clip is not None and not given.clip.is_file():
            raise BadInputError(f"There is no clip at {given.clip}.")
        save_blend(given.take, given.clip, (given.clip or given.take).stem, given.out, given.export)
    except (LiftError, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return error.exit_code if isinstance(error, LiftError) else 1
    return 0


def register() -> None:
    """Adds `blender --command lift`."""
    global _command
    _command = bpy.utils.register_cli_command("lift", main)  # type: ignore[func-returns-value]


def unregister() -> None:
    """Removes it."""
    bpy.utils.unregister_cli_command(_command)


if __name__ == "__main__":
    import blender_lift_addon

    blender_lift_addon.register()
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the bpy module can crash while Python shuts down, when all files are written
