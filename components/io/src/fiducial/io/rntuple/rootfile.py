"""The container: a ROOT file of keys, written front to back ("ROOT File embedding").

Every number that may grow is written in its 64-bit form, so that nothing changes at 2 GiB. The
first bytes stay zero until :meth:`RootFile.close`: a file whose writer died opens nowhere.
Dates are fixed and the identifier comes from the content: equal content, equal bytes.
ROOT's I/O document (io/doc/TFile): header, TKey, TDirectory, TFree.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xxhash

from fiducial.io.rntuple.blocks import Compression, compress
from fiducial.io.rntuple.records import Locator
from fiducial.io.rntuple.streamer_info import streamer_info

__all__ = ["BEGIN", "LARGEST_KEY", "RootFile", "anchor", "tobjstring"]

BEGIN = 100
FORMAT = 1_000_000 + 64_000
"""ROOT 6.40, plus the million that marks 64-bit offsets."""
LARGEST_KEY = 1 << 30
NEVER = (1 << 22) | (1 << 17)
"""1995-01-01 00:00, the zero of ROOT's dates."""
_TITLE = "events"


def _text(text: str) -> bytes:
    data = text.encode()
    head = bytes([len(data)]) if len(data) < 255 else b"\xff" + struct.pack(">I", len(data))
    return head + data


def key_head(
    seek: int, length: int, kind: str, name: str, title: str = "", parent: int = BEGIN
) -> bytes:
    """A TKey in its form of 64 bits, for ``length`` bytes that are stored as they are."""
    texts = _text(kind) + _text(name) + _text(title)
    size = 34 + len(texts)
    head = struct.pack(">ihIIhhqq", size + length, 1004, length, NEVER, size, 1, seek, parent)
    return head + texts


def anchor(header: tuple[int, int, int], footer: tuple[int, int, int]) -> bytes:
    """The streamed ROOT::RNTuple ("Anchor schema"): offset, stored and full size of both."""
    members = struct.pack(">4H7Q", 1, 0, 0, 1, *header, *footer, LARGEST_KEY)
    checksum = struct.pack(">Q", xxhash.xxh3_64_intdigest(members))
    return struct.pack(">IH", 0x40000000 | (2 + len(members)), 2) + members + checksum


def tobjstring(text: str) -> bytes:
    """A streamed TObjString."""
    body = struct.pack(">HHII", 1, 1, 0, 0x03000000) + _text(text)
    return struct.pack(">I", 0x40000000 | len(body)) + body


class RootFile:
    """A ROOT file that grows. Blobs are found by their offsets; objects stand in its directory.

    path  an empty file, or one to be replaced
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._stream: BinaryIO = Path(path).open("wb")  # noqa: SIM115
        self._end = BEGIN + len(self._root(b"", 0))
        self._stream.write(bytes(self._end))
        self._keys: list[bytes] = []
        self._digest = hashlib.sha256()

    # Writing

    def blob(self, parts: list[Any], size: int) -> int:
        """Append an RBlob of several pieces; gives the offset of its first byte of data."""
        head = key_head(self._end, size, "RBlob", "")
        start = self._end + len(head)
        self._write(head)
        for part in parts:
            self._write(part)
        return start

    def envelope(self, data: bytes, compression: Compression) -> tuple[int, Locator]:
        """Append an envelope, packed; gives its full size and where it lies."""
        packed = compress(np.frombuffer(data, np.uint8), compression)
        self._digest.update(data[-8:])
        return len(data), Locator(len(packed), self.blob([packed], len(packed)))

    def object(self, kind: str, name: str, data: bytes) -> None:
        """Append an object that the directory names."""
        head = key_head(self._end, len(data), kind, name)
        self._keys.append(head)
        self._digest.update(data)
        self._write(head + data)

    def close(self) -> None:
        """Write the directory, the list of classes and, last, the header."""
        at = self._end
        length = 4 + sum(len(head) for head in self._keys)
        head = key_head(at, length, "TFile", _TITLE)
        self._write(head + struct.pack(">i", len(self._keys)) + b"".join(self._keys))
        keys = (at, self._end - at)
        at = self._end
        listed = ("TList", "StreamerInfo", "Doubly linked list")
        size = len(key_head(0, 0, *listed))
        info = streamer_info(size)
        self._write(key_head(at, len(info), *listed))
        self._write(info)
        infos = (at, self._end - at)
        at = self._end
        head = key_head(at, 18, "TFile", _TITLE)
        end = at + len(head) + 18
        self._write(head + struct.pack(">hqq", 1001, end, max(end + 1, 2_000_000_000)))
        uuid = struct.pack(">h", 1) + self._digest.digest()[:16]
        header = struct.pack(
            ">4siiqqiiiBiqi", b"root", FORMAT, BEGIN, end, at, end - at, 1,
            self._name_bytes(), 8, 505, *infos,
        )  # fmt: skip
        self._stream.flush()
        self._stream.seek(BEGIN)
        self._stream.write(self._root(uuid, *keys))
        self._stream.flush()  # the header is the last thing that is written
        self._stream.seek(0)
        self._stream.write(header + uuid)
        self._stream.close()

    def abandon(self) -> None:
        """Close the stream and nothing else; no reader takes what was written."""
        self._stream.close()

    # Inside

    def _write(self, data: Any) -> None:
        self._stream.write(data)
        self._end += len(data)

    @staticmethod
    def _name_bytes() -> int:
        names = len(_text(_TITLE)) + len(_text(""))
        return len(key_head(BEGIN, 0, "TFile", _TITLE, parent=0)) + names

    def _root(self, uuid: bytes, seek_keys: int, nbytes_keys: int = 0) -> bytes:
        """The key of the file itself: its name, and the record of its directory."""
        record = struct.pack(
            ">hIIiiqqq", 1005, NEVER, NEVER, nbytes_keys, self._name_bytes(), BEGIN, 0, seek_keys
        )
        data = _text(_TITLE) + _text("") + record + uuid.ljust(18, b"\0")
        return key_head(BEGIN, len(data), "TFile", _TITLE, parent=0) + data
