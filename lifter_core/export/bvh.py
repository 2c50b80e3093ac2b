"""Writes a take as BVH, a motion file that most animation programs read.

Y up, centimetres, the rest pose a T-pose facing +Z with the person's left along +X; rotations in ZXY order. In Blender,
import it with scale 0.01; its default axes (forward -Z, up Y) are right.
"""

import os

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError
from ..files import replaced
from ..rotations import to_matrix
from ..take import Take

_CENTIMETRES = 100.0
_TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # world (x, y, z), Z up -> BVH (x, z, -y)


def write_bvh(take: Take, path: str | os.PathLike[str], person: int = 0) -> None:
    """Writes one person's motion, from the take's first frame to its last, at the take's frame rate.

    In frames where the person is absent the last pose is repeated (before the first pose, the first). Takes with a variable
    frame rate are resampled at the average one. The file is written to a temporary name beside ``path`` and moved into place.

    Raises:
        BadInputError: there is no such person in the take, or that person has no pose.
    """
    if not 0 <= person < len(take.positions):
        raise BadInputError(f"The take has no person {person}; it has {len(take.positions)} (counted from 0).")
    present = np.flatnonzero(take.present[person])
    if not len(present):
        raise BadInputError(f"Person {person} of the take has no pose in any frame.")
    held = present[np.maximum(np.searchsorted(present, np.arange(len(take.timestamps)), side="right") - 1, 0)]
    before, after, share = _even_frames(take)
    root = _mix(take.root_positions[person][held], before, after, share)
    rotations = _mix(take.rotations[person][held], before, after, share)

    angles = zxy_angles(_TO_Y_UP @ to_matrix(rotations) @ _TO_Y_UP.T)
    angles = angles[:, _depth_first(take)].reshape(len(root), -1)
    channels = np.concatenate([root @ _TO_Y_UP.T * _CENTIMETRES, angles], axis=1)
    lines = ["HIERARCHY", *_hierarchy(take, person)]
    lines += ["MOTION", f"Frames: {len(root)}", f"Frame Time: {1 / take.fps:.10g}"]
    lines += [" ".join(f"{value:.5f}" for value in row) for row in channels]

    with replaced(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="ascii")


def zxy_angles(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, B, 3, 3) rotations R = Rz Rx Ry -> (T, B, 3) angles z, x, y in degrees, without jumps of 360 over time."""
    x = np.arcsin(matrices[..., 2, 1].clip(-1, 1))
    z = np.arctan2(-matrices[..., 0, 1], matrices[..., 1, 1])
    y = np.arctan2(-matrices[..., 2, 0], matrices[..., 2, 2])
    # gimbal lock: z and y rotate about the same axis; z takes the whole angle
    locked = np.abs(matrices[..., 2, 1]) > 1 - 1e-9
    z = np.where(locked, np.arctan2(matrices[..., 1, 0], matrices[..., 0, 0]), z)
    y = np.where(locked, 0.0, y)
    return np.degrees(np.unwrap(np.stack([z, x, y], -1), axis=0))


def _even_frames(take: Take) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """For each frame at a constant rate of ``fps``: the take's frames before and after it, and the weight of the latter."""
    times = take.timestamps - take.timestamps[0]
    count = len(times)
    even = np.arange(count) / take.fps
    if np.abs(times - even).max() > 0.5 / take.fps:
        even = np.arange(round(times[-1] * take.fps) + 1) / take.fps
        position = np.interp(even, times, np.arange(count))
    else:
        position = np.arange(count, dtype=float)
    before = np.floor(position).astype(np.intp)
    return before, np.minimum(before + 1, count - 1), position - before


def _mix(
    values: NDArray[np.float32], before: NDArray[np.intp], after: NDArray[np.intp], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    share = share.reshape(-1, *(1,) * (values.ndim - 1))
    mixed: NDArray[np.float64] = values[before] * (1 - share) + values[after] * share
    return mixed


def _children(take: Take, bone: int) -> list[int]:
    return [int(b) for b in np.flatnonzero(take.bone_parents == bone)]


def _depth_first(take: Take) -> list[int]:
    """The bones' indices in the order of a BVH file: depth first."""
    order: list[int] = []
    waiting = _children(take, -1)
    while waiting:
        order.append(waiting.pop(0))
        waiting = _children(take, order[-1]) + waiting
    return order


def _hierarchy(take: Take, person: int) -> list[str]:
    def offset(metres: NDArray[np.float32]) -> str:
        return "OFFSET " + " ".join(f"{v:.5f}" for v in _TO_Y_UP @ metres * _CENTIMETRES)

    def lines(bone: int, indent: str) -> list[str]:
        inner = indent + "  "
        root = take.bone_parents[bone] < 0
        # The root's position is in its channels only; for other bones the offset is that of the rest pose.
        at = np.zeros(3, np.float32) if root else take.rest_offsets[person, bone]
        channels = "6 Xposition Yposition Zposition" if root else "3"
        block = [f"{indent}{'ROOT' if root else 'JOINT'} {take.bone_names[bone]}", f"{indent}{{", inner + offset(at)]
        block.append(f"{inner}CHANNELS {channels} Zrotation Xrotation Yrotation")
        children = _children(take, bone)
        for child in children:
            block += lines(child, inner)
        if not children:
            block += [f"{inner}End Site", f"{inner}{{", f"{inner}  {offset(_tip(take, person, bone))}", f"{inner}}}"]
        return [*block, f"{indent}}}"]

    return lines(int(np.flatnonzero(take.bone_parents < 0)[0]), "")


def _tip(take: Take, person: int, bone: int) -> NDArray[np.float32]:
    """The end of a bone without children: its joint that is farthest from its head."""
    offsets = take.joint_offsets[person][take.joint_bones == bone]
    tip: NDArray[np.float32] = offsets[np.linalg.norm(offsets, axis=-1).argmax()]
    return tip
