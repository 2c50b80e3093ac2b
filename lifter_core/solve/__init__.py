"""Lifted joints of whole clips to a performance: camera, root path, floor, constant bones, rotations."""

from ..options import SolveOptions, options_from
from .performance import solve

__all__ = ["SolveOptions", "options_from", "solve"]
