# SPDX-License-Identifier: GPL-3.0-or-later
"""What riggers call the parts of a body and its sides: in English, German, French, Spanish, Italian, Portuguese, Japanese."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

LEFT, RIGHT = {"left", "l", "lft", "lf"}, {"right", "r", "rgt", "rt"}
SIDE_WORDS = (  # left, right; those after the first are looked for only where a rig's names come in such pairs
    (LEFT, RIGHT),
    ({"links", "li"}, {"rechts", "re"}),
    ({"gauche", "g"}, {"droite", "droit", "d"}),
    ({"izquierda", "izquierdo", "izq", "i"}, {"derecha", "derecho", "der", "d"}),
    ({"sinistra", "sinistro", "sx"}, {"destra", "destro", "dx"}),
    ({"esquerda", "esquerdo", "esq", "e"}, {"direita", "direito", "dir", "d"}),
)
NOT_BODY = {
    "ik",
    "pole",
    "target",
    "ctrl",
    "mch",
    "org",
    "vis",
    "tweak",
    "helper",
    "roll",
    "twist",
    "end",
    "nub",
    "socket",
}
NOT_BODY |= {"attachment", "breast", "eye", "eyes", "jaw", "hair", "tail", "weapon", "cloth", "skirt", "cape", "tooth",
             "tongue", "brow", "lip", "footsteps"}  # fmt: skip
WORDS: dict[str, tuple[str, ...]] = {  # a role's words from the surest to the least sure
    "hips": ("hips", "hip", "pelvis", "cog", "becken", "huefte", "bassin", "cadera", "caderas", "bacino", "quadril", "bip",
             "spinebase", "lowertorso"),
    "spine": ("spine", "abdomen", "waist", "belly", "stomach", "torso", "chest", "ribcage", "back", "lowerback", "upperchest",
              "uppertorso", "ab", "thorax", "wirbelsaeule", "wirbelsaule", "brust", "bauch", "colonne", "torse", "poitrine",
              "columna", "pecho", "colonna", "petto", "coluna", "peito", "l5", "l3", "t12", "t8"),
    "neck": ("neck", "hals", "nacken", "cou", "cuello", "collo", "pescoco"),
    "head": ("head", "skull", "kopf", "tete", "cabeza", "testa", "cabeca"),
    "shoulder": ("clavicle", "collar", "collarbone", "shoulder", "schulter", "schluesselbein", "clavicule", "epaule",
                 "clavicula", "hombro", "clavicola", "spalla", "ombro"),
    "upper_arm": ("upperarm", "uparm", "uarm", "armupper", "humerus", "bicep", "shldr", "oberarm", "bras", "brazo", "braccio",
                  "braco", "arm", "shoulder", "schulter", "hombro"),
    "forearm": ("forearm", "farm", "lowerarm", "lowarm", "larm", "armlower", "elbow", "ulna", "unterarm", "ellbogen",
                "avantbras", "coude", "antebrazo", "codo", "avambraccio", "gomito", "antebraco", "cotovelo"),
    "hand": ("hand", "wrist", "palm", "handgelenk", "main", "poignet", "mano", "muneca", "polso", "mao", "pulso"),
    "thigh": ("thigh", "upleg", "upperleg", "uleg", "legupper", "femur", "oberschenkel", "cuisse", "muslo", "coscia", "coxa",
              "leg", "hip", "huefte"),
    "shin": ("shin", "calf", "lowerleg", "lowleg", "lleg", "leglower", "knee", "tibia", "unterschenkel", "knie", "jambe",
             "genou", "pantorrilla", "rodilla", "polpaccio", "ginocchio", "canela", "joelho", "leg"),
    "foot": ("ankle", "knoechel", "cheville", "tobillo", "caviglia", "foot", "fuss", "pied", "pie", "piede", "pe"),
    "toes": ("toe", "toes", "toebase", "ball", "zehen", "zeh", "orteils", "orteil", "dedos", "dita", "puntera"),
}  # fmt: skip
FINGER_WORDS = {
    "thumb": "thumb", "index": "index", "middle": "middle", "mid": "middle", "ring": "ring", "pinky": "pinky",
    "little": "pinky", "pinkie": "pinky", "daumen": "thumb", "zeigefinger": "index", "mittelfinger": "middle",
    "ringfinger": "ring", "kleinfinger": "pinky", "pouce": "thumb", "majeur": "middle", "annulaire": "ring",
    "auriculaire": "pinky", "pulgar": "thumb", "indice": "index", "medio": "middle", "anular": "ring", "menique": "pinky",
}  # fmt: skip
JAPANESE = (  # longer ones first: the ankle is the foot's neck
    ("全ての親", "root"), ("センター", "center"), ("グルーブ", "groove"), ("下半身", "hips"), ("上半身", "spine"),
    ("つま先", "toe"), ("爪先", "toe"), ("足先", "toe"), ("足首", "ankle"), ("手首", "wrist"), ("ひざ", "knee"), ("膝", "knee"),
    ("ひじ", "elbow"),
    ("肘", "elbow"), ("親指", "thumb"), ("人差指", "index"), ("人指", "index"), ("中指", "middle"), ("薬指", "ring"),
    ("小指", "pinky"), ("捩", "twist"), ("首", "neck"), ("頭", "head"), ("肩", "shoulder"), ("腕", "arm"), ("手", "hand"),
    ("足", "leg"), ("目", "eye"), ("髪", "hair"), ("左", "left"), ("右", "right"),
)  # fmt: skip


def words(name: str) -> list[str]:
    """The words of a bone's name, in lower case, numbers apart: LeftUpLeg01 is left, up, leg, 01."""
    bare = unicodedata.normalize("NFKC", re.sub(r"^.*[:|]", "", name))
    for word, english in JAPANESE:
        bare = bare.replace(word, f" {english} ")
    for letter, plain in (("ß", "ss"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        bare = bare.replace(letter, plain)
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(letter))
    if re.search(r"[a-z]", bare):
        bare = re.sub(r"([a-z])([A-Z])", r"\1 \2", bare)
        bare = re.sub(r"\b([LR])(?=[A-Z]{2}[a-z])", r"\1 ", bare)
        bare = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", bare)
    bare = re.sub(r"(\d+)", r" \1 ", bare)
    parts = [part.lower() for part in re.split(r"[^A-Za-z0-9]+", bare) if part]
    # Sides grown together with a word in small letters: "leftarm", "armleft".
    out: list[str] = []
    for part in parts:
        for side in ("left", "right"):
            if part.startswith(side) and part != side:
                out += [side, part.removeprefix(side)]
                break
            if part.endswith(side) and part != side:
                out += [part.removesuffix(side), side]
                break
        else:
            out.append(part)
    return out


def _side(parts: list[str], left: set[str], right: set[str]) -> str:
    if not any(len(part) > 1 and part.isalpha() for part in parts):
        return ""  # L5 is a vertebra
    for part in (*parts[:1], *parts[-1:], *parts):
        if part in left:
            return "L"
        if part in right:
            return "R"
    return ""


def sides(names: Iterable[str]) -> dict[str, str]:
    """L, R or nothing for each bone, by its name; in the language in which most of the names come in pairs."""
    told = {name: words(name) for name in names}

    def pairs(left: set[str], right: set[str]) -> int:
        found: dict[str, set[tuple[str, ...]]] = {"L": set(), "R": set()}
        for parts in told.values():
            side = _side(parts, left, right)
            if side:
                found[side].add(tuple(part for part in parts if part not in left | right))
        return len(found["L"] & found["R"])

    left, right = max(SIDE_WORDS, key=lambda pair: pairs(*pair))
    return {name: _side(parts, left, right) for name, parts in told.items()}


def says(parts: list[str], word: str) -> bool:
    """Whether a name's words contain a word, written as one or as two: "upper arm" says upperarm."""
    plain = [part for part in parts if not part.isdigit()]
    joined = ["".join(pair) for pair in pairwise(plain)] + ["".join(pair) for pair in pairwise(parts)]
    return word in plain or word in joined


def finger_of(parts: list[str]) -> str:
    """The finger that a name's words tell, or nothing."""
    if "spine" in parts:
        return ""  # its middle
    for part in parts:
        for word, finger in FINGER_WORDS.items():
            if part == word or part == f"finger{word}":
                return finger
    return ""
