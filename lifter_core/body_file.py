"""A person's body kept in a file: measured on one or several takes, used for more takes of the same person.

A body file is JSON: ``{"format": "lift-body/1", "parts": {NAME: [length, standard deviation], ...}}``, metres, the names those
of solve/body.py's PARTS. A take (.npz) holds its first person's body too, so it can stand for such a file.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError
from .files import replaced
from .solve.body import PARTS
from .take import Take, load_take

Array = NDArray[Any]
Measures = Mapping[str, tuple[float, float]]

FORMAT = "lift-body/1"
_LARGEST = 100_000  # bytes: a body file is smaller
_LONGEST = 2.0  # m
_LEAST_SD = 0.001  # of a log length: no measure counts as better known


def read_body(path: Path) -> Array:
    """(K,) the lengths of PARTS, metres, of a body file or of the first person of a take.

    Raises:
        BadInputError: there is no such file, it is neither, or the take was made before takes held bodies.
    """
    measures = _of_take(load_take(path), path) if path.suffix.lower() == ".npz" else _of_json(path)
    return np.array([measures[part][0] for part in PARTS])


def _of_take(take: Take, path: Path) -> Measures:
    if not take.meta.bodies or any(part not in take.meta.bodies[0] for part in PARTS):
        raise BadInputError(
            f"{path} does not say what body it has; solve it anew with lifter solve, then use the result."
        )
    return take.meta.bodies[0]


def _of_json(path: Path) -> Measures:
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
        values = json.loads(text) if len(text) <= _LARGEST else None
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or values.get("format") != FORMAT or not isinstance(values.get("parts"), dict):
        raise BadInputError(f"{path} is no body file; make one with lifter body TAKE.npz -o body.json.")
    measures = {}
    for part in PARTS:
        pair = values["parts"].get(part)
        numbers = isinstance(pair, list) and len(pair) == 2 and all(type(x) in (int, float) for x in pair)
        if not numbers or not all(math.isfinite(x) for x in pair) or not 0 < pair[0] < _LONGEST or pair[1] < 0:
            raise BadInputError(
                f"{path} has no usable length of the {part.replace('_', ' ')} (metres and their deviation)."
            )
        measures[part] = (float(pair[0]), float(pair[1]))
    return measures


def combined(takes: Sequence[tuple[Path, Take]]) -> dict[str, tuple[float, float]]:
    """The body that several takes of one person agree on: means of the log lengths, weighted by how well each knows them.

    The takes' own sizes may differ (nobody's height was told): they are brought to their mean size first.

    Raises:
        BadInputError: a take does not say what body it has.
    """
    table = np.array(
        [[measures[part] for part in PARTS] for measures in (_of_take(take, path) for path, take in takes)]
    )
    logs = np.log(table[..., 0])
    sizes = logs.mean(1, keepdims=True)
    logs = logs - sizes + sizes.mean()
    weight = 1 / np.maximum(table[..., 1] / table[..., 0], _LEAST_SD) ** 2
    lengths = np.exp((weight * logs).sum(0) / weight.sum(0))
    sd = lengths / np.sqrt(weight.sum(0))
    return {part: (float(a), float(b)) for part, a, b in zip(PARTS, lengths, sd, strict=True)}


def write_body(measures: Measures, path: Path) -> None:
    """Writes a body file.

    Raises:
        OSError: it cannot be written; a file of that name is left as it was.
    """
    parts = {part: [round(value, 5) for value in measures[part]] for part in PARTS}
    with replaced(path) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, "parts": parts}, indent=1) + "\n", encoding="utf-8")
