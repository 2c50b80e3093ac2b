"""What each clip shows, from its number alone: any prefix of 0, 1, 2, ... is balanced over motions and views."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .body_animation import takes

FRAMES = 60
_EXACT, _REBUILT = "cmu_60.npz", "cmu_full_30.npz"
# clips with captures gone wrong, and subjects whose frame rate is in doubt
_BROKEN_TAKES, _DOUBTFUL_SUBJECTS = ("16_15", "03_02", "01_06"), ("60", "61")
_SIZES = ((768, 432), (640, 480), (480, 640), (600, 600), (432, 768), (854, 480), (540, 720), (720, 720))
_RATES = (30.0, 30.0, 30.0, 25.0, 30.0, 60.0, 30.0, 24.0, 30.0, 50.0)
_PEOPLE_WITH_FURNITURE_BEFORE_THEM, _CROPPED, _MOVING, _BLURRED = 0.15, 0.12, 0.35, 0.7


class Shot(NamedTuple):
    """One clip: the take (file, clip's index, start in s), its rate, picture size, view and what disturbs it.

    ``azimuth`` (radians) is where the camera stands as the person sees it: 0 before them, pi behind. ``wish`` (0 to 1)
    says how large the person is to be.
    """

    number: int
    split: str
    file: str
    take: int
    start: float
    fps: float
    size: tuple[int, int]
    azimuth: float
    wish: float
    occluded: bool
    cropped: bool
    moving: bool
    shutter: float

    @property
    def rng(self) -> np.random.Generator:
        """The clip's own source of chance."""
        return np.random.default_rng([20, self.number])


def shot(number: int, mocap: Path) -> Shot:
    """Clip ``number``: one in ten of a validation subject, half exact takes and half rebuilt ones, categories in turn."""
    rng = np.random.default_rng([19, number])
    spread = _spread(number)
    split = "val" if number % 10 == 7 else "train"
    exact = number % 2 == 0 if split == "train" else number % 20 == 7
    file = _EXACT if exact else _REBUILT
    fps = _RATES[number * 7 // 2 % len(_RATES)]
    fps = fps if exact else min(fps, 30.0)
    kinds = _by_category(mocap / file, split, FRAMES / fps)
    names = sorted(kinds)
    chosen = kinds[names[number // 2 % len(names)]]
    take = int(rng.choice(chosen))
    info = takes(mocap / file)[take]
    start = rng.uniform(0, info["len"] / info["fps"] - FRAMES / fps)
    return Shot(
        number, split, file, take, start, fps, _SIZES[number * 3 // 2 % len(_SIZES)], 2 * np.pi * spread(0), spread(1),
        spread(2) < _PEOPLE_WITH_FURNITURE_BEFORE_THEM, spread(3) < _CROPPED, spread(4) < _MOVING,
        rng.uniform(0.1, 0.6) if spread(5) < _BLURRED else 0.0,
    )  # fmt: skip


def _spread(number: int) -> Any:
    """Evenly spread sequences in 0..1, one a key (the powers of a generalised golden ratio: Roberts' R sequence)."""
    g = 1.1673039782614187  # the root of x^7 = x + 1, for six dimensions
    return lambda key: (0.5 + (number + 1) * g ** -(key + 1)) % 1.0


def _by_category(path: Path, split: str, seconds: float) -> dict[str, list[int]]:
    """The usable takes of a file by category; a few kinds share one name."""
    out: dict[str, list[int]] = {}
    for i, clip in enumerate(takes(path)):
        if clip["split"] != split or clip["len"] / clip["fps"] < seconds + 0.1:
            continue
        if clip["id"] in _BROKEN_TAKES or clip["subject"] in _DOUBTFUL_SUBJECTS:
            continue
        if path.name == _EXACT and not clip["has_rot"]:
            continue
        out.setdefault(clip["category"], []).append(i)
    return out
