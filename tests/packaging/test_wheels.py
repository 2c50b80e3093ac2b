"""What of lifter_core goes into the zip."""

import subprocess
import sys
from pathlib import Path

from tools.wheels import stage_lifter_core


def test_training_is_not_in_the_zip_and_lifting_works_without_it(tmp_path: Path) -> None:
    stage = stage_lifter_core(tmp_path / "stage", with_torch=False)
    staged = {path.relative_to(stage / "lifter_core").as_posix() for path in (stage / "lifter_core").rglob("*")}
    assert not [name for name in staged if "training" in name or name.endswith(("noise.npz", ".safetensors"))]
    assert {"anthropometry.py", "bends.py", "weights/temporal.onnx", "py.typed"} <= staged
    assert "lifter_core.training" not in (stage / "pyproject.toml").read_text("utf-8")
    modules = sorted(
        name.removesuffix(".py").replace("/", ".")
        for name in staged
        if name.endswith(".py") and not name.startswith("models/") and not name.endswith(("__init__.py", "__main__.py"))
    )
    script = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module('lifter_core.' + name)"
    ran = subprocess.run([sys.executable, "-c", script, *modules], cwd=stage, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
