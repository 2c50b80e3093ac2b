"""Writes the take that test_take.py keeps a file of for each minor version of the format, by today's code.

``python -m tests.core.make_take_fixture tests/core/fixtures/take_minor_1.npz``; a file of an older version is never
written anew. take_minor_0.npz is the same take without joint_sigma and bodies, written by the code of commit d10305a, before
there were minor versions.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from lifter_core.lifting import Lifted
from lifter_core.solve import SolveOptions, solve_joints
from lifter_core.take import Take, save_take
from lifter_core.take_meta import CameraMeta, TakeMeta

from .walker import walk

FRAMES = 4
META = TakeMeta(
    lifter_core="0.1.0",
    source="walk.mp4",
    sha256="0" * 64,
    rotation=-90,
    detector="heavy",
    flip=True,
    damaged=1,
    options={"start": 1.0, "height": 1.8, "floor_tilt": [0.5, 0.0], "facing": "keep"},
    model="residual_mlp",
    device="torch cpu",
    focal_source="assumed",
    camera=CameraMeta(False, "turns and zooms", (3,)),
)


def fixture_take() -> Take:
    """One person walking, absent in the first frame, with every optional array."""
    w = walk(FRAMES)
    points, confidence = w.keypoints.points.copy(), w.keypoints.confidence.copy()
    points[0], confidence[0] = np.nan, 0
    lifted = w.lifted.copy()
    lifted[0] = np.nan
    people = [replace(w.keypoints, points=points, confidence=confidence)]
    take = solve_joints(people, [Lifted(lifted)], w.matrix, SolveOptions(height=1.8), META)
    part = np.linspace(0, 1, FRAMES)
    world, sigma = np.zeros((1, *points.shape[:2], 3)), np.full(take.positions.shape[:3], 0.02)
    world[:, 0], sigma[:, 0] = np.nan, np.nan
    return replace(
        take,
        camera_turns=part[:, None] * (0, 0.02, 0, 0.02),
        camera_zoom=1 + 0.02 * part,
        keypoints_world=world,
        joint_sigma=sigma,
        meta=replace(take.meta, bodies=({"left_thigh": (0.42, 0.012), "shoulders": (0.36, 0.015)},)),
    )


if __name__ == "__main__":
    save_take(fixture_take(), Path(sys.argv[1]))
