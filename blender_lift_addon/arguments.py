# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine is asked for: its command line. Knows nothing of bpy.

The options are those of lifter_core.options, by name and in their units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifter_core.command_line import words
from lifter_core.options import OPTIONS

# quality -> what is asked of the detection and the lifting
QUALITIES: dict[str, dict[str, Any]] = {
    "DRAFT": {"detector": "lite", "flip": False, "model": "fast"},
    "STANDARD": {"detector": "full"},
    "BEST": {"detector": "heavy"},
}


@dataclass(frozen=True)
class LiftOptions:
    """How a clip is lifted: a name of QUALITIES, and the values of options; None = left to the engine."""

    quality: str = "BEST"
    values: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, clip: Path, take: Path) -> list[str]:
        """The engine's command line; what is as the engine has it by default is not in it."""
        told = {name: value for name, value in self.values.items() if value != OPTIONS[name].default}
        return ["lift", str(clip.absolute()), "-o", str(take), *words(QUALITIES[self.quality] | told)]


def solve_arguments(take: Path, new: Path, values: Mapping[str, Any]) -> list[str]:
    """The engine's command line to solve a take anew; values of None stay as the take has them."""
    return ["solve", str(take), "-o", str(new), *words(values)]
