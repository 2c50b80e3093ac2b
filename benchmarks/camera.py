"""How well the camera's motion is found: shots with known turns, zooms and focal lengths, and real clips that are still.

    python benchmarks/camera.py CLIP [CLIP ...] [--shots NAME ...] [--keep FOLDER]

The shots are made from the given clips: the median of a clip's frames (so the people in it vanish) is the scene, seen by a
virtual camera that turns and zooms on the spot, 640 x 360, 30 fps, with a textured passer-by whose place is told (as the
detector would) and another whose is not, noise, changes of exposure, motion blur, and H.264 at a low rate. Then every clip
itself is asked whether its camera stands still, people not told.

Printed for each shot, mean over scenes: largest and mean rotation error in degrees and the error at the last frame (all
with the true focal length), rotation error in px of the 640 px wide picture, zoom error in %, the focal length found and
its error in %, and the milliseconds a frame. "still" shots must be found still, the others moving.
"""

import argparse
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from lifter_core.camera_motion import SHORT_SIDE, Background, Tracks, estimate_focal, estimate_motion
from lifter_core.pinhole import focal_of_view
from lifter_core.rotations import turn_of, turned
from lifter_core.video import probe, read_frames

Array = NDArray[Any]

SIZE = (640, 360)
FPS = 30
SCENE_FOCAL = 750.0  # px: how far away the scene's picture is taken to be (its own px); beyond its edges it is mirrored
SHOT_FOV = 42.0
SUBFRAMES = 3  # for motion blur


class Path3(NamedTuple):
    """A camera's movement: (T, 3) pan, tilt, roll in degrees and (T,) zoom; ``blind``: nothing to see but a grey wall."""

    angles: Array
    zoom: Array
    flicker: float = 0.0
    blind: bool = False


def _path(pan: Array, tilt: Array | float = 0.0, roll: Array | float = 0.0, zoom: Array | float = 1.0) -> Path3:
    angles = np.stack([pan, np.broadcast_to(tilt, pan.shape), np.broadcast_to(roll, pan.shape)], 1)
    return Path3(angles, np.broadcast_to(zoom, pan.shape).copy())


def _ease(count: int) -> Array:
    """0 to 1 with a soft start and stop."""
    return (1 - np.cos(np.linspace(0, np.pi, count))) / 2


def _shake(rng: np.random.Generator, count: int, size: float) -> Array:
    """(T, 3) degrees: hand-held sway and tremor, ``size`` degrees in root mean square, from zero."""
    seconds = np.arange(count) / FPS
    out = np.zeros((count, 3))
    for frequency, strength in ((0.3, 1.0), (0.8, 0.6), (2.0, 0.3), (6.0, 0.12)):
        phase = rng.uniform(0, 6.28, 3)
        out += strength * np.sin(2 * np.pi * frequency * seconds[:, None] * rng.uniform(0.8, 1.2, 3) + phase)
    out *= size / np.sqrt((out**2).mean())
    return out - out[0]


def shots(rng: np.random.Generator) -> dict[str, Path3]:
    """The movements by name."""
    n = 120
    there_and_back = np.concatenate([_ease(n // 2), _ease(n // 2)[::-1]])
    zero, pixel = np.zeros(n), np.degrees(np.radians(SHOT_FOV) / SIZE[0])
    held, both = _shake(rng, n, 0.8), _shake(rng, n, 0.5)
    return {
        "still": _path(zero),
        "still, exposure": _path(zero)._replace(flicker=0.25),
        "still, grey wall": _path(zero)._replace(blind=True),
        "shake 0.3 px": Path3(_shake(rng, n, 0.3 * pixel), np.ones(n)),
        "shake 1 px": Path3(_shake(rng, n, pixel), np.ones(n)),
        "hand-held": Path3(held, np.ones(n)),
        "pan 30": _path(30 * _ease(n) - 15),
        "pan 25 and back": _path(25 * there_and_back - 12),
        "tilt 15": _path(zero, 15 * _ease(n) - 7),
        "roll 10": _path(zero, roll=10 * there_and_back),
        "zoom 2x": _path(zero, zoom=1 + _ease(n)),
        "pan, zoom, hand": Path3(both + np.stack([20 * _ease(n) - 10, zero, zero], 1), 1 + 0.5 * _ease(n)),
        "whip pan": _path(np.concatenate([np.full(45, -12.0), 24 * _ease(12) - 12, np.full(63, 12.0)])),
        "pan, late": _path(np.concatenate([np.zeros(90), 6 * _ease(30)])),
    }


def scene_of(clip: Path) -> NDArray[np.float32]:
    """(h, w) grey: the clip without what moves in it."""
    info = probe(clip)
    frames = [
        f.image.mean(2, dtype=np.float32) for f in read_frames(clip, interval=max(info.duration / 15, 0.2), end=60)
    ]
    return np.median(np.stack(frames), 0).astype(np.float32)


def sampled(picture: NDArray[np.float32], x: Array, y: Array) -> NDArray[np.float32]:
    """Values between pixels; beyond its edges the picture is mirrored."""
    h, w = picture.shape
    if min(x.min(), y.min()) < 0 or x.max() >= w - 1 or y.max() >= h - 1:
        x, y = (np.abs((v + n - 1) % (2 * (n - 1)) - (n - 1)) for v, n in ((x, w), (y, h)))
    left, top = np.minimum(x.astype(np.int32), w - 2), np.minimum(y.astype(np.int32), h - 2)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    at, flat = top * w + left, picture.ravel()
    upper, lower = flat.take(at), flat.take(at + w)
    upper += (flat.take(at + 1) - upper) * fx
    lower += (flat.take(at + w + 1) - lower) * fx
    return np.asarray(upper + (lower - upper) * fy, np.float32)


def rotations_of(angles: Array) -> Array:
    """(..., 3, 3) scene to camera, from pan (to the right), tilt (up) and roll (clockwise) in degrees."""
    pan, tilt, roll = np.moveaxis(np.radians(angles), -1, 0)
    zero = np.zeros_like(pan)
    turns = [np.stack(v, -1) for v in ((zero, zero, -roll), (-tilt, zero, zero), (zero, -pan, zero))]
    return turned(turns[0]) @ turned(turns[1]) @ turned(turns[2])


def film(scene: NDArray[np.float32], path: Path3, rng: np.random.Generator) -> Iterator[tuple[Array, list[Array]]]:
    """(h, w) uint8 frames, and the places of those people that a detector would tell."""
    w, h = SIZE
    focal = focal_of_view(w, SHOT_FOV)
    across, down = np.meshgrid(
        np.arange(w, dtype=np.float32) + 0.5 - w / 2, np.arange(h, dtype=np.float32) + 0.5 - h / 2
    )
    count = len(path.zoom)
    steps = np.arange(count * SUBFRAMES) / SUBFRAMES
    angles = np.stack([np.interp(steps, np.arange(count), a) for a in path.angles.T], 1)
    zoom = np.interp(steps, np.arange(count), path.zoom)
    turns = rotations_of(angles)
    texture = scene[:: max(scene.shape[0] // 200, 1), :: max(scene.shape[1] // 200, 1)]
    for t in range(count):
        picture = np.zeros((h, w), np.float32)
        moving = np.abs(angles[t * SUBFRAMES] - angles[min((t + 1) * SUBFRAMES, len(steps) - 1)]).max() > 0.02
        parts = SUBFRAMES if moving else 1
        # the shutter is open for half the frame's time, around the frame's own moment
        for s in range(t * SUBFRAMES - parts // 2, t * SUBFRAMES + (parts + 1) // 2):
            s = min(max(s, 0), len(steps) - 1)
            if path.blind:
                picture += 140 / parts
                continue
            (a, b, c), (d, e, f), (g, i, k) = (turns[s].T / [focal * zoom[s], focal * zoom[s], 1]).tolist()
            far = SCENE_FOCAL / (g * across + i * down + k)
            x, y = (a * across + b * down + c) * far, (d * across + e * down + f) * far
            picture += sampled(scene, x + (scene.shape[1] / 2 - 0.5), y + (scene.shape[0] / 2 - 0.5)) / parts
        people = []
        for start, speed, told in ((0.0, 1.6, True), (0.8, -1.1, False)):
            left = int((start + speed * t / count) * w) % (w + 160) - 120
            top, tall, wide = h // 4, int(h * 0.65), 70 if told else 45
            a, b = max(left, 0), min(left + wide, w)
            if b > a:
                rows, columns = (
                    np.arange(tall)[:, None] % texture.shape[0],
                    np.arange(a - left, b - left) % texture.shape[1],
                )
                picture[top : top + tall, a:b] = texture[rows, columns + 20 * (not told)] * 0.8 + 10
                if told:
                    people.append(np.array([[a, top], [b, top + tall]], float))
        picture *= 1 + path.flicker * np.sin(t / 9)
        yield np.clip(picture + rng.standard_normal(picture.shape, np.float32) * 2, 0, 255).astype(np.uint8), people


def encoded(frames: list[Array]) -> Iterator[Array]:
    """The frames after H.264 at a low rate."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "28", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        for picture in container.decode(video=0):
            small = picture.reformat(SIZE[0] * SHORT_SIDE // SIZE[1], SHORT_SIDE, "gray", interpolation="AREA")
            yield small.to_ndarray()


def measured(frames: list[Array], people: list[list[Array]]) -> tuple[Tracks, float]:
    """The background's tracks, and the seconds a frame took."""
    background = Background(SIZE)
    began = time.perf_counter()
    for grey, told in zip(frames, people, strict=True):
        background(grey, told)
    return background.tracks(), (time.perf_counter() - began) / len(frames)


def judged(path: Path3, tracks: Tracks) -> tuple[bool, list[float], str]:
    """Whether found still; mean, largest, last rotation error (degrees), px, zoom error (%); the focal length found."""
    focal = focal_of_view(SIZE[0], SHOT_FOV) * path.zoom[0]
    estimate = estimate_motion(tracks, focal)
    motion = estimate.motion("moving")  # the errors of what was measured, whatever was made of it
    truth = rotations_of(path.angles)
    truth = truth @ truth[0].T
    error = np.degrees(np.linalg.norm(turn_of(np.swapaxes(truth, 1, 2) @ motion.rotations), axis=1))
    zoom = np.abs(motion.zoom / (path.zoom / path.zoom[0]) - 1).max() * 100
    pixels = np.radians(error.mean()) * focal
    found = estimate_focal(tracks)
    said = f"{(found.focal / focal - 1) * 100:+.1f} (+-{found.error * 100:.1f})" if found else "-"
    return estimate.still, [float(error.mean()), float(error.max()), float(error[-1]), float(pixels), float(zoom)], said


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--shots", nargs="*", help="only these")
    parser.add_argument("--scenes", type=int, default=3, help="how many of the clips serve as scenes")
    args = parser.parse_args()
    scenes = [scene_of(clip) for clip in args.clips[: args.scenes]]
    print(f"{'shot':<18}{'found':>8}{'mean':>8}{'largest':>8}{'last':>8}{'px':>7}{'zoom %':>8}{'ms':>6}  focal error %")
    for name in args.shots or shots(np.random.default_rng(0)):
        rows, verdicts, said, cost = [], [], [], []
        for number, scene in enumerate(scenes):
            rng = np.random.default_rng(number)
            path = shots(rng)[name]
            frames, people = zip(*film(scene, path, rng), strict=True)
            tracks, seconds = measured(list(encoded(list(frames))), list(people))
            still, figures, focal = judged(path, tracks)
            rows.append(figures)
            verdicts.append(still)
            said.append(focal)
            cost.append(seconds)
        a, b, c, d, e = np.mean(rows, 0)
        found = "still" if all(verdicts) else f"{len(verdicts) - sum(verdicts)}/{len(verdicts)} mov"
        ms = np.mean(cost) * 1e3
        print(
            f"{name:<18}{found:>8}{a:>8.3f}{b:>8.3f}{c:>8.3f}{d:>7.2f}{e:>8.2f}{ms:>6.1f}  {', '.join(said)}",
            flush=True,
        )
    print("\nthe clips themselves")
    for clip in args.clips:
        info = probe(clip)
        background = Background((info.width, info.height))
        seconds = 0.0
        for frame in read_frames(clip, grey_side=SHORT_SIDE, end=60):
            began = time.perf_counter()
            assert frame.grey is not None
            background(frame.grey)
            seconds += time.perf_counter() - began
        tracks = background.tracks()
        began = time.perf_counter()
        estimate = estimate_motion(tracks, float(np.hypot(info.width, info.height)))
        seconds += time.perf_counter() - began
        verdict = "still" if estimate.still else "moving"
        print(f"{clip.stem:<20}{verdict:>8}{seconds / tracks.frames * 1e3:>6.1f} ms  {estimate.reason}")


if __name__ == "__main__":
    main()
