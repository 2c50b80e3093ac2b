"""What a take says about its making: the clip, the detector, the model, the options, the people's measures."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import BadInputError

_DEEPEST = 20  # levels of lists and dictionaries within the metadata
_LARGEST = 1 << 63  # of whole numbers


@dataclass(frozen=True)
class CameraMeta:
    """What was found out about the camera's movement.

    Attributes:
        still: the camera was taken to stand still; reason: the finding in words.
        cuts: numbers of the frames with which a new shot begins.
        extra: keys of a newer minor version.
    """

    still: bool = True
    reason: str = ""
    cuts: tuple[int, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the types of the values."""
        _need(isinstance(self.still, bool), "camera.still", "true or false")
        _need(isinstance(self.reason, str), "camera.reason", "text")
        cuts = plain(self.cuts, "camera.cuts")
        _need(isinstance(cuts, list) and all(_is_count(cut) for cut in cuts), "camera.cuts", "a list of frame numbers")
        _set(self, cuts=tuple(cuts), extra=_mapping(self.extra, "camera"))


@dataclass(frozen=True)
class TakeMeta:
    """A take's ``meta``; None = not known. It checks itself when made, and is JSON in the file.

    Attributes:
        lifter_core: the version that lifted the clip.
        source, sha256: the clip's file name and the hash of its bytes.
        rotation: degrees that bring the clip's stored picture upright (PyAV's sign; phones: -90).
        detector: its quality (``lite``, ``full``, ``heavy``); flip: it looked at every picture's mirror image too.
        damaged: packets of the clip that could not be decoded; their pictures are missing.
        options: what the user set, by name (as on the command line); plain JSON values, lists instead of tuples.
        model, device: the network that lifted, and what it ran on.
        focal_source: where the focal length is from: ``option``, ``file``, ``motion`` or ``assumed``.
        camera: what was found out about the camera's movement.
        heights: metres, one for each person, or empty.
        bodies: measures of each person's body: part name -> (length in metres, its standard deviation in metres), or empty.
        extra: keys of a newer minor version; they are kept when the take is saved again.

    Raises:
        BadInputError: a value of another type, or out of range.
    """

    lifter_core: str | None = None
    source: str | None = None
    sha256: str | None = None
    rotation: float | None = None
    detector: str | None = None
    flip: bool | None = None
    damaged: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    device: str | None = None
    focal_source: str | None = None
    camera: CameraMeta = field(default_factory=CameraMeta)
    heights: tuple[float, ...] = ()
    bodies: tuple[Mapping[str, tuple[float, float]], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the types of the values, and brings lists and tuples into one form."""
        for name in ("lifter_core", "source", "sha256", "detector", "model", "device", "focal_source"):
            value = getattr(self, name)
            _need(value is None or isinstance(value, str), name, "text")
        _need(self.rotation is None or _is_number(self.rotation), "rotation", "a number")
        _need(self.flip is None or isinstance(self.flip, bool), "flip", "true or false")
        _need(_is_count(self.damaged), "damaged", "a number of packets")
        _need(isinstance(self.camera, CameraMeta), "camera", "what was found out about the camera")
        heights = plain(self.heights, "heights")
        _need(
            isinstance(heights, list) and all(_is_number(h) and h > 0 for h in heights), "heights", "a list of metres"
        )
        _set(
            self,
            options=_mapping(self.options, "options"),
            heights=tuple(float(height) for height in heights),
            bodies=_bodies(self.bodies),
            extra=_mapping(self.extra, "meta"),
        )

    def to_json(self) -> str:
        """As it stands in the file: one object, without what is not known."""
        values = _values(self) | {"camera": _values(self.camera)}
        if not self.bodies:
            del values["bodies"]
        return json.dumps(values, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "TakeMeta":
        """Reads it as it stands in the file.

        Raises:
            BadInputError: it is no JSON, or a value is of another type.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise BadInputError("its meta is no JSON") from None
        values = _mapping(values, "meta")
        camera = values.pop("camera", None)
        told = CameraMeta() if camera is None else CameraMeta(**_known(CameraMeta, _mapping(camera, "camera")))
        return cls(**_known(cls, values), camera=told)


def plain(value: Any, name: str, levels: int = _DEEPEST) -> Any:
    """A copy that JSON can hold: dictionaries, lists, text, finite numbers, true, false and None; tuples become lists.

    Raises:
        BadInputError: it holds anything else, or is nested more than ``levels`` deep.
    """
    if isinstance(value, Mapping) and levels:
        return {str(key): plain(part, name, levels - 1) for key, part in value.items()}
    if isinstance(value, list | tuple) and levels:
        return [plain(part, name, levels - 1) for part in value]
    if value is None or isinstance(value, str | bool) or _is_number(value):
        return value
    raise BadInputError(f"meta's {name} holds a value that is not allowed there")


def _values(meta: "TakeMeta | CameraMeta") -> dict[str, Any]:
    known = {f.name: getattr(meta, f.name) for f in fields(meta) if f.name != "extra"}
    return {**meta.extra, **{name: value for name, value in known.items() if value is not None}}


def _known(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """The constructor's arguments: null means that it is not given, unknown keys go into ``extra``."""
    names = {f.name for f in fields(kind)} - {"extra"}
    known = {name: value for name, value in values.items() if name in names and value is not None}
    return known | {"extra": {name: value for name, value in values.items() if name not in names}}


def _bodies(value: Any) -> tuple[dict[str, tuple[float, float]], ...]:
    bodies = plain(value, "bodies")
    _need(isinstance(bodies, list) and all(isinstance(body, dict) for body in bodies), "bodies", "a list of objects")
    for pair in (pair for body in bodies for pair in body.values()):
        fits = isinstance(pair, list) and len(pair) == 2 and all(_is_number(x) for x in pair)
        _need(fits and pair[0] > 0 and pair[1] >= 0, "bodies", "lengths with their standard deviations, in metres")
    return tuple({part: (float(pair[0]), float(pair[1])) for part, pair in body.items()} for body in bodies)


def _mapping(value: Any, name: str) -> dict[str, Any]:
    _need(isinstance(value, Mapping), name, "an object")
    copied: dict[str, Any] = plain(value, name)
    return copied


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGEST if isinstance(value, int) else math.isfinite(value)


def _is_count(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and value >= 0


def _need(fits: bool, name: str, what: str) -> None:
    if not fits:
        raise BadInputError(f"meta's {name} should be {what}")


def _set(meta: "TakeMeta | CameraMeta", **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(meta, name, value)
