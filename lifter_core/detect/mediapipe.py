"""MediaPipe's pose landmarker (BlazePose, 33 points) as a detector, in three sizes: ``lite``, ``full`` and ``heavy``."""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .detector import Pose, register
from .models import DETECTORS, find_model

_FACE = ("left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer")
_BODY = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb", "hip", "knee", "ankle", "heel", "foot_index")
KEYPOINT_NAMES: tuple[str, ...] = (
    "nose",
    *_FACE,
    *(f"{side}_{part}" for part in ("ear", "mouth", *_BODY) for side in ("left", "right")),
)
LIMBS: tuple[tuple[str, str], ...] = tuple(
    (f"{side}_{upper}", f"{side}_{lower}")
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)

# VIDEO mode smooths causally, which is a lag. Told that frames are 1000 s apart, its One Euro filter lets all but
# everything through (measured lag in frames: 0.5 at 33 ms, 0.18 at 1 s, 0.03 at 1000 s) while tracking stays.
_FRAME_SPACING_MS = 1_000_000
# VIDEO mode also averages visibility, out(t) = 0.1 raw(t) + 0.9 out(t-1), whatever the timestamps: ten frames late.
_VISIBILITY_WEIGHT = 0.1


class Landmarker:
    """A pose landmarker, as the protocol Detector has it."""

    names, limbs, has_world = KEYPOINT_NAMES, LIMBS, True

    def __init__(self, model: Path, people: int = 0) -> None:
        with quiet_stderr():
            import mediapipe
            from mediapipe.tasks.python.core.base_options import BaseOptions
            from mediapipe.tasks.python.vision import pose_landmarker
            from mediapipe.tasks.python.vision.core.vision_task_running_mode import VisionTaskRunningMode

            self._picture: Any = functools.partial(mediapipe.Image, mediapipe.ImageFormat.SRGB)
            self._task: Any = pose_landmarker.PoseLandmarker.create_from_options(
                pose_landmarker.PoseLandmarkerOptions(
                    # bytes, not the path: MediaPipe cannot open every path that Windows can
                    base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
                    running_mode=VisionTaskRunningMode.IMAGE if people else VisionTaskRunningMode.VIDEO,
                    num_poses=max(people, 1),
                )
            )
        self._tracking = not people
        self._calls = 0
        self._remarked = False
        self._last: NDArray[np.float32] | None = None  # the averaged visibility that came last

    def close(self) -> None:
        """Frees the model."""
        self._task.close()

    def __call__(self, image: NDArray[np.uint8]) -> list[Pose]:
        """The poses in an (h, w, 3) RGB picture."""
        # Its remarks come once each: the last of them with the first pose.
        with contextlib.nullcontext() if self._remarked else quiet_stderr():
            picture = self._picture(np.ascontiguousarray(image))
            if self._tracking:
                result = self._task.detect_for_video(picture, self._calls * _FRAME_SPACING_MS)
            else:
                result = self._task.detect(picture)
        self._calls += 1
        self._remarked = self._remarked or bool(result.pose_landmarks)
        scale = np.array([image.shape[1], image.shape[0]], np.float32)
        poses = []
        for flat, solid in zip(result.pose_landmarks, result.pose_world_landmarks, strict=True):
            marks = np.array([(p.x, p.y, p.visibility) for p in flat], np.float32)
            world = np.array([(p.x, p.y, p.z) for p in solid], np.float32)
            visibility = self._unsmoothed(marks[:, 2]) if self._tracking else marks[:, 2]
            poses.append(Pose(marks[:, :2] * scale, visibility, world))
        return poses

    def forget(self) -> None:
        """Drops the person followed, so that the next picture is searched afresh (by way of an empty one)."""
        self(np.zeros((64, 64, 3), np.uint8))

    def _unsmoothed(self, visibility: NDArray[np.float32]) -> NDArray[np.float32]:
        last, self._last = self._last, visibility
        if last is None:
            return visibility
        return ((visibility - (1 - _VISIBILITY_WEIGHT) * last) / _VISIBILITY_WEIGHT).clip(0, 1)


def _register(name: str) -> None:
    register(name, lambda people, models: Landmarker(find_model(name, models), people))


for _name in DETECTORS:
    _register(_name)

_quiet = threading.RLock()  # there is one file descriptor 2 for all threads


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sends nowhere what is written to file descriptor 2, by native code in the first place; exceptions pass."""
    with _quiet, _without_stderr():
        yield


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (AttributeError, OSError, ValueError):  # no standard error at all, as in a Windows program without console
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
