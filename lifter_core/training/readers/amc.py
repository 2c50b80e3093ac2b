"""Acclaim files: the skeleton (.asf) and a motion of it (.amc), as the CMU library has them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from .animation import Animation, euler, fault, numbers, read_lines

Array = NDArray[Any]

_CMU_RATE = 120.0  # an .amc does not say its frame rate


class _Bone(NamedTuple):
    """A bone from its parent's end along ``vector``; ``axes`` (3, 3) are its own, ``dof`` the channels of an .amc."""

    name: str
    vector: Array
    axes: Array
    dof: list[str]


class Skeleton(NamedTuple):
    """An .asf: bones (the root first), and each one's parent."""

    bones: tuple[_Bone, ...]
    parents: tuple[int, ...]
    degrees: bool


def read_asf(path: Path) -> Skeleton:
    """Reads a skeleton.

    Raises:
        BadInputError: the file is not ASF, or broken; the message names the line.
    """
    section = ""
    bones: dict[str, dict[str, list[str]]] = {}
    root: dict[str, list[str]] = {}
    family: dict[str, str] = {}
    current: dict[str, list[str]] = {}
    unit = "deg"
    where: dict[str, int] = {}
    for number, text in enumerate(read_lines(path), 1):
        words = text.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        key = words[0].lower()
        if key.startswith(":"):
            section = key[1:]
        elif section == "units" and key == "angle":
            unit = words[1].lower()
        elif section == "root":
            root[key] = words[1:]
            where.setdefault("root", number)
        elif section == "bonedata":
            if key == "begin":
                current = {}
            elif key == "end":
                if "name" not in current:
                    raise fault(path, number, "a bone has no name")
                bones[current["name"][0]] = current
                where[current["name"][0]] = number
            else:
                current[key] = words[1:]
        elif section == "hierarchy" and key not in ("begin", "end"):
            for child in words[1:]:
                if child not in bones:
                    raise fault(path, number, f"the hierarchy has a bone {child!r} without data")
                family[child] = words[0]
    if not bones or not root:
        raise BadInputError(f"{path} is no ASF skeleton: it lacks :root or :bonedata.")
    turn = 1.0 if unit.startswith("deg") else 180 / np.pi
    order = [o.lower() for o in root.get("order", ["tx", "ty", "tz", "rx", "ry", "rz"])]
    axes = _axes(
        [*root.get("orientation", ["0", "0", "0"]), *root.get("axis", ["xyz"])], turn, path, where.get("root", 1)
    )
    out = [_Bone("root", np.zeros(3), axes, order)]
    parents = [-1]
    names = ["root"]
    waiting = list(bones)
    while waiting:
        ready = [name for name in waiting if family.get(name) in names]
        if not ready:
            raise fault(path, where[waiting[0]], f"the bone {waiting[0]!r} hangs on nothing in the hierarchy")
        for name in ready:
            waiting.remove(name)
            data, line = bones[name], where[name]
            direction = np.array(numbers(data.get("direction", []), path, line))
            length = numbers(data.get("length", []), path, line)
            if direction.shape != (3,) or len(length) != 1:
                raise fault(path, line, f"the bone {name!r} needs a direction of three numbers and a length")
            dof = [d.lower() for d in data.get("dof", [])]
            out.append(_Bone(name, direction * length[0], _axes(data.get("axis", []), turn, path, line), dof))
            parents.append(names.index(family[name]))
            names.append(name)
    return Skeleton(tuple(out), tuple(parents), turn == 1.0)


def _axes(words: list[str], turn: float, path: Path, line: int) -> Array:
    """The matrix of "axis a b c XYZ": it turns about X first, so the matrices stand in the opposite order."""
    if len(words) != 4 or sorted(words[3].lower()) != ["x", "y", "z"]:
        raise fault(path, line, "an axis has three angles and an order such as XYZ")
    angles = np.array(numbers(words[:3], path, line)) * turn
    return euler(words[3].lower()[::-1], angles[::-1])


def read_amc(path: Path, skeleton: Skeleton, fps: float = _CMU_RATE) -> Animation:
    """Reads a motion of a skeleton. Node = where a bone begins; the ends of chains follow as ``NAME_end``.

    Raises:
        BadInputError: the file is not AMC, broken, or of another skeleton; the message names the line.
    """
    index = {bone.name: i for i, bone in enumerate(skeleton.bones)}
    columns = np.cumsum([0, *(len(bone.dof) for bone in skeleton.bones)])
    rows: list[Array] = []
    turn = 1.0 if skeleton.degrees else 180 / np.pi
    for number, text in enumerate(read_lines(path), 1):
        words = text.split("#")[0].split()
        if not words:
            continue
        if words[0].startswith(":"):
            if words[0].lower() == ":radians":
                turn = 180 / np.pi
            elif words[0].lower() == ":degrees":
                turn = 1.0
        elif len(words) == 1 and words[0].isdigit():
            rows.append(rows[-1].copy() if rows else np.zeros(columns[-1]))
        elif not rows:
            raise fault(path, number, "values come before the first frame's number")
        elif words[0] not in index:
            raise fault(path, number, f"the skeleton has no bone {words[0]!r}; it belongs to another .asf")
        else:
            i = index[words[0]]
            values = numbers(words[1:], path, number)
            if len(values) != len(skeleton.bones[i].dof):
                raise fault(path, number, f"{words[0]} has {len(values)} values, not {len(skeleton.bones[i].dof)}")
            rows[-1][columns[i] : columns[i + 1]] = values
    if not rows:
        raise BadInputError(f"{path} has no frames; is it an AMC file?")
    return _pose(skeleton, np.array(rows), columns, turn, fps)


def _pose(skeleton: Skeleton, values: Array, columns: Array, turn: float, fps: float) -> Animation:
    count = len(skeleton.bones)
    leaves = [i for i in range(count) if i not in skeleton.parents]
    names = [b.name for b in skeleton.bones] + [f"{skeleton.bones[i].name}_end" for i in leaves]
    parents = (*skeleton.parents, *leaves)
    rest = np.zeros((len(names), 3))
    positions = np.zeros((len(values), len(names), 3))
    rotations = np.zeros((len(values), len(names), 3, 3))
    for i, bone in enumerate(skeleton.bones):
        mine = values[:, columns[i] : columns[i + 1]]
        turns = [k for k, name in enumerate(bone.dof) if name in ("rx", "ry", "rz")]
        # turned about the first channel first: the matrices stand in the opposite order
        order = "".join(bone.dof[k][1] for k in turns[::-1])
        local = bone.axes @ euler(order, mine[:, turns[::-1]] * turn) @ bone.axes.T
        if i == 0:
            for k, name in enumerate(bone.dof):
                if name in ("tx", "ty", "tz"):
                    positions[:, 0, "xyz".index(name[1])] = mine[:, k]
            rotations[:, 0] = local
            continue
        parent = skeleton.parents[i]
        above = skeleton.bones[parent].vector
        rest[i] = rest[parent] + above
        positions[:, i] = positions[:, parent] + rotations[:, parent] @ above
        rotations[:, i] = rotations[:, parent] @ local
    for i, leaf in enumerate(leaves, count):
        vector = skeleton.bones[leaf].vector
        rest[i] = rest[leaf] + vector
        positions[:, i] = positions[:, leaf] + rotations[:, leaf] @ vector
        rotations[:, i] = rotations[:, leaf]
    return Animation(tuple(names), parents, rest, positions, rotations, fps)
