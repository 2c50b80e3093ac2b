"""Rendered people with known joints, seen by the detector: pairs of what BlazePose said and what is true.

``python -m lifter_core.training.synthetic --help`` says how they are made; docs/synthetic.md what they are like.
"""
