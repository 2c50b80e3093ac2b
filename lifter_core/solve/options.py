"""What a user may say about how a clip is solved."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class SolveOptions:
    """The solver's options; their names are those of the command line and of a take's ``meta["options"]``.

    Attributes:
        height: the person's standing height in metres; None = a standard body's.
        smooth: 0 (none) to 1 (much), 0.5 = standard; smooth_root, smooth_body, smooth_hands, smooth_feet override it for
            the path, the body, the hands and the feet.
        foot_lock: 0 (feet slide as they were seen) to 1 (planted feet stay where they are).
        floor_height: metres, added to the height of the floor that was found.
        floor_tilt: degrees about the world's X and Y, added to the floor that was found.
        in_place: keep the person over the origin; only heights change.
        facing: where the person faces at first, degrees counter-clockwise from -Y seen from above; None = as filmed, the
            world's Y along the camera's view.
        camera: ``auto``, ``still`` (its motion is not believed) or ``moving``.
    """

    height: float | None = None
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
    camera: str = "auto"

    def smoothing(self, part: str) -> float:
        """The amount for ``root``, ``body``, ``hands`` or ``feet``, as a factor of the standard: 0, or 1/8 to 8."""
        own: float | None = getattr(self, f"smooth_{part}")
        amount = self.smooth if own is None else own
        return 0.0 if amount <= 0 else float(8.0 ** (2 * min(amount, 1.0) - 1))


def options_from(values: Mapping[str, Any]) -> SolveOptions:
    """The options among ``values`` (of the command line, or of a take); what is missing or None stays as it is by default."""
    known = {f.name for f in fields(SolveOptions)}
    given = {name: value for name, value in values.items() if name in known and value is not None}
    if given.get("facing") == "keep":
        del given["facing"]
    if "floor_tilt" in given:
        given["floor_tilt"] = (float(given["floor_tilt"][0]), float(given["floor_tilt"][1]))
    return SolveOptions(**given)
