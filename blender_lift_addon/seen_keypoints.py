# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen in the footage, frame by frame, for drawing: read once from a take's file and kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifter_core.errors import LiftError
from lifter_core.take import Take, load_take

from .motion_curves import scene_frames
from .properties.takes import LiftTake, take_file

MOST = 4  # takes kept in memory


@dataclass(frozen=True)
class SeenKeypoints:
    """P people, T frames, K keypoints.

    Attributes:
        times: (T,) seconds from the take's first frame.
        keypoints: (P, T, K, 3) px of the picture and confidence.
        names: of the keypoints.
        size: width, height px of the picture.
        observed: (P, T) whether the person was seen.
        contacts: (P, T, 2) left, right foot planted.
    """

    times: NDArray[np.float64]
    keypoints: NDArray[np.float32]
    names: tuple[str, ...]
    size: tuple[int, int]
    observed: NDArray[np.bool_]
    contacts: NDArray[np.bool_]

    def frames(self, entry: LiftTake) -> NDArray[np.float64]:
        """(T,) scene frames."""
        return scene_frames(self.times, entry.rate, entry.first_frame)

    def at(self, entry: LiftTake, frame: float) -> int | None:
        """The take's frame that is nearest to a scene frame, None outside of the take."""
        place = (frame - entry.first_frame) / entry.rate
        step = 1 / entry.rate
        if not len(self.times) or not -step < place < self.times[-1] + step:
            return None
        after = int(np.searchsorted(self.times, place))
        near = [index for index in (after - 1, after) if 0 <= index < len(self.times)]
        return min(near, key=lambda index: abs(float(self.times[index]) - place))


_kept: dict[Path, SeenKeypoints | None] = {}
_files: dict[tuple[str, str], Path | None] = {}


def keypoints_of(entry: LiftTake) -> SeenKeypoints | None:
    """The take's, None if its file is gone or cannot be read."""
    key = (entry.path, entry.uid)
    if key not in _files or (_files[key] is not None and len(_files) > 100):
        _files.clear()
        _files[key] = take_file(entry)
    file = _files[key]
    if file is None:
        return None
    if file not in _kept:
        _keep(file, _read(file))
    return _kept[file]


def keep(file: Path, take: Take) -> None:
    """Spares the first drawing of a take that was just brought in the reading of its file."""
    _keep(file, _seen(take))


def _keep(file: Path, seen: SeenKeypoints | None) -> None:
    while len(_kept) >= MOST:
        _kept.pop(next(iter(_kept)))
    _kept[file] = seen


def forget() -> None:
    """For when files were moved or another .blend is open."""
    _kept.clear()
    _files.clear()


def _read(file: Path) -> SeenKeypoints | None:
    try:
        return _seen(load_take(file))
    except LiftError:
        return None


def _seen(take: Take) -> SeenKeypoints:
    times = take.timestamps - take.timestamps[0]
    return SeenKeypoints(times, take.keypoints, take.keypoint_names, take.image_size, take.observed, take.contacts)
