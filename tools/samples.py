"""What the commands fetch beside packages, into ``.cache/``: the pose models and the sample clip."""

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from .environments import CACHE, LOCKS, SetupError, environment, run

_CLIP_MEMBER = "Sports2D/Demo/demo.mp4"
_CLIP_SHA256 = "d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039"


def clip() -> Path:
    """The sample clip (sports2d's demo, BSD-3-Clause), taken out of its wheel.

    Raises:
        SetupError: it could not be downloaded, or is not the known file.
    """
    path = CACHE / "demo.mp4"
    if path.exists():
        return path
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
        run([*pip, "-r", LOCKS / "clip.lock", "-d", folder], "Downloading the sample clip")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            data = wheel.read(_CLIP_MEMBER)
    if hashlib.sha256(data).hexdigest() != _CLIP_SHA256:
        raise SetupError("The sample clip is not the known file; give run.py a clip of your own.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def models(python: Path) -> Path:
    """The folder of MediaPipe's pose models, made by ``python``, which has lifter_core.

    Raises:
        SetupError: they could not be made.
    """
    folder = CACHE / "models"
    if not all((folder / f"pose_landmarker_{size}.task").exists() for size in ("lite", "full", "heavy")):
        path = os.environ.get("PATH", os.defpath)
        if shutil.which("npm") is None:
            node = environment("node", Path(sys.executable), ["node"])
            path = os.pathsep.join([str(node.parent), path])
        run(
            [python, "-m", "lifter_core", "setup", folder],
            "Making the pose models",
            PATH=path,
        )
    return folder
