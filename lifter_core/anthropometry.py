"""Proportions of people: bone lengths between joint centres, men, women and children, drawn with their covariance.

Source: ANSUR II, the US Army's anthropometric survey of 2012 (Gordon et al., NATICK/TR-15/007; public domain). Covariance: 117
rows of its public files (58 of 4,082 men, 59 of 1,986 women, two blocks of each file), each block about its own mean. Means:
those rows, scaled to the published means of the whole survey where we have them (acromial height, trochanterion height,
shoulder-elbow length, radiale-stylion length, biacromial breadth), the others by stature.

From landmarks on the skin to joint centres (``from_survey``):

- shoulder: 10.4 % of the acromion-radiale length below the acromion, elbow: 4.3 % of it above radiale; hip: 0.7 % of the
  thigh above trochanterion (de Leva 1996, J. Biomech. 29:1231, from Chandler's cadavers); wrist at stylion.
- knee: the mean of the lateral femoral epicondyle and of tibiale + 22 mm, the survey's mean distance of the two; ankle: the
  lateral malleolus.
- hip width: the centres lie 14 % of the distance of the anterior superior iliac spines inside these (Bell 1989, Seidel 1995);
  that distance is taken as 0.86 of the bicristal breadth. Shoulder width: 0.87 of the biacromial breadth (the centres lie
  some 27 mm inside the acromia).
- trunk: middle of the hips to middle of the shoulders, and 1 % for the bend at the spine joint; crown: from there to the top
  of the head. How the trunk, the crown and the foot are divided, and how nose and ears hang on the head, is as in the mocap.
- hand: wrist to the middle of the outer knuckles, 0.44 of the hand's length (Buchholz 1992).

Children grow by allometry: a part's length goes with stature to the power in ``_PARTS``; chosen so that a child of 1.1 m has
the round proportions of Snyder et al. 1977 (UM-HSRI-77-17) at five: a trochanter at 0.49 of stature, an acromion at 0.80,
shoulders of 0.23, a foot of 0.155, a head nearly an adult's.

    python -m lifter_core.anthropometry MEN.csv WOMEN.csv

prints the means, standard deviations and correlations of the survey's files (columns by name, separated by ; or ,).
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .skeleton import JOINT_NAMES

Array = NDArray[Any]

MEASURES = ("trunk", "crown", "skull", "hips", "thigh", "shin", "foot", "shoulders", "upper_arm", "forearm", "hand")

# geometric means, metres; half widths of hips and shoulders; ``skull``: tragion to the top of the head
MEN = (0.506, 0.350, 0.131, 0.085, 0.414, 0.415, 0.269, 0.181, 0.287, 0.282, 0.085)
WOMEN = (0.458, 0.326, 0.125, 0.085, 0.382, 0.401, 0.248, 0.159, 0.267, 0.254, 0.079)
_DEVIATION = (
    0.056,
    0.044,
    0.048,
    0.057,
    0.064,
    0.059,
    0.045,
    0.051,
    0.057,
    0.059,
    0.050,
)  # of the log, within each sex
_CORRELATION = (
    (1.00, 0.02, 0.10, 0.46, 0.04, 0.22, 0.26, 0.18, 0.34, 0.23, 0.17),
    (0.02, 1.00, 0.13, 0.00, 0.30, 0.32, 0.36, 0.42, 0.26, 0.28, 0.29),
    (0.10, 0.13, 1.00, 0.09, -0.14, -0.02, 0.01, 0.15, -0.10, 0.03, -0.05),
    (0.46, 0.00, 0.09, 1.00, 0.20, 0.17, 0.23, 0.32, 0.28, 0.17, 0.12),
    (0.04, 0.30, -0.14, 0.20, 1.00, 0.79, 0.65, 0.31, 0.73, 0.71, 0.55),
    (0.22, 0.32, -0.02, 0.17, 0.79, 1.00, 0.75, 0.46, 0.81, 0.84, 0.65),
    (0.26, 0.36, 0.01, 0.23, 0.65, 0.75, 1.00, 0.48, 0.69, 0.71, 0.80),
    (0.18, 0.42, 0.15, 0.32, 0.31, 0.46, 0.48, 1.00, 0.46, 0.41, 0.48),
    (0.34, 0.26, -0.10, 0.28, 0.73, 0.81, 0.69, 0.46, 1.00, 0.78, 0.62),
    (0.23, 0.28, 0.03, 0.17, 0.71, 0.84, 0.71, 0.41, 0.78, 1.00, 0.67),
    (0.17, 0.29, -0.05, 0.12, 0.55, 0.65, 0.80, 0.48, 0.62, 0.67, 1.00),
)
# factor on the survey's standard deviations: soldiers are more alike than people, and networks should know more
INFLATION = 1.25
_FARTHEST = 2.5  # standard deviations: nothing is drawn beyond


class _Part(NamedTuple):
    """A bone: which measure it is part of, its share of it, its power of stature in children, and the sd of the log of a
    factor of its own: what the survey did not measure.
    """

    measure: str
    share: float
    growth: float
    alone: float


_PARTS = {
    "spine": _Part("trunk", 0.653, 0.95, 0.05),
    "thorax": _Part("trunk", 0.347, 0.95, 0.06),
    "neck": _Part("crown", 0.385, 1.0, 0.06),
    "head": _Part("crown", 0.615, 0.65, 0.04),
    "nose": _Part("skull", 1.096, 0.35, 0.05),
    "ear": _Part("skull", 0.822, 0.25, 0.05),
    "hip": _Part("hips", 1.0, 1.0, 0.08),
    "knee": _Part("thigh", 1.0, 1.12, 0.05),
    "ankle": _Part("shin", 1.0, 1.12, 0.05),
    "heel": _Part("foot", 0.298, 0.97, 0.06),
    "toe": _Part("foot", 0.711, 0.97, 0.04),
    "shoulder": _Part("shoulders", 1.0, 1.0, 0.05),
    "elbow": _Part("upper_arm", 1.0, 1.1, 0.04),
    "wrist": _Part("forearm", 1.0, 1.05, 0.04),
    "hand": _Part("hand", 1.0, 1.0, 0.05),
}
_SIDE = 0.008  # sd of the log of what left and right differ by

MAN, WOMAN, CHILD = range(3)
_SHARES = (0.375, 0.375, 0.25)
_STATURE = 1.69  # m: of men and women together
_CHILD_STATURE = (1.05, 1.55)

_MEANS: Array = np.log(np.array([MEN, WOMEN, np.sqrt(np.multiply(MEN, WOMEN))]))
_MIX: Array = np.linalg.cholesky(np.array(_CORRELATION)).T * np.array(_DEVIATION) * INFLATION
_OF_PART = [MEASURES.index(part.measure) for part in _PARTS.values()]
_SHARE: Array = np.log(np.array([part.share for part in _PARTS.values()]))
_GROWTH: Array = np.array([part.growth for part in _PARTS.values()])
_ALONE: Array = np.array([part.alone for part in _PARTS.values()])
_OF_JOINT = [list(_PARTS).index(name.split("_")[-1]) for name in JOINT_NAMES[1:]]


class People(NamedTuple):
    """N people: ``kind`` (N,), MAN, WOMAN or CHILD; ``lengths`` (N, J) as of draw_lengths()."""

    kind: NDArray[np.intp]
    lengths: Array


def draw_lengths(count: int, rng: np.random.Generator) -> Array:
    """(count, J) metres from each joint of skeleton.JOINTS to its parent, of ``count`` people; 1 for the pelvis."""
    return draw_people(count, rng).lengths


def draw_people(count: int, rng: np.random.Generator) -> People:
    """``count`` people: a quarter are children of 1.05 to 1.55 m, the others men and women in equal parts."""
    kind = rng.choice(len(_SHARES), count, p=_SHARES)
    stature = rng.uniform(*_CHILD_STATURE, count)
    grown = np.where(kind == CHILD, np.log(stature / _STATURE), 0.0)
    measures = _MEANS[kind] + _normal(rng, (count, len(MEASURES))) @ _MIX
    parts = measures[:, _OF_PART] + _SHARE + grown[:, None] * _GROWTH + _normal(rng, (count, len(_PARTS))) * _ALONE
    out = np.ones((count, len(JOINT_NAMES)), np.float32)
    out[:, 1:] = np.exp(parts[:, _OF_JOINT] + _normal(rng, (count, len(_OF_JOINT))) * _SIDE)
    return People(kind, out)


class Proportions(NamedTuple):
    """What is known of a grown person's or a child's bones before they are seen: (K,) mean and (K, K) covariance of the logs of
    the lengths in metres.
    """

    mean: Array
    covariance: Array


def proportions(parts: Sequence[str], height: float | None = None) -> Proportions:
    """The distribution that draw_lengths() draws from, as one normal distribution, of the bones that end at ``parts``.

    Args:
        parts: the last words of joints' names: ``knee`` stands for the thigh, ``ankle`` for the shin.
        height: standing height in metres, if it is known: who is shorter than 1.55 m is taken for a child.
    """
    rows = [list(_PARTS).index(part) for part in parts]
    measure = [_OF_PART[row] for row in rows]
    within = (_MIX.T @ _MIX)[np.ix_(measure, measure)] + np.diag(_ALONE[rows] ** 2)
    adults = _MEANS[:2, measure]
    apart = adults[0] - adults[1]
    mean = adults.mean(0) + _SHARE[rows]
    if height is not None and height < _CHILD_STATURE[1]:
        mean = mean + np.log(height / _STATURE) * _GROWTH[rows]
    return Proportions(mean, within + np.outer(apart, apart) / 4)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.clip(rng.standard_normal(shape), -_FARTHEST, _FARTHEST)


def from_survey(columns: Mapping[str, Array]) -> Array:
    """(N, 11) logs of the MEASURES in metres, from N people's columns of the survey (its names, millimetres)."""
    arm, hip_mark = columns["acromionradialelength"], columns["trochanterionheight"]
    tibiale = columns["tibialheight"]
    shoulder = columns["acromialheight"] - 0.104 * arm
    hip = hip_mark + 0.007 * (hip_mark - tibiale)
    knee = (columns["lateralfemoralepicondyleheight"] + tibiale + 22) / 2
    measured = (
        1.01 * (shoulder - hip),
        columns["stature"] - shoulder,
        columns["tragiontopofhead"],
        0.5 * 0.72 * 0.86 * columns["bicristalbreadth"],
        hip - knee,
        knee - columns["lateralmalleolusheight"],
        columns["footlength"],
        0.5 * 0.87 * columns["biacromialbreadth"],
        (1 - 0.104 - 0.043) * arm,
        columns["radialestylionlength"] + 0.043 * arm,
        0.44 * columns["handlength"],
    )
    return np.log(np.stack(measured, 1) / 1000)


def _read(path: Path) -> Array:
    text = path.read_text(encoding="latin-1")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in text[:200] else ","))
    names = [name for name in rows[0] if rows[0][name].replace(".", "").isdigit()]
    return from_survey({name: np.array([float(row[name]) for row in rows]) for name in names})


def main(argv: list[str] | None = None) -> int:
    """Prints means, standard deviations and correlations of survey files, one a sex; returns the exit code."""
    groups = [_read(Path(path)) for path in (sys.argv[1:] if argv is None else argv)]
    for group in groups:
        print("mean", np.exp(group.mean(0)).round(3))
    apart = np.concatenate([group - group.mean(0) for group in groups])
    covariance = apart.T @ apart / (len(apart) - len(groups))
    print("sd", np.sqrt(covariance.diagonal()).round(3))
    print("correlation", np.corrcoef(apart.T).round(2), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
