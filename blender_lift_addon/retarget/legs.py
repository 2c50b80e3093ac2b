# SPDX-License-Identifier: GPL-3.0-or-later
"""One leg that is to be planted: where its ankle must be, how its foot rolls over the ball, what its bones can do."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lifter_core.rotations import Floats, about, apply, least_rotation, unit
from lifter_core.spans import runs

from .feet import bridged, pinned, smooth
from .rig import FORWARD, Rig
from .transfer_data import Motion
from .two_bone_ik import apart, bent

HEEL = 0.3  # how far the heel is behind the ankle and how high, in parts of the ball's way ahead and the ankle's height
SINK = 0.006  # of the leg's length: shoes give, and bending a straight leg by degrees for less would be seen
ROLL = float(np.radians(8.0))  # a planted foot may turn about its ball by this, heel up or down
ROLL_IN_AIR = float(np.radians(15.0))  # just after toe-off feet turn by as much from frame to frame
BENT = 0.55  # of the knee's distance from the line: the larger, the more is left to the leg and the less to the foot
STIFF = 0.06  # of the leg's length: a knee nearer than this to the line from hip to ankle is spared small corrections
SHARP = 0.03  # s, the bell over the foot's roll; toe-off takes two frames
UP = np.array((0.0, 0.0, 1.0))


@dataclass
class Leg:
    """One leg; places are (T, 3) before any correction."""

    side: str
    hip: Floats
    knee: Floats
    ankle: Floats
    forward: Floats  # (T, 3) where the knee goes
    to_ball: Floats  # (T, 3) from the ankle
    across: Floats  # (T, 3) the axis that the foot rolls about, heel up
    room: Floats  # (T,) rad that the heel may go down by
    flat: Floats  # (T, 3) where the ankle should be if the foot does not roll
    stands: NDArray[np.bool_]  # (T,)
    bound: NDArray[np.bool_]  # (T,) whether the goal matters: the foot stands, or is about at the floor
    goal: Floats = field(init=False)  # (T, 3) where the ankle should be
    rolled: Floats = field(init=False)  # (T, 3, 3) how the foot is turned

    def __post_init__(self) -> None:
        """Begins with a foot that does not roll."""
        self.goal = self.flat
        self.rolled = np.broadcast_to(np.eye(3), (len(self.flat), 3, 3))
        self.line = unit(self.ankle - self.hip)
        bend = self.knee - self.hip
        bend = bend - self.line * (bend * self.line).sum(-1, keepdims=True)
        self.bend = (bend * bend).sum(-1)  # (T,) how far the knee is from the line, squared
        self.length = float(np.median(np.linalg.norm(self.knee - self.hip, axis=-1) * 2))

    def roll(self, shift: Floats, seconds: Floats) -> None:
        """Turns the foot about its ball by what spares the leg most, with the hips moved by ``shift`` (T, 3).

        A straight leg must turn by degrees to be millimetres longer or shorter; a foot does it with one or two, unseen.
        """
        along = ((self.flat - self.ankle - shift) * self.line).sum(-1)
        gain = -(np.cross(self.across, self.to_ball) * self.line).sum(-1)
        left = np.where(self.stands, BENT, BENT / 2) ** 2 * self.bend
        angle = -along * gain / (gain * gain + left + 1e-12)
        most = np.where(self.stands, ROLL, ROLL_IN_AIR)
        angle = np.clip(angle, -np.minimum(self.room, most), most)[:, None]
        angle = smooth(bridged(angle, runs(self.bound), seconds)[:, 0], seconds, SHARP)
        self.rolled = about(self.across, angle)
        self.goal = self.flat + self.to_ball - apply(self.rolled, self.to_ball)

    def given(self, way: Floats, most: float) -> Floats:
        """(T, 3) what a straight leg leaves of a correction (T, 3) along it, to keep its knee still: ``most`` at most."""
        stiff = (STIFF * self.length) ** 2
        along = (way * self.line).sum(-1)
        return self.line * np.clip(-along * stiff / (self.bend + stiff), -most, most)[:, None]

    def made(self, shift: Floats, correction: Floats, most: float) -> tuple[Floats, Floats]:
        """(T, 3) where knee and ankle come to when the ankle is corrected by (T, 3), from hips moved by ``shift``.

        No limb turns by more than ``most`` (rad): as much is made as goes with that.
        """
        hip, knee, ankle = self.hip + shift, self.knee + shift, self.ankle + shift

        def towards(share: Floats, at: NDArray[np.intp]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
            goal = ankle[at] + share[:, None] * correction[at]
            new_knee, new_ankle = bent(hip[at], knee[at], ankle[at], goal, self.forward[at])
            first = apart(knee[at] - hip[at], new_knee - hip[at])
            return new_knee, new_ankle, np.maximum(first, apart(ankle[at] - knee[at], new_ankle - new_knee)) > most

        new_knee, new_ankle, too_far = towards(np.ones(len(hip)), np.arange(len(hip)))
        over = np.flatnonzero(too_far)
        if len(over):
            low, high = np.zeros(len(over)), np.ones(len(over))
            for _ in range(10):  # halving
                middle = (low + high) / 2
                beyond = towards(middle, over)[2]
                low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
            new_knee[over], new_ankle[over], _ = towards(low, over)
        return new_knee, new_ankle

    def turns(self, shift: Floats, correction: Floats, most: float) -> tuple[Floats, Floats, Floats]:
        """(T, 3, 3) what ``made`` turns thigh and shin by, and (T, 3) where the ball comes to."""
        knee, ankle = self.made(shift, correction, most)
        first, second = (
            least_rotation(self.knee - self.hip, knee - self.hip - shift),
            least_rotation(self.ankle - self.knee, ankle - knee),
        )
        return first, second, ankle + apply(self.rolled, self.to_ball)


def leg_of(motion: Motion, target: Rig, side: str, roles: dict[str, Floats], deltas: Floats, places: Floats,
           standing: NDArray[np.bool_]) -> Leg | None:  # fmt: skip
    """A side's leg with its goal: pinned where it stands, and not in the floor elsewhere; None without a whole leg."""
    chains = [target.chain(f"{part}.{side}") for part in ("thigh", "shin", "foot")]
    rest_ball = target.ball(side)
    if not all(chains) or rest_ball is None or f"foot.{side}" not in roles:
        return None
    hip, knee, ankle = (places[chain[0]] for chain in chains)
    foot = chains[2][0]
    turn, rest_ankle = deltas[foot], target.heads[foot]
    to_ball = apply(turn, rest_ball - rest_ankle)
    goal = pinned(ankle + to_ball, standing, motion.seconds, float(rest_ball[2])) - to_ball
    # The sole is round: a ball under the ball of the foot and one at the heel, both on the floor at rest.
    heel = rest_ankle + (rest_ankle - rest_ball) * (HEEL, HEEL, 0.0)
    heel = heel - (0.0, 0.0, (1 - HEEL) * (rest_ankle[2] - target.floor))
    sink = SINK * target.leg
    ball_up, heel_up = ((goal + apply(turn, at - rest_ankle))[:, 2] - at[2] for at in (rest_ball, heel))
    push = np.where(standing, 0.0, np.maximum(-np.minimum(ball_up, heel_up) - sink, 0.0))
    goal[:, 2] += push
    return Leg(
        side,
        hip,
        knee,
        ankle,
        forward=apply(roles[f"thigh.{side}"], FORWARD),
        to_ball=to_ball,
        across=apply(turn, unit(np.cross(UP, rest_ball - rest_ankle))),
        room=np.maximum((heel_up + push) / np.linalg.norm((rest_ball - heel)[:2]), 0.0),
        flat=goal,
        stands=standing,
        bound=standing | (np.minimum(ball_up, heel_up) < sink),
    )


def lifted_toes(target: Rig, side: str, toes: Floats, ball: Floats) -> Floats:
    """(T, 3, 3) the toes' turn, tilted up where their tips would be in the floor: at toe-off long toes would."""
    rest_ball, rest_tip = target.head(f"toes.{side}"), target.tip(f"toes.{side}")
    if rest_ball is None or rest_tip is None:
        return toes
    length = float(np.linalg.norm(rest_tip - rest_ball))
    if (rest_tip - rest_ball) @ FORWARD < 0.7 * length:  # an importer let the bone look anywhere
        return toes
    ahead = apply(toes, rest_tip - rest_ball)
    least = np.clip((rest_tip[2] - SINK * target.leg - ball[:, 2]) / length, -1.0, 1.0)
    angle = np.maximum(np.arcsin(least) - np.arcsin(np.clip(ahead[:, 2] / length, -1.0, 1.0)), 0.0)
    return about(unit(np.cross(ahead, UP)), angle) @ toes
