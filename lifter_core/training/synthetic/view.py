"""A contact sheet of made clips: the picture, the true skeleton (green left, red right) and the detector's points (white)."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ...errors import BadInputError
from ...files import replaced
from ...skeleton import EDGES, JOINT_NAMES

_CELL = 360  # px
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
    image = Image.open(shown).convert("RGB")
    scale = _CELL / max(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(image)
    seen = joints @ np.array(info["camera_matrix"]).T
    at = dict(zip(info["joints"], seen[:, :2] / seen[:, 2:] * scale, strict=True))
    for a, b in ((JOINT_NAMES[a], JOINT_NAMES[b]) for a, b in EDGES):
        side = b if b.startswith(("left", "right")) else a
        colour = _LEFT if side.startswith("left") else _RIGHT if side.startswith("right") else _MIDDLE
        draw.line([*at[a], *at[b]], fill=colour, width=1)
    for i, name in enumerate(info["keypoints"]):
        if name == "nose" or name.endswith(_DETECTED):
            x, y = points[i] * scale
            if np.isfinite(x):
                fill = _LEFT if name.startswith("left") else _RIGHT if name.startswith("right") else _MIDDLE
                draw.ellipse([x - 2, y - 2, x + 2, y + 2], outline=_FOUND, fill=fill)
    text = f"{info['id']} {info['category']} {info['fps']:.0f}/s {info['found']:.0%}"
    flags = [flag for flag in ("occluder", "cropped", "moving") if info[flag]]
    draw.text((3, 2), " ".join([text, *flags]), fill=_FOUND, stroke_width=1, stroke_fill=(0, 0, 0))
    cell = Image.new("RGB", (_CELL, _CELL))
    cell.paste(image, (0, 0))
    return cell
