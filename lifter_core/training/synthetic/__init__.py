"""Rendered people with known joints, seen by the detector: pairs of (what BlazePose said, what is true).

python -m lifter_core.training.synthetic render OUT --body MPFB2 --mocap FOLDER     (a Python with bpy)
python -m lifter_core.training.synthetic detect OUT                                 (a Python with mediapipe)
python -m lifter_core.training.synthetic pack OUT
python -m lifter_core.training.synthetic analyse OUT/pairs.npz
"""
