# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of rigs known by their bones' names: one JSON file each in rigs/, found again in any armature with a score.

A file's bones are ``role: [names from the root outwards]``; ``*`` stands for the side as the rig writes it. Files that
users save have the same form, without the star.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lifter_core.files import replaced

from .roles import BODY, NEEDED, ROLES

FOLDER = Path(__file__).with_name("rigs")
ENOUGH = 0.6  # score from which a rig counts as recognised

BoneMap = dict[str, list[str]]


class MapFileError(Exception):
    """A file that holds no bone map; the text says so to the user."""


@dataclass(frozen=True)
class Kind:
    """One kind of rig, sides written out."""

    key: str
    name: str
    bones: BoneMap
    optional: frozenset[str] = frozenset()
    alternatives: dict[str, list[str]] = field(default_factory=dict)  # other names of a bone
    parents: dict[str, str] = field(default_factory=dict)  # whom a control follows, where its parent does not tell
    carrier: str = ""  # the control that carries the whole body, if it is not the hips' own
    switches: tuple[dict[str, Any], ...] = ()  # custom properties that make the controls work: bone, property, fk, ik
    ik: tuple[dict[str, str], ...] = ()  # end (role), control, pole, toes
    marks: tuple[str, ...] = ()  # regular expressions that tell it from kinds with the same names
    palms_down: bool = False  # at rest the palms face the floor and the knuckles run front to back


@dataclass(frozen=True)
class Match:
    """What an armature was recognised as."""

    kind: Kind | None
    score: float  # 0..1, the part of the kind's bones that are there
    bones: BoneMap


def _sided(data: Any, sides: list[str], side: int) -> Any:
    if isinstance(data, str):
        return data.replace("*", sides[side])
    if isinstance(data, list):
        return [_sided(one, sides, side) for one in data]
    if isinstance(data, dict):
        return {_sided(key, sides, side): _sided(value, sides, side) for key, value in data.items()}
    return data


def _starred(data: Any) -> bool:
    return "*" in json.dumps(data)


def parse_kind(key: str, data: dict[str, Any]) -> Kind:
    """A kind from its file's contents.

    Raises:
        MapFileError: these are not a bone map.
    """
    try:
        sides = data.get("sides", ["L", "R"])
        bones: BoneMap = {}
        for role, names in data["bones"].items():
            if _starred(names):
                for side, letter in enumerate("LR"):
                    bones[f"{role}.{letter}"] = _sided(names, sides, side)
            else:
                bones[role] = list(names)
        unknown = set(bones) - set(ROLES)
        if unknown or not all(isinstance(name, str) for names in bones.values() for name in names):
            raise MapFileError(f"The file names a part that is not known: {', '.join(sorted(unknown))}.")

        def both(value: dict[str, Any]) -> dict[str, Any]:
            return {k: v for side in (0, 1) for k, v in _sided(value, sides, side).items()}

        def each(entries: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
            out: list[dict[str, Any]] = []
            for entry in entries:
                for side, letter in enumerate("LR"):
                    one = _sided(entry, sides, side)
                    if "end" in entry:
                        one["end"] = entry["end"].replace("*", letter)
                    if one not in out:
                        out.append(one)
            return tuple(out)

        return Kind(
            key=key,
            name=str(data.get("name", key)),
            bones=bones,
            optional=frozenset(name for side in (0, 1) for name in _sided(data.get("optional", []), sides, side)),
            alternatives=both(data.get("alternatives", {})),
            parents=both(data.get("parents", {})),
            carrier=data.get("carrier", ""),
            switches=each(data.get("switches", [])),
            ik=each(data.get("ik", [])),
            marks=tuple(data.get("marks", ())),
            palms_down=bool(data.get("palms_down", False)),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise MapFileError("This file holds no bone map; choose one saved with Save Bone Map.") from error


@cache
def kinds() -> dict[str, Kind]:
    """All kinds that are shipped, by key."""
    files = sorted(FOLDER.glob("*.json"))
    return {path.stem: parse_kind(path.stem, json.loads(path.read_text("utf-8"))) for path in files}


@lru_cache(1 << 16)  # the kinds' names are asked for again at each armature: 20 ms of a delivery's 50
def plain(name: str) -> str:
    """A name without what importers and exporters add or change: namespaces, case, separators."""
    bare = re.sub(r"^.*[:|]", "", unicodedata.normalize("NFKC", name))
    bare = re.sub(r"^mixamorig\d*[_.]?", "", bare, flags=re.IGNORECASE)
    return re.sub(r"[\s\-_.]+", "_", bare).lower()


def shared_prefix(names: Iterable[str]) -> str:
    """What nearly all bones' plain names begin with, such as a character's name ("character1_")."""
    parts = [name.split("_", 1)[0] + "_" for name in names if "_" in name]
    total = sum(1 for _ in names)
    best = max(set(parts), key=parts.count, default="")
    return best if len(best) > 2 and parts.count(best) >= 0.9 * total else ""


def lookups(names: list[str]) -> list[dict[str, str]]:
    """Ways to find an armature's bones by name: as written, by plain name, without the prefix all share."""
    simple = {plain(name): name for name in reversed(names)}
    prefix = shared_prefix(list(simple))
    found = [{name: name for name in names}, simple]
    if prefix:
        found.append({key.removeprefix(prefix): name for key, name in simple.items()})
    return found


def find(kind: Kind, tables: list[dict[str, str]], name: str) -> str:
    """The armature's bone that the kind calls so, or nothing."""
    for wanted in (name, *kind.alternatives.get(name, ())):
        for table in tables:
            hit = table.get(wanted) or table.get(plain(wanted))
            if hit:
                return hit
    return ""


def fit(kind: Kind, names: list[str]) -> Match:
    """The kind's bones in an armature with these bone names."""
    tables = lookups(names)
    bones: BoneMap = {}
    wanted = hits = 0
    for role, chain in kind.bones.items():
        present = [(name, find(kind, tables, name)) for name in chain]
        found = [hit for _, hit in present if hit]
        if found:
            bones[role] = list(dict.fromkeys(found))
        if role in BODY:
            needed = [hit for name, hit in present if name not in kind.optional]
            wanted += len(needed)
            hits += sum(bool(hit) for hit in needed)
    score = hits / max(wanted, 1)
    if kind.carrier and not find(kind, tables, kind.carrier):
        score *= 0.5
    return Match(kind, score, bones)


def recognise(names: list[str]) -> Match:
    """The kind that an armature with these bone names most likely is; none below ``ENOUGH``."""

    def rank(match: Match) -> tuple[float, int, int, int]:
        assert match.kind is not None
        marks = sum(any(re.search(mark, name) for name in names) for mark in match.kind.marks)
        explained = sum(map(len, match.bones.values()))
        # Of equal scores the kind that explains more bones, and then the one that looks for no others.
        return round(match.score, 2), marks, explained, -sum(map(len, match.kind.bones.values()))

    matches = [fit(kind, names) for kind in kinds().values()]
    # A missing toe must not make a poorer kind win, so scores close to the best one are judged by the bones explained.
    best = max(matches, key=rank)
    close = [m for m in matches if m.score > best.score - 0.1]
    best = max(close, key=lambda m: (round(m.score * sum(map(len, m.bones.values()))), *rank(m)))
    if best.score < ENOUGH or not all(role in best.bones for role in NEEDED):
        return Match(None, best.score, {})
    return best


def save_map(path: Path, name: str, bones: BoneMap) -> None:
    """Writes a bone map that ``load_map`` and other people's Lift can read.

    Raises:
        OSError: the file cannot be written.
    """
    rows = ",\n".join(f"    {json.dumps(role)}: {json.dumps(names)}" for role, names in bones.items())
    text = f'{{\n  "name": {json.dumps(name)},\n  "bones": {{\n{rows}\n  }}\n}}\n'
    with replaced(path) as temporary:
        temporary.write_text(text, "utf-8")


def load_map(path: Path) -> Kind:
    """Reads a saved bone map.

    Raises:
        MapFileError: the file cannot be read or is none.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MapFileError(
            f"{path.name} could not be read as a bone map; choose a .json file saved by Lift."
        ) from error
    if not isinstance(data, dict):
        raise MapFileError(f"{path.name} holds no bone map; choose one saved with Save Bone Map.")
    return parse_kind(path.stem, data)
