"""The one path through the program: clip -> keypoints -> lifted joints -> take."""

from pathlib import Path
from typing import Any

import numpy as np

from . import __version__
from .detect import detect_keypoints
from .keypoints import Keypoints
from .lifting import lift
from .progress import Report, silent
from .runtime import DEFAULT_MODEL, Model, load
from .solve import options_from, solve
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
    fov: float | None = None,
    person: tuple[float, float, float] | None = None,
    report: Report = silent,
    **options: Any,
) -> Take:
    """Lifts a clip.

    Args:
        detector: ``lite``, ``full`` or ``heavy``; model: a name of runtime.shipped(), None = the default.
        start, end: seconds of the clip; fov: horizontal degrees.
        person: whom to lift, as detect_keypoints takes it; None = the main person.
        options: attributes of SolveOptions (height, smooth, foot_lock, ...); None = not given.

    Raises:
        BadInputError: clip, range, model or device cannot be used.
        NobodyFoundError: nobody is in the clip.
    """
    clip = Path(clip)
    network = load(model or DEFAULT_MODEL, device)
    people = detect_keypoints(clip, detector, start, end, report, person=person)
    told = {"start": start, "end": end, "fov": fov, "person": person, **options}
    meta: dict[str, Any] = {
        "source": clip.name,
        "sha256": clip_sha256(clip),
        "rotation": probe(clip).rotation,
        "detector": detector,
        "damaged": max(one.damaged for one in people),
        "options": {name: value for name, value in told.items() if value is not None},
    }
    return _lift_and_solve(people, network, meta, report)


def solve_again(
    take: Take, model: str | None = None, device: str = "auto", report: Report = silent, **options: Any
) -> Take:
    """Lifts and solves a take's keypoints anew, without the clip; what is not given stays as the take was made.

    Args:
        model: a name of runtime.shipped(); options: ``fov`` (horizontal degrees) and attributes of SolveOptions; None =
            not given.

    Raises:
        BadInputError: the model or device cannot be used.
    """
    people = []
    for i, points in enumerate(take.keypoints):
        world = None if take.keypoints_world is None else take.keypoints_world[i]
        confidence = np.nan_to_num(points[..., 2])
        people.append(
            Keypoints(
                take.keypoint_names, points[..., :2], confidence, take.timestamps, take.image_size, take.fps, world
            )
        )
    meta = {name: value for name, value in take.meta.items() if name != "heights"}
    told = dict(meta.get("options", {})) | {name: value for name, value in options.items() if value is not None}
    network = load(model or str(meta.get("model", DEFAULT_MODEL)), device)
    return _lift_and_solve(people, network, meta | {"options": told}, report)


def _lift_and_solve(people: list[Keypoints], network: Model, meta: dict[str, Any], report: Report) -> Take:
    options = meta["options"]
    matrix = camera_matrix(people[0].image_size, options.get("fov"))
    lifted = [lift(person, matrix, network, report) for person in people]
    meta = {"lifter_core": __version__, **meta, "model": network.name, "device": network.device}
    joints, sigma = [one.joints for one in lifted], [one.sigma for one in lifted]
    take = solve(people, joints, matrix, options_from(options), meta, report, sigma)
    if all(person.world is not None for person in people):
        take.keypoints_world = np.stack([np.asarray(person.world, np.float32) for person in people])
    return take
