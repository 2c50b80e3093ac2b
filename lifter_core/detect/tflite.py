"""Adding MediaPipe's metadata to a .tflite model: how its input picture is scaled, which the Tasks API insists on."""

import struct
from collections.abc import Sequence

_NAME = b"TFLITE_METADATA"
_MODEL_FIELDS = 8  # version, operator_codes, subgraphs, description, buffers, metadata_buffer, metadata, signature_defs
_OPERATORS, _SUBGRAPHS, _DESCRIPTION, _BUFFERS, _METADATA_BUFFER, _METADATA, _SIGNATURES = range(1, 8)


def add_metadata(model: bytes, metadata: bytes) -> bytes:
    """The model with one more buffer, ``metadata`` (a flatbuffer), registered under TFLite's name for it.

    A new root table is put in front and points back into the old flatbuffer, which stays as it is byte for byte. A
    model that already has metadata is returned unchanged.

    Raises:
        ValueError: ``model`` is no TFLite flatbuffer.
    """
    if model[4:8] != b"TFL3":
        raise ValueError("not a TFLite model")
    root = _u32(model, 0)
    fields = [_field(model, root, i) for i in range(_MODEL_FIELDS)]
    buffers = _vector(model, fields[_BUFFERS])
    entries = _vector(model, fields[_METADATA]) if fields[_METADATA] else []
    if any(_string(model, _field(model, entry, 0)) == _NAME for entry in entries):
        return model

    out = _Builder(b"\0\0\0\0TFL3")
    copied = [i for i in (_OPERATORS, _SUBGRAPHS, _DESCRIPTION, _METADATA_BUFFER, _SIGNATURES) if fields[i]]
    present = {0, _BUFFERS, _METADATA, *copied}
    table = out.table([4 + 4 * i if i in present else 0 for i in range(_MODEL_FIELDS)], 4 + 4 * _MODEL_FIELDS)
    out.put(0, "<I", table)
    out.put(table + 4, "<I", _u32(model, fields[0]) if fields[0] else 3)
    for i in copied:
        out.point_to_old(table + 4 + 4 * i, fields[i] + _u32(model, fields[i]))
    new_buffer = out.vector(table + 4 + 4 * _BUFFERS, buffers)
    new_entry = out.vector(table + 4 + 4 * _METADATA, entries)

    entry = out.table([4, 8], 12)  # Metadata { name, buffer }
    out.put(new_entry, "<I", entry - new_entry)
    out.put(entry + 8, "<I", len(buffers))
    out.point_here(entry + 4)
    out.bytes += struct.pack("<I", len(_NAME)) + _NAME + b"\0"
    buffer = out.table([4], 8)  # Buffer { data }
    out.put(new_buffer, "<I", buffer - new_buffer)
    out.pad(16, ahead=4)
    out.point_here(buffer + 4)
    out.bytes += struct.pack("<I", len(metadata)) + metadata
    return out.followed_by(model)


class _Builder:
    """A flatbuffer's front part under construction; offsets into the old one are filled in last."""

    def __init__(self, head: bytes) -> None:
        self.bytes = bytearray(head)
        self._old: list[tuple[int, int]] = []

    def put(self, at: int, layout: str, value: int) -> None:
        struct.pack_into(layout, self.bytes, at, value)

    def pad(self, to: int, ahead: int = 0) -> None:
        while (len(self.bytes) + ahead) % to:
            self.bytes.append(0)

    def table(self, offsets: Sequence[int], size: int) -> int:
        """Appends a vtable and an empty table of ``size`` bytes; returns where the table is."""
        vtable = len(self.bytes)
        self.bytes += struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), size, *offsets)
        self.pad(4)
        table = len(self.bytes)
        self.bytes += struct.pack("<i", table - vtable) + bytes(size - 4)
        return table

    def vector(self, field: int, old: Sequence[int]) -> int:
        """Appends a vector of the old tables and one new; returns where the new one's offset goes."""
        self.point_here(field)
        self.bytes += struct.pack("<I", len(old) + 1)
        for table in old:
            self.point_to_old(len(self.bytes), table)
            self.bytes += bytes(4)
        self.bytes += bytes(4)
        return len(self.bytes) - 4

    def point_here(self, field: int) -> None:
        self.put(field, "<I", len(self.bytes) - field)

    def point_to_old(self, field: int, target: int) -> None:
        self._old.append((field, target))

    def followed_by(self, old: bytes) -> bytes:
        self.pad(64)
        for field, target in self._old:
            self.put(field, "<I", len(self.bytes) + target - field)
        return bytes(self.bytes) + old


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, index: int) -> int:
    """Where field ``index`` of a table is, 0 if it is absent."""
    vtable = table - int(struct.unpack_from("<i", data, table)[0])
    size: int = struct.unpack_from("<H", data, vtable)[0]
    if 4 + 2 * index + 2 > size:
        return 0
    offset: int = struct.unpack_from("<H", data, vtable + 4 + 2 * index)[0]
    return table + offset if offset else 0


def _vector(data: bytes, field: int) -> list[int]:
    """Where the tables of a vector of tables are."""
    vector = field + _u32(data, field)
    return [at + _u32(data, at) for at in range(vector + 4, vector + 4 + 4 * _u32(data, vector), 4)]


def _string(data: bytes, field: int) -> bytes:
    at = field + _u32(data, field)
    return data[at + 4 : at + 4 + _u32(data, at)]
