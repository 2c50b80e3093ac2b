"""What holds a lifting network back: its error with one thing at a time made perfect.

    python benchmarks/limits.py MOCAP_FOLDER [--pairs PAIRS.npz] [--model temporal]

CMU validation subjects before random cameras, as benchmarks/lifters.py has them; PA-MPJPE / MPJPE in mm over 12 limb joints.
Inputs: the fitted detector noise with and without the detector's own 3D and the direction up, and exact 2D. Answers: the same
answers with the true lengths of their bones, with the true x and y (over the picture), with the true depths. Subjects: the
same noise on takes of training subjects (what is left there is not for lack of data), and each validation subject by itself,
with the width of its shoulders beside it: skeletons of one data set differ in where a shoulder is. Pairs: the quarters of the
clips.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from lifters import figures
from numpy.typing import NDArray

from lifter_core.lifting import predict_poses
from lifter_core.normalise import Encoded
from lifter_core.runtime import Model, load
from lifter_core.skeleton import JOINT, JOINT_PARENTS
from lifter_core.training.evaluate import validation_set, validation_subjects
from lifter_core.training.metrics import mpjpe, pa_mpjpe
from lifter_core.training.noise import fitted
from lifter_core.training.paired import draw_paired, prepare
from lifter_core.training.samples import Sequences, window_rows
from lifter_core.training.synthetic.pairs import read_pairs

Array = NDArray[Any]
_NARROW = 0.3  # m: nobody's shoulders; a skeleton that begins the arms elsewhere


def answers(model: Model, sequences: Sequences) -> tuple[Array, Array]:
    """(N, J, 3) what the model says and what is true, of all frames, metres at true size, virtual camera."""
    c, t = sequences.there.shape
    every = np.stack(np.meshgrid(np.arange(c), np.arange(t), indexing="ij"), -1).reshape(-1, 2)
    windows = window_rows(sequences.there, model.taps, every) if model.taps else None
    size = sequences.size[:, None, None]
    return predict_poses(model, sequences.encoded, windows)[0] * size, sequences.target * size


def with_lengths(joints: Array, true: Array) -> Array:
    """The joints with their bones' directions kept and the true bones' lengths."""
    out = joints.copy()
    for j, parent in enumerate(JOINT_PARENTS):
        if parent >= 0:
            bone = joints[:, j] - joints[:, parent]
            length = np.linalg.norm(true[:, j] - true[:, parent], axis=-1, keepdims=True)
            out[:, j] = out[:, parent] + bone / np.maximum(np.linalg.norm(bone, axis=-1, keepdims=True), 1e-6) * length
    return out


def without(sequences: Sequences, own: bool = False, up: bool = False) -> Sequences:
    """The sequences with the detector's own 3D or up taken away."""
    nodes, flat = sequences.encoded.nodes.copy(), sequences.encoded.globals.copy()
    if own:
        nodes[..., 3:] = 0
    if up:
        flat[:, 3:] = 0
    return sequences._replace(encoded=Encoded(nodes, flat, sequences.encoded.view))


def knowing(sequences: Sequences) -> Sequences:
    """The sequences that have both the detector's own 3D and up."""
    c, t = sequences.there.shape
    own = (sequences.encoded.nodes[..., 3:] != 0).reshape(c, -1).any(1)
    rows = own & (sequences.encoded.globals[:, 3:] != 0).reshape(c, -1).any(1)
    frames = np.repeat(rows, t)
    encoded = Encoded(*(a[frames] for a in sequences.encoded))
    return Sequences(encoded, sequences.target[frames], sequences.size[frames], sequences.there[rows])


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--model", default="temporal")
    args = parser.parse_args()
    model, noise, file = load(args.model), fitted(), args.mocap / "cmu_60.npz"
    noisy = validation_set(file, False, noise)
    both = knowing(validation_set(file, False, noise, count=160))
    exact = knowing(validation_set(file, False, noise, count=160, exact=1.0))
    print(f"{args.model}: PA-MPJPE / MPJPE, mm\n\n| | |\n|---|---|")

    def row(name: str, sequences: Sequences) -> None:
        print(f"| {name} | {str(figures(model, sequences)).split(',')[0]} |", flush=True)

    row("fitted noise (own 3D known in 80 %, up in 50 %)", noisy)
    row("the same on takes of training subjects", validation_set(file, False, noise, split="train"))
    row("own 3D and up known", both)
    row("own 3D known", without(both, up=True))
    row("up known", without(both, own=True))
    row("neither known", without(both, own=True, up=True))
    row("exact 2D, own 3D and up known", exact)
    row("exact 2D, neither known", without(exact, own=True, up=True))
    said, true = answers(model, noisy)
    frames = noisy.there.shape[1]
    subject = np.repeat(validation_subjects(file), frames)
    for name in sorted(set(subject), key=int):
        rows = (subject == name) & noisy.there.reshape(-1)
        width = np.linalg.norm(true[rows, JOINT["left_shoulder"]] - true[rows, JOINT["right_shoulder"]], axis=-1).mean()
        share = f"{len(set(np.flatnonzero(subject == name) // frames))} sequences, shoulders {width:.2f} m apart"
        print(f"| subject {name}, {share} | {pa_mpjpe(said[rows], true[rows]).mean():.1f} / ", end="")
        print(f"{mpjpe(said[rows], true[rows]).mean():.1f} |")
    width = np.linalg.norm(true[:, JOINT["left_shoulder"]] - true[:, JOINT["right_shoulder"]], axis=-1)
    broad = [name for name in set(subject) if np.median(width[subject == name]) > _NARROW]
    rows = np.isin(subject, broad) & noisy.there.reshape(-1)
    errors = " / ".join(f"{f(said[rows], true[rows]).mean():.1f}" for f in (pa_mpjpe, mpjpe))
    print(f"| all whose shoulders are more than {_NARROW} m apart | {errors} |")
    said, true = (x[noisy.there.reshape(-1)] for x in (said, true))
    planar, depth = said.copy(), said.copy()
    planar[..., :2], depth[..., 2] = true[..., :2], true[..., 2]
    changed = {"bones of true length": with_lengths(said, true), "true x and y": planar, "true depths": depth}
    for name, joints in changed.items():
        print(f"| fitted noise, {name} | {pa_mpjpe(joints, true).mean():.1f} / {mpjpe(joints, true).mean():.1f} |")
    if args.pairs:
        pairs = draw_paired(prepare(read_pairs(args.pairs, "val")), 0, np.random.default_rng(0), exact=True)
        said, true = answers(model, pairs)
        clips = np.split(np.arange(len(said)), len(pairs.there))
        seen = [rows[there] for rows, there in zip(clips, pairs.there, strict=True) if there.any()]
        each = np.array([[f(said[r], true[r]).mean() for f in (pa_mpjpe, mpjpe)] for r in seen])
        pa, plain = (" / ".join(f"{q:.0f}" for q in np.percentile(v, (25, 50, 75))) for v in each.T)
        print(f"| rendered pairs, clips' quartiles: PA-MPJPE | {pa} |\n| MPJPE | {plain} |")


if __name__ == "__main__":
    main()
