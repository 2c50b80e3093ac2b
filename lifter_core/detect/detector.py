"""What a detector is, for everything that uses one, and the registry that makes one by name.

To add a detector: write a class with the members of Detector and register a function that makes it. Nothing else in the
program needs to know of it: the survey, the crop, the mirror and the lifting go by the names of its points.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError


class Pose(NamedTuple):
    """One person in one picture.

    Attributes:
        points: (K, 2) px of the picture that was given, all finite: a point that is not seen is guessed, at visibility 0.
        visibility: (K,) 0 to 1.
        world: (K, 3) m about the hips in camera axes (x right, y down, z forward); None = the detector has no own 3D.
    """

    points: NDArray[np.float32]
    visibility: NDArray[np.float32]
    world: NDArray[np.float32] | None


class Detector(Protocol):
    """Finds people's keypoints in pictures.

    Made for 0 ``people`` it is shown successive views of one person, whom it may follow from one to the next (an answer has
    at most one pose); made for more, each picture stands alone and up to so many people are found in it.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Of its K points: ``left_shoulder`` ... (the person's own left). Shoulders and hips must be among them."""

    @property
    def limbs(self) -> tuple[tuple[str, str], ...]:
        """The bones of arms and legs, as the names of the two points they join. Their ends tell whether somebody is seen."""

    @property
    def has_world(self) -> bool:
        """Whether its poses have a 3D of its own."""

    def __call__(self, image: NDArray[np.uint8]) -> list[Pose]:
        """The people in an (h, w, 3) RGB picture, the surest first."""

    def forget(self) -> None:
        """Drops the person followed, so that the next picture is searched afresh."""

    def close(self) -> None:
        """Frees what it holds; it is not called again."""


MakeDetector = Callable[[int, Path | None], Detector]
"""Makes a detector for so many people (see Detector), its model from a folder (None = the usual places)."""

_registry: dict[str, MakeDetector] = {}


def register(name: str, make: MakeDetector) -> None:
    """Makes a detector known by a name that ``detect`` takes.

    Raises:
        ValueError: there is one of that name.
    """
    if name in _registry:
        raise ValueError(f"there is a detector {name!r} already")
    _registry[name] = make


def detector_names() -> tuple[str, ...]:
    """The names of all that are registered."""
    return tuple(_registry)


def make_detector(name: str, people: int = 0, models: Path | None = None) -> Detector:
    """The detector of a name, to be closed when done (``contextlib.closing``).

    Args:
        people: 0 = pictures are successive views of one person; else how many to find at most in each picture.
        models: a folder of model files to look in first.

    Raises:
        BadInputError: there is no such detector, or its model is not to be found.
    """
    if name not in _registry:
        raise BadInputError(f"There is no detector {name!r}; choose one of {', '.join(_registry)}.")
    return _registry[name](people, models)
