"""Reading .npz files that may be damaged or hostile: sizes are checked before memory is used, and nothing is unpickled."""

import io
import math
import struct
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import BadInputError

MAX_BYTES = 4 << 30
"""Of all arrays read from one file together."""

MAX_TEXT_BYTES = 4 << 20
"""Of one array of text; such arrays become Python strings, which need many times their size."""

Shapes = Mapping[str, tuple[int, ...]]

_HEADER_BYTES = 4096  # an array's header is far shorter
_DEFLATE_RATIO = 1032  # deflate cannot compress further
_KINDS = "biufU"  # booleans, integers, floats, text

# What zipfile, zlib and NumPy's header parser raise when the bytes are wrong. MemoryError comes from deep nesting in a
# header; RuntimeError from encrypted entries, and covers RecursionError and NotImplementedError.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, EOFError, OSError, ValueError, TypeError,
    LookupError, SyntaxError, ArithmeticError, RuntimeError, MemoryError,
)  # fmt: skip


class _Entry(NamedTuple):
    """One array in the file: its place in the zip, where its data begin, and what its header says."""

    info: zipfile.ZipInfo
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool


def read_npz(
    stream: BinaryIO, names: Collection[str], check: Callable[[Shapes], None] | None = None
) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file that are asked for; the others in it are not read, those it lacks are left out.

    Args:
        stream: the file, seekable; names: of the arrays, without ``.npy``.
        check: is given the shapes by name before any array is read, and raises BadInputError if they are wrong.

    Returns:
        The arrays by name, read-only: booleans, numbers or text.

    Raises:
        BadInputError: what is wrong, as a clause without the file's name: no .npz file, damaged, larger than MAX_BYTES,
            or an array that only pickle could read.
    """
    try:
        if stream.seek(0, io.SEEK_END) > MAX_BYTES:  # its directory alone could be as large
            raise BadInputError(f"it is larger than {MAX_BYTES} bytes")
        with zipfile.ZipFile(stream) as archive:
            entries = _entries(archive, names)
            if check is not None:
                check({name: entry.shape for name, entry in entries.items()})
            return {name: _data(archive, name, entry) for name, entry in entries.items()}
    except _DAMAGE as error:
        raise BadInputError(f"it is no .npz file, or damaged ({type(error).__name__})") from None


def _entries(archive: zipfile.ZipFile, names: Collection[str]) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name in names and info.filename.endswith(".npy"):
            if name in entries:
                raise BadInputError(f"it holds {name} twice")
            entries[name] = _entry(archive, name, info)
    total = sum(entry.info.file_size for entry in entries.values())
    if total > MAX_BYTES:
        raise BadInputError(f"it claims {total} bytes of arrays, and at most {MAX_BYTES} are read")
    return entries


def _entry(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> _Entry:
    """Reads an array's header, and compares the sizes that it and the zip claim with what is there."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInputError(f"{name} is compressed by another method than deflate")
    ratio = 1 if info.compress_type == zipfile.ZIP_STORED else _DEFLATE_RATIO
    if info.file_size > info.compress_size * ratio:
        raise BadInputError(f"{name} claims {info.file_size} bytes but is stored in {info.compress_size}")
    with archive.open(info) as packed:
        head = io.BytesIO(packed.read(_HEADER_BYTES))
    version = np.lib.format.read_magic(head)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(head)
    else:
        raise BadInputError(f"{name} has an unknown .npy version")
    if dtype.kind not in _KINDS or dtype.shape or not dtype.itemsize:
        raise BadInputError(f"{name} holds neither numbers nor text")
    if len(shape) > 8 or any(size < 0 for size in shape):
        raise BadInputError(f"{name} has the impossible shape {shape}")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != info.file_size - head.tell():
        raise BadInputError(f"{name} claims {claimed} bytes but has {info.file_size - head.tell()}")
    if dtype.kind == "U" and claimed > MAX_TEXT_BYTES:
        raise BadInputError(f"{name} is longer than text may be")
    return _Entry(info, head.tell(), shape, dtype, fortran)


def _data(archive: zipfile.ZipFile, name: str, entry: _Entry) -> NDArray[Any]:
    with archive.open(entry.info) as packed:
        packed.read(entry.offset)
        data = packed.read(entry.info.file_size - entry.offset)  # without a size all that is packed would be unpacked
    if len(data) != math.prod(entry.shape) * entry.dtype.itemsize:
        raise BadInputError(f"{name} is cut short")
    if data:
        array = np.frombuffer(data, entry.dtype).reshape(entry.shape, order="F" if entry.fortran else "C")
    else:
        array = np.zeros(entry.shape, entry.dtype)
    if entry.dtype.kind == "U":
        characters = np.frombuffer(data, np.dtype("u4").newbyteorder(entry.dtype.byteorder))
        if (characters > sys.maxunicode).any():
            raise BadInputError(f"{name} holds what are no characters")
    if entry.dtype.kind == "b" and data.translate(None, b"\0\1"):
        raise BadInputError(f"{name} holds bytes that are neither true nor false")
    return array
