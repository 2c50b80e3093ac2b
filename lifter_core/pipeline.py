"""The one path through the program: clip -> keypoints -> lifted joints -> take."""

from pathlib import Path
from typing import Any

from . import __version__
from .detect import detect_keypoints
from .lifting import lift
from .progress import Report, silent
from .runtime import DEFAULT_MODEL, load
from .solve import SolveOptions, solve
from .solve.camera import camera_matrix
from .take import Take
from .video import clip_sha256, probe


def lift_clip(
    clip: Path,
    detector: str = "heavy",
    model: str | None = None,
    device: str = "auto",
    start: float | None = None,
    end: float | None = None,
    height: float | None = None,
    fov: float | None = None,
    report: Report = silent,
) -> Take:
    """Lifts a clip.

    Args:
        detector: ``lite``, ``full`` or ``heavy``; model: a name of runtime.shipped(), None = the default.
        start, end: seconds of the clip; height: metres; fov: horizontal degrees.

    Raises:
        BadInputError: clip, range, model or device cannot be used.
        NobodyFoundError: nobody is in the clip.
    """
    clip = Path(clip)
    network = load(model or DEFAULT_MODEL, device)
    people = detect_keypoints(clip, detector, start, end, report)
    matrix = camera_matrix(people[0].image_size, fov)
    lifted = [lift(person, matrix, network, report) for person in people]
    options: dict[str, Any] = {"start": start, "end": end, "height": height, "fov": fov}
    meta: dict[str, Any] = {
        "lifter_core": __version__,
        "source": clip.name,
        "sha256": clip_sha256(clip),
        "rotation": probe(clip).rotation,
        "detector": detector,
        "model": network.name,
        "device": network.device,
        "options": options,
    }
    return solve(people, lifted, matrix, SolveOptions(height), meta, report)
