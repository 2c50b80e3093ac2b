"""Exports of a take that do not need Blender: BVH, preview picture and video."""
