"""Files that other programs read, made from a take without Blender."""
