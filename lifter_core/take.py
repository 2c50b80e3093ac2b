"""The take: a solved performance, and its file (``lift-take/1``, a plain .npz any program can read).

World: Z up, right-handed, metres, floor at z = 0. Camera: OpenCV axes (x right, y down, z forward), x_cam = R x + t.
"""

import os
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError
from .files import replaced
from .npz import Shapes, read_npz
from .take_meta import TakeMeta

FORMAT = "lift-take/1"
MINOR = 1
"""The minor version that is written; files without ``minor`` are of version 0. A newer one only adds arrays and keys."""


@dataclass(frozen=True, eq=False)
class Take:
    """P people, T frames, J joints, B bones, K keypoints. Arrays are as in the file; see docs/take.md.

    A joint is a point fixed to a bone: ``positions[p,t,j] = head(bone) + R(bone) @ joint_offsets[p,j]``, where R is the
    product of the local ``rotations`` down the bone's ancestors and head(bone) = head(parent) + R(parent) @
    ``rest_offsets``; the root bone's head is ``root_positions``. All rest frames are the world's axes (a T-pose facing -Y).

    A take checks itself when made and is not changed afterwards: its arrays are read-only views of those given, in the
    types named here; ``dataclasses.replace`` makes another one.

    Raises:
        BadInputError: an array is missing, of the wrong type or shape, not finite where it has to be, or contradicts
            another one.
    """

    fps: float
    timestamps: NDArray[np.float64]  # (T,) s, rising
    joint_names: tuple[str, ...]
    joint_parents: NDArray[np.int32]  # (J,) a tree, -1 = root
    joint_bones: NDArray[np.int32]  # (J,) the bone each joint is fixed to
    joint_offsets: NDArray[np.float32]  # (P, J, 3) m, from the bone's head, in the rest pose
    positions: NDArray[np.float32]  # (P, T, J, 3) m, world; NaN while a person is absent
    bone_names: tuple[str, ...]
    bone_parents: NDArray[np.int32]  # (B,), the root (-1) is the first, and parents come before their children
    rotations: NDArray[np.float32]  # (P, T, B, 4) wxyz, local, of length 1, continuous; NaN while absent
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
    meta: TakeMeta = field(default_factory=TakeMeta)
    keypoints_world: NDArray[np.float32] | None = None  # (P, T, K, 3) m, the detector's own 3D; None = it gave none
    # (T,) focal length over camera_matrix's; None = the lens does not zoom
    camera_zoom: NDArray[np.float64] | None = None
    # (T, 4) the camera's movement as the background shows it, whether believed or not (meta.camera): rotation vector from
    # the first frame's camera axes, log of the zoom
    camera_turns: NDArray[np.float64] | None = None
    # (P, T, J) m, the standard deviation of each joint's position; NaN where not known; None = not known at all
    joint_sigma: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Checks the take."""
        for name in _TEXT:
            _set(self, name, _names(name, getattr(self, name)))
        arrays = {name: np.asarray(value) for name in _ARRAYS if (value := getattr(self, name)) is not None}
        lengths = {name: (len(getattr(self, name)),) for name in (*_TEXT, "image_size")}
        _check_shapes({name: array.shape for name, array in arrays.items()} | lengths)
        for name, array in arrays.items():
            _set(self, name, _typed(name, array))
        with np.errstate(all="ignore"):  # numbers near a float's limit overflow to infinity, which fails the checks
            _check_clock_and_camera(self)
            _check_skeleton(self)
            _check_motion(self)
        _need(isinstance(self.meta, TakeMeta), "meta is no TakeMeta")
        people = len(self.positions)
        for what, each in (("heights", self.meta.heights), ("bodies", self.meta.bodies)):
            _need(len(each) in (0, people), f"meta has {len(each)} {what} for {people} people")

    @property
    def present(self) -> NDArray[np.bool_]:
        """(P, T) true where the person has a pose (observed or interpolated)."""
        return np.asarray(np.isfinite(self.root_positions).all(-1))


_TEXT = ("joint_names", "bone_names", "keypoint_names")
_ARRAYS: dict[str, tuple[type[np.generic], str]] = {  # the type, and the length of each axis as in Take's docstring
    "timestamps": (np.float64, "T"),
    "joint_parents": (np.int32, "J"),
    "joint_bones": (np.int32, "J"),
    "joint_offsets": (np.float32, "PJ3"),
    "positions": (np.float32, "PTJ3"),
    "bone_parents": (np.int32, "B"),
    "rotations": (np.float32, "PTB4"),
    "rest_offsets": (np.float32, "PB3"),
    "root_positions": (np.float32, "PT3"),
    "keypoints": (np.float32, "PTK3"),
    "observed": (np.bool_, "PT"),
    "contacts": (np.bool_, "PT2"),
    "camera_matrix": (np.float64, "33"),
    "camera_rotation": (np.float64, "T33"),
    "camera_translation": (np.float64, "T3"),
    "keypoints_world": (np.float32, "PTK3"),
    "camera_zoom": (np.float64, "T"),
    "camera_turns": (np.float64, "T4"),
    "joint_sigma": (np.float32, "PTJ"),
}
_AXES = {name: axes for name, (_, axes) in _ARRAYS.items()} | {
    "joint_names": "J",
    "bone_names": "B",
    "keypoint_names": "K",
    "image_size": "2",
}
_NEEDED = [f.name for f in fields(Take) if f.default is MISSING and f.name in _AXES]
_LARGEST_IMAGE = 1_000_000  # px a side
_TOLERANCE = 1e-3  # of a quaternion's length and of a rotation matrix's products


def save_take(take: Take, path: str | os.PathLike[str]) -> None:
    """Writes the take to a temporary name beside ``path`` and moves it into place."""
    arrays: dict[str, Any] = {"format": np.array(FORMAT), "minor": np.array(MINOR)}
    for f in fields(Take):
        value = getattr(take, f.name)
        if f.name == "meta":
            arrays[f.name] = np.array(value.to_json())
        elif value is not None:
            arrays[f.name] = np.array(value, str if f.name in _TEXT else None)
    with replaced(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def load_take(path: str | os.PathLike[str]) -> Take:
    """Reads a take file.

    Raises:
        BadInputError: the file is missing, is no take, is damaged, or is of another format version.
    """
    try:
        with open(path, "rb") as stream:
            return read_take(stream)
    except OSError as error:
        raise BadInputError(f"The take {path} cannot be read: {error.strerror}.") from None
    except BadInputError as error:
        raise BadInputError(f"{path} is not a take that can be read: {error}; lift the clip again.") from None


def read_take(stream: BinaryIO) -> Take:
    """Reads a take from an open file of any minor version; arrays that it does not know are ignored.

    A file of version 0 becomes a take of the present version as it is: what was added since is optional.

    Raises:
        BadInputError: what is wrong, as a clause without the file's name.
    """
    head = read_npz(stream, ("format", "minor"))
    said = _scalar(head, "format", "U") if "format" in head else None
    _need(said == FORMAT, f"it is not a {FORMAT} file (it says {ascii(said)[:40]})")
    _need("minor" not in head or _scalar(head, "minor", "iu") >= 0, "minor is below 0")
    arrays = read_npz(stream, [f.name for f in fields(Take)], _check_shapes)
    values: dict[str, Any] = {name: arrays[name] for name in _ARRAYS if name in arrays}
    for name in _TEXT:
        _need(arrays[name].dtype.kind == "U", f"{name} is no text")
        values[name] = tuple(arrays[name].tolist())
    size = arrays["image_size"]
    _need(size.dtype.kind in "iu", "image_size is not whole numbers")
    width, height = size.tolist()
    fps, meta = float(_scalar(arrays, "fps", "fiu")), TakeMeta.from_json(_scalar(arrays, "meta", "U"))
    return Take(fps=fps, image_size=(width, height), meta=meta, **values)


def _check_shapes(shapes: Shapes) -> None:
    """Compares the shapes of a take's arrays (and the numbers of names) with each other.

    Raises:
        BadInputError: one is missing, or does not fit.
    """
    missing = [name for name in _NEEDED if name not in shapes]
    _need(not missing, f"it lacks {', '.join(missing)}")
    people, frames = (*shapes["root_positions"], 0, 0)[:2]
    sizes = {"P": people, "T": frames}
    for axis, name in (("J", "joint_names"), ("B", "bone_names"), ("K", "keypoint_names")):
        sizes[axis] = shapes[name][0] if shapes[name] else 0
    for name, shape in shapes.items():
        if name in _AXES:
            wanted = tuple(sizes[axis] if axis in sizes else int(axis) for axis in _AXES[name])
            _need(shape == wanted, f"{name} has the shape {shape} and not {wanted}")
    for axis, what in (("P", "people"), ("T", "frames"), ("J", "joints"), ("B", "bones")):
        _need(sizes[axis] > 0, f"it has no {what}")


def _typed(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view in the type the field has, or a copy if it comes in another one."""
    dtype = np.dtype(_ARRAYS[name][0])
    allowed = {"f": "fiu", "i": "iu", "b": "b"}[dtype.kind]
    _need(array.dtype.kind in allowed, f"{name} has the type {array.dtype} and not {dtype}")
    if dtype.kind == "i":
        limits = np.iinfo(dtype)
        _need(bool(((array >= limits.min) & (array <= limits.max)).all()), f"{name} is out of range")
    with np.errstate(all="ignore"):
        view = array.astype(dtype, copy=False).view()
    view.flags.writeable = False
    return view


def _names(name: str, value: Any) -> tuple[str, ...]:
    names = tuple(value)
    fit = all(isinstance(one, str) and one and one.isprintable() for one in names) and len(set(names)) == len(names)
    _need(fit, f"{name} are not names that differ")
    return names


def _check_clock_and_camera(take: Take) -> None:
    _need(bool(np.isfinite(take.fps) and take.fps > 0), "fps is not above 0")
    times = take.timestamps
    _need(_finite(times) and bool((times[1:] > times[:-1]).all()), "timestamps do not rise")
    _need(
        all(0 < side <= _LARGEST_IMAGE for side in take.image_size), "image_size is not a width and a height in pixels"
    )
    matrix = take.camera_matrix
    _need(_finite(matrix) and matrix[0, 0] > 0 and matrix[1, 1] > 0, "camera_matrix has no focal length")
    turn = take.camera_rotation
    off = np.abs(turn @ np.swapaxes(turn, 1, 2) - np.eye(3)).max()
    _need(bool(off < _TOLERANCE and (np.linalg.det(turn) > 0).all()), "camera_rotation are not rotations")
    _need(_finite(take.camera_translation), "camera_translation is not finite")
    _need(take.camera_turns is None or _finite(take.camera_turns), "camera_turns are not finite")
    zoom = take.camera_zoom
    _need(zoom is None or (_finite(zoom) and bool((zoom > 0).all())), "camera_zoom is not above 0")


def _check_skeleton(take: Take) -> None:
    bones, joints = len(take.bone_names), len(take.joint_names)
    parents = take.bone_parents
    rooted = parents[0] == -1 and bool(((parents[1:] >= 0) & (parents[1:] < np.arange(1, bones))).all())
    _need(rooted, "bone_parents do not begin with the only root, or name a child before its parent")
    _need(
        bool(((take.joint_bones >= 0) & (take.joint_bones < bones)).all()), "joint_bones name bones that are not there"
    )
    up = np.append(
        np.where(take.joint_parents == -1, joints, take.joint_parents), joints
    )  # the last is above all roots
    known = bool(((up >= 0) & (up <= joints)).all() and (take.joint_parents < joints).all())
    for _ in range(joints.bit_length() if known else 0):
        up = up[up]  # each time twice as far up
    _need(known and bool((up == joints).all()), "joint_parents are no tree")
    _need(_finite(take.joint_offsets), "joint_offsets are not finite")
    _need(_finite(take.rest_offsets), "rest_offsets are not finite")


def _check_motion(take: Take) -> None:
    present = take.present
    for name in ("root_positions", "positions", "rotations"):
        array = getattr(take, name).reshape(*present.shape, -1)
        _need(bool(np.isfinite(array[present]).all()), f"{name} are not finite where the person is present")
        _need(bool(np.isnan(array[~present]).all()), f"{name} are not NaN where the person is absent")
    lengths = np.linalg.norm(take.rotations[present], axis=-1)
    _need(bool((np.abs(lengths - 1) < _TOLERANCE).all()), "rotations are not quaternions of length 1")
    _need(not (take.observed & ~present).any(), "observed names frames in which the person is absent")
    for name in ("keypoints", "keypoints_world", "joint_sigma"):
        array = getattr(take, name)
        _need(array is None or not np.isinf(array).any(), f"{name} are infinite")
    _need(take.joint_sigma is None or not (take.joint_sigma < 0).any(), "joint_sigma is below 0")


def _finite(array: NDArray[Any]) -> bool:
    return bool(np.isfinite(array).all())


def _scalar(arrays: dict[str, NDArray[Any]], name: str, kinds: str) -> Any:
    _need(name in arrays, f"it lacks {name}")
    _need(arrays[name].shape == () and arrays[name].dtype.kind in kinds, f"{name} is not a single value of its type")
    return arrays[name].item()


def _set(take: Take, name: str, value: Any) -> None:
    object.__setattr__(take, name, value)


def _need(fits: bool, otherwise: str) -> None:
    if not fits:
        raise BadInputError(otherwise)
