"""Tracks the background through a clip by registering each frame against one of a few reference frames.

A frame is registered against a reference frame and not against the frame before it, so errors do not accumulate. When the
reference has left the view, an older reference that is in view again is used (which closes the loop when the camera pans
back), or the current frame becomes a new reference. estimate.py finds the camera's motion from all these measurements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import turned
from .geometry import Turn, fit_turn, no_turn, warp
from .patches import LEVELS, Patches, Pyramid, corners, cut_out, find, pyramid, shift_between
from .tracks import Measurement, Tracks

Array = NDArray[Any]

SHORT_SIDE = 240  # px of the grey pictures' shorter side
_PERSON_MARGIN = 0.12  # added around a person's keypoints, as a fraction of their extent; points inside are rejected
# thresholds: patches with a lower normalised correlation are rejected (on the finest level, on the coarser ones)
_ALIKE, _ALIKE_COARSE = 0.75, 0.6
# threshold: points whose standard deviation is a smaller fraction of the picture's sides are rejected: they lie on one object
_SPREAD = 0.06
_SCALE = 0.4  # px: scale of the robust fit's weights on the finest level
_FEWEST = 12  # threshold: a measurement with fewer points is rejected
_AGREEING = 0.4  # threshold: a rotation that a smaller fraction of the visible points follows is rejected
# px: residual up to which a point follows the rotation; wide enough for the parallax of a hand-held camera
_AGREES = 1.2
# thresholds on the visible fraction of a reference's points: below the first another reference is looked for, above the
# second an older one is used again
_IN_VIEW, _BACK_IN_VIEW = 0.55, 0.75
_LOOK_BACK = 5  # frames between two attempts to return to an older reference
_MOST_REFERENCES = 100
_ROUNDS = (2, 2, 3)  # iterations of the alignment on each level, the finest first


@dataclass
class _Reference:
    frame: int
    patches: Patches
    turn: Turn  # approximate, from the clip's first reference; its focal length is that of the first reference


class Background:
    """Tracks the background: call it with each frame and the people in it, then read ``tracks()``."""

    def __init__(self, image_size: tuple[int, int]) -> None:
        """``image_size``: width, height of the clip's upright picture in px."""
        self._image_size = image_size
        self._references: list[_Reference] = []
        self._measurements: list[Measurement] = []
        self._count = self._poor = 0
        self._current = -1
        self._turn = no_turn(1.0)  # from the current reference to the frame before
        # rotation and zoom between the last two frames, to predict the next
        self._step: tuple[Array, float] = (np.eye(3), 1.0)
        self._before: Pyramid = []
        self._boxes_before: list[Array] = []
        self._size = (0, 0)
        self._focal = 0.0

    def __call__(self, grey: NDArray[np.uint8], people: Sequence[Array] = ()) -> None:
        """Adds the next frame.

        Args:
            grey: (h, w) its small grey picture; people: the keypoints (K, 2) of each person, in px of the clip, NaN if unknown.
        """
        frame = pyramid(grey)
        if not self._before:
            self._size = (grey.shape[1], grey.shape[0])
            self._focal = float(np.hypot(*self._size))
        boxes = self._boxes(people)
        if self._current < 0:
            self._refer(frame, boxes, no_turn(self._focal), self._count)
        else:
            self._follow(frame, boxes)
        self._before, self._boxes_before = frame, boxes
        self._count += 1

    def tracks(self) -> Tracks:
        """All measurements so far."""
        scale = self._size[0] / self._image_size[0]
        births = [r.frame for r in self._references]
        return Tracks(self._count, self._size, scale, births, self._measurements, self._poor)

    def _boxes(self, people: Sequence[Array]) -> list[Array]:
        """(2, 2) upper left and lower right corner of a box around each person, in grey px from the picture's middle."""
        boxes = []
        for points in people:
            known = np.asarray(points, np.float64)[np.isfinite(points).all(-1)]
            if len(known):
                low, high = known.min(0), known.max(0)
                margin = _PERSON_MARGIN * (high - low).max()
                middle = np.array(self._image_size) / 2
                boxes.append((np.stack([low - margin, high + margin]) - middle) * self._size[0] / self._image_size[0])
        return boxes

    def _follow(self, frame: Pyramid, boxes: list[Array]) -> None:
        rotation, zoom = self._step
        found = self._measure(self._current, frame, boxes, self._turn.then(rotation, zoom))
        if found is None:
            found = self._measure(self._current, frame, boxes, self._jumped(frame))
        if (
            found is None
            and self._measurements[-1].frame == self._count - 1
            and self._references[-1].frame < self._count - 1
        ):
            # the view is far from the reference, or parallax has changed it: make the frame before a new reference
            self._refer(self._before, self._boxes_before, self._here(), self._count - 1)
            found = self._measure(self._current, frame, boxes, no_turn(self._turn.focal))
            found = found or self._measure(self._current, frame, boxes, self._jumped(frame))
        if found is None:
            self._lost(frame, boxes)
            return
        turn, measurement = found
        self._accept(turn, measurement)
        visible = self._visible(self._current, turn)
        kept = len(measurement.before) / max(len(self._references[self._current].patches.points), 1)
        leaving = min(visible, 2 * kept) < _IN_VIEW or not 0.6 < turn.zoom < 1.6
        if leaving or (self._count % _LOOK_BACK == 0 and self._current > 0):
            self._change(frame, boxes, leaving)

    def _accept(self, turn: Turn, measurement: Measurement) -> None:
        step = turn.rotation @ self._turn.rotation.T, turn.zoom / self._turn.zoom
        far = np.linalg.norm(step[0] - np.eye(3)) > 0.5 or not 0.8 < step[1] < 1.25
        self._step = (np.eye(3), 1.0) if far else step
        self._turn = turn
        self._measurements.append(measurement)

    def _jumped(self, frame: Pyramid) -> Turn:
        """The last frame's rotation, corrected by the shift of the whole picture that phase correlation finds."""
        coarse = LEVELS - 1
        x, y = shift_between(self._before[coarse], frame[coarse]) * 2.0**coarse / (self._focal * self._turn.zoom)
        return self._turn.then(turned(np.array([-y, x, 0.0])), 1.0)

    def _measure(
        self, reference: int, frame: Pyramid, boxes: list[Array], guess: Turn
    ) -> tuple[Turn, Measurement] | None:
        """Registers a frame against a reference, from the coarsest level to the finest.

        Returns:
            the rotation and zoom, and the points; None if too few points agree on one.
        """
        patches = self._references[reference].patches
        usual = self._focal * self._references[reference].turn.zoom
        turn, found = guess, None
        for level in reversed(range(LEVELS)):
            after, likeness = find(patches, frame, turn, level, _ROUNDS[level])
            offered = (likeness > -1) & _outside(after, boxes)
            good = offered & (likeness > (_ALIKE if level == 0 else _ALIKE_COARSE))
            if good.sum() < _FEWEST:
                break
            turn, share = fit_turn(
                turn,
                patches.points[good],
                after[good],
                likeness[good],
                scale=_SCALE * 2.0**level,
                focal_prior=(usual, 0.3),
                rounds=5 if level == LEVELS - 1 else 3,
            )
            agreeing = share > 1 / (1 + (_AGREES / _SCALE) ** 2) ** 2
            enough = agreeing.sum() >= max(_FEWEST, _AGREEING * offered.sum())
            if level == LEVELS - 1 and not enough:
                continue  # the finer levels may still find enough
            if not enough or not 0.2 < turn.zoom < 5 or not self._spread_out(after[good][agreeing]):
                break
            # a blurred frame may have no valid patches on the finest level; then the result of the coarser one stands
            points = after[good].astype(np.float32)
            found = turn, Measurement(self._count, reference, patches.points[good], points, share.astype(np.float32))
        return found

    def _spread_out(self, points: Array) -> bool:
        return bool((points.std(0) > _SPREAD * np.array(self._size)).all())

    def _visible(self, reference: int, turn: Turn) -> float:
        """The fraction of a reference's points that are inside the picture after a rotation and zoom."""
        at = np.abs(warp(turn, self._references[reference].patches.points))
        return float((at < np.array(self._size) / 2 - 4).all(1).mean())

    def _change(self, frame: Pyramid, boxes: list[Array], leaving: bool) -> None:
        """Changes to another reference: the oldest that is in view, or, when the current one leaves the view, a new one."""
        here = self._here()
        for index, other in enumerate(self._references):
            if index == self._current or (not leaving and index > self._current):
                continue
            rotation, zoom = here.rotation @ other.turn.rotation.T, here.zoom / other.turn.zoom
            guess = Turn(rotation, zoom, self._focal * other.turn.zoom)
            if 0.7 < zoom < 1.4 and rotation[2, 2] > 0.5 and self._visible(index, guess) > _BACK_IN_VIEW:
                found = self._measure(index, frame, boxes, guess)
                if found is not None:
                    self._current, self._turn = index, found[0]
                    self._measurements.append(found[1])
                    return
                if not leaving:
                    return  # at most one attempt a frame
        if leaving:
            self._refer(frame, boxes, here, self._count)

    def _here(self) -> Turn:
        """The approximate rotation and zoom from the first reference to the last registered frame."""
        return self._references[self._current].turn.then(self._turn.rotation, self._turn.zoom)

    def _lost(self, frame: Pyramid, boxes: list[Array]) -> None:
        """Recovers from a frame that cannot be registered: an older reference, else a new one without links to the others."""
        self._poor += 1
        self._step = np.eye(3), 1.0
        known = range(len(self._references))
        # the view may be that of before an occlusion, or of before a cut to another shot and back
        for index in sorted({*known[:2], *known[-2:]}):
            if index != self._current:
                found = self._measure(index, frame, boxes, no_turn(self._focal * self._references[index].turn.zoom))
                if found is not None:
                    self._current, self._turn = index, found[0]
                    self._measurements.append(found[1])
                    return
        self._refer(frame, boxes, self._here(), self._count)

    def _refer(self, frame: Pyramid, boxes: list[Array], turn: Turn, index: int) -> None:
        """Makes frame number ``index`` a reference if it has enough corners."""
        if len(self._references) >= _MOST_REFERENCES:
            return
        h, w = frame[0].shape
        free = np.ones((h, w), np.bool_)
        for (left, top), (right, bottom) in boxes:
            rows = slice(max(int(top + h / 2), 0), max(int(bottom + h / 2) + 1, 0))
            free[rows, max(int(left + w / 2), 0) : max(int(right + w / 2) + 1, 0)] = False
        at = corners(frame[0], free)
        if len(at) < 2 * _FEWEST or not self._spread_out(at):
            self._poor += self._current < 0
            return
        patches = cut_out(frame, at)
        self._references.append(_Reference(index, patches, turn))
        self._current = len(self._references) - 1
        self._turn = no_turn(self._focal * turn.zoom)
        points = patches.points
        self._measurements.append(Measurement(index, self._current, points, points, np.ones(len(points), np.float32)))


def _outside(points: Array, boxes: list[Array]) -> NDArray[np.bool_]:
    """(N,) true for the points that are in none of the boxes."""
    free = np.ones(len(points), np.bool_)
    for low, high in boxes:
        free &= ((points < low) | (points > high)).any(1)
    return free
