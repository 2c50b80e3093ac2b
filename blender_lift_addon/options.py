# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine can be asked for, as its command line has it. Knows nothing of bpy."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# quality -> the engine's words for it: detector, whether it looks in the mirror too, lifting network
QUALITIES: dict[str, tuple[str, ...]] = {
    "DRAFT": ("--detector", "lite", "--no-flip", "--model", "fast"),
    "STANDARD": ("--detector", "full"),
    "BEST": ("--detector", "heavy"),
}


def _numbers(given: Iterable[tuple[str, float | None]]) -> list[str]:
    return [word for flag, value in given if value is not None for word in (flag, f"{value:g}")]


@dataclass(frozen=True)
class LiftOptions:
    """How a clip is lifted: seconds from the clip's first frame, centimetres, horizontal degrees.

    ``person`` is a place in the picture (0 to 1 from its upper left corner) and a second of the clip.
    """

    quality: str = "BEST"
    start: float | None = None
    end: float | None = None
    height: float | None = None
    fov: float | None = None
    camera: str = "auto"
    person: tuple[float, float, float] | None = None

    def arguments(self, clip: Path, take: Path) -> list[str]:
        """The engine's command line; what is left to the engine is not in it."""
        words = ["lift", str(clip.absolute()), "-o", str(take), *QUALITIES[self.quality]]
        words += _numbers(
            (("--start", self.start), ("--end", self.end), ("--height", self.height), ("--fov", self.fov))
        )
        words += ["--camera", self.camera] if self.camera != "auto" else []
        words += ["--person", *(f"{value:.6g}" for value in self.person)] if self.person else []
        return words


@dataclass(frozen=True)
class CleanUp:
    """How a take is solved anew: 0 to 1, metres, degrees, centimetres. None: as ``smooth`` says, or as it was."""

    smooth: float = 0.5
    smooth_root: float | None = None
    smooth_body: float | None = None
    smooth_hands: float | None = None
    smooth_feet: float | None = None
    foot_lock: float = 1.0
    floor_height: float = 0.0
    floor_tilt: tuple[float, float] = (0.0, 0.0)
    in_place: bool = False
    facing: float | None = None
    height: float | None = None
    fov: float | None = None
    camera: str | None = None

    def arguments(self, take: Path, new: Path) -> list[str]:
        """The engine's command line, with every setting in it: what is not given stays as it was."""
        parts = ("root", "body", "hands", "feet")
        words = ["solve", str(take), "-o", str(new), "--smooth", f"{self.smooth:g}"]
        for part in parts:
            value = getattr(self, f"smooth_{part}")
            words += [f"--smooth-{part}", f"{self.smooth if value is None else value:g}"]
        words += ["--foot-lock", f"{self.foot_lock:g}", "--floor-height", f"{self.floor_height:g}"]
        words += ["--floor-tilt", *(f"{value:g}" for value in self.floor_tilt)]
        words.append("--in-place" if self.in_place else "--no-in-place")
        words += ["--facing", "keep" if self.facing is None else f"{self.facing:g}"]
        words += _numbers((("--height", self.height), ("--fov", self.fov)))
        words += ["--camera", self.camera] if self.camera else []
        return words
