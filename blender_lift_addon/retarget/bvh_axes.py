# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH files turned to the axes that other programs expect: Blender's exporter writes the armature's own, Z up."""

import numpy as np

from lifter_core.rotations import Floats

from .rotation_modes import euler_of_matrix, matrix_of_euler

Y_UP = np.array(((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0)))  # from Z up, facing -Y, to Y up, facing Z


def turned(text: str, turn: Floats) -> str:
    """A BVH file's text with everything in it turned: offsets, the root's way, and the axes that joints turn about.

    Args:
        text: the file's.
        turn: (3, 3) rotation from its axes to those wanted.

    Raises:
        ValueError: this is no BVH file.
    """
    head, found, tail = text.partition("MOTION")
    rows = tail.strip().splitlines()
    if not found or len(rows) < 2:
        raise ValueError("no motion in the BVH file")
    lines, channels = [], []
    for line in head.splitlines():
        parts = line.split()
        if parts[:1] == ["OFFSET"]:
            offset = turn @ np.array([float(value) for value in parts[1:4]])
            line = line[: line.index("OFFSET")] + "OFFSET " + " ".join(f"{value:.6f}" for value in offset)
        elif parts[:1] == ["CHANNELS"]:
            channels.append(parts[2:])
        lines.append(line)
    motion = np.array([[float(value) for value in row.split()] for row in rows[2:] if row.strip()])
    at = 0
    for names in channels:
        own = {name: at + k for k, name in enumerate(names)}
        places = [own[f"{axis}position"] for axis in "XYZ" if f"{axis}position" in own]
        if len(places) == 3:
            motion[:, places] = motion[:, places] @ turn.T
        angles = [own[f"{axis}rotation"] for axis in "XYZ" if f"{axis}rotation" in own]
        if len(angles) == 3:
            order = "".join(name[0] for name in reversed(names) if name.endswith("rotation"))
            turns = turn @ matrix_of_euler(np.radians(motion[:, angles]), order) @ turn.T
            motion[:, angles] = np.degrees(euler_of_matrix(turns, order))
        at += len(names)
    rows[2:] = [" ".join(f"{value:.6f}" for value in frame) for frame in motion]
    return "\n".join((*lines, "MOTION", *rows)) + "\n"
