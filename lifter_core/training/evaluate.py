"""Validation sets made once, with a fixed seed, and a network's figures on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..normalise import Encoded
from .cameras import place
from .metrics import mpjpe, pa_mpjpe
from .mocap import read_clips
from .samples import Samples, look

Array = NDArray[Any]
Predict = Callable[[Encoded], Array]  # network input -> (N, J, 3) metres, standard size, virtual camera


class Figures(NamedTuple):
    """Means over a validation set, mm, 12 limb joints; true body size given (scale is not what a lifter can know)."""

    mpjpe: float
    pa_mpjpe: float


def validation_set(file: Path, clean: bool, count: int = 6000, seed: int = 7) -> Samples:
    """``count`` frames spread over the val clips of one packed file, each before its own random camera."""
    joints, speed = [], []
    for clip in read_clips(file, "val"):
        local = clip.joints - clip.joints[:, :1]
        v = np.linalg.norm(np.gradient(local, axis=0), axis=-1) * float(clip.info["fps"])
        joints.append(local)
        speed.append(v.astype(np.float32))
    all_joints, all_speed = np.concatenate(joints), np.concatenate(speed)
    rows = np.linspace(0, len(all_joints) - 1, min(count, len(all_joints))).astype(int)
    rng = np.random.default_rng(seed)
    return look(place(all_joints[rows], rng), all_speed[rows], rng, clean)


def score(predict: Predict, samples: Samples) -> Figures:
    """The network's figures on a set."""
    out = predict(samples.encoded) * samples.size[:, None, None]
    true = samples.target * samples.size[:, None, None]
    return Figures(float(mpjpe(out, true).mean()), float(pa_mpjpe(out, true).mean()))
