"""Read the container: header, directory, keys, and the anchors and strings that they name.

Reads both widths of offsets. Every offset and size is held against the size of the file first.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple

import xxhash

from fiducial.io.rntuple.blocks import decompress
from fiducial.io.rntuple.frames import Cursor

__all__ = ["Anchor", "Key", "RootFileReader"]

_MEMBERS = struct.Struct(">4H7Q")


class Key(NamedTuple):
    """A TKey: class, name, cycle, and where the stored bytes lie."""

    kind: str
    name: str
    cycle: int
    offset: int
    stored: int
    length: int


class Anchor(NamedTuple):
    """What a ROOT::RNTuple says ("Anchor schema")."""

    epoch: int
    major: int
    minor: int
    patch: int
    header_offset: int
    header_stored: int
    header_length: int
    footer_offset: int
    footer_stored: int
    footer_length: int
    largest_key: int


class RootFileReader:
    """An open ROOT file; raises ValueError for one that is cut off or does not hold together."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = os.open(Path(path), os.O_RDONLY)
        try:
            self.size = os.fstat(self._file).st_size
            self.keys = self._directory()
        except BaseException:
            self.close()
            raise

    def read(self, offset: int, size: int) -> memoryview:
        """Bytes of the file; a range that reaches beyond it is refused before it is read."""
        if size < 0 or offset < 0 or offset + size > self.size:
            raise ValueError(f"bytes {offset} to {offset + size} of a file of {self.size}")
        parts, at = [], offset
        while at < offset + size:
            part = os.pread(self._file, offset + size - at, at)
            if not part:
                raise ValueError("the file became shorter while it was read")
            parts.append(part)
            at += len(part)
        return memoryview(parts[0] if len(parts) == 1 else b"".join(parts))

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def object(self, key: Key) -> bytes:
        """The streamed object of a key, unpacked."""
        return bytes(decompress(self.read(key.offset, key.stored), key.length))

    def anchor(self, key: Key) -> Anchor:
        """The anchor of an RNTuple, its checksum verified."""
        data = self.object(key)
        count = struct.unpack(">I", data[:4])[0] & 0x3FFF_FFFF
        if not 2 + _MEMBERS.size <= count <= len(data) - 12:
            raise ValueError(f"the anchor of {key.name} has {count} bytes")
        members, checksum = data[6 : 4 + count], data[4 + count : 12 + count]
        if xxhash.xxh3_64_intdigest(members) != int.from_bytes(checksum, "big"):
            raise ValueError(f"the checksum of the anchor of {key.name} is wrong")
        return Anchor(*_MEMBERS.unpack(members[: _MEMBERS.size]))

    def string(self, key: Key) -> str:
        """The text of a TObjString."""
        cursor = Cursor(memoryview(self.object(key)), 16)  # count, versions, TObject
        return bytes(cursor.take(_length(cursor))).decode()

    def _directory(self) -> dict[str, Key]:
        """The keys of the first directory by name, the highest cycle of each."""
        head = Cursor(self.read(0, min(self.size, 64)))
        if bytes(head.take(min(4, head.left))) != b"root":
            raise ValueError("it is no ROOT file")
        version, begin = struct.unpack(">ii", head.take(8))
        wide = version >= 1_000_000
        (end, _) = struct.unpack(">qq" if wide else ">ii", head.take(16 if wide else 8))
        if end > self.size:
            raise ValueError(f"it is cut off: {self.size} bytes of {end}")
        _, _, name_bytes = struct.unpack(">iii", head.take(12))
        record = Cursor(self.read(begin + name_bytes, min(self.size - begin - name_bytes, 60)))
        (version,) = struct.unpack(">h", record.take(2))
        record.take(8)
        nbytes, _ = struct.unpack(">ii", record.take(8))
        form = ">qqq" if version > 1000 else ">iii"
        _, _, seek = struct.unpack(form, record.take(struct.calcsize(form)))
        cursor = Cursor(self.read(seek, nbytes))
        _key(cursor)
        (count,) = struct.unpack(">i", cursor.take(4))
        keys: dict[str, Key] = {}
        for _ in range(count):
            key = _key(cursor)
            if key.name not in keys or keys[key.name].cycle < key.cycle:
                keys[key.name] = key
        return keys


def _length(cursor: Cursor) -> int:
    (size,) = cursor.take(1)
    return int.from_bytes(cursor.take(4), "big") if size == 255 else size


def _key(cursor: Cursor) -> Key:
    nbytes, version, length, _, size, cycle = struct.unpack(">ihIIhh", cursor.take(18))
    form = ">qq" if version > 1000 else ">ii"
    seek, _ = struct.unpack(form, cursor.take(struct.calcsize(form)))
    kind, name, _ = (bytes(cursor.take(_length(cursor))).decode() for _ in range(3))
    return Key(kind, name, cycle, seek + size, nbytes - size, length)
