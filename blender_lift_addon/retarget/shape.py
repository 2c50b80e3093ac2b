# SPDX-License-Identifier: GPL-3.0-or-later
"""A bone map from where the bones are at rest, for names that say nothing: legs go down, arms go out, the head is on top.

Character in the world: Z up. Which way it faces is told by its feet.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from lifter_core.rotations import Floats

from .kinds import BoneMap

OFF_CENTRE = 0.02  # of the height: bones nearer to the middle plane are of the trunk


class _Body:
    """The bones' places and what hangs on what; ``side`` is +1 or -1 for bones off the middle plane."""

    def __init__(self, parents: Mapping[str, str], heads: Mapping[str, Sequence[float]]) -> None:
        self.parents = dict(parents)
        self.at = {name: np.array(heads[name], dtype=float) for name in parents}
        self.children: dict[str, list[str]] = {name: [] for name in parents}
        for name, parent in parents.items():
            if parent:
                self.children[parent].append(name)
        places = np.array(list(self.at.values()))
        self.floor, self.height = float(places[:, 2].min()), float(np.ptp(places[:, 2]))
        across = int(np.argmax(places.std(0)[:2]))
        self.across, self.ahead = np.eye(3)[across], np.eye(3)[1 - across]
        middle = float(np.median(places[:, across]))
        off = {name: float(at[across] - middle) / max(self.height, 1e-9) for name, at in self.at.items()}
        self.side = {name: int(np.sign(x)) if abs(x) > OFF_CENTRE else 0 for name, x in off.items()}

    def up(self, name: str) -> list[str]:
        """The bone and all it hangs on."""
        line = []
        while name:
            line.append(name)
            name = self.parents[name]
        return line

    def limb(self, tip: str) -> list[str]:
        """From the first bone off the middle plane to the tip."""
        line = list(itertools.takewhile(lambda name: self.side[name] == self.side[tip], self.up(tip)))
        return line[::-1]

    def length(self, line: Sequence[str]) -> float:
        """Along the heads of the bones."""
        return float(sum(np.linalg.norm(self.at[a] - self.at[b]) for a, b in itertools.pairwise(line)))

    def apart(self, a: str, b: str) -> float:
        """Between two bones' heads."""
        return float(np.linalg.norm(self.at[a] - self.at[b]))

    def common(self, a: str, b: str) -> str:
        """The nearest bone that both hang on."""
        line = set(self.up(a))
        return next((name for name in self.up(b) if name in line), "")

    def level(self, name: str) -> float:
        """Height over the floor, in parts of the whole."""
        return float(self.at[name][2] - self.floor) / max(self.height, 1e-9)


def _limbs(body: _Body) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Leg and arm of either side, from the trunk outwards."""
    tips = [name for name in body.parents if body.side[name] and not body.children[name]]
    lines = [body.limb(tip) for tip in tips]
    lines = [line for line in lines if len(line) >= 2]
    legs, arms = {}, {}
    for side in (-1, 1):
        own = [line for line in lines if body.side[line[-1]] == side]
        down = [line for line in own if body.level(line[-1]) < 0.2 and body.level(line[0]) > 0.35 and len(line) >= 3]
        if down:
            legs[side] = max(down, key=lambda line: (round(body.level(line[0]) - body.level(line[-1]), 2), len(line)))
        out = [line for line in own if body.level(line[0]) > 0.6 and body.level(line[-1]) > 0.2 and len(line) >= 3]
        if out:
            arms[side] = max(out, key=body.length)
    return legs, arms


def _halves(body: _Body, line: Sequence[str], ends: Sequence[str], least: float = 0.0) -> tuple[str, str, str] | None:
    """First, middle and end of the two long parts of a limb, which are about equally long."""
    best, found = -1.0, None
    for end in ends:
        inner = line[: line.index(end)]
        for a, b in itertools.combinations(inner, 2):
            first, second = body.apart(a, b), body.apart(b, end)
            if min(first, second) < least or min(first, second) <= 0:
                continue
            even = abs(np.log(first / second))
            forked = 1.15 if len(body.children[end]) >= 2 else 1.0  # into fingers
            good = (first + second) * (1 - even / 2) * forked
            if even < 0.6 and good > best:
                best, found = good, (a, b, end)
    return found


def _chains(line: Sequence[str], joints: tuple[str, str, str], roles: tuple[str, str, str]) -> dict[str, list[str]]:
    """The limb's bones by role; parts may be of several bones."""
    a, b, c = (line.index(joint) for joint in joints)
    return {roles[0]: list(line[a:b]), roles[1]: list(line[b:c]), roles[2]: [line[c]]}


def _leg(body: _Body, line: list[str]) -> dict[str, list[str]]:
    hip = body.level(line[0])
    low = [name for name in line if body.level(name) < 0.25 * hip]
    parts = _halves(body, line, low[:1], 0.1 * body.height)
    if parts is None:
        return {}
    out = _chains(line, parts, ("thigh", "shin", "foot"))
    rest = line[line.index(parts[2]) + 1 :]
    ahead = [name for name in rest if abs((body.at[name] - body.at[parts[2]]) @ body.ahead) > 0.045 * body.height]
    if ahead:
        out["toes"] = ahead[:1]
    return out


def _arm(body: _Body, line: list[str], chest: str) -> dict[str, list[str]]:
    forks = [name for name in line[2:] if len(body.children[name]) >= 3]
    ends = forks[-1:] or line[2:]
    # The collar bone begins next to the spine, upper arms do not.
    outer = [name for name in line if abs((body.at[name] - body.at[line[0]]) @ body.across) > 0.04 * body.height]
    parts = _halves(body, outer, [end for end in ends if end in outer]) or _halves(body, line, ends)
    if parts is None:
        return {}
    out = _chains(line, parts, ("upper_arm", "forearm", "hand"))
    before = list(itertools.takewhile(lambda name: name != chest, body.up(parts[0])[1:]))[::-1]
    if before and chest:
        out["shoulder"] = before[:2]
    return out


def _trunk(body: _Body, legs: dict[int, list[str]], arms: dict[int, list[str]], chest: str) -> BoneMap:
    low = body.common(legs[-1][0], legs[1][0])
    out: BoneMap = {}
    joint = body.common(low, chest) if chest and low else low
    hips = joint if joint and abs(body.level(joint) - body.level(legs[1][0])) < 0.15 else low
    if hips:
        out["hips"] = [hips]
    if not chest:
        return out
    spine = list(itertools.takewhile(lambda name: name not in {hips, joint}, body.up(chest)))[::-1]
    if spine:
        out["spine"] = spine
    arm_bones = {name for line in arms.values() for name in line}
    above = [
        name
        for name in body.parents
        if not body.side[name] and chest in body.up(name)[1:] and not arm_bones & set(body.up(name))
    ]
    if above:
        top = max(above, key=lambda name: body.level(name))
        line = body.up(top)
        line = line[: line.index(chest)][::-1]
        if len(line) > 2 and body.apart(line[-2], line[-1]) > 1.3 * body.apart(line[-3], line[-2]):
            line = line[:-1]  # the end of the head
        out["head"] = line[-1:]
        if line[:-1]:
            out["neck"] = line[:-1]
    return out


def by_shape(parents: Mapping[str, str], heads: Mapping[str, Sequence[float]]) -> BoneMap:
    """A bone map of a body that stands with arms out or hanging out; empty if the bones are not laid out as one.

    Args:
        parents: each bone's parent's name, nothing for roots.
        heads: (3,) each bone's head in the world, Z up.
    """
    if len(parents) < 8:
        return {}
    body = _Body(parents, heads)
    if body.height <= 0:
        return {}
    legs, arms = _limbs(body)
    if len(legs) < 2:
        return {}
    chest = body.common(arms[-1][0], arms[1][0]) if len(arms) == 2 else ""
    out = _trunk(body, legs, arms, chest)
    parts = {
        side: _leg(body, line) | (_arm(body, arms[side], chest) if side in arms else {}) for side, line in legs.items()
    }
    forward: Floats = np.zeros(3)
    for own in parts.values():
        if "foot" in own:
            tips = [body.at[name] for name in body.parents if own["foot"][0] in body.up(name)]
            forward = forward + sum((tip - body.at[own["foot"][0]] for tip in tips), np.zeros(3))
    facing = forward @ body.ahead
    left = np.cross((0.0, 0.0, 1.0), body.ahead * (np.sign(facing) if facing else -1.0)) @ body.across
    for side, own in parts.items():
        letter = "L" if side * left > 0 else "R"
        out |= {f"{role}.{letter}": names for role, names in own.items()}
    return out
