"""Small patches around corners and tracking them in other frames: image pyramids and inverse compositional alignment.

The method of Lucas and Kanade with the template's gradients (Baker and Matthews 2004). Each patch starts where the expected
camera rotation puts it, and is compared by normalised correlation, which ignores brightness and contrast.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .geometry import Turn, warp

Array = NDArray[Any]
Pyramid = list[NDArray[np.float32]]

LEVELS = 3
_RADII = (4, 3, 3)  # radius of the patches on each level, in px of that level
_RADIUS = _RADII[0]
_CELL = 18  # px: cell size of a grid; at most one corner is taken in each cell
_MOST = 140  # corners kept in a frame
# threshold, grey levels per px: rms gradient in a patch's weaker direction; flatter patches are rejected
_LEAST_CORNER = 3.0


def pyramid(grey: NDArray[np.uint8]) -> Pyramid:
    """The picture at full, half, quarter ... size, each the 2 x 2 means of the one before."""
    levels = [grey.astype(np.float32)]
    for _ in range(LEVELS - 1):
        last = levels[-1]
        h, w = last.shape[0] // 2 * 2, last.shape[1] // 2 * 2
        levels.append(
            (last[0:h:2, 0:w:2] + last[1:h:2, 0:w:2] + last[0:h:2, 1:w:2] + last[1:h:2, 1:w:2]) * np.float32(0.25)
        )
    return levels


def corners(grey: NDArray[np.float32], free: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N, 2) array positions x, y of the best corner (Shi and Tomasi) of each grid cell, among pixels where ``free`` (h, w)."""
    dy, dx = (np.asarray(g) for g in np.gradient(grey))
    xx, xy, yy = (_box(p) for p in (dx * dx, dx * dy, dy * dy))
    weaker = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    margin = _RADIUS * 2
    score = np.where(free, weaker, 0)
    score[:margin], score[-margin:], score[:, :margin], score[:, -margin:] = 0, 0, 0, 0
    h, w = score.shape[0] // _CELL * _CELL, score.shape[1] // _CELL * _CELL
    cells = score[:h, :w].reshape(h // _CELL, _CELL, w // _CELL, _CELL).swapaxes(1, 2).reshape(-1, _CELL * _CELL)
    best = cells.argmax(1)
    value = cells[np.arange(len(cells)), best]
    row, column = np.divmod(np.arange(len(cells)), w // _CELL)
    at = np.stack([column * _CELL + best % _CELL, row * _CELL + best // _CELL], 1)
    good = np.flatnonzero(value > _LEAST_CORNER**2)
    good = good[np.argsort(-value[good])][:_MOST]
    return at[np.sort(good)].astype(np.float32)


def _box(a: Array) -> NDArray[np.float32]:
    """(h, w) the mean over the patch around each pixel."""
    total = np.pad(a, _RADIUS, mode="edge").astype(np.float64).cumsum(0).cumsum(1)
    total = np.pad(total, ((1, 0), (1, 0)))
    n = 2 * _RADIUS + 1
    return ((total[n:, n:] - total[:-n, n:] - total[n:, :-n] + total[:-n, :-n]) / n**2).astype(np.float32)


class _Level(NamedTuple):
    points: NDArray[np.float32]  # (N, P, 2) of the patches' pixels, px of the full picture from its middle
    patches: NDArray[np.float32]  # (N, P) zero mean, unit norm
    ascent: NDArray[np.float32]  # (N, P, 2) inverse Hessian times gradient


class Patches(NamedTuple):
    """A frame's corners: (N, 2) points in px from the picture's middle, and the patches around them on each level."""

    points: NDArray[np.float32]
    levels: list[_Level]


def cut_out(frame: Pyramid, at: NDArray[np.float32]) -> Patches:
    """Cuts out the patches around corners at array positions (N, 2)."""
    middle = _middle(frame)
    levels = []
    for level, picture in enumerate(frame):
        size = 2.0**level
        dy, dx = (np.asarray(g) for g in np.gradient(picture))
        steps = np.arange(-_RADII[level], _RADII[level] + 1, dtype=np.float32)
        offsets = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
        places = ((at + 0.5) / size - 0.5)[:, None] + offsets
        values, inside = sample(picture, places)
        gx, _ = sample(dx, places)
        gy, _ = sample(dy, places)
        values = values - values.mean(1, keepdims=True)
        norm = np.sqrt((values**2).sum(1, keepdims=True)) + 1e-3
        g = np.stack([gx, gy], -1) / norm[..., None]
        g -= g.mean(1, keepdims=True)
        hessian = np.einsum("npi,npj->nij", g, g)
        hessian += np.eye(2) * (1e-4 + 0.02 * np.trace(hessian, axis1=1, axis2=2))[:, None, None]
        inverse = np.linalg.inv(hessian)
        ascent = np.einsum("nij,npj->npi", inverse, g)
        values = np.where(inside[:, None], values / norm, 0)
        points = (places + 0.5) * size - middle
        levels.append(_Level(points.astype(np.float32), values.astype(np.float32), ascent.astype(np.float32)))
    return Patches((at + 0.5 - middle).astype(np.float32), levels)


def find(patches: Patches, frame: Pyramid, turn: Turn, level: int, rounds: int) -> tuple[Array, NDArray[np.float32]]:
    """Tracks the patches on one level of the frame's pyramid, starting where the rotation and zoom put them.

    Returns:
        (N, 2) the corners' places in px from the picture's middle, and (N,) the normalised correlation of each patch, -1 to 1;
        -1 for patches that are outside the picture.
    """
    picture, known = frame[level], patches.levels[level]
    size = 2.0**level
    middle = _middle(frame)
    expected = ((warp(turn, known.points) + middle) / size - 0.5).astype(np.float32)
    # the local scale and rotation of the picture, from opposite sides of each warped patch
    radius = _RADII[level]
    side = 2 * radius + 1
    across = (expected[:, radius * side + side - 1] - expected[:, radius * side]) / (side - 1)
    down = (expected[:, (side - 1) * side + radius] - expected[:, radius]) / (side - 1)
    shift = np.zeros((len(expected), 2), np.float32)
    likeness = np.zeros(len(expected), np.float32)
    inside = np.ones(len(expected), np.bool_)
    for step in range(rounds + (level == 0)):
        values, inside = sample(picture, expected + shift[:, None])
        values -= values.mean(1, keepdims=True)
        values /= np.sqrt(np.einsum("np,np->n", values, values))[:, None] + np.float32(1e-3)
        likeness = np.einsum("np,np->n", values, known.patches)
        if step == rounds:  # on the finest level the correlation is measured once more at the final place
            break
        move = np.matmul((values - known.patches)[:, None], known.ascent)[:, 0].clip(-1.5, 1.5)
        shift -= move[:, :1] * across + move[:, 1:] * down
    moved = warp(turn, patches.points) + shift * size
    return moved, np.where(inside, likeness, -1).astype(np.float32)


def sample(picture: Array, places: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bilinear interpolation: (N, P) values at places (N, P, 2), and (N,) whether all of a row's places are in the picture."""
    h, w = picture.shape
    x, y = places[..., 0], places[..., 1]
    left, top = np.floor(x), np.floor(y)
    side = round(places.shape[1] ** 0.5)
    tips = [0, side - 1, -side, -1]  # the corners of the square patches
    inside = ((left[:, tips] >= 0) & (top[:, tips] >= 0) & (left[:, tips] < w - 1) & (top[:, tips] < h - 1)).all(1)
    fx, fy = x - left, y - top
    at = (top.clip(0, h - 2) * w + left.clip(0, w - 2)).astype(np.intp)
    flat = picture.ravel()
    a, c = flat.take(at), flat.take(at + w)
    at += 1
    b, d = flat.take(at), flat.take(at + w)
    b -= a
    b *= fx
    b += a
    d -= c
    d *= fx
    d += c
    d -= b
    d *= fy
    d += b
    return d, inside


def _middle(frame: Pyramid) -> NDArray[np.float32]:
    return np.array([frame[0].shape[1] / 2, frame[0].shape[0] / 2], np.float32)


def shift_between(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2,) the shift of the whole picture in whole pixels, x then y, by phase correlation (Kuglin and Hines 1975)."""
    h, w = before.shape
    window = np.hanning(h)[:, None] * np.hanning(w)
    a, b = (np.fft.rfft2((p - p.mean()) * window) for p in (before, after))
    cross = b * a.conj()
    peak = np.fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).mean() + 1e-9), (h, w))
    y, x = np.unravel_index(peak.argmax(), peak.shape)
    return np.array([x - w if x > w / 2 else x, y - h if y > h / 2 else y], np.float64)
