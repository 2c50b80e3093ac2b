# SPDX-License-Identifier: GPL-3.0-or-later
"""The transfer in closed form: from how a source's bones turn to how a target's bones must, all frames at once.

For a role j, D_j turns it from rest to pose; the target's D_j is the source's D_j times the rotation that aligns the two
rest poses. A bone's own channel is then R^-1 D_parent^-1 D_j R with R its rest rotation, so roll never matters.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .align import rest_alignment
from .feet import find_contacts, pinned, smooth, smooth_drop
from .limbs import STRETCH, reach
from .rig import CARRIER, RetargetError, Rig
from .roles import TWISTS, parent_role, split
from .rotations import Floats, about, apply, between, mean_rotation, near_zero, transpose, twist_angle, unit

HEEL = 0.3  # how far the heel is behind the ankle and how high, in parts of the ball's way ahead and the ankle's height
SINK = 0.006  # of the leg's length: shoes give, and bending a straight leg by degrees for less would be seen
LEVEL = np.cos(np.radians(20.0))
UP = np.array((0.0, 0.0, 1.0))
FORWARD = np.array((0.0, -1.0, 0.0))
OUTER = {"upper_arm", "thigh"}  # twist grows from nothing at the body to all of it at the far end
INNER = {"forearm": "hand", "shin": "foot"}  # takes a share of the twist of what comes after


@dataclass(frozen=True)
class Options:
    """What is kept."""

    in_place: bool = False  # the body stays over its rest place
    travel: float = 1.0  # on top of the ratio of the legs
    plant_feet: bool = True  # planted feet stay where they are, soles stay above the floor
    hands: float = 0.0  # 0: arms as the source's, 1: hands at proportionate places


@dataclass
class Motion:
    """The source's motion in the character frame."""

    rig: Rig
    seconds: Floats  # (T,)
    deltas: dict[int, Floats]  # bone index to (T, 3, 3)
    places: dict[int, Floats]  # bone index to (T, 3) head
    palms_down: bool = False
    matched: bool = False  # a matching pose was set, on either side

    def delta(self, role: str) -> Floats | None:
        """(T, 3, 3) of the role's last bone."""
        chain = self.rig.chain(role)
        return self.deltas[chain[-1]] if chain else None

    def place(self, role: str) -> Floats | None:
        """(T, 3) where the role begins."""
        chain = self.rig.chain(role)
        return self.places[chain[0]] if chain else None


@dataclass
class Posed:
    """The target's motion: B mapped bones in the character frame."""

    rig: Rig
    deltas: Floats  # (B, T, 3, 3)
    places: Floats  # (B, T, 3) heads
    keyed: NDArray[np.bool_]  # (B,) bones whose motion the source tells
    contacts: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def basis(self, bone: int) -> Floats:
        """(T, 3, 3) the bone's own rotation channel."""
        rest, parent = self.rig.rest[bone], self.rig.parents[bone]
        turned = self.deltas[bone] @ rest
        if parent >= 0 and self.rig.turns[bone]:
            turned = transpose(self.deltas[parent]) @ turned
        return rest.T @ turned

    def location(self, bone: int) -> Floats:
        """(T, 3) the location channel of a bone that rides on none."""
        return (self.places[bone] - self.rig.heads[bone]) @ self.rig.location_axes[bone]


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


def _chain_deltas(motion: Motion, target: Rig, role: str) -> list[Floats] | None:
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
    return between(UP, up) if up[2] > LEVEL else np.eye(3)


def _role_deltas(
    motion: Motion, target: Rig, target_palms: bool, contacts: dict[str, NDArray[np.bool_]]
) -> dict[str, Floats]:
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


def _ride(rig: Rig, deltas: Floats, carrier: int, at: Floats) -> Floats:
    """(B, T, 3) heads of all bones, the carrier's being ``at`` (T, 3)."""
    places = np.empty((*deltas.shape[:2], 3))
    for bone, parent in enumerate(rig.parents):
        if bone == carrier:
            places[bone] = at
        elif parent < 0:
            places[bone] = rig.heads[bone]
        else:
            places[bone] = places[parent] + (rig.heads[bone] - rig.heads[parent]) @ transpose(deltas[parent])
    return places


def carrier_of(rig: Rig) -> int:
    """The bone whose location carries the body.

    Raises:
        RetargetError: Blender ignores that bone's location.
    """
    own = rig.chain(CARRIER) or rig.chain("hips")
    bone = own[0]
    if rig.connected[bone] and rig.parents[bone] < 0:
        raise RetargetError(
            f"{rig.names[bone]} is connected to its parent and cannot travel; disconnect it in Edit Mode"
        )
    return bone


def _fill(
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
    axis = unit(rig.tails[bone] - rig.heads[bone])
    head, tip = rig.head(role), rig.tip(role)
    assert head is not None and tip is not None
    if leaf:
        axis = unit(tip - head)  # importers give twist bones any direction
        chain = rig.chain(f"{base}_twist{side}")
        spread = (chain.index(bone) + 1) / (len(chain) + 1)
        share = float((rig.heads[bone] - head) @ (tip - head) / max((tip - head) @ (tip - head), 1e-9))
        share = share if 0.02 < share < 0.98 or base in OUTER else spread
    else:
        chain = rig.chain(role)
        count = len(chain)
        share = (chain.index(bone) + (base in OUTER)) / count
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


def transfer(motion: Motion, target: Rig, options: Options, target_palms: bool = False) -> Posed:
    """The target's motion.

    Raises:
        RetargetError: the source lacks what nothing works without, or the target cannot travel.
    """
    frames = len(motion.seconds)
    carrier = carrier_of(target)
    contacts = {side: _contacts(motion, side) for side in ("L", "R")}
    roles = _role_deltas(motion, target, target_palms, contacts)
    chains = {}
    for role in ("spine", "neck"):
        found = _chain_deltas(motion, target, role) if target.chain(role) else None
        if found is not None:
            chains[role] = found
            roles[role] = found[-1]
    deltas, keyed = _fill(target, roles, chains, frames)
    hips = _hip_centre(motion, target, options, contacts)
    places = _ride(target, deltas, carrier, np.zeros((frames, 3)))
    at = hips - np.mean([places[target.chain(f"thigh.{side}")[0]] for side in "LR"], 0)
    at = at - _off_floor(target, deltas, places + at, contacts)
    places += at  # all but IK controls, which are not mapped, ride on the carrier
    changed = False
    if options.plant_feet:
        at, changed = _plant(motion, target, roles, deltas, places, contacts, at)
    if options.hands > 0:
        changed = _place_hands(motion, target, roles, places, options.hands) or changed
    if changed:
        deltas, keyed = _fill(target, roles, chains, frames)
        places = _ride(target, deltas, carrier, at)
    return Posed(target, deltas, places, keyed, contacts)


def _ball(motion: Motion, side: str) -> Floats | None:
    toes = motion.place(f"toes.{side}")
    if toes is not None:
        return toes
    foot, delta, tip = motion.place(f"foot.{side}"), motion.delta(f"foot.{side}"), motion.rig.tip(f"foot.{side}")
    if foot is None or delta is None or tip is None:
        return None
    return foot + apply(delta, tip - motion.rig.heads[motion.rig.chain(f"foot.{side}")[0]])


def _contacts(motion: Motion, side: str) -> NDArray[np.bool_]:
    ball = _ball(motion, side)
    if ball is None:
        return np.zeros(len(motion.seconds), bool)
    return find_contacts(ball, motion.seconds, motion.rig.leg)


def _ankle_height(motion: Motion, contacts: dict[str, NDArray[np.bool_]]) -> float:
    """How high the source's ankles are while its feet stand: its rest pose may float anywhere."""
    standing = []
    for side, flags in contacts.items():
        ankle = motion.place(f"foot.{side}")
        if ankle is not None and flags.any():
            standing.append(ankle[flags, 2])
    if standing:
        return float(np.median(np.concatenate(standing)))
    rest = [motion.rig.head(f"foot.{side}") for side in "LR"]
    return float(np.mean([head[2] for head in rest if head is not None])) if any(h is not None for h in rest) else 0.0


def _between_thighs(motion: Motion) -> Floats:
    sides = [motion.place(f"thigh.{side}") for side in "LR"]
    return np.mean([place for place in sides if place is not None], 0)


def _trunk(rig: Rig) -> float:
    """From the hips to between the shoulders; 0 if there are none."""
    shoulders = [rig.head(f"upper_arm.{side}") for side in "LR"]
    known = [head for head in shoulders if head is not None]
    return float(np.linalg.norm(np.mean(known, 0) - rig.hip_centre)) if known else 0.0


def _hip_centre(motion: Motion, target: Rig, options: Options, contacts: dict[str, NDArray[np.bool_]]) -> Floats:
    """(T, 3) where the target's hips must be: the source's travel by the ratio of the legs, over the target's floor."""
    hips = _between_thighs(motion)
    ratio = target.leg / max(motion.rig.leg, 1e-9)
    ankles = [target.head(f"foot.{side}") for side in "LR"]
    known = [ankle[2] for ankle in ankles if ankle is not None]
    stand = float(np.mean(known)) if known else target.hip_centre[2] - target.leg
    out = hips * ratio * options.travel
    out[:, 2] = (hips[:, 2] - _ankle_height(motion, contacts)) * ratio + stand
    if options.in_place:
        out[:, :2] = target.hip_centre[:2]
    return out


def _rest_ball(rig: Rig, side: str) -> Floats | None:
    """(3,) where the foot bends at rest."""
    toes = rig.head(f"toes.{side}")
    return toes if toes is not None else rig.tip(f"foot.{side}")


def _off_floor(target: Rig, deltas: Floats, places: Floats, contacts: dict[str, NDArray[np.bool_]]) -> Floats:
    """(3,) how far the target's planted feet are above the floor, half of the time less and half of the time more."""
    heights = []
    for side, flags in contacts.items():
        foot, ball = target.chain(f"foot.{side}"), _rest_ball(target, side)
        if foot and ball is not None and flags.any():
            below = apply(deltas[foot[0]][flags], ball - target.heads[foot[0]])
            heights.append((places[foot[0]][flags] + below)[:, 2] - ball[2])
    return np.array((0.0, 0.0, float(np.median(np.concatenate(heights))) if heights else 0.0))


def _plant(
    motion: Motion,
    target: Rig,
    roles: dict[str, Floats],
    deltas: Floats,
    places: Floats,
    contacts: dict[str, NDArray[np.bool_]],
    at: Floats,
) -> tuple[Floats, bool]:
    """Sets the legs so that planted feet stay and no sole is under the floor. Returns the carrier's new way, and whether
    anything changed; ``roles`` is changed in place.
    """
    floor = target.floor
    goals: dict[str, Floats] = {}
    moved, weight = np.zeros((len(motion.seconds), 3)), np.zeros(len(motion.seconds))
    for side in "LR":
        leg = [target.chain(f"{part}.{side}") for part in ("thigh", "shin", "foot")]
        if not all(leg) or f"foot.{side}" not in roles:
            continue
        ankle = places[leg[2][0]]
        rest_ankle = target.heads[leg[2][0]]
        rest_ball = _rest_ball(target, side)
        assert rest_ball is not None
        turn = deltas[leg[2][0]]
        ball = ankle + apply(turn, rest_ball - rest_ankle)
        ball = pinned(ball, contacts[side], motion.seconds, float(rest_ball[2]))
        goal = ball - apply(turn, rest_ball - rest_ankle)
        # The sole is round: a ball under the ball of the foot and one at the heel, both on the floor at rest.
        heel = rest_ankle + (rest_ankle - rest_ball) * (HEEL, HEEL, 0.0)
        heel = heel - (0.0, 0.0, (1 - HEEL) * (rest_ankle[2] - floor))
        lowest = np.min([(goal + apply(turn, at - rest_ankle))[:, 2] - at[2] for at in (rest_ball, heel)], 0)
        goal[:, 2] += np.maximum(-lowest - SINK * target.leg, 0.0) * ~contacts[side]
        goals[side] = goal
        moved += (goal - ankle) * contacts[side][:, None]
        weight += contacts[side]
    if not goals:
        return at, False
    # The hips give way with the planted feet, as smoothly as hips move: a leg that is nearly straight would else have
    # to bend by degrees for millimetres.
    known = weight > 0
    shift = np.zeros_like(moved)
    if known.any():
        mean = moved[known] / weight[known][:, None]
        filled = [np.interp(motion.seconds, motion.seconds[known], column) for column in mean.T]
        shift = np.stack([smooth(column, motion.seconds) for column in filled], -1)
    drop = np.zeros(len(motion.seconds))
    for side, goal in goals.items():
        hip = places[target.chain(f"thigh.{side}")[0]] + shift
        length = STRETCH * (target.length(f"thigh.{side}") + target.length(f"shin.{side}")) * 0.9995
        across = np.hypot(*(goal - hip)[:, :2].T)
        highest = goal[:, 2] + np.sqrt(np.maximum(length**2 - across**2, 0.0))
        # Only planted feet pull the hips down; a foot in the air is simply out of reach.
        drop = np.maximum(drop, np.where(contacts[side], np.maximum(hip[:, 2] - highest, 0.0), 0.0))
    drop = smooth_drop(np.minimum(drop, 0.15 * target.leg), motion.seconds)
    lower = np.stack((np.zeros_like(drop), np.zeros_like(drop), drop), -1) - shift
    for side, goal in goals.items():
        thigh, shin, foot = (target.chain(f"{part}.{side}")[0] for part in ("thigh", "shin", "foot"))
        forward = apply(roles[f"thigh.{side}"], FORWARD)
        first, second = reach(places[thigh] - lower, places[shin] - lower, places[foot] - lower, goal, forward)
        roles[f"thigh.{side}"] = first @ roles[f"thigh.{side}"]
        roles[f"shin.{side}"] = second @ roles[f"shin.{side}"]
    return at - lower, True


def _place_hands(motion: Motion, target: Rig, roles: dict[str, Floats], places: Floats, amount: float) -> bool:
    """Moves the hands to where the source's are over its body, scaled to the target's; ``roles`` is changed in place."""
    own, theirs = _trunk(target), _trunk(motion.rig)
    ratio = own / theirs if own and theirs else target.leg / max(motion.rig.leg, 1e-9)
    changed = False
    source_hips = _between_thighs(motion)
    target_hips = np.mean([places[target.chain(f"thigh.{side}")[0]] for side in "LR"], 0)
    for side in "LR":
        arm = [target.chain(f"{part}.{side}") for part in ("upper_arm", "forearm", "hand")]
        wrist = motion.place(f"hand.{side}")
        if not all(arm) or wrist is None or f"upper_arm.{side}" not in roles or f"forearm.{side}" not in roles:
            continue
        root, middle, end = (places[chain[0]] for chain in arm)
        goal = end + amount * (target_hips + ratio * (wrist - source_hips) - end)
        first, second = reach(root, middle, end, goal, apply(roles[f"upper_arm.{side}"], -FORWARD))
        roles[f"upper_arm.{side}"] = first @ roles[f"upper_arm.{side}"]
        roles[f"forearm.{side}"] = second @ roles[f"forearm.{side}"]
        changed = True
    return changed
