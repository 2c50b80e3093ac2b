"""Validation sets made once, with a fixed seed, and a network's figures on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..lifting import TAP_RATE
from ..normalise import Encoded
from .cameras import place
from .metrics import acceleration_error, mpjpe, mpjve, pa_mpjpe
from .mocap import Motion, read_clips, stretches, whole_parts
from .noise import Detector
from .samples import Sequences, look, window_rows

Array = NDArray[Any]
# frames and the windows about those to answer (None: all, by themselves) -> (N, J, 3) standard size, virtual camera
Predict = Callable[[Encoded, NDArray[np.intp] | None], Array]

FRAMES = 90


class Figures(NamedTuple):
    """Means over a validation set, 12 limb joints about the hips; true body size given (scale is not what a lifter can
    know): MPJPE and PA-MPJPE in mm, velocity error in mm a frame and acceleration error in mm a frame^2, at 30 fps.
    """

    mpjpe: float
    pa_mpjpe: float
    mpjve: float
    acceleration: float

    def __str__(self) -> str:
        return f"{self.pa_mpjpe:.1f} / {self.mpjpe:.1f}, acceleration {self.acceleration:.1f}"


def _clips(file: Path, split: str, count: int) -> tuple[list[tuple[Array, dict[str, Any]]], NDArray[np.intp]]:
    """The split's unbroken parts of takes, and which of them ``count`` sequences are of: spread over all seconds."""
    parts = [(part, clip.info) for clip in read_clips(file, split) for part in whole_parts(clip)]
    seconds = np.cumsum([len(part) / float(info["fps"]) for part, info in parts])
    return parts, np.searchsorted(seconds, (np.arange(count) + 0.5) / count * seconds[-1])


def validation_subjects(file: Path, count: int = 80, split: str = "val") -> list[str]:
    """Whose take each sequence of validation_set() is."""
    parts, chosen = _clips(file, split, count)
    return [str(parts[k][1].get("subject", "")) for k in chosen]


def validation_set(
    file: Path,
    clean: bool,
    model: Detector,
    count: int = 80,
    seed: int = 7,
    split: str = "val",
    exact: float = 0.0,
) -> Sequences:
    """``count`` sequences of FRAMES frames at 30 fps, spread over the clips of one packed file's split, each before its own
    random camera.

    Clips take part by length; ``clean`` and ``exact`` as look() takes them. A sequence shorter than FRAMES has frames that are
    not ``there``.
    """
    parts, chosen = _clips(file, split, count)
    length = np.array([len(p) for p, _ in parts])
    fps = np.array([float(info["fps"]) for _, info in parts])
    motion = Motion(
        np.concatenate([p for p, _ in parts]),
        np.cumsum(length) - length,
        length,
        fps,
        np.full(len(parts), 1 / len(parts)),
    )
    rng = np.random.default_rng(seed)
    joints, there = stretches(motion, chosen, FRAMES, TAP_RATE, rng, jitter=0)
    return look(place(joints, rng), there, model, rng, clean, exact)


def score(predict: Predict, sequences: Sequences, taps: tuple[int, ...] = ()) -> Figures:
    """The figures of a network that looks at ``taps`` on a set."""
    c, t = sequences.there.shape
    every = np.stack(np.meshgrid(np.arange(c), np.arange(t), indexing="ij"), -1).reshape(-1, 2)
    windows = window_rows(sequences.there, taps, every) if taps else None
    out = predict(sequences.encoded, windows)[..., :3]
    factor = sequences.size[:, None, None]
    there = sequences.there.reshape(-1)
    a, b = out * factor, sequences.target * factor
    view = sequences.encoded.view
    still = [np.einsum("nij,nkj->nki", view, x).reshape(c, t, -1, 3) for x in (a, b)]
    rows = [np.flatnonzero(row) for row in sequences.there]
    pieces = [(still[0][i, r], still[1][i, r]) for i, r in enumerate(rows) if len(r) > 2]
    return Figures(
        float(mpjpe(a[there], b[there]).mean()),
        float(pa_mpjpe(a[there], b[there]).mean()),
        float(np.concatenate([mpjve(p, q) for p, q in pieces]).mean()),
        float(np.concatenate([acceleration_error(p, q) for p, q in pieces]).mean()),
    )
