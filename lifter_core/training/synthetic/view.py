"""A contact sheet of made clips: the picture, the true skeleton (green left, red right) and the detector's points (white)."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ...errors import BadInputError
from ...files import replaced
from ...skeleton import EDGES, JOINT_NAMES

_CELL = 300  # px
_MARGIN = 1.25  # the cell shows so many times the person's extent
_SMOOTH = Image.Resampling.BILINEAR
_DETECTED = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot_index", "heel", "ear", "index")
_LEFT, _RIGHT, _MIDDLE, _FOUND = (60, 230, 90), (255, 70, 60), (255, 220, 60), (255, 255, 255)


def contact_sheet(out: Path, sheet: Path, first: int = 0, count: int = 24, columns: int = 6) -> int:
    """Draws ``count`` finished clips from the ``first``-th on, a picture each, into ``sheet``; gives how many there were.

    Raises:
        BadInputError: there is none.
    """
    clips = sorted((out / "clips").glob("*.npz"))[first : first + count]
    if not clips:
        raise BadInputError(f"{out} has no finished clips from number {first} on; run render and detect first.")
    rows = -(-len(clips) // columns)
    picture = Image.new("RGB", (columns * _CELL, rows * _CELL), (20, 20, 20))
    for i, path in enumerate(clips):
        shown = sorted((out / "pictures").glob(f"{path.stem}_*.jpg"))
        cell = _drawn(path, shown[i % len(shown)]) if shown else Image.new("RGB", (_CELL, _CELL))
        picture.paste(cell, (i % columns * _CELL, i // columns * _CELL))
    with replaced(sheet) as temporary:
        picture.save(temporary, format="PNG" if sheet.suffix == ".png" else "JPEG", quality=75)
    return len(clips)


def _drawn(path: Path, shown: Path) -> Image.Image:
    frame = int(shown.stem.split("_")[1])
    with np.load(path, allow_pickle=False) as z:
        info = json.loads(str(z["meta"]))
        joints, points = z["joints"][frame], z["points"][frame]
    seen = joints @ np.array(info["camera_matrix"]).T
    pixels = seen[:, :2] / seen[:, 2:]
    low, high = pixels.min(0), pixels.max(0)
    side = max(float((high - low).max()) * _MARGIN, 1.0)
    corner = (low + high - side) / 2
    scale = _CELL / side
    box = (*corner, *(corner + side))
    image = Image.open(shown).convert("RGB").transform((_CELL, _CELL), Image.Transform.EXTENT, box, _SMOOTH)
    draw = ImageDraw.Draw(image)
    at = dict(zip(info["joints"], (pixels - corner) * scale, strict=True))
    for start, end in ((JOINT_NAMES[a], JOINT_NAMES[b]) for a, b in EDGES):
        limb = end if end.startswith(("left", "right")) else start
        colour = _LEFT if limb.startswith("left") else _RIGHT if limb.startswith("right") else _MIDDLE
        draw.line([*at[start], *at[end]], fill=colour, width=1)
    for i, name in enumerate(info["keypoints"]):
        if name == "nose" or name.endswith(_DETECTED):
            x, y = (float(v) for v in (points[i] - corner) * scale)
            if np.isfinite(x):
                fill = _LEFT if name.startswith("left") else _RIGHT if name.startswith("right") else _MIDDLE
                draw.ellipse([x - 2, y - 2, x + 2, y + 2], outline=_FOUND, fill=fill)
    text = f"{info['id']} {info['category']} {info['fps']:.0f}/s {info['found']:.0%}"
    flags = [flag for flag in ("occluder", "cropped", "moving") if info[flag]]
    draw.text((3, 2), " ".join([text, *flags]), fill=_FOUND, stroke_width=1, stroke_fill=(0, 0, 0))
    return image
