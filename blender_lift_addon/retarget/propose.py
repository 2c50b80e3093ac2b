# SPDX-License-Identifier: GPL-3.0-or-later
"""A bone map for a rig that is of no known kind: what names say and what the rest pose shows, each checked by the other."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from .kinds import BoneMap
from .lexicon import WORDS, says, words
from .lexicon import sides as sides_of
from .name_matching import guess
from .roles import BODY, other_side, split
from .shape import by_shape

CONTROLLED = 0.2  # part of the bones that constraints hold, from which a rig is one of controls


@dataclass
class Proposal:
    """A bone map, and the roles in it that the user should look at."""

    bones: BoneMap
    unsure: set[str] = field(default_factory=set)


def _sided_as_named(shaped: BoneMap, parents: Mapping[str, str]) -> BoneMap:
    """The shape's map with its sides swapped if the names say so: who looks backwards has left and right exchanged."""
    told = sides_of(parents)
    votes = 0
    for role, names in shaped.items():
        side, said = split(role)[1][1:], told[names[0]]
        votes += bool(side and said) * (1 if side == said else -1)
    return {other_side(role) if votes < 0 and split(role)[1] else role: names for role, names in shaped.items()}


def _named_so(role: str, names: Sequence[str]) -> bool:
    return any(says(words(name), word) for name in names for word in WORDS[split(role)[0]])


def _without(parents: Mapping[str, str], held: Set[str]) -> dict[str, str]:
    """The hierarchy with some bones left out: what hung on them hangs on what they hung on."""
    out = {}
    for name, parent in parents.items():
        while parent in held:
            parent = parents[parent]
        if name not in held:
            out[name] = parent
    return out


def propose(parents: Mapping[str, str], heads: Mapping[str, Sequence[float]], held: Set[str] = frozenset()) -> Proposal:
    """The likeliest map.

    Args:
        parents: each bone's parent's name, nothing for roots; parents come first.
        heads: (3,) each bone's head at rest in the world, Z up.
        held: bones that constraints hold, so that keys would do nothing.
    """
    if len(held) > CONTROLLED * len(parents):  # a rig of controls: where they are does not tell a body
        named = guess(_without(parents, held))
        return Proposal(named, set(named))
    named, shaped = guess(parents), _sided_as_named(by_shape(parents, heads), parents)
    if not shaped:
        return Proposal(named, set(named))
    out = Proposal({role: names for role, names in named.items() if role not in BODY})
    taken: set[str] = set()

    def use(role: str, names: list[str], sure: bool) -> None:
        free = [name for name in names if name not in taken]
        if free:
            out.bones[role] = free
            taken.update(free)
            out.unsure.update(() if sure and free == names else (role,))

    roles = [role for role in BODY if role in named or role in shaped]
    agreed = [role for role in roles if named.get(role, [""])[0] == shaped.get(role, [None])[0]]
    others = {name for role, names in shaped.items() if role not in named for name in names}
    for role in agreed:
        longer = max(named[role], shaped[role], key=len)  # the names of a part's further bones may not tell
        use(role, [name for name in longer if name not in others or name in shaped[role]], True)
    for role in roles:
        if role in agreed:
            continue
        theirs, ours = named.get(role, []), shaped.get(role, [])
        if ours and (not theirs or _named_so(role, ours)):
            use(role, ours, _named_so(role, ours))
        elif theirs:
            use(role, theirs, role not in shaped)
    return out
