"""Markerless motion capture from one ordinary video: 2D detection, 2D-to-3D lifting, and a solver. Knows nothing of Blender."""

__version__ = "0.1.0"
