"""Fits the detector model of noise.py to pairs: ``python -m lifter_core.training.fit_noise PAIRS.npz [...]``.

Pairs are detections of rendered people with the truth (docs/synthetic.md). Each clip counts twice, as it is and mirrored,
so the model is symmetric. Frames where the detector is on the wrong limb altogether are left to noise.episodes().
"""

import argparse
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..files import replaced
from ..keypoints import Keypoints
from ..lifting import joints_2d, own_joints
from ..normalise import MEASURED, look_at, standard_scale, torso_ray
from ..skeleton import JOINT_MIRROR, JOINT_NAMES
from .noise import FITTED, RATE, Detector, pose_features, trunk_frame
from .synthetic.pairs import Pair, read_pairs

Array = NDArray[Any]
_M = list(MEASURED)
_GROSS = 0.2  # m, median over a frame's joints: the detector is elsewhere


class Clip(NamedTuple):
    """A pair in the axes and units of noise.py: joints (T, J, 3), errors (T, J, 2), speed (T, J, 2) m/s, confidence (T, J),
    world (T, J, 3), all at standard size, in the virtual camera that looks at the torso.
    """

    joints: Array
    errors: Array
    speed: Array
    confidence: Array
    world: Array

    def mirrored(self) -> "Clip":
        """The clip seen in a mirror."""
        x3, x2 = np.array([-1.0, 1, 1]), np.array([-1.0, 1])
        m = JOINT_MIRROR
        return Clip(
            self.joints[:, m] * x3, self.errors[:, m] * x2, self.speed[:, m] * x2, self.confidence[:, m], self.world[:, m] * x3
        )  # fmt: skip


def prepared(pair: Pair) -> Clip | None:
    """One pair as a Clip; None if the detector lost the person."""
    k = Keypoints(
        pair.names, pair.points, pair.confidence, np.arange(len(pair.points)) / pair.fps, (1, 1), pair.fps, pair.world
    )
    points, confidence = joints_2d(k)
    good = k.found
    centre, focal = pair.camera_matrix[:2, 2], pair.camera_matrix[[0, 1], [0, 1]]
    tangents = (np.nan_to_num(points) - centre) / focal
    true = pair.joints.astype(np.float64)
    flat = true[..., :2] / true[..., 2:]
    view = look_at(torso_ray(flat, np.ones(flat.shape[:2])))
    scale = standard_scale(true)[:, None, None]
    depth = (true[:, :1] @ view)[..., 2:] * scale

    def local(t: Array) -> Array:
        v = np.concatenate([t, np.ones_like(t[..., :1])], -1) @ view
        return np.asarray(v[..., :2] / np.maximum(v[..., 2:], 0.2))

    errors = (local(tangents) - local(flat)) * depth
    joints = (true - true[:, :1]) @ view * scale
    speed = np.gradient(local(flat) * depth, axis=0) * pair.fps
    good &= np.median(np.linalg.norm(errors[:, _M], axis=-1), axis=1) < _GROSS
    swapped = np.linalg.norm((local(tangents)[:, JOINT_MIRROR] - local(flat))[:, _M] * depth, axis=-1).mean(1)
    good &= np.linalg.norm(errors[:, _M], axis=-1).mean(1) <= swapped + 0.02
    if good.sum() < 20:
        return None
    world = own_joints(k)
    return Clip(*(a[good] for a in (joints, errors, speed, confidence, world)))


def _normal_scores(values: Array) -> Array:
    order = values.argsort(kind="stable").argsort(kind="stable")
    inverse = np.vectorize(NormalDist().inv_cdf)
    grid = np.linspace(0.5 / len(values), 1 - 0.5 / len(values), 2001)
    return np.asarray(np.interp((order + 0.5) / len(values), grid, inverse(grid)))


def _keep(parts: list[Array]) -> float:
    """AR(1) coefficient of stretches (T, D), each about its own mean."""
    top = bottom = 0.0
    for x in parts:
        x = x - x.mean(0)
        top += float((x[1:] * x[:-1]).sum())
        bottom += float((x**2).sum()) * (1 - 1 / len(x))
    return min(0.98, top / bottom * 1.02)


def _correlation(x: Array, shrink: float = 0.1) -> Array:
    c = np.corrcoef(x.T)
    return np.asarray(np.linalg.cholesky((1 - shrink) * c + shrink * np.eye(len(c))))


def _factor(x: Array, rank: int) -> Array:
    """(D, rank) F with F F^T near the covariance of the rows of x (N, D)."""
    _, s, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return np.asarray((vt[:rank] * (s[:rank] / len(x) ** 0.5)[:, None]).T)


def fit(clips: list[Clip]) -> Detector:
    """The model for these clips (each is also taken mirrored)."""
    clips = clips + [c.mirrored() for c in clips]
    lengths = [len(c.joints) for c in clips]
    ends = np.cumsum(lengths)[:-1]
    joints, errors, speed, confidence, world = (np.concatenate(a) for a in zip(*clips, strict=True))
    count = len(JOINT_NAMES)
    frame = trunk_frame(joints)
    offset, offset_sd = np.zeros((count, 3)), np.zeros((count, 3))
    rest = np.zeros_like(errors)
    lag = -float((np.clip(errors[:, _M], -0.2, 0.2) * speed[:, _M]).sum() / (speed[:, _M] ** 2).sum()) * RATE
    late = errors + lag / RATE * speed
    for j in _M:
        a = frame[:, :, :2].transpose(0, 2, 1).reshape(-1, 3)
        b = late[:, j].reshape(-1)
        weight = np.ones_like(b)
        for _ in range(5):
            offset[j] = np.linalg.lstsq(a * weight[:, None], b * weight, rcond=None)[0]
            weight = 1 / np.maximum(np.abs(b - a @ offset[j]), 0.02) ** 0.5
        rest[:, j] = late[:, j] - (a @ offset[j]).reshape(-1, 2)
        own = [c.mean(0) for c in np.split(np.clip(rest[:, j], -0.15, 0.15), ends)]
        offset_sd[j] = 0.4 * np.std(np.concatenate(own))  # the rest of a clip's constant is in error_constant

    features = pose_features(joints)
    score, knots = np.zeros((count, features.shape[-1])), np.zeros((count, 33, 2))
    scores, left = np.zeros_like(confidence, dtype=np.float64), np.zeros_like(confidence, dtype=np.float64)
    for j in _M:
        z = scores[:, j] = _normal_scores(confidence[:, j])
        x = features[:, j]
        score[j] = np.linalg.solve(x.T @ x + 1e-3 * len(x) * np.eye(x.shape[1]), x.T @ z)
        left[:, j] = z - x @ score[j]
        at = np.linspace(-2.6, 2.6, 33)
        knots[j] = np.stack([at, np.quantile(confidence[:, j], [NormalDist().cdf(v) for v in at])], 1)
    by_clip = np.split(left[:, _M], ends)
    clip_sd = float(np.std(np.stack([c.mean(0) for c in by_clip]))) / 1.25**0.5
    inner = np.concatenate([c - c.mean(0) for c in by_clip])

    size = np.zeros((count, 4))
    unit = np.zeros_like(rest)
    length = np.linalg.norm(rest, axis=-1)
    fast = np.minimum(np.linalg.norm(speed, axis=-1), 5)
    for j in _M:
        x = np.stack([np.ones(len(fast)), scores[:, j], scores[:, j] ** 2, fast[:, j]], 1)
        size[j] = np.linalg.lstsq(x, np.log(length[:, j] + 2e-3), rcond=None)[0]
        size[j, 2] = min(size[j, 2], 0.05)
        s = np.exp(x @ size[j])
        good = length[:, j] < 4 * s
        correction = float(np.sqrt((length[good, j] ** 2 / s[good] ** 2).mean() / 2))
        size[j, 0] += np.log(correction)
        unit[:, j] = np.clip(rest[:, j] / (s * correction)[:, None], -6, 6)
    units = unit[:, _M].reshape(len(unit), -1)
    parts = np.split(units, ends)
    constant = float(np.mean([(p.mean(0) ** 2).mean() for p in parts]) / (units**2).mean())
    moving = np.concatenate([p - p.mean(0) for p in parts])
    kurtosis = float((moving**4).mean() / (moving**2).mean() ** 2)
    tail = min(0.9, max(0.0, np.log(kurtosis / 3)) ** 0.5 / 2)

    given = np.concatenate(
        [joints.reshape(len(joints), -1), errors[:, _M].reshape(len(joints), -1), np.ones((len(joints), 1))], 1
    )
    target = world[:, _M].reshape(len(joints), -1)
    ridge = 1e-3 * len(given) * np.eye(given.shape[1])
    ridge[-1, -1] = 0
    linear = np.linalg.solve(given.T @ given + ridge, given.T @ target).T
    residual = np.split(target - given @ linear.T, ends)
    means = np.stack([r.mean(0) for r in residual])
    inside = [r - r.mean(0) for r in residual]
    sizes = np.array([np.sqrt((r**2).mean()) for r in inside])
    return Detector(
        offset, offset_sd, score, np.array([clip_sd, float(inner.std())]), np.array(_keep(by_clip)), _correlation(inner),
        knots, size, np.array(_keep(parts)), np.array(constant), _correlation(moving), np.array(tail), np.array(lag),
        linear, _factor(means, 30), _factor(np.concatenate(inside), 30), np.array(_keep(inside)),
        np.array(min(0.5, float(np.log(sizes).std()))),
    )  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Entry point; writes noise.npz and prints the model's main numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=FITTED)
    args = parser.parse_args(argv)
    pairs = [p for path in args.pairs for p in read_pairs(path) if p.info.get("split") != "val"]
    clips = [c for c in map(prepared, pairs) if c is not None]
    model = fit(clips)
    with replaced(args.out) as temporary, open(temporary, "wb") as file:
        arrays: dict[str, Any] = {name: np.asarray(v, np.float32) for name, v in model._asdict().items()}
        np.savez_compressed(file, **arrays)
    print(f"{len(clips)} of {len(pairs)} clips, {sum(len(c.joints) for c in clips)} frames")
    print(
        f"lag {model.lag:.2f} frames; error: AR(1) {model.error_keep:.2f}, constant {model.error_constant:.0%}, "
        f"tail {model.tail:.2f}"
    )
    print(
        f"confidence: clip sd {model.score_sd[0]:.2f}, frame sd {model.score_sd[1]:.2f}, AR(1) {model.score_keep:.2f}"
    )
    residual = float(np.sqrt((np.concatenate([model.world_clip, model.world_frame], 1) ** 2).sum(1).mean() * 3))
    print(f"own 3D: error beside the linear map {residual * 1000:.0f} mm rms a joint, AR(1) {model.world_keep:.2f}")
    for j in _M:
        if not JOINT_NAMES[j].startswith("right_"):
            out, up, ahead = model.offset[j] * 1000
            where = f"offset out {out:4.0f} up {up:4.0f} forward {ahead:4.0f} mm"
            print(f"{JOINT_NAMES[j]:<14} {where}; error {np.exp(model.size[j, 0]) * 1000:4.0f} mm")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
