"""Repairs mocap whose limbs are too long for the markers, so that people who stand still stand straight.

The skeletons behind much of the public mocap have thighs, shins and arms 1 to 5 % longer than the distances between hip and
ankle, or shoulder and wrist, allow: the software that fitted them to the markers bent every knee and elbow to make up for it.
Hips, ankles, shoulders and wrists are well placed, the lengths are not. Here the lengths are fitted anew for each subject and
skeleton, and knees and elbows are moved, in the plane in which they were bent, to where limbs of those lengths put them
(two-bone inverse kinematics). Everything else stays where it was.

    python -m lifter_core.training.limbs FILE.npz ...

prints, for each packed file, the distribution over subjects before and after the repair.
"""

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..normalise import norm
from ..rotations import least_rotation, unit
from ..skeleton import JOINT

if TYPE_CHECKING:
    from .mocap import Clip

Array = NDArray[Any]

Key = tuple[str, ...]

LEGS = tuple((f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in ("left", "right"))
ARMS = tuple((f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in ("left", "right"))

_STILL = 0.15  # m/s: ankles and pelvis of somebody who stands still are slower
_LEVEL = 0.04  # m: the ankles of somebody who stands on both feet differ less in height
_UPRIGHT = 0.9  # cosine between trunk and vertical
_NOT_SQUATTING = 0.92  # reach: below it somebody who holds still is taken to squat or lunge, not to stand
_STRAIGHT = 0.9996  # reach of a leg that stands: 3 degrees of flexion
_ENOUGH = 1.0  # s of standing legs that count as much as the estimate from all frames
_ALL_FRAMES = 0.75  # quantile of the reach over all frames; in subjects who stand it is 0.003 above that of standing
_ALL_FRAMES_ABOVE = 0.003
_LEAST_LEG, _LEAST_LEG_UNSEEN = 0.93, 0.945  # lowest factors of the legs: standing was seen, or was not
_HANGS = 0.95  # cosine between an arm that hangs and the vertical
# Arms that hang are bent by 5 to 7 degrees in the straightest 5 % of the frames (HDM05, whose arms are of the
# right length); raised arms show their length in the longest reaches.
_HANGING_QUANTILE, _HANGING = 0.95, 0.9986
_ARM_QUANTILE, _LEAST_ARM = 0.98, 0.955
_ENOUGH_ARMS = 2.0  # s of hanging arms
_SOFT = 0.0008  # how gently a limb comes to its full reach, as a part of its length (0.6 mm of a leg)


class Limbs(NamedTuple):
    """Factors on the lengths of thighs and shins, and of upper arms and forearms, of one subject's skeleton; at most 1."""

    legs: float
    arms: float


def reach(joints: Array, limb: tuple[str, str, str]) -> Array:
    """(T,) distance between the ends of a limb over the sum of its two bones; joints (T, J, 3)."""
    root, middle, end = (joints[:, JOINT[name]] for name in limb)
    return np.asarray(norm(end - root) / np.maximum(norm(middle - root) + norm(end - middle), 1e-6))


def flexion(joints: Array, limb: tuple[str, str, str]) -> Array:
    """(T,) degrees by which the middle joint of a limb is bent, 0 = straight; joints (T, J, 3)."""
    root, middle, end = (joints[:, JOINT[name]] for name in limb)
    first, second = middle - root, end - middle
    cosine = (first * second).sum(-1) / np.maximum(norm(first) * norm(second), 1e-9)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def standing(joints: Array, fps: float) -> NDArray[np.bool_]:
    """(T,) frames in which somebody stands still on both feet, upright; joints (T, J, 3) metres, Y up."""
    if len(joints) < 3:
        return np.zeros(len(joints), bool)
    ankles = joints[:, [JOINT["left_ankle"], JOINT["right_ankle"]]]
    moved = np.concatenate([ankles, joints[:, :1]], 1)
    speed = norm(np.gradient(moved, axis=0)) * fps
    trunk = joints[:, JOINT["thorax"]] - joints[:, JOINT["pelvis"]]
    upright = trunk[:, 1] > _UPRIGHT * norm(trunk)
    return np.asarray((speed.max(1) < _STILL) & upright & (np.abs(np.diff(ankles[..., 1], axis=1))[:, 0] < _LEVEL))


def hangs(joints: Array, arm: tuple[str, str, str]) -> NDArray[np.bool_]:
    """(T,) frames in which an arm hangs down; joints (T, J, 3), Y up."""
    down = joints[:, JOINT[arm[0]], 1] - joints[:, JOINT[arm[2]], 1]
    return np.asarray(down > _HANGS * norm(joints[:, JOINT[arm[2]]] - joints[:, JOINT[arm[0]]]))


def skeleton_of(clip: "Clip") -> Key:
    """The subject and, to 2 cm, the skeleton of a clip: what has one set of limb lengths."""
    lengths = []
    for limb in (*LEGS[:1], *ARMS[:1]):
        root, middle, end = (clip.joints[:, JOINT[name]] for name in limb)
        lengths += [float(np.median(norm(middle - root))), float(np.median(norm(end - middle)))]
    return (str(clip.info.get("subject", "")), *(f"{length / 0.02:.0f}" for length in lengths))


def fit_limbs(clips: Iterable["Clip"]) -> dict[Key, Limbs]:
    """The factors of each subject's skeleton, by skeleton_of().

    Legs: where somebody stands still, the median reach is that of straight legs. With few such frames the estimate leans on
    the reach of all frames, whose upper quartile lies at about that of standing in the subjects who do stand. Arms: the
    longest reaches are taken for straight (98th percentile), and those of hanging arms for nearly straight (95th).
    """
    by_key: dict[Key, list[Clip]] = {}
    for clip in clips:
        by_key.setdefault(skeleton_of(clip), []).append(clip)
    return {key: _fit(group) for key, group in by_key.items()}


def _fit(clips: "list[Clip]") -> Limbs:
    legs: list[Array] = []
    stood: list[Array] = []
    arms: list[Array] = []
    hanging: list[Array] = []
    seconds = seconds_hanging = 0.0
    for clip in clips:
        fps = float(clip.info["fps"])
        still = standing(clip.joints, fps)
        for limb in LEGS:
            every = reach(clip.joints, limb)
            upright = every[still & (every > _NOT_SQUATTING)]
            legs.append(every)
            stood.append(upright)
            seconds += len(upright) / fps
        for limb in ARMS:
            every = reach(clip.joints, limb)
            arms.append(every)
            hanging.append(every[hangs(clip.joints, limb)])
            seconds_hanging += len(hanging[-1]) / fps
    guess = max((float(np.quantile(np.concatenate(legs), _ALL_FRAMES)) - _ALL_FRAMES_ABOVE), _LEAST_LEG_UNSEEN)
    if seconds:
        seen = float(np.median(np.concatenate(stood)))
        guess = (seconds * seen + _ENOUGH * guess) / (seconds + _ENOUGH)
    arm = float(np.quantile(np.concatenate(arms), _ARM_QUANTILE)) / _STRAIGHT
    if seconds_hanging > _ENOUGH_ARMS:
        arm = min(arm, float(np.quantile(np.concatenate(hanging), _HANGING_QUANTILE)) / _HANGING)
    return Limbs(float(np.clip(guess / _STRAIGHT, _LEAST_LEG, 1)), float(np.clip(arm, _LEAST_ARM, 1)))


def straightened(joints: Array, limbs: Limbs) -> Array:
    """(T, J, 3) joints with knees and elbows where limbs of the fitted lengths have them.

    Args:
        joints: (T, J, 3) in any axes.

    A limb whose ends are further apart than its new length lies straight between them.
    """
    out = joints.astype(np.float64)
    for chain, factor in ((LEGS, limbs.legs), (ARMS, limbs.arms)):
        if factor >= 1:
            continue
        for limb in chain:
            root, middle, end = (out[:, JOINT[name]] for name in limb)
            first, second = norm(middle - root) * factor, norm(end - middle) * factor
            across = end - root
            apart = np.maximum(norm(across), 1e-6)
            along = across / apart[:, None]
            # the limb's full length is approached softly, so that knees do not snap when a leg straightens
            share = apart / (first + second)
            share = 1 - _SOFT * np.logaddexp(0, (1 - share) / _SOFT)
            scale = apart / (share * (first + second))  # 1 but near full reach, where the bones give
            first, second = first * scale, second * scale
            foot = (first**2 - second**2 + apart**2) / (2 * apart)
            height = np.sqrt(np.maximum(first**2 - foot**2, 0))
            bent = middle - root
            bent = bent - (bent * along).sum(-1, keepdims=True) * along
            bent /= np.maximum(norm(bent), 1e-6)[:, None]
            out[:, JOINT[limb[1]]] = root + foot[:, None] * along + height[:, None] * bent
    return out.astype(joints.dtype)


def with_limbs(rotations: dict[str, Array], before: Array, after: Array) -> dict[str, Array]:
    """Global rotations (T, 3, 3) by the mocap's bone name, thighs, shins, upper arms and forearms swung with the repair.

    Args:
        before, after: (T, J, 3) joints as captured and repaired, in the axes of the rotations.
    """
    out = dict(rotations)
    for chain, bones in ((LEGS, ("thigh", "shin")), (ARMS, ("upperarm", "forearm"))):
        for limb in chain:
            for bone, (a, b) in zip(bones, itertools.pairwise(limb), strict=True):
                name = f"{limb[0][0]}_{bone}"
                if name in out:
                    was, now = (unit(x[:, JOINT[b]] - x[:, JOINT[a]]) for x in (before, after))
                    out[name] = least_rotation(was, now) @ out[name]
    return out


def repaired(clips: "Sequence[Clip]", limbs: dict[Key, Limbs] | None = None) -> "list[Clip]":
    """The clips with knees and elbows put right; ``limbs`` as fit_limbs() gives them, None = fitted to these clips."""
    factors = fit_limbs(clips) if limbs is None else limbs
    return [clip._replace(joints=straightened(clip.joints, factors[skeleton_of(clip)])) for clip in clips]


class Straightness(NamedTuple):
    """One subject: degrees of flexion of knees and elbows in its straightest 1 %, and of knees while it stands (or NaN)."""

    knees: float
    elbows: float
    standing: float


def straightness(clips: "Sequence[Clip]") -> dict[str, Straightness]:
    """How straight each subject's limbs get, by subject."""
    by_subject: dict[str, list[Clip]] = {}
    for clip in clips:
        by_subject.setdefault(str(clip.info.get("subject", "")), []).append(clip)
    out = {}
    for subject, group in by_subject.items():
        knees = np.concatenate([flexion(clip.joints, limb) for clip in group for limb in LEGS])
        elbows = np.concatenate([flexion(clip.joints, limb) for clip in group for limb in ARMS])
        stood = np.concatenate(
            [
                flexion(clip.joints, limb)[standing(clip.joints, float(clip.info["fps"]))]
                for clip in group
                for limb in LEGS
            ]
        )
        upright = stood[stood < 2 * np.degrees(np.arccos(_NOT_SQUATTING))]
        still = float(np.median(upright)) if len(upright) >= 30 else np.nan
        out[subject] = Straightness(float(np.quantile(knees, 0.01)), float(np.quantile(elbows, 0.01)), still)
    return out


def report(clips: "Sequence[Clip]") -> str:
    """Lines for a person: the distribution over subjects before and after the repair, and the factors."""
    limbs = fit_limbs(clips)
    rows = [f"{len(clips)} clips of {len({k[0] for k in limbs})} subjects ({len(limbs)} skeletons)"]
    for what, group in (("as captured", clips), ("repaired", repaired(clips, limbs))):
        table = np.array(list(straightness(group).values()))
        for name, column in zip(
            ("knees, straightest 1 %", "elbows, straightest 1 %", "knees, standing"), table.T, strict=True
        ):
            known = column[np.isfinite(column)]
            if len(known):
                spread = " / ".join(f"{v:.0f}" for v in np.quantile(known, [0.1, 0.25, 0.5, 0.75, 0.9]))
                rows.append(f"  {what:11s}  {name:24s} {spread} degrees ({len(known)} subjects; 10, 25, 50, 75, 90 %)")
    for name, values in (("legs", [f.legs for f in limbs.values()]), ("arms", [f.arms for f in limbs.values()])):
        spread = " / ".join(f"{v:.3f}" for v in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
        rows.append(f"  factor on the length of {name}: {spread} (least, quartiles, most)")
    return "\n".join(rows)


def main(argv: list[str] | None = None) -> int:
    """Prints the report for each packed file; returns the exit code."""
    from .mocap import SPLITS, read_clips

    parser = argparse.ArgumentParser(prog="python -m lifter_core.training.limbs", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="packed mocap, e.g. cmu_60.npz")
    for path in parser.parse_args(argv).files:
        clips = [clip for split in SPLITS for clip in read_clips(path, split, as_captured=True)]
        print(f"{path.name}: {report(clips)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
