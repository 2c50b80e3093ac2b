"""Procedural pictures for clothes, walls and floors: arrays (n, n, 3), 0 to 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WALLS = ("gradient", "cloud", "brick", "planks", "heap", "heap")
FLOORS = ("cloud", "planks", "brick", "gradient")
FABRICS = ("plain", "plain", "plain", "stripes", "checks", "print")


def clouds(rng: np.random.Generator, n: int, coarsest: int = 1, finest: int = 7, fall: float = 0.6) -> Array:
    """(n, n) smooth noise about -1 to 1 that tiles: value noise in octaves."""
    out = np.zeros((n, n))
    for octave in range(coarsest, finest):
        cells = 2**octave
        lattice = rng.normal(size=(cells, cells))
        place = np.arange(n) * cells / n
        low = place.astype(int)
        share = place - low
        share = share * share * (3 - 2 * share)
        high = (low + 1) % cells
        rows = lattice[low] * (1 - share)[:, None] + lattice[high] * share[:, None]
        out += (rows[:, low] * (1 - share) + rows[:, high] * share) * fall ** (octave - coarsest)
    return out / (np.abs(out).max() + 1e-9)


def fabric(rng: np.random.Generator, colour: Array, kind: str, n: int) -> Array:
    """Cloth (or skin, plain): stripes, checks or a print in two colours, a little uneven."""
    y, x = np.mgrid[0:n, 0:n] / n
    second = np.clip(colour + rng.normal(0, 0.3, 3), 0, 1)
    count = rng.integers(4, 24)
    mask = np.zeros((n, n))
    if kind == "stripes":
        mask = (np.sin(2 * np.pi * count * (y if rng.random() < 0.6 else x)) > rng.uniform(-0.6, 0.6)) * 1.0
    elif kind == "checks":
        mask = (np.sin(2 * np.pi * count * x) > 0) * 0.5 + (np.sin(2 * np.pi * count * y) > 0) * 0.5
    elif kind == "print":
        mask = np.clip(clouds(rng, n, 2, 6) * 3, 0, 1)
    picture = colour * (1 - mask[..., None]) + second * mask[..., None]
    return np.clip(picture * (1 + 0.18 * clouds(rng, n, 3, 7)[..., None]), 0, 1)


def surface(rng: np.random.Generator, kind: str, n: int = 256) -> Array:
    """A wall or floor: gradient, cloud, brick, planks, or a heap of rectangles and blobs (shelves, posters, streets)."""
    y, x = np.mgrid[0:n, 0:n] / n
    grey = rng.uniform(0.3, 1)
    first, second = (v * (1 - grey) + v.mean() * grey for v in rng.uniform(0.1, 0.98, (2, 3)))
    uneven = clouds(rng, n, 1, 8, 0.65)[..., None]
    if kind == "gradient":
        picture = first + (second - first) * y[..., None]
    elif kind == "cloud":
        picture = first + (second - first) * (uneven * 0.5 + 0.5)
    elif kind == "brick":
        count = int(rng.integers(6, 20))
        row = np.floor(y * 2 * count).astype(int)
        u, v = x * count + 0.5 * (row % 2), y * 2 * count
        tone = rng.normal(0, 0.12, (2 * count + 1, 2 * count + 2))[row, np.floor(u).astype(int) % (2 * count)]
        gap = (u % 1 < 0.06) | (v % 1 < 0.1)
        picture = np.where(gap[..., None], second, first * (1 + tone[..., None]))
    elif kind == "planks":
        count = int(rng.integers(5, 16))
        tone = rng.normal(0, 0.15, count + 1)[np.floor(x * count).astype(int)]
        picture = first * (1 + tone[..., None]) * np.where(x * count % 1 < 0.04, 0.5, 1.0)[..., None]
    else:
        picture = np.broadcast_to(first, (n, n, 3)).copy()
        for _ in range(rng.integers(10, 60)):
            x0, y0 = rng.uniform(-0.1, 1, 2)
            w, h = rng.exponential(0.15, 2) + 0.01
            colour = rng.uniform(0, 1, 3)
            colour = colour * (1 - grey) + colour.mean() * grey
            inside = (x > x0) & (x < x0 + w) & (y > y0) & (y < y0 + h)
            if rng.random() < 0.3:
                inside = (x - x0) ** 2 / w**2 + (y - y0) ** 2 / h**2 < 0.5
            strength = rng.uniform(0.3, 1)
            picture[inside] = picture[inside] * (1 - strength) + colour * strength
    return np.clip(picture * (1 + 0.15 * uneven) + rng.normal(0, 0.015, (n, n, 1)), 0, 1)
