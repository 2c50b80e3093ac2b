"""What the detector's errors on rendered clips are like: sizes, memory, swaps, company. All in % of standing height."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...skeleton import JOINT
from ..metrics import mpjpe, pa_mpjpe
from .pairs import Pair

Array = NDArray[Any]

MAIN = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
OTHERS = {"ear": ("ear",), "heel": ("heel",), "toe": ("foot_index",), "hand": ("index", "pinky")}
_PARTS = (*MAIN, *OTHERS)
_GROSS = 10.0  # %: such errors are counted, and left out of what describes the ordinary ones
_LAGS = (1, 5, 15)
_VISIBILITY = (0, 0.2, 0.5, 0.8, 0.95, 1.01)
_SPEED = (0, 0.3, 1, 2, 4, 99)  # % of height a frame at 30 fps


class Errors(NamedTuple):
    """Errors of one clip: (T, P, 2, 2) detected minus true (frame, part, left and right, x and y), % of height; where
    they count (T, P, 2); confidence (T, P, 2); true image speed (T, P, 2) % a 30th of a second; (T,) whether left and
    right are swapped for each part (T, P), where that can be told (T, P); facing (T,) degrees, 0 towards the camera.
    """

    error: Array
    valid: Array
    confidence: Array
    speed: Array
    swapped: Array
    apart: Array
    facing: Array
    pair: Pair


def errors(pair: Pair) -> Errors:
    """The detector's errors against the truth of one clip."""
    focal = pair.camera_matrix[0, 0]
    seen = pair.joints @ pair.camera_matrix.T
    true_px = seen[..., :2] / np.maximum(seen[..., 2:], 0.05)
    tall = focal * pair.info["body"]["height"] / np.median(pair.joints[..., 2], axis=1)
    unit = 100 / tall[:, None, None, None]

    def both(array: Array, names: list[tuple[str, ...]]) -> Array:
        return np.stack([np.mean([array[:, index(n)] for n in group], axis=0) for group in names], 1)

    def index(name: str) -> int:
        return pair.names.index(name)

    sources = [OTHERS.get(part, (part,)) for part in _PARTS]
    sides = ("left", "right")
    found = np.stack([both(pair.points, [tuple(f"{s}_{n}" for n in group) for group in sources]) for s in sides], 2)
    sure = np.stack([both(pair.confidence, [tuple(f"{s}_{n}" for n in group) for group in sources]) for s in sides], 2)
    true = np.stack([true_px[:, [JOINT[f"{s}_{part}"] for part in _PARTS]] for s in sides], 2)
    size = np.array(pair.info["size"])
    inside = ((true > 0) & (true < size)).all(-1)
    valid = inside & np.isfinite(found).all(-1)
    error = (found - true) * unit
    straight = np.linalg.norm(error, axis=-1).sum(-1)
    crossed = np.linalg.norm((found[:, :, ::-1] - true) * unit, axis=-1).sum(-1)
    apart = (np.linalg.norm((true[:, :, 0] - true[:, :, 1]) * unit[..., 0], axis=-1) > 3) & valid.all(-1)
    speed = np.linalg.norm(np.gradient(true, axis=0) * unit, axis=-1) * pair.fps / 30
    return Errors(error, valid, sure, speed, crossed < 0.7 * straight, apart, _facing(pair.joints), pair)


def _facing(joints: Array) -> Array:
    """(T,) degrees between where the chest points and the camera."""

    def at(name: str) -> Array:
        return joints[:, JOINT[name]]

    across = at("left_shoulder") - at("right_shoulder")
    ahead = np.cross(across, at("thorax") - at("pelvis"))
    sight = -at("thorax")
    cosine = (ahead * sight).sum(-1) / (np.linalg.norm(ahead, axis=-1) * np.linalg.norm(sight, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def report(pairs: list[Pair]) -> str:
    """All the tables, as text."""
    clips = [errors(pair) for pair in pairs]
    frames = sum(len(c.error) for c in clips)
    found = np.concatenate([np.isfinite(c.pair.points[:, 0, 0]) for c in clips])
    lines = [f"{len(clips)} clips, {frames} frames, the person found in {found.mean():.1%}", ""]
    lines += ["| joint | median | p90 | off by more than 10 % |", "|---|---|---|---|"]
    parts = list(range(len(MAIN)))
    lines.append(_row("the six main ones", _sizes(clips, parts)))
    lines += [_row(name, _sizes(clips, [i])) for i, name in enumerate(_PARTS)]
    lines += ["", "| main joints, where | median | p90 | off by more than 10 % |", "|---|---|---|---|"]
    for name, low, high in (("seen from the front", 0, 45), ("from the side", 45, 135), ("from behind", 135, 181)):
        lines.append(
            _row(name, _sizes(clips, parts, lambda c, a=low, b=high: _spread(c, (c.facing >= a) & (c.facing < b))))
        )
    for flag in ("occluder", "cropped", "moving"):
        chosen = [c for c in clips if c.pair.info[flag]]
        if chosen:
            lines.append(_row(f"{flag} clips", _sizes(chosen, parts)))
    plain = [c for c in clips if not (c.pair.info["occluder"] or c.pair.info["cropped"])]
    lines.append(_row("neither occluder nor cropped", _sizes(plain, parts)))
    for a, b in pairwise(_VISIBILITY):
        of_bin = _sizes(clips, parts, lambda c, a=a, b=b: (c.confidence >= a) & (c.confidence < b))
        lines.append(_row(f"confidence {a:g} to {min(b, 1):g}", of_bin))
    for a, b in pairwise(_SPEED):
        of_bin = _sizes(clips, parts, lambda c, a=a, b=b: (c.speed >= a) & (c.speed < b))
        lines.append(_row(f"image speed {a:g} to {b:g} % a frame", of_bin))
    lines += ["", *_in_time(clips), "", *_own_depth(pairs)]
    return "\n".join(lines)


def _spread(clip: Errors, frames: Array) -> Array:
    return np.broadcast_to(frames[:, None, None], clip.valid.shape)


def _sizes(clips: list[Errors], parts: list[int], where: Any = None) -> Array:
    out = []
    for c in clips:
        chosen = c.valid if where is None else c.valid & where(c)
        out.append(np.linalg.norm(c.error[:, parts], axis=-1)[chosen[:, parts]])
    return np.concatenate(out) if out else np.empty(0)


def _row(name: str, size: Array) -> str:
    if len(size) < 50:
        return f"| {name} | too few | | |"
    return f"| {name} | {np.median(size):.2f} | {np.percentile(size, 90):.2f} | {(size > _GROSS).mean():.1%} |"


def _in_time(clips: list[Errors]) -> list[str]:
    """Memory, the constant part, jitter, lag and swaps of the main joints; clips at about 30 fps."""
    near30 = [c for c in clips if 24 <= c.pair.fps <= 30]
    products: dict[int, list[float]] = {lag: [0.0, 0.0] for lag in _LAGS}
    constant, varying = [], []
    jitter, kurtosis = [], []
    follows, moves = 0.0, 0.0
    for c in near30:
        seen = np.linalg.norm(c.error, axis=-1)[:, : len(MAIN)]
        good = c.valid[:, : len(MAIN)] & (seen < _GROSS)
        error = np.where(good[..., None], c.error[:, : len(MAIN)], 0.0)
        for lag in _LAGS:
            pair = (good[lag:] & good[:-lag])[..., None]
            a, b = error[lag:] * pair, error[:-lag] * pair
            products[lag][0] += float((a * b).sum())
            products[lag][1] += float(((a**2).sum() + (b**2).sum()) / 2)
        count = good.sum(0)
        enough = count >= 20
        mean = error.sum(0) / np.maximum(count, 1)[..., None]
        rest = np.where(good[..., None], error - mean, 0.0)
        constant.append((mean[enough] ** 2).ravel())
        varying.append((rest**2).sum(0)[enough].ravel() / np.repeat(count[enough], 2))
        three = good[2:] & good[1:-1] & good[:-2]
        jitter.append(np.linalg.norm(np.diff(error, 2, axis=0), axis=-1)[three])
        kurtosis.append(rest[good].ravel())
        speed = np.gradient(_true(c.pair), axis=0)[:, : len(MAIN)]
        follows -= float((rest * speed * good[..., None]).sum())
        moves += float((speed**2 * good[..., None]).sum())
    memory = " / ".join(f"{products[lag][0] / max(products[lag][1], 1e-9):.2f}" for lag in _LAGS)
    fixed, loose = float(np.concatenate(constant).mean()), float(np.concatenate(varying).mean())
    shake, tail = np.concatenate(jitter), np.concatenate(kurtosis)
    swaps = np.concatenate([c.swapped[:, : len(MAIN)][c.apart[:, : len(MAIN)]] for c in clips])
    flatness = float((tail**4).mean() / (tail**2).mean() ** 2)
    return [
        "| main joints, in time (clips at 24 to 30 fps, errors under 10 %) | |", "|---|---|",
        f"| autocorrelation at lag 1 / 5 / 15 | {memory} |",
        f"| part of the variance that is constant a clip and joint | {fixed / (fixed + loose):.0%} |",
        f"| jitter (second difference), median / p90 | {np.median(shake):.2f} / {np.percentile(shake, 90):.2f} |",
        f"| kurtosis of what varies | {flatness:.1f} |",
        f"| lag behind the truth, frames | {follows / max(moves, 1e-9):.2f} |",
        f"| left and right swapped, of pairs more than 3 % apart | {swaps.mean():.1%} |",
    ]  # fmt: skip


def _true(pair: Pair) -> Array:
    """(T, P, 2, 2) true places in % of height."""
    seen = pair.joints @ pair.camera_matrix.T
    pixels = seen[..., :2] / np.maximum(seen[..., 2:], 0.05)
    tall = pair.camera_matrix[0, 0] * pair.info["body"]["height"] / np.median(pair.joints[..., 2], axis=1)
    sides = [pixels[:, [JOINT[f"{s}_{part}"] for part in _PARTS]] for s in ("left", "right")]
    return np.stack(sides, 2) * (100 / tall[:, None, None, None])


def _own_depth(pairs: list[Pair]) -> list[str]:
    """The detector's own 3D: MPJPE about the hips and PA-MPJPE over the main joints, mm."""
    names = [f"{s}_{part}" for s in ("left", "right") for part in MAIN]
    raw, aligned = [], []
    for pair in pairs:
        rows = np.isfinite(pair.world[:, 0, 0])
        if not rows.any():
            continue
        true = pair.joints[rows]
        guess = np.zeros_like(true)
        guess[:, [JOINT[n] for n in names]] = pair.world[rows][:, [pair.names.index(n) for n in names]]
        raw.append(mpjpe(guess, true))
        aligned.append(pa_mpjpe(guess, true))
    mean = [float(np.concatenate(v).mean()) for v in (raw, aligned)]
    return [
        "| BlazePose's own 3D, twelve limb joints, mm | |", "|---|---|",
        f"| MPJPE about the hips | {mean[0]:.0f} |", f"| PA-MPJPE | {mean[1]:.0f} |",
    ]  # fmt: skip
