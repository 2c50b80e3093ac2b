# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a body that two rigs may have in common. A role of a side ends in .L or .R, the character's own.

Spine, neck, limb segments and twist may be several bones each; the others are one.
"""

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
CENTRE = ("hips", "spine", "neck", "head")
LIMBS = ("shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toes")
TWISTS = ("upper_arm_twist", "forearm_twist", "thigh_twist", "shin_twist")
PHALANGES = tuple(f"{finger}_{number}" for finger in FINGERS for number in (1, 2, 3))
SIDES = ("L", "R")

BODY: tuple[str, ...] = (*CENTRE, *(f"{limb}.{side}" for side in SIDES for limb in LIMBS))
ROLES: tuple[str, ...] = (
    "root",
    *BODY,
    *(f"{role}.{side}" for side in SIDES for role in (*TWISTS, *PHALANGES)),
)
NEEDED = ("hips", *(f"{limb}.{side}" for side in SIDES for limb in ("thigh", "shin")))  # without these nothing works

PARENTS = {  # whose rotation a role without one of its own follows
    "spine": "hips",
    "neck": "spine",
    "head": "neck",
    "shoulder": "spine",
    "upper_arm": "shoulder",
    "forearm": "upper_arm",
    "hand": "forearm",
    "thigh": "hips",
    "shin": "thigh",
    "foot": "shin",
    "toes": "foot",
}
NEXT = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot", "foot": "toes"}  # where one ends


def split(role: str) -> tuple[str, str]:
    """A role without its side, and the side as a suffix: upper_arm.L is upper_arm and .L."""
    return (role[:-2], role[-2:]) if role.endswith((".L", ".R")) else (role, "")


def parent_role(role: str) -> str:
    """The role a role hangs on; nothing for the hips."""
    base, side = split(role)
    parent = PARENTS.get(base, "")
    if not parent and base in PHALANGES:
        finger, number = base.split("_")
        parent = "hand" if number == "1" else f"{finger}_{int(number) - 1}"
    elif not parent and base in TWISTS:
        parent = base.removesuffix("_twist")
    return parent + side if parent and parent not in CENTRE else parent


def other_side(role: str) -> str:
    """The same role on the other side."""
    base, side = split(role)
    return base + {".L": ".R", ".R": ".L"}.get(side, "")


def label(role: str) -> str:
    """A role as the panel shows it: Upper Arm L."""
    return role.replace("_", " ").replace(".", " ").title()
