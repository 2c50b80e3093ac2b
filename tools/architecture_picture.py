#!/usr/bin/env python3
"""Draws docs/pictures/architecture.png: the path from a clip to a rig, and which package does each step.

    python -m tools.architecture_picture

Needs Pillow. Change the lists below when a step or a package changes, and commit the new picture with them.
"""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

OUT = Path(__file__).parents[1] / "docs" / "pictures" / "architecture.png"

# The data, left to right: title, lines below it.
DATA = (
    ("Clip", ("video file",)),
    ("Detection", ("keypoints in pixels,", "background tracks", "file: lift-detection/1")),
    ("Lifted", ("3D joints about the", "pelvis, camera axes", "in memory only")),
    ("Take", ("bones, root, contacts,", "camera; world, metres", "file: lift-take/1")),
    ("Keyframes", ("an action of an armature", "or of your rig,", "in the .blend file")),
)
# The steps between them: function, packages and modules that do it.
STEPS = (
    ("detect()", ("video.py", "detect/", "camera_motion/")),
    ("lift()", ("normalise.py", "models/, weights/", "runtime.py")),
    ("solve_joints()", ("solve/",)),
    ("keyframes", ("armature,", "camera, or", "retarget/")),
)
# Outputs of a take that do not need Blender.
EXPORTS = ("export/bvh.py: .bvh", "export/preview.py: .mp4, .png")

_SIZE = (2400, 880)
_MARGIN, _BOX, _TOP, _HEIGHT = 50, 296, 250, 230  # px: outer margin, width of a data box, its top edge and height
_INK, _GREY, _PAPER = (28, 32, 38), (110, 116, 124), (255, 255, 255)
_ENGINE, _BLENDER, _DATUM = (232, 241, 252), (253, 239, 225), (255, 255, 255)
_BLUE, _ORANGE = (38, 104, 178), (196, 98, 16)


def main() -> None:
    """Draws the picture and writes it."""
    picture = Image.new("RGB", _SIZE, _PAPER)
    draw = ImageDraw.Draw(picture)
    gap = (_SIZE[0] - 2 * _MARGIN - 60 - len(DATA) * _BOX) / len(STEPS)
    left = [_MARGIN + 30 + i * (_BOX + gap) for i in range(len(DATA))]
    border = left[3] + _BOX + 24  # x: what is right of it runs in Blender

    _area(draw, (_MARGIN, 40, border, 840), _ENGINE, "lifter_core: the engine, a process of its own", _BLUE)
    _area(draw, (border + 20, 40, _SIZE[0] - _MARGIN, 840), _BLENDER, "blender_lift_addon", _ORANGE)

    for x, (title, lines) in zip(left, DATA, strict=True):
        draw.rounded_rectangle((x, _TOP, x + _BOX, _TOP + _HEIGHT), 16, _DATUM, _INK, 3)
        _text(draw, (x + _BOX / 2, _TOP + 42), title, 40)
        _column(draw, (x + _BOX / 2, _TOP + 100), lines, 25, _GREY)
    for x, (function, modules) in zip(left, STEPS, strict=False):
        start, end, y = x + _BOX + 8, x + _BOX + gap - 8, _TOP + _HEIGHT / 2
        colour = _ORANGE if x == left[3] else _BLUE
        _arrow(draw, (start, y), (end, y), colour)
        middle = (start + end) / 2 + (22 if x == left[3] else 0)
        _text(draw, (middle, y - 40), function, 27, colour)
        _column(draw, (middle, y + 40), modules, 22, _GREY)

    _bracket(draw, left[0], left[1] + _BOX, 190, "pipeline.detect(clip): the slow part")
    _bracket(draw, left[1] + _BOX + 30, left[3] + _BOX, 190, "pipeline.solve(detection): seconds, no clip")

    low = _TOP + _HEIGHT
    again, take = left[2] + _BOX / 2, left[3] + _BOX / 2
    draw.line([(take - 60, low), (take - 60, low + 90), (again, low + 90)], _BLUE, 5)
    _arrow(draw, (again, low + 90), (again, low + 8), _BLUE)
    _text(draw, ((again + take) / 2 - 30, low + 122), "solve_again(take): other options, no clip", 25, _BLUE)
    x, top = take + 60, low + 190
    _arrow(draw, (x, low), (x, top - 6), _BLUE)
    draw.rounded_rectangle((left[3] - 90, top, left[3] + _BOX, top + 110), 16, _DATUM, _INK, 3)
    _column(draw, (left[3] - 90 + (_BOX + 90) / 2, top + 35), EXPORTS, 25, _INK)
    _column(
        draw,
        (left[0] + 330, low + 210),
        ("options.py: every option, declared once", "skeleton.py: joints and bones for all steps"),
        27,
        _INK,
    )
    picture.save(OUT, optimize=True)
    print(OUT)


def _area(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], fill: tuple[int, ...], title: str, ink: object
) -> None:
    draw.rounded_rectangle(box, 24, fill)
    _text(draw, ((box[0] + box[2]) / 2, box[1] + 45), title, 34, ink)


def _arrow(draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], colour: object) -> None:
    """A horizontal or vertical arrow."""
    draw.line([start, end], colour, 6)  # type: ignore[arg-type]
    (x0, y0), (x, y) = start, end
    dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
    back = (x - 22 * dx, y - 22 * dy)
    draw.polygon([end, (back[0] - 12 * dy, back[1] - 12 * dx), (back[0] + 12 * dy, back[1] + 12 * dx)], colour)  # type: ignore[arg-type]


def _bracket(draw: ImageDraw.ImageDraw, left: float, right: float, y: float, label: str) -> None:
    draw.line([(left, y + 40), (left, y + 20), (right, y + 20), (right, y + 40)], _GREY, 3)
    _text(draw, ((left + right) / 2, y - 8), label, 27)


def _column(
    draw: ImageDraw.ImageDraw, top: tuple[float, float], lines: Sequence[str], size: int, ink: tuple[int, ...]
) -> None:
    for i, line in enumerate(lines):
        _text(draw, (top[0], top[1] + i * size * 1.45), line, size, ink)


def _text(draw: ImageDraw.ImageDraw, middle: tuple[float, float], text: str, size: int, ink: object = _INK) -> None:
    draw.text(middle, text, ink, ImageFont.load_default(size), anchor="mm")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
