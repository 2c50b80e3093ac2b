# SPDX-License-Identifier: GPL-3.0-or-later
"""A bone map for a rig nobody has heard of: by the words in its bones' names, their sides, and what hangs on what."""

import re
from collections.abc import Mapping

from .kinds import BoneMap
from .lexicon import NOT_BODY, WORDS, finger_of, says, words
from .lexicon import sides as sides_of
from .roles import FINGERS, SIDES, other_side, split


def guess(parents: Mapping[str, str]) -> BoneMap:
    """A bone map from names and hierarchy alone.

    Args:
        parents: each bone's parent's name, nothing for roots; parents come first.
    """
    depth: dict[str, int] = {}
    for name, parent in parents.items():
        depth[name] = depth.get(parent, -1) + 1
    told = {name: words(name) for name in parents}
    sides = sides_of(parents)
    body = [name for name in parents if not NOT_BODY & set(told[name]) and not finger_of(told[name])]
    bones: BoneMap = {}
    taken: set[str] = set()

    def under(name: str, above: str) -> bool:
        while name:
            name = parents[name]
            if name == above:
                return True
        return False

    def pick(role: str, side: str, above: list[str], chain: bool = False) -> None:
        fitting = [name for name in body if sides[name] == side and name not in taken]
        inside = [name for name in fitting if any(under(name, top) for top in above)] or ([] if above else fitting)
        for word in WORDS[role]:
            named = [name for name in inside if says(told[name], word)]
            if named:
                first = min(named, key=lambda name: depth[name])
                found = [first]
                if chain:
                    wanted = [name for name in inside if any(says(told[name], w) for w in WORDS[role])]
                    found = sorted(wanted, key=lambda name: depth[name])
                bones[role + ("." + side if side else "")] = found
                taken.update(found)
                return

    pick("hips", "", [])
    hips = bones.get("hips", [])
    pick("head", "", [])
    pick("neck", "", hips, chain=True)
    pick("spine", "", hips, chain=True)
    for side in SIDES:
        for first, second, third, fourth in (
            ("thigh", "shin", "foot", "toes"),
            ("upper_arm", "forearm", "hand", ""),
        ):
            pick(third, side, [])
            if fourth:
                below = bones.get(f"{third}.{side}", [])
                # Where the joint above is called ankle, foot is the part that bends at the ball.
                foot = [
                    name for name in body if parents[name] in below and sides[name] == side and says(told[name], "foot")
                ]
                if foot:
                    bones[f"{fourth}.{side}"] = foot[:1]
                    taken.update(foot[:1])
                else:
                    pick(fourth, side, below)
            end = bones.get(f"{third}.{side}", [""])[0]
            line = _line(parents, end)
            for role in (second, first):
                _pick_above(role, side, line, told, sides, bones, taken, first)
        hand = bones.get(f"upper_arm.{side}", [""])[0]
        for name in _line(parents, hand):
            if any(says(told[name], word) for word in WORDS["shoulder"]) and name not in taken:
                bones[f"shoulder.{side}"] = [name]
                taken.add(name)
                break
        _fingers(side, parents, told, sides, bones)
    if not hips and bones.get("thigh.L") and bones.get("thigh.R"):
        other = set(_line(parents, bones["thigh.R"][0]))
        common = next((name for name in _line(parents, bones["thigh.L"][0]) if name in other and name not in taken), "")
        if common:
            bones["hips"] = [common]
    return mirrored(bones, list(parents))


def _line(parents: Mapping[str, str], name: str) -> list[str]:
    """The bones that a bone hangs on, nearest first."""
    out = []
    name = parents.get(name, "")
    while name:
        out.append(name)
        name = parents[name]
    return out


def _pick_above(
    role: str,
    side: str,
    line: list[str],
    told: dict[str, list[str]],
    sides: dict[str, str],
    bones: BoneMap,
    taken: set[str],
    last: str,
) -> None:
    """The limb bone between an end and the body: by its words, nearest to the end first; "leg" means either."""
    sided = [name for name in line if sides[name] == side and name not in taken]
    free = [name for name in sided if not NOT_BODY & set(told[name])]
    for word in WORDS[role]:
        for name in free:
            below_taken = role != last or name in line
            if below_taken and says(told[name], word):
                key = f"{role}.{side}"
                lower = bones.get(f"{'shin' if last == 'thigh' else 'forearm'}.{side}")
                if role == last and lower and lower[0] in line and line.index(name) < line.index(lower[0]):
                    continue
                bones[key] = [name]
                taken.add(name)
                return


def _fingers(
    side: str, parents: Mapping[str, str], told: dict[str, list[str]], sides: dict[str, str], bones: BoneMap
) -> None:
    hand = bones.get(f"hand.{side}", [""])[0]
    if not hand:
        return
    for finger in FINGERS:
        named = [
            name
            for name in parents
            if finger_of(told[name]) == finger
            and sides[name] == side
            and hand in _line(parents, name)
            and not {"metacarpal", "meta", "end", "ik", "tip"} & set(told[name])
        ]
        for number, name in enumerate(named[:3], 1):
            bones[f"{finger}_{number}.{side}"] = [name]


def mirror_name(name: str, names: list[str]) -> str:
    """The bone of the other side, if there is one: its name with the side's word swapped."""
    swaps = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"), ("L", "R"), ("l", "r"), ("左", "右"),
             ("links", "rechts"), ("li", "re"), ("gauche", "droite"), ("G", "D"), ("g", "d"), ("izq", "der"), ("Izq", "Der"),
             ("sx", "dx"), ("Sx", "Dx"), ("esq", "dir"))  # fmt: skip
    there = set(names)
    for a, b in (*swaps, *((b, a) for a, b in swaps)):
        pattern = re.escape(a) if len(a) > 3 or not a.isascii() else rf"(?<![A-Za-z]){a}(?![A-Za-z])"
        other = re.sub(pattern, b, name, count=1)
        if other != name and other in there:
            return other
        if len(a) == 1:
            for turned in (re.sub(rf"^{a}(?=[A-Z])", b, name), re.sub(rf"(?<=[a-z0-9]){a}$", b, name)):
                if turned != name and turned in there:
                    return turned
    return ""


def mirrored(bones: BoneMap, names: list[str]) -> BoneMap:
    """The map with roles of a side filled in from the other side's, where that is mapped and this is not."""
    full = dict(bones)
    for role, mapped in bones.items():
        other = other_side(role)
        if split(role)[1] and other not in full:
            turned = [mirror_name(name, names) for name in mapped]
            if all(turned):
                full[other] = turned
    return full
