"""The detector on rendered clips as on a user's: a video file is read, and the person followed on a moving crop.

Only the survey that finds people first is spared: where the person is every half second is taken from the truth, with
the survey's inaccuracy.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...detect.detector import Pose
from ...detect.flip import make_follower
from ...detect.follow import follow
from ...detect.mediapipe import KEYPOINT_NAMES
from ...detect.people import keypoints_of
from ...detect.survey import Sighting, Track
from ...files import replaced
from ...skeleton import JOINT_NAMES
from ...video import Frame, probe, read_frames
from .film import develop, encode, enlarge, smear

Array = NDArray[Any]

_SHOWN = (0.2, 0.75)  # of the clip: the pictures kept to look at
_SHOWN_QUALITY = 80
_SURVEY_INTERVAL = 0.5  # s


def detect(stem: str, out: Path, models: Path | None = None, flip: bool = True) -> str:
    """Films and detects one rendered clip: ``clips/STEM.npz`` and two pictures come, the video goes.

    ``flip``: each picture's mirror image is looked at too, as the product does unless told not to.

    The file holds what ``pairs.pack`` joins: points, confidence, world, joints, up, and meta (JSON).
    """
    began = time.process_time()
    with np.load(out / f"{stem}_truth.npz", allow_pickle=False) as z:
        truth = {name: z[name] for name in z.files}
    info: dict[str, Any] = json.loads(str(truth["meta"]))
    rng = np.random.default_rng([21, info["id"]])
    matrix = np.array(info["camera_matrix"])
    seen = truth["joints"] @ matrix.T
    pixels = seen[..., :2] / np.maximum(seen[..., 2:], 0.05)
    info["crf"] = int(rng.integers(18, 30))
    filmed = out / f"{stem}.film.mp4"
    images: Iterator[Array] = enlarge((f.image for f in read_frames(out / f"{stem}.mp4")), tuple(info["size"]))
    if info["shutter"]:
        images = smear(images, pixels, info["joints"], info["shutter"], info["height_px"])
    encode(develop(images, rng), filmed, info["fps"], info["crf"])
    info["film_s"] = (time.process_time() - began) / len(pixels)
    count = len(pixels)
    found: dict[str, Any] = {
        "points": np.full((count, len(KEYPOINT_NAMES), 2), np.nan, np.float32),
        "confidence": np.zeros((count, len(KEYPOINT_NAMES)), np.float32),
        "world": np.full((count, len(KEYPOINT_NAMES), 3), np.nan, np.float32),
    }
    clip = probe(filmed)
    track = _track(pixels, info["joints"], info["fps"], rng)
    times: list[float] = []
    poses: list[Pose | None] = []
    with closing(make_follower("heavy", flip, models)) as detector:
        frames = _kept(read_frames(filmed), out / "pictures" / stem, {round(share * count) for share in _SHOWN})
        for frame, pose in follow(detector, frames, track):
            times.append(frame.time)
            poses.append(pose)
        person = keypoints_of(times, poses, clip, detector)
    rows = np.minimum((person.timestamps * info["fps"]).round().astype(int), count - 1)
    found["points"][rows], found["confidence"][rows], found["world"][rows] = (
        person.points,
        person.confidence,
        person.world,
    )
    share = float(person.found.mean())
    info["detect_s"] = (time.process_time() - began) / count - info["film_s"]
    info |= {"keypoints": list(KEYPOINT_NAMES), "found": share, "flip": flip}
    with replaced(out / "clips" / f"{stem}.npz") as temporary, temporary.open("wb") as stream:
        np.savez(stream, joints=truth["joints"], up=truth["up"], meta=np.array(json.dumps(info)), **found)
    for name in (f"{stem}.mp4", f"{stem}.film.mp4", f"{stem}_truth.npz"):
        (out / name).unlink(missing_ok=True)
    return f"found {share:.0%}, {info['film_s']:.3f} + {info['detect_s']:.3f} s a frame"


def _track(pixels: Array, names: list[str], fps: float, rng: np.random.Generator) -> Track:
    """What a survey would see of the person, from the truth (searching every tile costs as much as following)."""
    trunk = [names.index(f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]
    body = [names.index(name) for name in JOINT_NAMES]
    sightings = []
    for t in range(0, len(pixels), max(1, round(_SURVEY_INTERVAL * fps))):
        points = pixels[t]
        extent = float(np.ptp(points[body], axis=0).max()) * rng.normal(1, 0.06)
        length = float(np.linalg.norm(points[trunk[::2]].mean(0) - points[trunk[1::2]].mean(0)))
        centre = points[trunk].mean(0) + rng.normal(0, 0.03, 2) * extent
        sightings.append(Sighting(t / fps, centre.astype(np.float32), length, extent, 1.0))
    return Track(sightings)


def _kept(frames: Iterable[Frame], stem: Path, wanted: set[int]) -> Iterator[Frame]:
    """Passes frames on and saves a few as pictures."""
    for frame in frames:
        if frame.index in wanted:
            path = stem.with_name(f"{stem.name}_{frame.index:03d}.jpg")
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(frame.image).save(path, quality=_SHOWN_QUALITY)
        yield frame
