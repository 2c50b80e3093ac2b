# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into the transfer and what comes out of it: the source's motion, the target's, and what shall be kept."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, apply, transpose

from .rig import Rig

LEG_TURN = float(np.radians(2.9))  # not seen, and enough for rigs with a person's proportions
Contacts = dict[str, NDArray[np.bool_]]  # "L" and "R" to (T,) whether that foot stands


@dataclass(frozen=True)
class Options:
    """What is kept."""

    in_place: bool = False  # the body stays over its rest place
    travel: float = 1.0  # on top of the ratio of the legs
    plant_feet: bool = True  # planted feet stay where they are, soles stay above the floor
    leg_turn: float = LEG_TURN  # rad that planting may change the direction of a thigh or shin by
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

    @property
    def hip_centre(self) -> Floats:
        """(T, 3) between the hip joints."""
        sides = [self.place(f"thigh.{side}") for side in "LR"]
        return np.mean([place for place in sides if place is not None], 0)

    def ball(self, side: str) -> Floats | None:
        """(T, 3) where the foot of a side ("L" or "R") bends."""
        toes = self.place(f"toes.{side}")
        if toes is not None:
            return toes
        foot, delta, tip = self.place(f"foot.{side}"), self.delta(f"foot.{side}"), self.rig.tip(f"foot.{side}")
        if foot is None or delta is None or tip is None:
            return None
        return foot + apply(delta, tip - self.rig.heads[self.rig.chain(f"foot.{side}")[0]])


@dataclass
class Posed:
    """The target's motion: B mapped bones in the character frame."""

    rig: Rig
    deltas: Floats  # (B, T, 3, 3)
    places: Floats  # (B, T, 3) heads
    keyed: NDArray[np.bool_]  # (B,) bones whose motion the source tells
    contacts: Contacts = field(default_factory=dict)

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
