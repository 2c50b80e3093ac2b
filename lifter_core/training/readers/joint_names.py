"""Whose joints a file's nodes are: names of the usual programs -> the joints of ``skeleton.JOINTS``, metres, Y up.

A node is where a bone begins. MotionBuilder, Mixamo, cgspeed and CMU call bones ``LeftUpLeg, LeftLeg, LeftFoot``; Bandai
Namco ``UpperLeg_L``; 3ds Max ``Bip01 L Thigh``; Acclaim ``lfemur``; Biovision and SMPL name the joints themselves.
"""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ..mocap import to_joints
from .animation import Animation

Array = NDArray[Any]

# what the joint at a bone's beginning is called, side left out, the surest name first
_LIMBS: dict[str, tuple[str, ...]] = {
    "hip": ("upleg", "upperleg", "thigh", "thighbend", "femur", "hip", "hips"),
    "knee": ("knee", "leg", "lowerleg", "lowleg", "shin", "calf", "tibia"),
    "ankle": ("ankle", "foot"),
    "ball": ("toebase", "toes", "toe", "toe0", "ball", "forefoot", "foot"),
    "shoulder": ("arm", "upperarm", "uparm", "shldr", "shldrbend", "humerus", "shoulder"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm", "forearmbend", "radius"),
    "wrist": ("wrist", "hand"),
}
_HEADS = ("head",)
_LEG = (0.68, 1.08)  # m, thigh and shin of anybody who is measured in a known unit
_STANDARD_LEG = 0.843
# metres, centimetres, millimetres, inches, feet, and CMU's 0.45 of an inch
_UNITS = (1.0, 0.01, 0.001, 0.0254, 0.3048, 0.0254 / 0.45)
_SPINE = 0.65  # of the way from the hips to the shoulders
# places in the frames of head and foot (left, up, forward, metres): training.mocap's
_HEAD_TOP, _NOSE, _HEEL, _BALL = (0, 0.208, 0.007), (0, 0.086, 0.119), (0, -0.04, -0.064), (0, -0.045, 0.12)
_NAMES = ["pelvis", "spine", "thorax", "neck", "head_top", "nose_est"] + [
    f"{s}_{j}"
    for s in ("l", "r")
    for j in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "toe", "toe_tip", "heel_est", "hand")
]


class _Posture(NamedTuple):
    """One pose to measure by: positions (N, 3), global rotations (N, 3, 3), and the person's axes as rows, (3, 3)."""

    positions: Array
    rotations: Array
    axes: Array


def find_joints(names: tuple[str, ...]) -> dict[str, int]:
    """Nodes by joint: ``left_hip`` ... ``right_wrist``, ``head`` (its base); ``left_ball`` where there is one.

    Raises:
        BadInputError: joints are missing; the sentence names them.
    """
    sided: dict[tuple[str, str], int] = {}
    heads: list[int] = []
    for i, name in enumerate(names):
        side, rest = split_side(name)
        if rest.endswith("end") and not rest.endswith("bend"):  # the end of a chain, but not lThighBend
            continue
        if side:
            sided.setdefault((side, rest), i)
        elif rest in _HEADS:
            heads.append(i)
    out: dict[str, int] = {}
    missing = []
    for side in ("left", "right"):
        for joint, known in _LIMBS.items():
            taken = set(out.values())
            found = [sided[side, n] for n in known if (side, n) in sided and sided[side, n] not in taken]
            if found:
                out[f"{side}_{joint}"] = found[0]
            elif joint != "ball":
                missing.append(f"{side} {joint}")
    if heads:
        out["head"] = heads[0]
    else:
        missing.append("head")
    if missing:
        raise BadInputError(f"no node is called like a {', '.join(missing)}; rename the bones as Mixamo or CMU do")
    return out


def split_side(name: str) -> tuple[str, str]:
    """Side ("left", "right" or "") and the rest, small letters without signs: "mixamorig:LeftUpLeg" -> left, upleg."""
    bare = name.split(":")[-1]
    words = [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", bare)]
    words = [
        w
        for w in words
        if w not in ("bip", "bip01", "joint", "character", "b", "jnt", "def", "mixamorig", "valvebiped")
    ]
    if words and words[0] == "01":  # Bip01
        words = words[1:]
    for marks, side in ((("left", "l"), "left"), (("right", "r"), "right")):
        for at in (0, -1):
            if len(words) > 1 and words[at] in marks:
                del words[at]
                return side, "".join(words)
    whole = "".join(words)
    for side in ("left", "right"):
        if whole.startswith(side) and len(whole) > len(side):
            return side, whole[len(side) :]
    acclaim = ("femur", "tibia", "foot", "toes", "humerus", "radius", "wrist", "hand", "hipjoint", "clavicle")
    plain = ("hip", "knee", "ankle", "shoulder", "elbow", "thigh", "shin", "calf", "shldr", "forearm", "collar", "toe")
    if whole[:1] in ("l", "r") and whole[1:] in acclaim + plain:
        return ("left" if whole[0] == "l" else "right"), whole[1:]
    return "", whole


def to_clip_joints(animation: Animation) -> Array:
    """(T, J, 3) of ``skeleton.JOINTS`` in metres, Y up. Ears, nose, heels and what else has no node are put on the body.

    Raises:
        BadInputError: joints are missing, or the body never stands upright enough to know its axes.
    """
    at = find_joints(animation.names)
    reference = _reference(animation, at)
    unit = _metres(animation.rest if _stands(animation.rest, at) else reference.positions, at)
    names = {name: i for i, name in enumerate(_NAMES)}
    pos = np.full((len(animation.positions), len(_NAMES), 3), np.nan)

    def node(joint: str) -> Array:
        return animation.positions[:, at[joint]] * unit

    def fixed(joint: str, place: Array) -> Array:
        """A point in the person's axes (left, up, forward; m) from a node, moving with it."""
        i = at[joint]
        turn = animation.rotations[:, i] @ reference.rotations[i].T
        return node(joint) + np.einsum("tij,j->ti", turn, place @ reference.axes)

    for side, s in (("left", "l"), ("right", "r")):
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
            pos[:, names[f"{s}_{joint}"]] = node(f"{side}_{joint}")
        pos[:, names[f"{s}_heel_est"]] = fixed(f"{side}_ankle", np.array(_HEEL))
        ball = f"{side}_ball"
        pos[:, names[f"{s}_toe"]] = node(ball) if ball in at else fixed(f"{side}_ankle", np.array(_BALL))
        knuckles = _knuckles(animation, at[f"{side}_wrist"], unit)
        if knuckles:
            pos[:, names[f"{s}_hand"]] = animation.positions[:, knuckles].mean(1) * unit
    pos[:, names["pelvis"]] = (pos[:, names["l_hip"]] + pos[:, names["r_hip"]]) / 2
    pos[:, names["thorax"]] = (pos[:, names["l_shoulder"]] + pos[:, names["r_shoulder"]]) / 2
    pos[:, names["neck"]] = node("head")
    pos[:, names["head_top"]] = fixed("head", np.array(_HEAD_TOP))
    pos[:, names["nose_est"]] = fixed("head", np.array(_NOSE))
    pos[:, names["spine"]] = _spine(animation, at, reference) * unit
    upright = _upright(reference.axes)
    return to_joints(_NAMES, (pos @ upright.T).astype(np.float32))


def _middle(points: Array, at: dict[str, int], joint: str) -> Array:
    return (points[..., at[f"left_{joint}"], :] + points[..., at[f"right_{joint}"], :]) / 2


def _stands(points: Array, at: dict[str, int]) -> bool:
    """Whether a pose stands upright: head over hips over knees over feet, in one line within some 25 degrees."""
    chain = [points[at["head"]], *(_middle(points, at, joint) for joint in ("hip", "knee", "ankle"))]
    steps = np.diff(np.array(chain), axis=0)
    length = np.linalg.norm(steps, axis=1)
    if (length < 1e-9).any():
        return False
    whole = chain[-1] - chain[0]
    return bool((steps @ whole / length / max(float(np.linalg.norm(whole)), 1e-9) > 0.9).all())


def _reference(animation: Animation, at: dict[str, int]) -> _Posture:
    """The rest pose if it stands (some programs' rest pose is a heap of bones), else the straightest frame."""
    if _stands(animation.rest, at):
        eyes = np.broadcast_to(np.eye(3), (len(animation.names), 3, 3))
        return _Posture(animation.rest, eyes, _axes(animation.rest, at))
    standing = [t for t in range(len(animation.positions)) if _stands(animation.positions[t], at)]
    if not standing:
        raise BadInputError("neither its rest pose nor any frame stands upright, so the body's axes cannot be known")

    def straight(t: int) -> float:
        points = animation.positions[t]
        return float(np.linalg.norm(points[at["head"]] - _middle(points, at, "ankle")))

    best = max(standing, key=straight)
    return _Posture(animation.positions[best], animation.rotations[best], _axes(animation.positions[best], at))


def _axes(points: Array, at: dict[str, int]) -> Array:
    """(3, 3) the body's left, up and forward as rows. Up is the file's own axis when the body stands along it."""
    up = points[at["head"]] - _middle(points, at, "ankle")
    up /= np.linalg.norm(up)
    nearest = np.zeros(3)
    k = int(np.abs(up).argmax())
    nearest[k] = np.sign(up[k])
    if up @ nearest > 0.9:
        up = nearest
    left = sum(points[at[f"left_{j}"]] - points[at[f"right_{j}"]] for j in ("hip", "shoulder"))
    left = left - (left @ up) * up
    left /= max(float(np.linalg.norm(left)), 1e-9)
    return np.stack([left, up, np.cross(left, up)])


def _upright(axes: Array) -> Array:
    """The rotation that turns the file's up axis to +Y."""
    up = axes[1]
    side = np.array([1.0, 0, 0]) if abs(up[0]) < 0.9 else np.array([0, 0, 1.0])
    side = side - (side @ up) * up
    side /= np.linalg.norm(side)
    return np.stack([side, up, np.cross(side, up)])


def _metres(points: Array, at: dict[str, int]) -> float:
    """Metres a unit: of the usual units the one in which the leg is a person's, else such that it is the standard one."""

    def bone(side: str, a: str, b: str) -> float:
        return float(np.linalg.norm(points[at[f"{side}_{b}"]] - points[at[f"{side}_{a}"]]))

    leg = sum(bone(side, "hip", "knee") + bone(side, "knee", "ankle") for side in ("left", "right")) / 2
    if not leg > 0:
        raise BadInputError("its legs have no length")
    fitting = [unit for unit in _UNITS if _LEG[0] < leg * unit < _LEG[1]]
    if not fitting:
        return float(_STANDARD_LEG / leg)
    return float(min(fitting, key=lambda unit: abs(np.log(leg * unit / _STANDARD_LEG))))


def _spine(animation: Animation, at: dict[str, int], reference: _Posture) -> Array:
    """(T, 3) the point _SPINE of the way up the trunk, on the chain of nodes from the hips to the head."""
    rest = reference.positions
    hips, shoulders = _middle(rest, at, "hip"), _middle(rest, at, "shoulder")
    along = (shoulders - hips) / max(float((shoulders - hips) @ (shoulders - hips)), 1e-12)
    chain = []
    i = at["head"]
    while i >= 0:
        chain.append((float((rest[i] - hips) @ along), animation.positions[:, i]))
        i = animation.parents[i]
    chain += [(0.0, _middle(animation.positions, at, "hip")), (1.0, _middle(animation.positions, at, "shoulder"))]
    below = max((c for c in chain if c[0] <= _SPINE), key=lambda c: c[0])
    above = min((c for c in chain if c[0] > _SPINE), key=lambda c: c[0])
    share = (_SPINE - below[0]) / (above[0] - below[0])
    return below[1] + share * (above[1] - below[1])


def _knuckles(animation: Animation, wrist: int, unit: float) -> list[int]:
    """The nodes at the fingers' roots (or the hand's end), the thumb left out, far enough from the wrist to point."""
    return [
        i
        for i, parent in enumerate(animation.parents)
        if parent == wrist
        and "thumb" not in animation.names[i].lower()
        and 0.03 < float(np.linalg.norm(animation.rest[i] - animation.rest[wrist])) * unit < 0.25
    ]
