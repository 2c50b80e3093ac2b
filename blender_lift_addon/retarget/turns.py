# SPDX-License-Identifier: GPL-3.0-or-later
"""How the target's bones turn: a role's rotation from the source's, spines and necks of other counts, shares of twist."""

import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, about, least_rotation, mean_rotation, near_zero, transpose, twist_angle, unit

from .align import rest_alignment
from .rig import CARRIER, Rig
from .roles import TWISTS, parent_role, split
from .transfer_data import Contacts, Motion

LEVEL = np.cos(np.radians(20.0))
UP = np.array((0.0, 0.0, 1.0))
OUTER = {"upper_arm", "thigh"}  # twist grows from nothing at the body to all of it at the far end
INNER = {"forearm": "hand", "shin": "foot"}  # takes a share of the twist of what comes after


def _shares(source: Rig, target: Rig, role: str) -> list[list[float]]:
    """For each of the target's bones of a chain how much it takes of each of the source's: by where they lie."""
    a, b = source.chain(role), target.chain(role)
    if len(a) == len(b):
        return [[float(i == j) for j in range(len(a))] for i in range(len(b))]

    def edges(rig: Rig, chain: list[int]) -> Floats:
        heads = [rig.heads[bone] for bone in chain] + [rig.tails[chain[-1]]]
        lengths = np.maximum(np.linalg.norm(np.diff(heads, axis=0), axis=-1), 1e-6)
        return np.concatenate(((0.0,), np.cumsum(lengths) / lengths.sum()))

    left, right = edges(source, a), edges(target, b)
    return [
        [max(0.0, min(left[j + 1], right[i + 1]) - max(left[j], right[i])) for j in range(len(a))]
        for i in range(len(b))
    ]


def chain_turns(motion: Motion, target: Rig, role: str) -> list[Floats] | None:
    """The target's bones of spine or neck, for any number of bones on either side."""
    chain = motion.rig.chain(role)
    if not chain:
        # Between what is below and what is above, so that a neck the source lacks takes half of the head's turn.
        below, above = motion.delta("hips" if role == "spine" else "spine"), motion.delta("head")
        if role == "spine" or below is None or above is None:
            return None
        count = len(target.chain(role))
        return [mean_rotation([below, above], [1 - (k + 1) / (count + 1), (k + 1) / (count + 1)]) for k in range(count)]
    out = []
    for weights in _shares(motion.rig, target, role):
        used = [(motion.deltas[bone], weight) for bone, weight in zip(chain, weights, strict=True) if weight > 1e-9]
        out.append(used[0][0] if len(used) == 1 else mean_rotation([m for m, _ in used], [w for _, w in used]))
    return out


def _flat(delta: Floats, standing: NDArray[np.bool_]) -> Floats:
    """(3, 3) how a foot at rest must be tilted for its sole to be flat on the floor while it stands.

    Rest poses often have the toes a little up or down; what counts is that both soles lie flat at the same time.
    """
    if not standing.any():
        return np.eye(3)
    up = unit(np.median(delta[standing][:, 2, :], 0))  # the floor's normal as the foot sees it
    return least_rotation(UP, up) if up[2] > LEVEL else np.eye(3)


def role_turns(motion: Motion, target: Rig, target_palms: bool, contacts: Contacts) -> dict[str, Floats]:
    """(T, 3, 3) for each of the target's roles that are one segment and that the source has."""
    own_roles = set(target.roles)
    if motion.matched:
        aligned = {role: np.eye(3) for role in own_roles}
    else:
        aligned = rest_alignment(motion.rig, target, motion.palms_down, target_palms)
    out = {}
    for role in own_roles:
        delta = motion.delta(role)
        if delta is not None and split(role)[0] not in {"spine", "neck", *TWISTS}:
            out[role] = delta @ aligned[role]
            base, side = split(role)
            if base in {"foot", "toes"} and not motion.matched:
                out[role] = delta @ _flat(delta, contacts[side[1:]]) @ aligned[role]
    return out


def bone_turns(
    rig: Rig, roles: dict[str, Floats], chains: dict[str, list[Floats]], frames: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """(B, T, 3, 3) of all mapped bones, twist shared out; and which are keyed. The others go with what they ride on."""
    deltas = np.empty((len(rig.names), frames, 3, 3))
    keyed = np.zeros(len(rig.names), bool)
    for bone, role in enumerate(rig.roles):
        base = split(role)[0]
        parent = rig.parents[bone]
        wanted: Floats | None = None
        if role == CARRIER:
            wanted = roles.get("hips")
        elif role in chains:
            wanted = chains[role][rig.chain(role).index(bone)]
        elif base in TWISTS:
            wanted = _twisted(rig, roles, bone, role.replace("_twist", ""), leaf=True)
        elif role in roles:
            wanted = roles[role]
            if len(rig.chain(role)) > 1 and (base in OUTER or base in INNER):
                wanted = _twisted(rig, roles, bone, role, leaf=False)
        keyed[bone] = wanted is not None
        if wanted is not None:
            deltas[bone] = wanted
        else:
            deltas[bone] = deltas[parent] if parent >= 0 else np.eye(3)
    return deltas, keyed


def _twisted(rig: Rig, roles: dict[str, Floats], bone: int, role: str, leaf: bool) -> Floats | None:
    """(T, 3, 3) a limb's segment with its share of the twist: shoulders and wrists must not wring like a candy wrapper."""
    full = roles.get(role)
    if full is None:
        return None
    base, side = split(role)
    head, tip = rig.head(role), rig.tip(role)
    assert head is not None and tip is not None
    axis = unit(tip - head)  # not the bone's own: importers let bones look anywhere
    if leaf:
        chain = rig.chain(f"{base}_twist{side}")
        spread = (chain.index(bone) + 1) / (len(chain) + 1)
        share = float((rig.heads[bone] - head) @ (tip - head) / max((tip - head) @ (tip - head), 1e-9))
        share = share if 0.02 < share < 0.98 or base in OUTER else spread
    else:
        chain = rig.chain(role)
        place = chain.index(bone)
        end = rig.heads[chain[place + 1]] if place + 1 < len(chain) else tip
        if np.linalg.norm(end - rig.heads[bone]) > 1e-6:
            axis = unit(end - rig.heads[bone])
        share = (place + (base in OUTER)) / len(chain)
    share = min(max(share, 0.0), 1.0)
    if base in OUTER:
        above = parent_role(role)
        while above and above not in roles:
            above = parent_role(above)
        ground = roles.get(above) if above else None
        relative = full if ground is None else transpose(ground) @ full
        return full @ about(axis, -(1 - share) * near_zero(twist_angle(relative, axis)))
    after = roles.get(INNER[base] + side)
    if after is None:
        return full
    return full @ about(axis, share * near_zero(twist_angle(transpose(full) @ after, axis)))
