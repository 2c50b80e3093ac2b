"""Reading .npz files that may be damaged or made to harm: what a file claims is checked before memory is taken for it."""

import math
import os
import zipfile
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

_MOST_MEMBERS = 1000
_MOST_BYTES = 2 << 30  # of all arrays together
_MOST_EXPANSION = 1032  # bytes out of a byte in: more than that DEFLATE cannot do
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Shaped(Protocol):
    """An array, or the header of one."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...


class Header(NamedTuple):
    """What a member of the file says of its array, and the byte at which the numbers begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    start: int


def read_npz(
    path: str | os.PathLike[str], wanted: Container[str], check: Callable[[Mapping[str, Header]], None] | None = None
) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file whose names are ``wanted``; others are not looked at.

    Args:
        check: is called with the arrays' headers before any array is read, and raises ValueError to refuse the file.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no .npz file, is damaged, or claims more than there can be in it.
    """
    with open(path, "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                members = _members(archive, wanted)
                headers = {name: _header(archive, info) for name, info in members.items()}
                if check is not None:
                    check(headers)
                return {name: _array(archive, info, headers[name]) for name, info in members.items()}
        except Exception as error:  # zipfile, zlib and NumPy's parser raise many kinds at damaged bytes
            raise ValueError(" ".join(str(error).split())[:200] or "damaged") from error


def format_of(path: str | os.PathLike[str]) -> str:
    """What an .npz file's ``format`` says, such as ``lift-take/1``; empty for a file that is none or does not say."""
    try:
        return text_of(read_npz(path, ("format",))["format"])
    except (OSError, ValueError, KeyError):
        return ""


def text_of(array: NDArray[Any]) -> str:
    """The text in an array without dimensions; raises ValueError if there is none."""
    if array.shape or array.dtype.kind != "U":
        raise ValueError("a text is missing")
    return str(array[()])


def check_layout(
    arrays: Mapping[str, Shaped], layout: Mapping[str, tuple[str, str]], most: Mapping[str, int]
) -> dict[str, int]:
    """Whether arrays (or their headers) are of the types and shapes they should be; arrays not in the layout are ignored.

    Args:
        layout: by name the type (``f4``, ``i4``, ``U`` ...) and the shape, a letter or a digit a side: ``PTK2`` is (P, T, K,
            2), and the same letter is the same number everywhere.
        most: by letter how large it may be.

    Returns:
        By letter how large it is.

    Raises:
        ValueError: an array is missing or not as the layout says.
    """
    sides: dict[str, int] = {}
    for name, (kind, shape) in layout.items():
        if name not in arrays:
            raise ValueError(f"{name} is missing")
        array = arrays[name]
        if kind not in (array.dtype.kind, f"{array.dtype.kind}{array.dtype.itemsize}"):
            raise ValueError(f"{name} is of type {array.dtype}, not {kind}")
        expected = tuple(
            int(side) if side.isdigit() else sides.setdefault(side, have)
            for side, have in zip(shape, array.shape, strict=False)
        )
        if len(array.shape) != len(shape) or array.shape != expected:
            wanted = ", ".join(str(sides.get(side, side)) for side in shape)
            raise ValueError(f"{name} is of shape {array.shape}, not ({wanted})")
    for side, size in sides.items():
        if size > most.get(side, size):
            raise ValueError(f"{size} is too much for {side} (at most {most[side]})")
    return sides


def _members(archive: zipfile.ZipFile, wanted: Container[str]) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise ValueError(f"{len(infos)} arrays are too many")
    members = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name not in wanted:
            continue
        if name in members:
            raise ValueError(f"{name} is there twice")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise ValueError(f"{name} is packed in a way that NumPy does not use")
        if info.file_size > _MOST_EXPANSION * (info.compress_size + 1):
            raise ValueError(f"{name} claims to be larger than it can be")
        members[name] = info
    if sum(info.file_size for info in members.values()) > _MOST_BYTES:
        raise ValueError("its arrays are too large")
    return members


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Header:
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise ValueError(f"{info.filename} is of an unknown version")
        shape, fortran, dtype = _HEADERS[version](stream)
        start = stream.tell()
    if dtype.hasobject or dtype.itemsize == 0 or any(side < 0 for side in shape):
        raise ValueError(f"{info.filename} holds no numbers or texts")
    if math.prod(shape) * dtype.itemsize != info.file_size - start:
        raise ValueError(f"{info.filename} is not as large as it says")
    return Header(shape, dtype, fortran, start)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: Header) -> NDArray[Any]:
    with archive.open(info) as stream:
        data = stream.read(info.file_size)  # no more than that is unpacked; at its end the checksum is compared
    flat = np.frombuffer(data, header.dtype, offset=header.start)
    array = flat.reshape(header.shape, order="F" if header.fortran else "C")
    return array.astype(header.dtype.newbyteorder("="), order="C")
