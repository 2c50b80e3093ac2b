"""The detector on rendered clips, just as on a user's: ``lifter_core.detect`` on a video file, survey and all."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...detect import detect_keypoints
from ...detect.mediapipe import KEYPOINT_NAMES
from ...errors import NobodyFoundError
from ...files import replaced
from ...video import read_frames
from .film import develop, encode, smear

Array = NDArray[Any]

_SHOWN = (0.2, 0.75)  # of the clip: the pictures kept to look at
_SHOWN_QUALITY = 80


def detect(stem: str, out: Path, models: Path | None = None) -> str:
    """Films and detects one rendered clip: ``clips/STEM.npz`` and two pictures come, the video goes.

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
    info["crf"] = int(rng.integers(18, 33))
    filmed = out / f"{stem}.film.mp4"
    images = (frame.image for frame in read_frames(out / f"{stem}.mp4"))
    if info["shutter"]:
        images = smear(images, pixels, info["joints"], info["shutter"], info["height_px"])
    encode(develop(images, rng), filmed, info["fps"], info["crf"])
    info["film_s"] = (time.process_time() - began) / len(pixels)
    count = len(pixels)
    found = {
        "points": np.full((count, len(KEYPOINT_NAMES), 2), np.nan, np.float32),
        "confidence": np.zeros((count, len(KEYPOINT_NAMES)), np.float32),
        "world": np.full((count, len(KEYPOINT_NAMES), 3), np.nan, np.float32),
    }
    try:
        person = detect_keypoints(filmed, models=models)[0]
    except NobodyFoundError:
        share = 0.0
    else:
        frames = np.minimum((person.timestamps * info["fps"]).round().astype(int), count - 1)
        found["points"][frames], found["confidence"][frames] = person.points, person.confidence
        if person.world is not None:
            found["world"][frames] = person.world
        share = float(person.found.mean())
    _keep_pictures(filmed, out, stem, count)
    info["detect_s"] = (time.process_time() - began) / count - info["film_s"]
    info |= {"keypoints": list(KEYPOINT_NAMES), "found": share}
    with replaced(out / "clips" / f"{stem}.npz") as temporary, temporary.open("wb") as stream:
        np.savez(stream, joints=truth["joints"], up=truth["up"], meta=np.array(json.dumps(info)), **found)
    for name in (f"{stem}.mp4", f"{stem}.film.mp4", f"{stem}_truth.npz"):
        (out / name).unlink(missing_ok=True)
    return f"found {share:.0%}, {info['film_s']:.3f} + {info['detect_s']:.3f} s a frame"


def _keep_pictures(filmed: Path, out: Path, stem: str, count: int) -> None:
    wanted = {round(share * count) for share in _SHOWN}
    for frame in read_frames(filmed):
        if frame.index in wanted:
            path = out / "pictures" / f"{stem}_{frame.index:03d}.jpg"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(frame.image).save(path, quality=_SHOWN_QUALITY)
