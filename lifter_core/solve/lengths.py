"""How long the parts of a person's body are: what all frames of a clip and what is known of bodies beforehand say together.

The unknowns are the logarithms of the lengths of body.PARTS, the same in every frame: a dense border of the clip's banded
equations. Once the frames' own unknowns are eliminated, each stretch of frames leaves a small quadratic in the lengths; their
sum meets the prior here. The person's height is not at stake: one camera does not see it, so it stays as told or assumed.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..anthropometry import Proportions, proportions
from .body import PARTS, Body, part_shares

Array = NDArray[Any]

_HEIGHT_SD = 0.002  # of the log of the height
_LIFTED_SD = 0.06  # of the log of a length measured on the lifted joints: networks draw everybody towards the mean
# A detector's points are off by much the same for a whole clip: about this part of their errors' variance is constant, so that
# many frames say no more of a length than two or three independent ones would.
_CONSTANT = 0.47


# the joint at the end of each of body.PARTS, by which anthropometry.py names bones
_ENDS = ("spine", "thorax", "neck", "head", "hip", "knee", "ankle", "toe", "shoulder", "elbow", "wrist", "hand")


def people(height: float | None = None) -> Proportions:
    """What bodies are like: the distribution of the logs of the lengths of body.PARTS; ``height`` in metres if it is known."""
    return proportions(_ENDS, height)


def known_of(measured: Body, height: float | None = None) -> Proportions:
    """What is known before the rays are asked: what bodies are like, and the lengths measured on the lifted joints.

    Args:
        measured: as body.measure() gives it; height: m, if it was told.
    """
    bodies = people(height)
    inverse = np.linalg.inv(bodies.covariance)
    covariance = np.linalg.inv(inverse + np.eye(len(PARTS)) / _LIFTED_SD**2)
    # lifted joints have a size of their own: their shape at the mean body's size
    shape = np.log(measured.parts)
    shape = shape + (bodies.mean - shape).mean()
    return Proportions(covariance @ (inverse @ bodies.mean + shape / _LIFTED_SD**2), covariance)


class Border(NamedTuple):
    """A quadratic in the changes of the log lengths: (K, K) information and (K,) pull."""

    information: Array
    pull: Array

    @classmethod
    def none(cls) -> "Border":
        """Nothing is known."""
        return cls(np.zeros((len(PARTS), len(PARTS))), np.zeros(len(PARTS)))

    def __add__(self, other: "Border") -> "Border":  # type: ignore[override]
        return Border(self.information + other.information, self.pull + other.pull)


def solve_lengths(body: Body, prior: Proportions, seen: Border, frames: float) -> tuple[Array, Array]:
    """The likeliest change of the logarithms of the lengths (K,), and their standard deviations (K,).

    Args:
        seen: what all frames say; frames: how many independent ones they are worth.
    """
    worth = 1 / max(_CONSTANT * frames + 1 - _CONSTANT, 1.0)
    # the mean body at this one's height
    rise = np.array([_height_share(body, share) for share in part_shares(body)])
    mean = prior.mean + rise @ (np.log(body.parts) - prior.mean)
    inverse = np.linalg.inv(prior.covariance)
    information = seen.information * worth + inverse + np.outer(rise, rise) / _HEIGHT_SD**2
    pull = seen.pull * worth + inverse @ (mean - np.log(body.parts))
    return np.linalg.solve(information, pull), np.sqrt(np.diag(np.linalg.inv(information)))


def _height_share(body: Body, share: Body) -> float:
    """Which part of the standing height comes from one of the parts of the body."""
    top, bottom = body.rest[:, 2].argmax(), body.rest[:, 2].argmin()
    return float((share.rest[top, 2] - share.rest[bottom, 2]) / body.height)
