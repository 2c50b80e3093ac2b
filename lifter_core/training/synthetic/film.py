"""What a real camera does to a rendered picture: motion blur, soft lens, exposure, sensor noise, H.264."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

# limbs that smear, by the truth's joint names
_LIMBS = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"), ("hip", "knee"), ("knee", "ankle"),
                 ("ankle", "toe"))
) + (("pelvis", "thorax"), ("neck", "head"))  # fmt: skip
_THICKNESS = 0.06  # of the person's height: how far from its axis a limb smears the picture
_TAPS = 5
_GRID = 8  # px: motion is worked out on a coarser grid
_LEAST_BLUR = 1.5  # px of motion while the shutter is open


def enlarge(images: Iterable[Array], size: tuple[int, int]) -> Iterator[Array]:
    """Pictures scaled to (width, height); those of that size are left alone."""
    for image in images:
        if (image.shape[1], image.shape[0]) == size:
            yield image
        else:
            yield np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def smear(images: Iterable[Array], pixels: Array, names: list[str], shutter: float, tall: float) -> Iterator[Array]:
    """Motion blur along the body's true motion; the background stays sharp when the camera turns.

    Args:
        pixels: (T, N, 2) the projected joints called ``names``; shutter: part of a frame's time it is open; tall: px.
    """
    pixels = pixels.astype(np.float32)
    motion = np.gradient(pixels, axis=0) * np.float32(shutter)
    a = [names.index(first) for first, _ in _LIMBS]
    b = [names.index(second) for _, second in _LIMBS]
    for t, image in enumerate(images):
        if np.abs(motion[t, a + b]).max() < _LEAST_BLUR:
            yield image
        else:
            yield _smeared(image, pixels[t, a], pixels[t, b], motion[t, a], motion[t, b], _THICKNESS * tall)


def _smeared(image: Array, a: Array, b: Array, move_a: Array, move_b: Array, reach: float) -> Array:
    height, width = image.shape[:2]
    corners = np.concatenate([a, b])
    margin = reach * 1.5 + float(np.abs(np.concatenate([move_a, move_b])).max())
    low = np.clip((corners.min(0) - margin) // _GRID * _GRID, 0, [width, height]).astype(int)
    high = np.clip(corners.max(0) + margin, 0, [width, height]).astype(int)
    if (high - low < 2 * _GRID).any():
        return image
    y, x = np.mgrid[low[1] : high[1] : _GRID, low[0] : high[0] : _GRID]
    grid = (np.stack([x, y], -1).reshape(-1, 1, 2) + _GRID / 2).astype(np.float32)
    along = b - a
    share = np.einsum("gbi,bi->gb", grid - a, along) / np.maximum((along**2).sum(-1), 1e-6)
    share = np.clip(share, 0, 1)
    apart = grid - a - share[..., None] * along
    weight = np.exp(-2 / reach**2 * np.einsum("gbi,gbi->gb", apart, apart))
    total = weight.sum(1, keepdims=True)
    flow = (weight @ move_a + (weight * share) @ (move_b - move_a)) / np.maximum(total, 1e-6)
    flow *= np.minimum(total / 0.3, 1)  # fades out away from the body
    flow = flow.reshape(*x.shape, 2).repeat(_GRID, 0).repeat(_GRID, 1)[: high[1] - low[1], : high[0] - low[0]]
    rows, columns = np.nonzero((flow**2).sum(-1) > _LEAST_BLUR**2)
    moved = flow[rows, columns]
    # one gather a tap: a pixel in one number, red and blue summed together, green apart
    packed = image.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], np.uint32)
    red_blue, green = np.zeros(len(rows), np.uint32), np.zeros(len(rows), np.uint32)
    for tap in np.linspace(-0.5, 0.5, _TAPS):
        u = np.clip(columns + low[0] + np.rint(moved[:, 0] * tap).astype(np.int32), 0, width - 1)
        v = np.clip(rows + low[1] + np.rint(moved[:, 1] * tap).astype(np.int32), 0, height - 1)
        here = packed[v, u]
        red_blue += here & 0xFF00FF
        green += here >> 8 & 0xFF
    out = image.copy()
    sums = np.stack([red_blue & 0xFFFF, green, red_blue >> 16], -1)
    out[rows + low[1], columns + low[0]] = sums // _TAPS
    return out


def develop(images: Iterable[Array], rng: np.random.Generator) -> Iterator[Array]:
    """A soft lens (it also takes the renderer's jagged edges off), an exposure, a white balance, noise."""
    soft = rng.random() < 0.4
    bright, gamma, balance = rng.uniform(0.65, 1.1), rng.uniform(0.7, 1.0), rng.normal(1, 0.06, 3)
    noise = np.exp(rng.uniform(np.log(0.5), np.log(6)))
    grain: Array | None = None
    table: Array | None = None
    for image in images:
        if table is None:  # as an automatic exposure does: the light parts to a given level
            light = max(float(np.percentile(image[::4, ::4], 95)) / 255, 0.08)
            levels = np.minimum(bright * np.arange(256) / 255 / light, 1) ** gamma
            table = np.clip(255 * levels[:, None] * balance, 0, 255).astype(np.int16)
        picture = _softened(image)
        if soft:
            picture = _softened(picture)
        shape = picture.shape[:2]
        if grain is None:
            grain = (noise * rng.standard_normal((4, *shape, 3), np.float32)).round().astype(np.int16)
        shift = (int(rng.integers(shape[0])), int(rng.integers(shape[1])))
        this = np.roll(grain[rng.integers(4)], shift, (0, 1))
        exposed = np.stack([table[:, c][picture[..., c]] for c in range(3)], -1)
        yield np.clip(exposed + this, 0, 255).astype(np.uint8)


def _softened(image: Array) -> Array:
    """The 3 x 3 binomial filter, in whole numbers."""
    wide = np.pad(image, ((1, 1), (1, 1), (0, 0)), "edge").astype(np.uint16)
    rows = wide[:-2] + 2 * wide[1:-1] + wide[2:]
    return ((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:] + 8) >> 4).astype(np.uint8)


def encode(images: Iterable[Array], path: Path, fps: float, crf: int) -> None:
    """Writes (h, w, 3) uint8 pictures as H.264 of the given quality (18 good, 32 poor)."""
    with av.open(str(path), "w") as container:
        stream = None
        for image in images:
            if stream is None:
                options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
                stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=options)
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())
