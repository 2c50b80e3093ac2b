"""Clothes, hair and colours for a body: which of MakeHuman's faces are shown, made of what."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .human import Human, target, template
from .textures import FABRICS, fabric

Array = NDArray[Any]

_SKINS = np.array(
    [[0.95, 0.76, 0.65], [0.9, 0.68, 0.55], [0.78, 0.55, 0.4], [0.6, 0.4, 0.27], [0.42, 0.27, 0.18], [0.3, 0.19, 0.13]]
)
_HAIRS = np.array([[0.05, 0.04, 0.03], [0.2, 0.12, 0.06], [0.4, 0.27, 0.13], [0.7, 0.55, 0.3], [0.55, 0.55, 0.55]])
MATERIALS = ("skin", "shirt", "trousers", "shoes", "hair", "white", "iris", "lips", "brow")


class Actor(NamedTuple):
    """What is drawn: vertices (indices into the base mesh (N,), rest positions (N, 3)), faces (F, 4) of them, each face's
    material (F,), texture coordinates (N, 2), and a picture for each of MATERIALS.
    """

    indices: Array
    vertices: Array
    faces: Array
    materials: Array
    uv: Array
    pictures: list[Array]
    info: dict[str, Any]


def dress(human: Human, data: Path, rng: np.random.Generator) -> Actor:
    """An actor in random clothes: shirt (three sleeves), trousers (two lengths, some wide) or skirt, shoes, hair."""
    mesh, c, height = template(data).faces, human.centres, human.info["height"]
    size = height / 1.7
    centre = {name: human.vertices[faces].mean(1) for name, faces in mesh.items()}
    woman = human.info["sex"] < 0.5
    legwear = str(rng.choice(["long", "short", "skirt"], p=[0.5, 0.25, 0.25] if woman else [0.67, 0.33, 0]))
    sleeve = str(rng.choice(["long", "short", "none"]))
    loose = rng.uniform(0.002, 0.022)
    wide = rng.uniform(0.02, 0.07) if legwear == "long" and rng.random() < 0.3 else 0.0
    parts: list[tuple[str, Array]] = []

    shirt, trousers = _clothes(human, mesh["helper-tights"], centre["helper-tights"], legwear, sleeve, rng)
    if legwear == "skirt":
        hem = c["l-knee"][2] + rng.uniform(-0.05, 0.1) * height
        skirt = mesh["helper-skirt"][centre["helper-skirt"][:, 2] > hem]
        trousers = np.concatenate([skirt, trousers]) if rng.random() < 0.4 else skirt

    # hair: the scalp is painted; on it, sometimes, MakeHuman's cap, cut free of the face and to a random length
    eye = c["l-eye"]
    ear = eye[1] + 0.075 * size
    bald = rng.random() < 0.08
    short = rng.random() < (0.2 if woman else 0.8)
    length = eye[2] + (0.12 if short else rng.uniform(-0.2, 0.05)) * size

    def hairline(at: Array) -> Array:
        before, behind = at[:, 1] < ear - 0.02 * size, at[:, 1] > ear + 0.02 * size
        return eye[2] + np.where(before, 0.055, np.where(behind, -0.035, 0.015)) * size

    body = centre["body"]
    kind = np.full(len(body), "skin", dtype="<U8")
    lips, brows = _face(data)
    kind[lips[mesh["body"]].all(1)] = "lips"
    kind[brows[mesh["body"]].mean(1) > 0.8] = "brow"
    kind[(body[:, 2] > hairline(body)) & (body[:, 2] > eye[2] - 0.04 * size) & (not bald)] = "hair"
    kind[body[:, 2] < c["l-ankle"][2] * rng.uniform(0.55, 1.3)] = "shoes"
    parts += [(str(k), mesh["body"][kind == k]) for k in np.unique(kind)]
    shoes = mesh["body"][kind == "shoes"]
    if not bald and not short:
        cap = centre["helper-hair"]
        front = cap[:, 1] < ear - 0.02 * size
        parts.append(("hair", mesh["helper-hair"][cap[:, 2] > np.where(front, hairline(cap), length)]))
    for side in ("l", "r"):
        eyes, around = mesh[f"helper-{side}-eye"], centre[f"helper-{side}-eye"] - c[f"{side}-eye"]
        iris = (np.hypot(around[:, 0], around[:, 2]) < 0.0045 * size) & (around[:, 1] < 0)
        parts += [("iris", eyes[iris]), ("white", eyes[~iris])]
    parts += [("shirt", shirt), ("trousers", trousers)]

    vertices = human.vertices.copy()
    normals = _normals(vertices, np.concatenate([mesh["body"], shirt, trousers]))
    for faces, distance in ((shirt, loose + 0.004), (trousers, loose + 0.002), (shoes, rng.uniform(0.003, 0.012))):
        ids = np.unique(faces)
        vertices[ids] += normals[ids] * distance
    legs, (hip, ankle) = np.unique(trousers), (c[f"l-{name}"][2] for name in ("upper-leg", "ankle"))
    flare = np.clip((hip - human.vertices[legs, 2]) / (hip - ankle), 0, 1)[:, None]
    vertices[legs] += normals[legs] * wide * flare * size
    faces = np.concatenate([f for _, f in parts])
    indices, compact = np.unique(faces, return_inverse=True)
    shown = vertices[indices]
    uv = np.stack([shown[:, 0] + 0.7 * shown[:, 1], shown[:, 2] + 0.2 * shown[:, 1]], 1) * 1.6
    materials = np.concatenate([np.full(len(f), MATERIALS.index(k)) for k, f in parts])
    pictures, tone = _pictures(rng)
    info = {"legs": legwear, "sleeve": sleeve, "loose": float(loose), "wide": float(wide), "bald": bool(bald)}
    info["skin"] = tone
    return Actor(indices, shown, compact.reshape(faces.shape), materials, uv, pictures, info)


def _clothes(
    human: Human, faces: Array, centre: Array, legwear: str, sleeve: str, rng: np.random.Generator
) -> tuple[Array, Array]:
    """The faces of MakeHuman's tights that make the shirt and those that make the trousers."""
    c, height = human.centres, human.info["height"]
    shoulder, elbow, wrist = (float(abs(c[f"l-{j}"][0])) for j in ("shoulder", "elbow", "hand"))
    hip, knee, ankle = (float(c[f"l-{j}"][2]) for j in ("upper-leg", "knee", "ankle"))
    waist = hip + rng.uniform(0.015, 0.06) * height
    x, z = np.abs(centre[:, 0]), centre[:, 2]
    collar = c["neck"][2] - rng.uniform(0.005, 0.03) * height
    reach = {"long": wrist - 0.005, "short": shoulder + (elbow - shoulder) * rng.uniform(0.3, 0.95)}
    leg = {"long": ankle + 0.01 * height, "short": knee + rng.uniform(-0.02, 0.08) * height, "skirt": ankle}
    # arms hang beside the hips in the rest pose: what is outside the shoulders and near the line to the wrist is arm
    high, low = (float(c[f"l-{j}"][2]) for j in ("shoulder", "hand"))
    along = high + (low - high) * np.clip((x - shoulder) / (wrist - shoulder), 0, 1)
    arm = (x > shoulder * 0.98) & (z > along - 0.08 * height)
    shirt = (x < reach.get(sleeve, shoulder + 0.01)) & (arm | (z > waist)) & (z < collar)
    return faces[shirt], faces[~arm & (z <= waist) & (z > leg[legwear])]


def _face(data: Path) -> tuple[Array, Array]:
    """Per vertex of the base mesh: is it lip, and how much (0 to 1) is it eyebrow, from the targets that move them."""
    count = len(template(data).vertices)
    lips, brows = np.zeros(count, bool), np.zeros(count)
    for path in sorted((data / "targets").glob("*/*.target.gz")):
        group, name = path.parent.name, path.name.removesuffix(".target.gz")
        if group == "mouth" and name.startswith(("mouth-lowerlip-volume", "mouth-upperlip-volume")):
            found = target(data, f"{group}/{name}")
            if found:
                lips[found[0]] = True
        elif group == "eyebrows" and ("up" in name or "angle" in name):
            found = target(data, f"{group}/{name}")
            if found:
                size = np.linalg.norm(found[1], axis=1)
                np.maximum.at(brows, found[0], size / (size.max() + 1e-9))
    return lips, brows


def _normals(vertices: Array, faces: Array) -> Array:
    a, b, d = vertices[faces[:, 0]], vertices[faces[:, 1]], vertices[faces[:, 2]]
    flat = np.cross(b - a, d - a)
    out = np.zeros_like(vertices)
    for corner in faces.T:
        np.add.at(out, corner, flat)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


def _pictures(rng: np.random.Generator) -> tuple[list[Array], float]:
    """A picture for each of MATERIALS, and how dark the skin is (0 to 5)."""

    def colour() -> Array:
        return np.clip(rng.beta(1.2, 1.2) * (1 - rng.uniform(0, 0.8) * (rng.random(3) < 0.6)), 0.02, 0.97)

    tone = rng.uniform(0, len(_SKINS) - 1)
    low = int(tone)
    skin = _SKINS[low] * (1 - tone % 1) + _SKINS[min(low + 1, len(_SKINS) - 1)] * (tone % 1)
    hair = _HAIRS[rng.integers(len(_HAIRS))]
    colours = {
        "skin": skin, "shirt": colour(), "trousers": 0.8 * colour(), "shoes": np.full(3, colour().max()), "hair": hair,
        "white": np.full(3, 0.92), "iris": np.array([0.12, 0.08, 0.05]), "lips": skin * [0.85, 0.55, 0.55],
        "brow": hair * 0.6 + skin * 0.25,
    }  # fmt: skip
    pictures = []
    for name in MATERIALS:
        kind = str(rng.choice(FABRICS)) if name in ("shirt", "trousers") else "plain"
        pictures.append(fabric(rng, np.asarray(colours[name]), kind, 128 if name in ("shirt", "trousers") else 32))
    return pictures, float(tone)
