"""How long the parts of a person's body are: what all frames of a clip and what is known of bodies beforehand say together.

The unknowns are the logarithms of the lengths of body.PARTS, the same in every frame: a dense border of the clip's banded
equations. Once the frames' own unknowns are eliminated, each stretch of frames leaves a small quadratic in the lengths; their
sum meets the prior here. The person's height is not at stake: one camera does not see it, so it stays as told or assumed.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .body import PARTS, STANDARD_PARTS, Body, part_shares

Array = NDArray[Any]

_HEIGHT_SD = 0.002  # of the log of the height
# A detector's points are off by much the same for a whole clip: about this part of their errors' variance is constant, so that
# many frames say no more of a length than two or three independent ones would.
_CONSTANT = 0.47


class LengthPrior(NamedTuple):
    """What bodies are like: (K,) mean and (K, K) covariance of the logarithms of the lengths of body.PARTS, at any height."""

    mean: Array
    covariance: Array


def bodies() -> LengthPrior:
    """People's bodies."""
    mean = np.log(STANDARD_PARTS * np.array([1, 1, 1, 1, 1, 1.02, 0.95, 1, 1, 1, 1, 1]))
    sd = np.array([0.06, 0.06, 0.08, 0.07, 0.12, 0.05, 0.05, 0.08, 0.08, 0.06, 0.06, 0.1])
    return LengthPrior(mean, np.diag(sd**2))


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


def solve_lengths(body: Body, prior: LengthPrior, seen: Border, frames: float) -> tuple[Array, Array]:
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
