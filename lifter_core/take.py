"""The take: a solved performance, and its file (``lift-take/1``, a plain .npz any program can read).

World: Z up, right-handed, metres, floor at z = 0. Camera: OpenCV axes (x right, y down, z forward), x_cam = R x + t.
"""

import io
import json
import os
import zipfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError
from .files import replaced

FORMAT = "lift-take/1"


@dataclass
class Take:
    """P people, T frames, J joints, B bones, K keypoints. Arrays are as in the file; see docs/take.md.

    A joint is a point fixed to a bone: ``positions[p,t,j] = head(bone) + R(bone) @ joint_offsets[p,j]``, where R is the
    product of the local ``rotations`` down the bone's ancestors and head(bone) = head(parent) + R(parent) @
    ``rest_offsets``; the root bone's head is ``root_positions``. All rest frames are the world's axes (a T-pose facing -Y).
    """

    fps: float
    timestamps: NDArray[np.float64]  # (T,) s
    joint_names: tuple[str, ...]
    joint_parents: NDArray[np.int32]  # (J,)
    joint_bones: NDArray[np.int32]  # (J,) the bone each joint is fixed to
    joint_offsets: NDArray[np.float32]  # (P, J, 3) m, from the bone's head, in the rest pose
    positions: NDArray[np.float32]  # (P, T, J, 3) m, world; NaN while a person is absent
    bone_names: tuple[str, ...]
    bone_parents: NDArray[np.int32]  # (B,), parents come first
    rotations: NDArray[np.float32]  # (P, T, B, 4) wxyz, local, continuous; NaN while absent
    rest_offsets: NDArray[np.float32]  # (P, B, 3) m, head from the parent's head in the rest pose
    root_positions: NDArray[np.float32]  # (P, T, 3) m, world; NaN while absent
    keypoint_names: tuple[str, ...]
    keypoints: NDArray[np.float32]  # (P, T, K, 3) x, y px of the upright picture, confidence 0..1; NaN if not found
    observed: NDArray[np.bool_]  # (P, T) false where interpolated or absent
    contacts: NDArray[np.bool_]  # (P, T, 2) left, right foot on the floor
    image_size: tuple[int, int]  # w, h px
    camera_matrix: NDArray[np.float64]  # (3, 3)
    camera_rotation: NDArray[np.float64]  # (T, 3, 3) world to camera
    camera_translation: NDArray[np.float64]  # (T, 3) m, world to camera
    meta: dict[str, Any] = field(default_factory=dict)
    keypoints_world: NDArray[np.float32] | None = None  # (P, T, K, 3) m, the detector's own 3D; None = it gave none
    camera_zoom: NDArray[np.float64] | None = (
        None  # (T,) focal length over camera_matrix's; None = the lens does not zoom
    )
    # (T, 4) the camera's movement as the background shows it, whether believed or not (meta["camera"]): rotation vector from
    # the first frame's camera axes, log of the zoom
    camera_turns: NDArray[np.float64] | None = None

    @property
    def present(self) -> NDArray[np.bool_]:
        """(P, T) true where the person has a pose (observed or interpolated)."""
        return np.asarray(np.isfinite(self.root_positions).all(-1))


_TEXT = ("joint_names", "bone_names", "keypoint_names")


def save_take(take: Take, path: str | os.PathLike[str]) -> None:
    """Writes the take to a temporary name beside ``path`` and moves it into place."""
    arrays: dict[str, Any] = {"format": np.array(FORMAT)}
    for f in fields(Take):
        value = getattr(take, f.name)
        if value is None:
            continue
        arrays[f.name] = np.array(json.dumps(value)) if f.name == "meta" else np.array(value)
    with replaced(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def load_take(path: str | os.PathLike[str]) -> Take:
    """Reads a take file.

    Raises:
        BadInputError: the file is missing, is no take, or is of another format version.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BadInputError(f"The take {path} cannot be read: {error.strerror}.") from None
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as z:
            arrays = {name: z[name] for name in z.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        raise BadInputError(f"{path} is not a take file.") from None
    if str(arrays.get("format")) != FORMAT:
        raise BadInputError(f"{path} is not a {FORMAT} file (it says {arrays.get('format')}); lift the clip again.")
    missing = [f.name for f in fields(Take) if f.name not in arrays and f.default is not None]
    if missing:
        raise BadInputError(f"{path} is an incomplete take (it lacks {', '.join(missing)}); lift the clip again.")
    values: dict[str, Any] = {f.name: arrays.get(f.name) for f in fields(Take)}
    for name in _TEXT:
        values[name] = tuple(str(x) for x in arrays[name])
    values["fps"] = float(arrays["fps"])
    values["image_size"] = (int(arrays["image_size"][0]), int(arrays["image_size"][1]))
    values["meta"] = json.loads(str(arrays["meta"]))
    return Take(**values)
