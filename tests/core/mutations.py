"""Damage done to take files, for the tests and for benchmarks/fuzz_takes.py: from flipped bits to well-formed lies."""

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

_ENDS = b"PK\x01\x02"  # begins an entry of a zip's central directory
_TOKENS = (
    "{", "}", "[", "]", ",", ":", '"', "null", "true", "NaN", "-Infinity", "1e999", "-1", "0", "1e400", '"\\ud800"', "\0",
    "[" * 5000, '{"a":' * 60, "9" * 5000, '"heights": [1.7]', '"camera": 3',
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 1 << 70, 1e308, "", "x", "\ud800", [], [None], [1.7], [1.7, 1.8], {}, {"a": [1, 2]}, [[[]]],
    {"still": 1}, {"cuts": [-1]}, [{"thigh": [0.4, -1]}], [{"thigh": [0.4, 0.01]}], {"fov": "wide", "height": []},
)  # fmt: skip
_NUMBERS = (np.nan, np.inf, -np.inf, -1, 0, 1, 2, 3.4e38, 1e308, 1e-320, 2**31 - 1, -(2**31), 1000)
_HEADERS = (
    "'shape': (1000000000, 1000),", "'shape': (-1,),", "'shape': (0, 99999999999999999999),", "'shape': (),", "'descr': '|O',",
    "'descr': '<U0',", "'descr': [('a', '<f4')],", "'descr': '<f16',", "'descr': '<c8',", "'descr': '>f4',",
    "'descr': '<M8[s]',", "'fortran_order': True,", "'shape': 3,", "(" * 200, "[" * 3000, "\\x", "\0", "1" * 5000,
)  # fmt: skip


def mutate(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Damages a take file in one or two ways.

    Returns:
        What was done, and the damaged bytes.
    """
    name = rng.choice(list(MUTATIONS))
    data = MUTATIONS[name](data, rng)
    if rng.random() < 0.1:
        data = _flip_bits(data, rng)
    return name, data


def _flip_bits(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if out:
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 100))
    return data[:at] + rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size))) + data[at + size :]


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _splice(data: bytes, rng: random.Random) -> bytes:
    """A piece taken out, put in twice, or put elsewhere."""
    a, b, c = (rng.randrange(len(data)) for _ in range(3))
    piece = data[min(a, b) : max(a, b)][: rng.choice((1, 16, 1000, 100000))]
    rest = data[: min(a, b)] + data[min(a, b) + len(piece) :]
    return rng.choice((rest, data[:c] + piece + data[c:], rest[:c] + piece + rest[c:]))


def _lie_about_sizes(data: bytes, rng: random.Random) -> bytes:
    """An entry of the zip's directory claims another size, method, flag or place."""
    starts = [i for i in range(len(data)) if data.startswith(_ENDS, i)]
    if not starts:
        return _flip_bits(data, rng)
    at, size = rng.choice(((8, 2), (10, 2), (20, 4), (24, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)))
    value = rng.choice((0, 1, 0xFFFF, (1 << 8 * size) - 1, 0xFFFFFFF0, rng.randrange(1 << 8 * size), 8, 12, 14, 93))
    at += rng.choice(starts)
    return data[:at] + (value & ((1 << 8 * size) - 1)).to_bytes(size, "little") + data[at + size :]


def _inside(change: Callable[[dict[str, bytes], random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    """Changes the files within the zip, and packs them again with fitting sizes and checksums."""

    def mutation(data: bytes, rng: random.Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members, rng)
        out = io.BytesIO()
        with zipfile.ZipFile(
            out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)), compresslevel=1
        ) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return out.getvalue()

    return mutation


def _damage_member(members: dict[str, bytes], rng: random.Random) -> None:
    name = rng.choice(list(members))
    content = members[name]
    if rng.random() < 0.3:
        members[name] = content[:128] + rng.choice((_flip_bits, _overwrite))(content[128:], rng)  # not its header
    else:
        members[name] = rng.choice((_flip_bits, _overwrite, _truncate, _splice))(content, rng)


def _change_members(members: dict[str, bytes], rng: random.Random) -> None:
    """One is missing, called otherwise, stands for another, or is a stranger."""
    one, other = rng.choice(list(members)), rng.choice(list(members))
    what = rng.randrange(4)
    if what == 0:
        del members[one]
    elif what == 1:
        members[one] = members[other]
    elif what == 2:
        members[rng.choice(("joint_sigma.npy", "camera_zoom.npy", "future.npy", "meta.npy", "minor.npy", "x/"))] = (
            members[one]
        )
    else:
        members[one] = _npy(
            rng.choice(("text", 1, -1.5, True, [1, 2], [["a"]], np.zeros((2, 0)), np.ones((1, 4, 30, 3))))
        )


def _change_header(members: dict[str, bytes], rng: random.Random) -> None:
    """An array's header says something else, at its right length."""
    name = rng.choice(list(members))
    content = members[name]
    (size,) = struct.unpack("<H", content[8:10])
    header, data = content[10 : 10 + size].decode("latin1"), content[10 + size :]
    at, cut = rng.randrange(len(header)), rng.choice((0, 1, 5, 20))
    key = rng.choice(_HEADERS)
    start = header.find(key.split(":")[0]) if ":" in key else -1
    if start >= 0:
        ends = {"'shape'": "), ", "'descr'": ", ", "'fortran_order'": ", "}[key.split(":")[0]]
        header = header[:start] + key + " " + header[header.find(ends, start) + len(ends) :]
    else:
        header = header[:at] + key + header[at + cut :]
    packed = header.encode("latin1")
    members[name] = content[:8] + struct.pack("<H", len(packed)) + packed + data


def _change_numbers(members: dict[str, bytes], rng: random.Random) -> None:
    """Some numbers of an array are special ones; now and then, its type is another one."""
    name = rng.choice(list(members))
    array = np.load(io.BytesIO(members[name])).copy()
    if array.dtype.kind in "fib" and array.size:
        with np.errstate(all="ignore"):
            if rng.random() < 0.2:
                array = array.astype(rng.choice(("f2", "f8", ">f4", "i8", "u1", "?", "i2")))
            flat = array.reshape(-1)
            for _ in range(rng.choice((1, 1, 3))):
                value = np.array(rng.choice(_NUMBERS)).astype(array.dtype)
                flat[rng.randrange(len(flat)) if rng.random() < 0.8 else slice(None)] = value
    elif array.dtype.kind == "U" and array.ndim:
        array[rng.randrange(len(array))] = rng.choice(("", "\n", "\ud800", array[0], "other"))
    members[name] = _npy(array)


def _splice_json(members: dict[str, bytes], rng: random.Random) -> None:
    text = _meta(members)
    for _ in range(rng.choice((1, 1, 3))):
        a, b = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        piece = rng.choice((rng.choice(_TOKENS), text[min(a, b) : max(a, b)], ""))
        text = text[:a] + piece + text[a + rng.choice((0, 0, 1, 10)) :]
    members["meta.npy"] = _npy(text)


def _change_json(members: dict[str, bytes], rng: random.Random) -> None:
    """The metadata hold a value of another type, an unknown key, or lack one."""
    values: Any = json.loads(_meta(members))
    inner = values[rng.choice(("camera", "options"))] if rng.random() < 0.3 else values
    key = rng.choice([*inner, "bodies", "heights", "unknown", "extra"])
    if rng.random() < 0.2:
        inner.pop(key, None)
    else:
        inner[key] = rng.choice(_VALUES)
    members["meta.npy"] = _npy(json.dumps(values))


def _meta(members: dict[str, bytes]) -> str:
    return str(np.load(io.BytesIO(members["meta.npy"])))


def _npy(value: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(value))
    return out.getvalue()


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": _flip_bits,
    "bytes overwritten": _overwrite,
    "truncated": _truncate,
    "spliced": _splice,
    "zip directory changed": _lie_about_sizes,
    "array's bytes damaged": _inside(_damage_member),
    "arrays exchanged": _inside(_change_members),
    "array's header changed": _inside(_change_header),
    "numbers changed": _inside(_change_numbers),
    "JSON spliced": _inside(_splice_json),
    "JSON values changed": _inside(_change_json),
}
