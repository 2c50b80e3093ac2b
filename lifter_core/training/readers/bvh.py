"""BVH files (Biovision hierarchy)."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .animation import Animation, euler, fault, numbers, read_lines

Array = NDArray[Any]


class _Node(NamedTuple):
    name: str
    parent: int
    offset: list[float]
    channels: list[str]


def read_bvh(path: Path) -> Animation:
    """Reads a BVH file.

    Position channels of joints other than the root replace the offset when they are about as long, else they add to it:
    programs differ.

    Raises:
        BadInputError: the file is not BVH, or broken; the message names the line.
    """
    lines = read_lines(path)
    nodes, line = _hierarchy(lines, path)
    values, fps = _motion(lines, line, sum(len(n.channels) for n in nodes), path)
    offsets = np.array([n.offset for n in nodes])
    parents = tuple(n.parent for n in nodes)
    rest = offsets.copy()
    positions = np.empty((len(values), len(nodes), 3))
    rotations = np.empty((len(values), len(nodes), 3, 3))
    at = 0
    for i, node in enumerate(nodes):
        mine = values[:, at : at + len(node.channels)]
        at += len(node.channels)
        place = _place(node, mine)
        turn = [k for k, channel in enumerate(node.channels) if channel.endswith("rotation")]
        local = euler("".join(node.channels[k][0] for k in turn), mine[:, turn])
        if node.parent < 0:
            positions[:, i], rotations[:, i] = place, local
        else:
            rest[i] = rest[node.parent] + offsets[i]
            above = rotations[:, node.parent]
            positions[:, i] = positions[:, node.parent] + np.einsum("tij,tj->ti", above, place)
            rotations[:, i] = above @ local
    return Animation(tuple(n.name for n in nodes), parents, rest, positions, rotations, fps)


def _place(node: _Node, values: Array) -> Array:
    """(T, 3) the node's place in its parent's axes."""
    offset = np.array(node.offset)
    moved = [k for k, channel in enumerate(node.channels) if channel.endswith("position")]
    if not moved:
        return np.broadcast_to(offset, (len(values), 3))
    axes = ["xyz".index(node.channels[k][0]) for k in moved]
    channel = np.zeros((len(values), 3))
    channel[:, axes] = values[:, moved]
    apart = float(np.median(np.linalg.norm(channel - offset, axis=1)))
    replaces = node.parent >= 0 and len(axes) == 3 and apart < 0.3 * float(np.linalg.norm(offset))
    return channel if replaces else channel + offset


def _hierarchy(lines: list[str], path: Path) -> tuple[list[_Node], int]:
    """The nodes, and the number of the line with MOTION."""
    nodes: list[_Node] = []
    open_nodes: list[int] = []
    if not any(line.strip().upper() == "HIERARCHY" for line in lines[:5]):
        raise fault(path, 1, "it does not begin with HIERARCHY, so it is no BVH file")
    for i, text in enumerate(lines):
        words = text.split()
        if not words:
            continue
        number = i + 1
        key = words[0].upper()
        if key in ("ROOT", "JOINT") or text.strip().lower() == "end site":
            parent = open_nodes[-1] if open_nodes else -1
            if (key == "ROOT") != (parent < 0):
                raise fault(path, number, "there must be one ROOT, and every joint inside it")
            if nodes and parent < 0:
                raise fault(path, number, "it has a second ROOT; files with several skeletons are not read")
            name = f"{nodes[parent].name}_end" if key == "END" else " ".join(words[1:]) or f"node{len(nodes)}"
            nodes.append(_Node(name, parent, [0.0, 0.0, 0.0], []))
        elif key == "{":
            if not nodes or len(nodes) - 1 in open_nodes:
                raise fault(path, number, "a { without a joint before it")
            open_nodes.append(len(nodes) - 1)
        elif key == "}":
            if not open_nodes:
                raise fault(path, number, "a } too many")
            open_nodes.pop()
        elif key == "OFFSET" and open_nodes:
            offset = numbers(words[1:], path, number)
            if len(offset) != 3:
                raise fault(path, number, "an OFFSET has three numbers")
            nodes[open_nodes[-1]].offset[:] = offset
        elif key == "CHANNELS" and open_nodes:
            channels = [w.lower() for w in words[2:]]
            good = all(c[:1] in "xyz" and c[1:] in ("position", "rotation") for c in channels)
            if not good or words[1:2] != [str(len(channels))]:
                raise fault(path, number, "CHANNELS must give their number and then names like Xposition or Zrotation")
            nodes[open_nodes[-1]].channels[:] = channels
        elif key == "MOTION":
            if open_nodes or not nodes:
                raise fault(path, number, "MOTION comes before the hierarchy is closed")
            return nodes, number
        elif key != "HIERARCHY":
            raise fault(path, number, f"{words[0]!r} was not expected here")
    raise fault(path, len(lines), "it ends before MOTION")


def _motion(lines: list[str], line: int, channels: int, path: Path) -> tuple[Array, float]:
    """(T, channels) values from the line after MOTION on, and frames a second."""
    spacing = 0.0
    declared = -1
    rows: list[list[float]] = []
    for number, text in enumerate(lines[line:], line + 1):
        words = text.replace(":", " : ").split()
        if not words:
            continue
        key = words[0].lower()
        if key == "frames":
            declared = int(numbers(words[2:3] or ["?"], path, number)[0])
        elif key == "frame":
            spacing = numbers(words[3:4] or ["?"], path, number)[0]
        elif spacing <= 0:
            raise fault(path, number, "values come before a Frame Time above 0")
        else:
            row = numbers(words, path, number)
            if len(row) != channels:
                raise fault(path, number, f"the frame has {len(row)} values, the hierarchy {channels} channels")
            rows.append(row)
    if not rows:
        raise fault(path, len(lines), "it has no frames")
    if len(rows) < declared:
        raise fault(path, len(lines), f"it ends after {len(rows)} of {declared} frames")
    return np.array(rows), 1.0 / spacing
