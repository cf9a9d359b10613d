"""The bytes of envelopes: numbers, strings and frames ("Basic Types", "Frames").

A :class:`Cursor` never reads beyond the frame that it stands in, and no count is believed
that the bytes left cannot hold: a damaged length raises ValueError before it costs memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

__all__ = ["Cursor", "list_frame", "record_frame", "string"]

_INT64 = struct.Struct("<q")
_UINT32 = struct.Struct("<I")


def string(text: str) -> bytes:
    """A string: its length in bytes (uint32), then UTF-8."""
    data = text.encode()
    return _UINT32.pack(len(data)) + data


def record_frame(payload: bytes) -> bytes:
    """A record frame: its size (int64, itself included), then the payload."""
    return _INT64.pack(8 + len(payload)) + payload


def list_frame(items: Iterable[bytes], trailer: bytes = b"") -> bytes:
    """A list frame: minus its size, the number of items (uint32), the items, what follows them."""
    items = list(items)
    payload = b"".join(items) + trailer
    return _INT64.pack(-(12 + len(payload))) + _UINT32.pack(len(items)) + payload


class Cursor:
    """Reads numbers, strings and frames from ``data[start:stop]``."""

    def __init__(self, data: memoryview, start: int = 0, stop: int | None = None) -> None:
        self.data, self.at = data, start
        self.stop = len(data) if stop is None else stop

    @property
    def left(self) -> int:
        return self.stop - self.at

    def take(self, size: int) -> memoryview:
        """The next ``size`` bytes."""
        if not 0 <= size <= self.left:
            raise ValueError(f"{size} bytes are needed where {self.left} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        return layout.unpack(self.take(layout.size))

    def uint32(self) -> int:
        return int(_UINT32.unpack(self.take(4))[0])

    def int64(self) -> int:
        return int(_INT64.unpack(self.take(8))[0])

    def uint64(self) -> int:
        return self.int64() & 0xFFFF_FFFF_FFFF_FFFF

    def string(self) -> str:
        return bytes(self.take(self.uint32())).decode()

    def record(self) -> Cursor:
        """A cursor into the record frame that begins here; this one goes on behind it."""
        size = self.int64()
        if size < 8:
            raise ValueError(f"a record frame of {size} bytes")
        inner = Cursor(self.data, self.at, self.at + size - 8)
        self.take(size - 8)
        return inner

    def list(self, smallest: int) -> tuple[int, Cursor]:
        """The number of items of the list frame here, and a cursor into it.

        smallest  bytes that an item takes at least: more items than fit are refused
        """
        size = -self.int64()
        if size < 12:
            raise ValueError(f"a list frame of {size} bytes")
        count = self.uint32()
        inner = Cursor(self.data, self.at, self.at + size - 12)
        self.take(size - 12)
        if count * smallest > inner.left:
            raise ValueError(f"{count} items in {inner.left} bytes")
        return count, inner
