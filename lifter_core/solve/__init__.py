"""Lifted joints of whole clips to a performance: camera, root path, floor, constant bones, rotations."""

from .performance import SolveOptions, solve

__all__ = ["SolveOptions", "solve"]
