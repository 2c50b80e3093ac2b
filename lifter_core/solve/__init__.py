"""Keypoints and lifted joints of a whole clip to a take: camera, path, floor, the person's bones, rotations."""

from ..options import SolveOptions, options_from
from .solver import solve_joints

__all__ = ["SolveOptions", "options_from", "solve_joints"]
