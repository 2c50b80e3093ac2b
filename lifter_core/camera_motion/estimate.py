"""Estimates the camera's motion from the tracked background: each frame's rotation and zoom, cuts, still or moving."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import turn_of, turned
from ..spans import runs
from .geometry import Turn, fit_turn, no_turn, warp
from .rotation_and_zoom import CameraMotion, still_camera
from .tracks import Tracks

Array = NDArray[Any]

_SCALE = 0.3  # px of the grey picture: scale of the robust fits' weights
_UNSEEN = 0.12  # px of the grey picture, threshold: smaller displacements are rejected as compression noise
# threshold: the camera moves if a larger fraction of the frames is displaced by more than _UNSEEN (shaking)
_OFTEN = 0.3
# px of the grey picture, threshold: displaced by more, a few frames in a row are enough (a pan, a knock)
_CLEARLY = 1.0
_MOVING_RUN = 3  # how many frames in a row must be displaced by more than _CLEARLY
# threshold: if the background was tracked in a smaller fraction of the frames, no motion is estimated
_LEAST_FRAMES = 0.5
_ZOOMS = 0.02  # threshold on the range of log zoom: below it the zoom is taken as constant
# px of the grey picture, threshold on the median residual of a pure rotation: above it the camera translates
_TRAVELS = 0.5


@dataclass(frozen=True)
class CameraEstimate:
    """The camera's motion over T frames as estimated from the background, and whether it is judged to be moving.

    Attributes:
        turns: (T, 4) rotation vectors (radians, from the first frame's camera axes) and log zooms, as measured.
        focal: px of the clip: the first frame's focal length for which they were measured.
        still: whether the camera is judged to be still; reason: why, as a text for users.
        cuts: the first frame of each shot after the first.
        residual: px of the clip: median reprojection error of the background's points; large if the camera also translates.
    """

    turns: NDArray[np.float64]
    focal: float
    still: bool
    reason: str
    cuts: tuple[int, ...] = ()
    residual: float = 0.0

    def motion(self, camera: str = "auto") -> CameraMotion:
        """The motion to use: ``auto`` = as judged here; ``still`` or ``moving`` = as the user set it."""
        if camera == "still" or (camera == "auto" and self.still):
            return still_camera(len(self.turns), self.reason if camera == "auto" else "said to stand still")
        zoom = np.exp(self.turns[:, 3])
        return CameraMotion(turned(self.turns[:, :3]), zoom, False, self.reason)

    def at_focal(self, focal: float, image_size: tuple[int, int]) -> "CameraEstimate":
        """The estimate for another focal length (px) that moves the picture in the same way.

        Each frame-to-frame rotation is fitted anew to a grid of points moved by the old one.
        """
        if not np.any(self.turns):
            return replace(self, focal=focal)
        grid = _grid(image_size)
        old, new = [turned(self.turns[0, :3])] * 2
        turns = self.turns.copy()
        for t in range(1, len(turns)):
            zoom = float(np.exp(self.turns[t - 1, 3])), float(np.exp(self.turns[t, 3]))
            now = turned(self.turns[t, :3])
            moved = warp(Turn(now @ old.T, zoom[1] / zoom[0], self.focal * zoom[0]), grid)
            start = Turn(np.eye(3), zoom[1] / zoom[0], focal * zoom[0])
            step, _ = fit_turn(start, grid, moved, scale=1e3, zooms=False, rounds=4)
            old, new = now, step.rotation @ new
            turns[t, :3] = turn_of(new)
        return replace(self, turns=turns, focal=focal)


def estimate_motion(tracks: Tracks, focal: float) -> CameraEstimate:
    """The camera's motion from what was measured of the background; ``focal``: the first frame's, in px of the clip."""
    count = tracks.frames
    nothing = np.zeros((count, 4))
    if len({m.frame for m in tracks.measurements}) < max(_LEAST_FRAMES * count, 1):
        return CameraEstimate(nothing, focal, True, "taken as still: too little background to see it move")
    chain = _Chain(tracks, focal * tracks.scale)
    if not chain.zooms():
        chain = _Chain(tracks, focal * tracks.scale, chain.turns)
    rotations, zoom, cuts = chain.solve()
    turns = np.concatenate([turn_of(rotations), np.log(zoom)[:, None]], 1)
    displacement = _displacement(rotations, zoom, tracks.size, focal * tracks.scale)
    still = not _is_moving(tracks, chain, displacement)
    if still:
        reason = f"stands still (background within {np.percentile(displacement, 95) / tracks.scale:.2f} px)"
    else:
        reason = f"turns by up to {np.degrees(np.linalg.norm(turns[:, :3], axis=1).max()):.1f} degrees"
        if np.ptp(zoom) > 0:
            reason += f", zooms {zoom.max() / zoom.min():.2f}x"
        if chain.residual > _TRAVELS:
            reason += "; it also seems to travel, which is not taken out"
    return CameraEstimate(turns, focal, still, reason, cuts, chain.residual / tracks.scale)


class _Chain:
    """The rotation of each measurement from its reference, and the orientation of each reference."""

    def __init__(self, tracks: Tracks, focal: float, zooming: list[Turn] | None = None) -> None:
        """``zooming``: rotations found with a free zoom, as a start to fit them with constant zoom; None = the zoom is free."""
        self._tracks, self._focal = tracks, focal
        n = len(tracks.births)
        self._rotation = np.broadcast_to(np.eye(3), (n, 3, 3)).copy()  # of each reference, from its shot's first
        self._zoom = np.ones(n)
        self._shot = np.arange(n)  # the first reference each is linked to
        self.turns: list[Turn] = []
        self.shares: list[NDArray[np.float64]] = []
        residuals = []
        by_frame: dict[int, list[int]] = {}
        last: dict[int, Turn] = {}
        for k, m in enumerate(tracks.measurements):
            start = no_turn(focal * self._zoom[m.reference])
            if np.array_equal(m.before, m.after):
                turn, share = start, np.ones(len(m.before))
            elif zooming is None:
                turn = last.get(m.reference, start)._replace(focal=start.focal)
                turn, share = fit_turn(turn, m.before, m.after, scale=_SCALE, rounds=4)
            else:
                turn = Turn(zooming[k].rotation, 1.0, start.focal)
                turn, share = fit_turn(turn, m.before, m.after, scale=_SCALE, zooms=False, rounds=4)
            last[m.reference] = turn
            self.turns.append(turn)
            self.shares.append(share)
            by_frame.setdefault(m.frame, []).append(k)
            if tracks.births[m.reference] != m.frame:
                residuals.append(float(np.median(np.linalg.norm(m.after - warp(turn, m.before), axis=1))))
            elif len(by_frame[m.frame]) > 1:  # a reference made in a frame that another one sees
                other = tracks.measurements[by_frame[m.frame][0]].reference
                seen = self.turns[by_frame[m.frame][0]]
                self._shot[m.reference] = self._shot[other]
                self._rotation[m.reference] = seen.rotation @ self._rotation[other]
                self._zoom[m.reference] = seen.zoom * self._zoom[other]
        self._links = [rows for rows in by_frame.values() if len(rows) > 1]
        self.residual = float(np.median(residuals)) if residuals else 0.0

    def zooms(self) -> bool:
        """Whether the focal length changes by more than noise, or a small step of the camera, explains."""
        if not self.turns:
            return False
        logs = [
            np.log(t.zoom * self._zoom[m.reference]) for t, m in zip(self.turns, self._tracks.measurements, strict=True)
        ]
        low, high = np.percentile(logs, (2, 98))
        return bool(high - low > _ZOOMS)

    def solve(self) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
        """(T, 3, 3) rotations and (T,) zooms of all frames relative to the first, and the first frame after each cut."""
        self._close()
        count = self._tracks.frames
        rotations, zoom = np.full((count, 3, 3), np.nan), np.full(count, np.nan)
        shot = np.full(count, -1)
        for turn, m in zip(self.turns, self._tracks.measurements, strict=True):
            if shot[m.frame] < 0:  # a frame's first measurement is against the same reference as its neighbours'
                rotations[m.frame] = turn.rotation @ self._rotation[m.reference]
                zoom[m.frame] = turn.zoom * self._zoom[m.reference]
                shot[m.frame] = self._shot[m.reference]
        known = np.flatnonzero(shot >= 0)
        cuts = [int(f) for before, f in pairwise(known) if shot[before] != shot[f]]
        for cut in cuts:
            if (shot[:cut] == shot[cut]).any():
                continue  # the shot returns to a view that was tracked before
            before = known[known < cut][-1]
            turn_on, zoom_on = rotations[cut].T @ rotations[before], zoom[before] / zoom[cut]
            same = shot == shot[cut]  # a new shot begins with the orientation with which the last one ended
            rotations[same] = rotations[same] @ turn_on
            zoom[same] *= zoom_on
        rotations, zoom = _between(rotations, zoom, known)
        return rotations @ rotations[0].T, zoom / zoom[0], tuple(cuts)

    def _close(self, rounds: int = 6) -> None:
        """Distributes loop-closure errors over all links, by Gauss-Newton on the references' rotations and log zooms."""
        n = len(self._rotation)
        anchors = np.unique(self._shot)
        links = []
        for rows in self._links:
            a = self._tracks.measurements[rows[0]].reference
            for other in rows[1:]:
                b = self._tracks.measurements[other].reference
                if a != b:
                    weight = min(self.shares[rows[0]].sum(), self.shares[other].sum())
                    links.append((a, b, self.turns[rows[0]], self.turns[other], weight))
        # a shot that turns out to be linked to an earlier one is merged with it
        for a, b, from_a, from_b, _ in links:
            if self._shot[a] != self._shot[b]:
                keep, join = sorted((self._shot[a], self._shot[b]))
                rotation = from_b.rotation.T @ from_a.rotation @ self._rotation[a]  # what b should be
                zoom = from_a.zoom * self._zoom[a] / from_b.zoom
                if self._shot[b] == join:
                    turn_on, zoom_on = self._rotation[b].T @ rotation, zoom / self._zoom[b]
                else:
                    turn_on, zoom_on = rotation.T @ self._rotation[b], self._zoom[b] / zoom
                members = self._shot == join
                self._rotation[members] = self._rotation[members] @ turn_on
                self._zoom[members] *= zoom_on
                self._shot[members] = keep
        if len(links) < n:  # the links form a tree: there is no loop to close
            return
        anchors = np.unique(self._shot)
        for _ in range(rounds):
            normal, right = np.zeros((n, n)), np.zeros((n, 4))
            for a, b, from_a, from_b, weight in links:
                here = from_a.rotation @ self._rotation[a]
                there = from_b.rotation @ self._rotation[b]
                error = np.empty(4)
                # in the axes of the shot's first camera, in which both references turn alike
                error[:3] = turn_of(there.T @ here)
                error[3] = np.log(from_a.zoom * self._zoom[a] / (from_b.zoom * self._zoom[b]))
                normal[a, a] += weight
                normal[b, b] += weight
                normal[a, b] -= weight
                normal[b, a] -= weight
                right[a] -= weight * error
                right[b] += weight * error
            normal[anchors, anchors] += 1e6
            normal[np.diag_indices(n)] += 1e-9
            step = np.linalg.solve(normal, right)
            self._rotation = self._rotation @ turned(step[:, :3])
            self._zoom = self._zoom * np.exp(step[:, 3])


def _between(rotations: Array, zoom: Array, known: NDArray[np.intp]) -> tuple[Array, Array]:
    """Fills frames without a measurement by interpolation between known ones; constant before the first and after the last."""
    rotations[: known[0]], zoom[: known[0]] = rotations[known[0]], zoom[known[0]]
    rotations[known[-1] :], zoom[known[-1] :] = rotations[known[-1]], zoom[known[-1]]
    for a, b in pairwise(known):
        if b - a > 1:
            part = np.arange(1, b - a) / (b - a)
            whole = turn_of(rotations[b] @ rotations[a].T)
            rotations[a + 1 : b] = turned(part[:, None] * whole) @ rotations[a]
            zoom[a + 1 : b] = zoom[a] ** (1 - part) * zoom[b] ** part
    return rotations, zoom


def _displacement(rotations: Array, zoom: Array, size: tuple[int, int], focal: float) -> NDArray[np.float64]:
    """(T,) px: root mean square distance of a grid of the picture's points from their median places over the clip."""
    grid = _grid(size)
    moved = np.stack([warp(Turn(r, z, focal), grid) for r, z in zip(rotations, zoom, strict=True)])
    off = ((moved - np.median(moved, 0)) ** 2).sum(-1)
    return np.sqrt(np.minimum(off, size[0] ** 2 + size[1] ** 2).mean(1))


def _grid(size: tuple[int, int]) -> NDArray[np.float64]:
    """(25, 2) a grid of points over a picture of this size, in px from its middle."""
    return np.stack(np.meshgrid(*[np.linspace(-side / 2, side / 2, 5) for side in size]), -1).reshape(-1, 2)


def _is_moving(tracks: Tracks, chain: _Chain, displacement: Array) -> bool:
    """Whether the camera moves: slightly in many frames, or clearly in a few frames in a row.

    A frame counts only if more of the background's points follow the estimated rotation than stay in place; otherwise people
    who fill the picture, or leaves in the wind, would be taken for camera motion.
    """
    follows = np.zeros(tracks.frames, np.bool_)
    for turn, m in zip(chain.turns, tracks.measurements, strict=True):
        expected = warp(turn, m.before)
        reach = np.maximum(np.linalg.norm(expected - m.before, axis=1) / 2, 0.02)
        stay = (np.linalg.norm(m.after - m.before, axis=1) < reach).mean()
        go = (np.linalg.norm(m.after - expected, axis=1) < reach).mean()
        follows[m.frame] |= bool(go > 0.4 and stay < 0.5 * go) or tracks.births[m.reference] != 0
    often = (follows & (displacement > _UNSEEN)).mean() > _OFTEN
    clearly = follows & (displacement > _CLEARLY)
    longest = max((run.stop - run.start for run in runs(clearly)), default=0)
    return bool(often or longest >= _MOVING_RUN)
