"""What the solver makes of a clip, against the truth.

    python benchmarks/solver.py MOCAP_FOLDER [PAIRS.npz ...] [--takes TAKE.npz ...] [--keep FOLDER] [--model NAME] [--seed N]

MOCAP_FOLDER holds cmu_60.npz and hdm05_60.npz: 18 takes of validation subjects before simulated cameras (shots.py), seen by
the fitted detector, lifted and solved, at 60 and at 30 frames a second; first without being told anything (the focal
length is the prior, the body a standard one), then with the person's height and the camera's field of view. PAIRS are real
detections of rendered people with the truth; --keep saves the takes of the 18 at 30 frames a second with nothing told, for
benchmarks/retarget.py, and does nothing else; TAKES are takes of real clips, solved anew from their keypoints. Figures are
defined in figures.py and explained in docs/solver.md.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from figures import judge, rest_offsets, rotation_errors
from numpy.typing import NDArray
from shots import shots

from lifter_core.keypoints import Keypoints
from lifter_core.lifting import joints_2d
from lifter_core.pinhole import camera_matrix
from lifter_core.pipeline import lift_person, solve_again
from lifter_core.runtime import DEFAULT_MODEL, Model, load
from lifter_core.skeleton import JOINT, JOINT_NAMES
from lifter_core.solve import SolveOptions, solve_joints
from lifter_core.take import Take, load_take, save_take
from lifter_core.training.metrics import acceleration_error, mpjpe, pa_mpjpe
from lifter_core.training.synthetic.pairs import read_pairs

Array = NDArray[Any]

_DETECTOR = 1000 / 18  # ms a frame of the heavy detector on one core


def simulated(folder: Path, model: Model, fps: int, told: bool, seed: int) -> None:
    """Prints the figures of simulated shots: mean, median and worst over the clips."""
    clips = list(shots(folder, fps, seed))
    offsets = rest_offsets(clips)
    rows: list[dict[str, float]] = []
    bones: dict[str, list[tuple[float, float]]] = {}
    for shot in clips:
        matrix = shot.matrix if told else camera_matrix(shot.keypoints.image_size)
        lifted = lift_person(shot.keypoints, matrix, model)
        began = time.process_time()
        options = SolveOptions(height=shot.height) if told else SolveOptions()
        take = solve_joints([shot.keypoints], [lifted], matrix, options)
        spent = (time.process_time() - began) / len(lifted.joints) * 1000
        row = judge(shot, lifted.joints.astype(float), take, offsets)
        row["solve ms a frame"], row["of the detector's time %"] = spent, spent / _DETECTOR * 100
        rows.append(row)
        for bone, pair in rotation_errors(shot, take, offsets).items():
            bones.setdefault(bone, []).append(pair)
    knows = "height and field of view told" if told else "nothing told"
    print(f"\n{len(clips)} simulated shots at {fps} frames/s, {knows}; network {model.name}, seed {seed}")
    print(f"{'':<26}{'mean':>9}{'median':>9}{'least':>9}{'most':>9}")
    for name in dict.fromkeys(k for row in rows for k in row):
        values = np.array([row[name] for row in rows if np.isfinite(row.get(name, np.nan))])
        if len(values):
            print(f"{name:<26}{values.mean():>9.2f}{np.median(values):>9.2f}{values.min():>9.2f}{values.max():>9.2f}")
    print("rotations, median over clips, degrees (direction / twist): ", end="")
    parts = [np.median(pairs, axis=0) for pairs in bones.values()]
    print(", ".join(f"{bone} {a:.0f}/{b:.0f}" for bone, (a, b) in zip(bones, parts, strict=True)))


def keep(folder: Path, mocap: Path, model: Model, seed: int) -> None:
    """Saves the simulated shots' takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for shot in shots(mocap, 30, seed):
        matrix = camera_matrix(shot.keypoints.image_size)
        lifted = lift_person(shot.keypoints, matrix, model)
        take = solve_joints([shot.keypoints], [lifted], matrix)
        save_take(take, folder / f"{shot.name}.npz")


def paired(paths: list[Path], model: Model) -> None:
    """Prints the figures on rendered people as the detector really saw them."""
    rows: dict[str, list[Array]] = {}
    count = 0
    for path in paths:
        for clip in read_pairs(path, "val"):  # the others may be trained on
            seconds = np.arange(len(clip.points)) / clip.fps
            size = (int(clip.info["size"][0]), int(clip.info["size"][1]))
            k = Keypoints(clip.names, clip.points, clip.confidence, seconds, size, clip.fps, clip.world)
            found = k.found
            if found.mean() < 0.5:
                continue
            count += 1
            matrix = camera_matrix(k.image_size)
            lifted = lift_person(k, matrix, model)
            take = solve_joints([k], [lifted], matrix)
            world = take.positions[0, :, : len(JOINT_NAMES)].astype(float)
            solved = np.einsum("tij,tkj->tki", take.camera_rotation, world)
            both = found[2:] & found[1:-1] & found[:-2]
            for name, x in (("lifted", lifted.joints), ("solved", solved)):
                figures = [mpjpe(x[found], clip.joints[found]).mean(), pa_mpjpe(x[found], clip.joints[found]).mean()]
                figures.append(acceleration_error(x, clip.joints)[both].mean())
                rows.setdefault(name, []).append(np.array(figures))
    print(f"\n{count} rendered clips, real detections, nothing told; mm, mm/frame^2 at 30 frames/s")
    print(f"{'':<12}{'MPJPE':>8}{'PA-MPJPE':>10}{'accel':>8}")
    for name, values in rows.items():
        a, b, c = np.mean(values, axis=0)
        print(f"{name:<12}{a:>8.1f}{b:>10.1f}{c:>8.1f}")


def real(paths: list[Path], model: Model) -> None:
    """Prints how well takes of real clips, solved anew, lie on their keypoints; per cent of the person's height."""
    print(f"\n{'real clips':<28}{'reprojection %':>15}{'p90':>7}{'planted %':>11}{'lowest mm':>11}{'most deg/s':>12}")
    for path in paths:
        old = load_take(path)
        points = old.keypoints[0]
        k = Keypoints(
            old.keypoint_names, points[..., :2], np.nan_to_num(points[..., 2]), old.timestamps, old.image_size, old.fps
        )
        take = solve_again(old, model.name)
        print(f"{path.stem:<28}" + _on_footage(take, k))


def _on_footage(take: Take, keypoints: Keypoints) -> str:
    here = take.present[0]
    camera = (
        np.einsum("tij,tkj->tki", take.camera_rotation, take.positions[0].astype(float))
        + take.camera_translation[:, None]
    )
    pixels = camera[..., :2] / camera[..., 2:] * take.camera_matrix[0, 0] + take.camera_matrix[:2, 2]
    points, confidence = joints_2d(keypoints)
    height = float(np.nanmedian(np.linalg.norm(pixels[:, JOINT["head"]] - pixels[:, JOINT["left_ankle"]], axis=-1)))
    off = np.linalg.norm(pixels[:, : len(JOINT_NAMES)] - points, axis=-1) / height * 100
    off = off[(confidence > 0.5) & here[:, None]]
    feet = [JOINT[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "ball", "toe")]
    q = take.rotations[0][here].astype(float)
    turn = np.degrees(2 * np.arccos(np.clip(np.abs((q[1:] * q[:-1]).sum(-1)), 0, 1))).max() * take.fps
    low = take.positions[0][here][:, feet, 2].min() * 1000
    planted = take.contacts[0][here].mean() * 100
    return f"{np.median(off):>15.2f}{np.quantile(off, 0.9):>7.2f}{planted:>11.0f}{low:>11.1f}{turn:>12.0f}"


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mocap", type=Path)
    parser.add_argument("pairs", type=Path, nargs="*")
    parser.add_argument("--takes", type=Path, nargs="*", default=[])
    parser.add_argument("--keep", type=Path, help="save the simulated takes here, and nothing else")
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    model = load(args.model)
    if args.keep:
        keep(args.keep, args.mocap, model, args.seed)
        return
    for fps, told in ((60, False), (30, False), (30, True)):
        simulated(args.mocap, model, fps, told, args.seed)
    if args.pairs:
        paired(args.pairs, model)
    if args.takes:
        real(args.takes, model)


if __name__ == "__main__":
    main()
