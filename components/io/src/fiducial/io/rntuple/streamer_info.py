"""The streamer info that a ROOT file with an RNTuple carries: the members of its anchor.

ROOT knows the class ``ROOT::RNTuple`` by itself; programs without its dictionary learn from this
list how an anchor lies in the file. ROOT's I/O document, chapter "TStreamerInfo".
"""

from __future__ import annotations

import struct

__all__ = ["streamer_info"]

CHECKSUM, VERSION = 0x28E632EC, 2
"""Of the class ROOT::RNTuple, as ROOT 6.40 writes them."""
MEMBERS = {
    "fVersionEpoch": "unsigned short", "fVersionMajor": "unsigned short",
    "fVersionMinor": "unsigned short", "fVersionPatch": "unsigned short",
    "fSeekHeader": "unsigned long", "fNBytesHeader": "unsigned long",
    "fLenHeader": "unsigned long", "fSeekFooter": "unsigned long",
    "fNBytesFooter": "unsigned long", "fLenFooter": "unsigned long",
    "fMaxKeySize": "unsigned long",
}  # fmt: skip
_KINDS = {"unsigned short": (12, 2), "unsigned long": (14, 8)}
_NEW_CLASS, _CLASS, _OFFSET = 0xFFFFFFFF, 0x80000000, 2


def _counted(version: int, body: bytes) -> bytes:
    return struct.pack(">IH", 0x40000000 | (len(body) + 2), version) + body


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _named(name: str, bits: int = 0) -> bytes:
    return _counted(1, struct.pack(">HII", 1, 0, bits) + _text(name) + _text(""))


def _pointer(tag: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 0x40000000 | (len(tag) + len(body))) + tag + body


def _element(name: str, kind: str) -> bytes:
    code, size = _KINDS[kind]
    numbers = struct.pack(">iiii5i", code, size, 0, 0, *[0] * 5)
    return _counted(2, _counted(4, _named(name) + numbers + _text(kind)))


def streamer_info(key_length: int) -> bytes:
    """The streamed TList; class tags count from the beginning of its key."""

    def new_class(name: str) -> bytes:
        return struct.pack(">I", _NEW_CLASS) + name.encode() + b"\0"

    tobject = struct.pack(">HII", 1, 0, 0)
    start = _counted(5, tobject + _text("") + struct.pack(">I", 1))
    info = _named("ROOT::RNTuple", 0x00010000) + struct.pack(">II", CHECKSUM, VERSION)
    array = tobject + _text("") + struct.pack(">ii", len(MEMBERS), 0)
    # Bytes before the tag of the first element, each level with its count, tag and version.
    ahead = len(start) + 4 + len(new_class("TStreamerInfo")) + 6 + len(info)
    ahead += 4 + len(new_class("TObjArray")) + 6 + len(array) + 4
    known = struct.pack(">I", _CLASS | (key_length + ahead + _OFFSET))
    for i, (name, kind) in enumerate(MEMBERS.items()):
        tag = new_class("TStreamerBasicType") if i == 0 else known
        array += _pointer(tag, _element(name, kind))
    info += _pointer(new_class("TObjArray"), _counted(3, array))
    listed = tobject + _text("") + struct.pack(">I", 1)
    listed += _pointer(new_class("TStreamerInfo"), _counted(10, info)) + _text("")
    return _counted(5, listed)
