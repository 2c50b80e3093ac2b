"""The one path through the program: clip -> detection -> lifted joints -> take."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import __version__
from .body_file import read_body
from .camera_motion import CameraEstimate, CameraMotion, estimate_motion
from .detect import detect
from .detection import Detection
from .focal import Focal, find_focal
from .keypoints import Keypoints
from .lifting import Lifted, lift
from .options import DetectOptions, SolveOptions, given, options_from, recorded, usable
from .pinhole import camera_matrix
from .progress import Report, silent
from .runtime import DEFAULT_MODEL, Model, load
from .solve import solve_joints
from .solve.world import estimate_up
from .take import Take
from .take_meta import CameraMeta, TakeMeta

__all__ = ["detect", "lift_clip", "lift_person", "solve", "solve_again"]

_SURE_OF_UP = 0.4


def lift_clip(
    clip: Path,
    detector: str = "heavy",
    model: str | None = None,
    device: str = "auto",
    start: float | None = None,
    end: float | None = None,
    person: tuple[float, float, float] | None = None,
    flip: bool = True,
    report: Report = silent,
    **options: Any,
) -> Take:
    """Lifts a clip: detect() and solve() in a row, with their arguments.

    Args:
        detector, start, end, person, flip: attributes of DetectOptions.
        model, device, options: attributes of SolveOptions (height, smooth, foot_lock, ...); None = not given.

    Raises:
        BadInputError: the clip, or an option's name or value, cannot be used.
        NobodyFoundError: nobody is in the clip.
    """
    given({"detector": detector, "start": start, "end": end, "person": person, "flip": flip}, DetectOptions)
    told = given({"model": model, "device": device, **options}, SolveOptions)
    network = load(model or DEFAULT_MODEL, device)  # first, so that a wrong name is said before the long work
    seen = detect(clip, detector, start, end, person, flip, report)
    return solve(seen, network, report=report, **{n: v for n, v in told.items() if n not in ("model", "device")})


def solve(
    detection: Detection,
    model: str | Model | None = None,
    device: str = "auto",
    report: Report = silent,
    **options: Any,
) -> Take:
    """Lifts the people of a detection and solves their motion; the clip is not needed.

    Args:
        model: a name of runtime.shipped() or a network that is loaded, None = the default; device: where a named one runs.
        options: attributes of SolveOptions (height, smooth, foot_lock, ...); None = not given.

    Raises:
        BadInputError: an option's name or value cannot be used.
    """
    told = given({"device": device, **options}, SolveOptions)
    network = model if isinstance(model, Model) else load(model or DEFAULT_MODEL, device)
    clip, settings = detection.clip, detection.settings
    focal = find_focal(detection.image_size, told.get("fov"), clip.focal_35mm, detection.background)
    camera = _camera_seen(detection, focal)
    looked = given({"start": settings.start, "end": settings.end, "person": settings.person}, DetectOptions)
    meta = TakeMeta(
        source=clip.name,
        sha256=clip.sha256,
        rotation=clip.rotation,
        detector=settings.detector,
        flip=settings.flip,
        damaged=clip.damaged,
        options=recorded(looked | told),
    )
    return _lift_and_solve(detection.people, network, focal, camera, meta, report)


def solve_again(
    take: Take, model: str | None = None, device: str = "auto", report: Report = silent, **options: Any
) -> Take:
    """Lifts and solves a take's keypoints anew, without the clip; what is not given stays as the take was made.

    Options that the take was made with and this version cannot use (see options.usable) are left out.

    Args:
        model, device, options: attributes of SolveOptions; None = not given.

    Raises:
        BadInputError: an option's name or value cannot be used.
    """
    made_with, _ = usable(take.meta.options)
    told = made_with | recorded(given({"model": model, "device": device, **options}, SolveOptions))
    people = []
    for i, points in enumerate(take.keypoints):
        world = None if take.keypoints_world is None else take.keypoints_world[i]
        confidence = np.nan_to_num(points[..., 2])
        people.append(
            Keypoints(
                take.keypoint_names, points[..., :2], confidence, take.timestamps, take.image_size, take.fps, world
            )
        )
    network = load(model or take.meta.model or DEFAULT_MODEL, device)
    focal, camera = _camera_of(take, told.get("fov"))
    meta = replace(take.meta, options=told, heights=(), bodies=())
    return _lift_and_solve(people, network, focal, camera, meta, report)


def _camera_seen(detection: Detection, focal: Focal) -> CameraEstimate:
    """How the camera of a detection moved, as its background shows."""
    if detection.background is not None:
        return estimate_motion(detection.background, focal.pixels)
    nothing = np.zeros((len(detection.timestamps), 4))
    return CameraEstimate(nothing, focal.pixels, True, "taken as still: the background was not followed")


def _camera_of(take: Take, fov: float | None) -> tuple[Focal, CameraEstimate]:
    """The focal length and the camera's movement that a take was made with, or the same for another field of view."""
    made_with = float(take.camera_matrix[0, 0])
    focal = find_focal(take.image_size, fov) if fov else Focal(made_with, take.meta.focal_source or "assumed")
    said = take.meta.camera
    turns = np.zeros((len(take.timestamps), 4)) if take.camera_turns is None else take.camera_turns
    still = take.camera_turns is None or said.still
    camera = CameraEstimate(turns, made_with, still, said.reason, said.cuts)
    return focal, camera if np.isclose(focal.pixels, made_with, rtol=1e-6) else camera.at_focal(
        focal.pixels, take.image_size
    )


def _without_zoom(keypoints: Keypoints, motion: CameraMotion) -> Keypoints:
    """The keypoints as they would be had the lens stayed as in the first frame."""
    middle = np.array(keypoints.image_size, np.float32) / 2
    points = (keypoints.points - middle) / motion.zoom[:, None, None] + middle
    return replace(keypoints, points=points.astype(np.float32))


def _lift_and_solve(
    people: list[Keypoints], network: Model, focal: Focal, camera: CameraEstimate, meta: TakeMeta, report: Report
) -> Take:
    options = meta.options
    motion = camera.motion(options.get("camera") or "auto")
    matrix = camera_matrix(people[0].image_size)
    matrix[0, 0] = matrix[1, 1] = focal.pixels
    lifted = [lift_person(_without_zoom(person, motion), matrix, network, motion, report) for person in people]
    meta = replace(
        meta,
        lifter_core=meta.lifter_core or __version__,
        model=network.name,
        device=network.device,
        focal_source=focal.source,
        camera=CameraMeta(camera.still, camera.reason, camera.cuts),
    )
    solving = options_from(options)
    parts = None if solving.body is None else read_body(solving.body)
    take = solve_joints(people, lifted, matrix, solving, meta, report, motion, parts)
    worlds = [person.world for person in people if person.world is not None]
    return replace(
        take,
        camera_turns=camera.turns,
        camera_zoom=motion.zoom if np.ptp(motion.zoom) > 0 else None,
        keypoints_world=np.stack(worlds).astype(np.float32) if len(worlds) == len(people) else None,
    )


def lift_person(
    person: Keypoints,
    matrix: NDArray[np.float64],
    network: Model,
    motion: CameraMotion | None = None,
    report: Report = silent,
) -> Lifted:
    """Lifts one person's clip; a network that makes use of up is told it the second time, as the first answer's balance has it.

    Args:
        matrix: (3, 3) pixels; motion: how the camera turned, None = it stood still.

    Returns:
        as lift() gives it.
    """
    lifted = lift(person, matrix, network, report)
    found = person.found
    if not network.knows_up or found.sum() < 2:
        return lifted
    turns = np.broadcast_to(np.eye(3), (len(found), 3, 3)) if motion is None else motion.rotations
    up, sure = estimate_up((lifted.joints @ turns)[found].astype(np.float64), np.gradient(person.timestamps)[found])
    return lift(person, matrix, network, report, turns @ up) if sure > _SURE_OF_UP else lifted
