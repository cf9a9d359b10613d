"""The records of the specification, each in one place for the writer and the reader.

Every class has ``pack() -> bytes`` and ``parse(cursor)``; its docstring names its section.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import NamedTuple, Self

from fiducial.io.rntuple.frames import Cursor, record_frame, string

__all__ = [
    "COLUMN_TYPES",
    "AliasRecord",
    "ClusterGroupRecord",
    "ClusterSummary",
    "ColumnFlag",
    "ColumnRecord",
    "ColumnType",
    "EnvelopeLink",
    "FieldFlag",
    "FieldRecord",
    "Locator",
    "Role",
]

NOT_SET = 0xFFFF_FFFF


class Role(IntEnum):
    """Structural role of a field ("Field Description")."""

    LEAF = 0
    COLLECTION = 1
    RECORD = 2
    VARIANT = 3
    STREAMER = 4


class FieldFlag(IntFlag):
    """Flags of a field ("Field Description")."""

    REPETITIVE = 1
    PROJECTED = 2
    TYPE_CHECKSUM = 4


class ColumnFlag(IntFlag):
    """Flags of a column ("Column Description")."""

    DEFERRED = 1
    RANGE = 2


class ColumnType(NamedTuple):
    """One row of the table of column types ("Column Description").

    dtype    numpy's type of an element in memory
    packed   bits on storage are not those of the dtype: bit fields
    """

    code: int
    name: str
    bits: int
    dtype: str
    split: bool = False
    delta: bool = False
    zigzag: bool = False
    packed: bool = False


def _table() -> dict[int, ColumnType]:
    plain = [
        ("Bit", 1, "bool"), ("Byte", 8, "u1"), ("Char", 8, "u1"), ("Int8", 8, "i1"),
        ("UInt8", 8, "u1"), ("Int16", 16, "i2"), ("UInt16", 16, "u2"), ("Int32", 32, "i4"),
        ("UInt32", 32, "u4"), ("Int64", 64, "i8"), ("UInt64", 64, "u8"), ("Real16", 16, "f2"),
        ("Real32", 32, "f4"), ("Real64", 64, "f8"), ("Index32", 32, "u4"), ("Index64", 64, "u8"),
        ("Switch", 96, "u4"),
    ]  # fmt: skip
    split = [
        ("SplitInt16", 16, "i2"), ("SplitUInt16", 16, "u2"), ("SplitInt32", 32, "i4"),
        ("SplitUInt32", 32, "u4"), ("SplitInt64", 64, "i8"), ("SplitUInt64", 64, "u8"),
        ("SplitReal16", 16, "f2"), ("SplitReal32", 32, "f4"), ("SplitReal64", 64, "f8"),
        ("SplitIndex32", 32, "u4"), ("SplitIndex64", 64, "u8"),
    ]  # fmt: skip
    rows = [
        ColumnType(code, name, bits, dtype, packed=name == "Bit")
        for code, (name, bits, dtype) in enumerate(plain)
    ]
    rows += [
        ColumnType(code, name, bits, dtype, True, "Index" in name, name.startswith("SplitInt"))
        for code, (name, bits, dtype) in enumerate(split, start=0x11)
    ]
    rows = [
        row._replace(zigzag=row.zigzag and "Index" not in row.name and "UInt" not in row.name)
        for row in rows
    ]
    rows.append(ColumnType(0x1C, "Real32Trunc", 0, "f4", packed=True))
    rows.append(ColumnType(0x1D, "Real32Quant", 0, "f4", packed=True))
    return {row.code: row for row in rows}


COLUMN_TYPES = _table()
"""Column types by their code; the bits of the last two stand in the column's record."""


_FIELD = struct.Struct("<IIIHH")


@dataclass(frozen=True)
class FieldRecord:
    """ "Field Description"."""

    name: str
    type_name: str
    parent: int
    role: int
    flags: int = 0
    field_version: int = 0
    type_version: int = 0
    alias: str = ""
    description: str = ""
    array_size: int = 0
    source: int = NOT_SET
    checksum: int = 0

    def pack(self) -> bytes:
        fixed = _FIELD.pack(
            self.field_version, self.type_version, self.parent, self.role, self.flags
        )
        texts = (self.name, self.type_name, self.alias, self.description)
        optional = b""
        if self.flags & FieldFlag.REPETITIVE:
            optional += struct.pack("<Q", self.array_size)
        if self.flags & FieldFlag.PROJECTED:
            optional += struct.pack("<I", self.source)
        if self.flags & FieldFlag.TYPE_CHECKSUM:
            optional += struct.pack("<I", self.checksum)
        return record_frame(fixed + b"".join(string(text) for text in texts) + optional)

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        frame = cursor.record()
        field_version, type_version, parent, role, flags = frame.unpack(_FIELD)
        name, type_name, alias, description = (frame.string() for _ in range(4))
        array_size = frame.uint64() if flags & FieldFlag.REPETITIVE else 0
        source = frame.uint32() if flags & FieldFlag.PROJECTED else NOT_SET
        checksum = frame.uint32() if flags & FieldFlag.TYPE_CHECKSUM else 0
        return cls(name, type_name, parent, role, flags, field_version, type_version, alias,
                   description, array_size, source, checksum)  # fmt: skip


_COLUMN = struct.Struct("<HHIHH")
_RANGE = struct.Struct("<dd")


@dataclass(frozen=True)
class ColumnRecord:
    """ "Column Description"."""

    type: int
    bits: int
    field: int
    flags: int = 0
    representation: int = 0
    first_element: int = 0
    minimum: float = 0.0
    maximum: float = 0.0

    def pack(self) -> bytes:
        data = _COLUMN.pack(self.type, self.bits, self.field, self.flags, self.representation)
        if self.flags & ColumnFlag.DEFERRED:
            data += struct.pack("<q", self.first_element)
        if self.flags & ColumnFlag.RANGE:
            data += _RANGE.pack(self.minimum, self.maximum)
        return record_frame(data)

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        frame = cursor.record()
        kind, bits, field, flags, representation = frame.unpack(_COLUMN)
        first = frame.int64() if flags & ColumnFlag.DEFERRED else 0
        low, high = frame.unpack(_RANGE) if flags & ColumnFlag.RANGE else (0.0, 0.0)
        return cls(kind, bits, field, flags, representation, first, low, high)


@dataclass(frozen=True)
class AliasRecord:
    """ "Alias columns": a column of a projected field that shares a physical one."""

    physical: int
    field: int

    def pack(self) -> bytes:
        return record_frame(struct.pack("<II", self.physical, self.field))

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        frame = cursor.record()
        return cls(frame.uint32(), frame.uint32())


class Locator(NamedTuple):
    """ "Locators and Envelope Links": a range of bytes of the file."""

    size: int
    offset: int

    def pack(self) -> bytes:
        if self.size < 1 << 31:
            return struct.pack("<iQ", self.size, self.offset)
        return struct.pack("<iQQ", -(20 | 0x01 << 24), self.size, self.offset)  # a large locator

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        (head,) = struct.unpack("<i", cursor.take(4))
        if head >= 0:
            return cls(head, cursor.uint64())
        size, kind = -head & 0xFFFF, -head >> 24
        if size < 4:
            raise ValueError(f"a locator of {size} bytes")
        frame = Cursor(cursor.take(size - 4))
        if kind != 0x01:
            raise ValueError(f"a locator of the unknown kind {kind}")
        return cls(frame.uint64(), frame.uint64())


@dataclass(frozen=True)
class EnvelopeLink:
    """ "Locators and Envelope Links": the uncompressed size of an envelope, and where it lies."""

    length: int
    locator: Locator

    def pack(self) -> bytes:
        return struct.pack("<Q", self.length) + self.locator.pack()

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        return cls(cursor.uint64(), Locator.parse(cursor))


@dataclass(frozen=True)
class ClusterGroupRecord:
    """ "Cluster Group Record Frame"."""

    first_entry: int
    entries: int
    clusters: int
    page_list: EnvelopeLink

    def pack(self) -> bytes:
        fixed = struct.pack("<QQI", self.first_entry, self.entries, self.clusters)
        return record_frame(fixed + self.page_list.pack())

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        frame = cursor.record()
        return cls(frame.uint64(), frame.uint64(), frame.uint32(), EnvelopeLink.parse(frame))


@dataclass(frozen=True)
class ClusterSummary:
    """ "Cluster Summary Record Frame": 56 bits of entries, 8 of flags."""

    first_entry: int
    entries: int
    flags: int = 0

    def pack(self) -> bytes:
        return record_frame(struct.pack("<QQ", self.first_entry, self.entries | self.flags << 56))

    @classmethod
    def parse(cls, cursor: Cursor) -> Self:
        frame = cursor.record()
        first, both = frame.uint64(), frame.uint64()
        return cls(first, both & (1 << 56) - 1, both >> 56)
