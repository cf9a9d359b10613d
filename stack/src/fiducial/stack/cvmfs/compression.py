"""Encoders of objects, all to zlib streams (RFC 1950), and a decoder that cannot be bombed.

Any level of any encoder is valid for every reader. But an object is named by the digest of its
stored bytes, so the same content by another encoder or level gets another name: a repository
keeps the encoder and the level that it was created with.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from fiducial.stack.errors import InputError, did_you_mean

LEVELS = {"zlib": range(1, 10), "zlib-ng": range(1, 10), "isal": range(1, 4), "none": range(1)}
"""The levels of each encoder. ``none`` stores files as they are (catalogs still as zlib)."""

MODES = {
    "normal": ("zlib-ng", 5),
    "fast": ("isal", 2),
    "reference": ("zlib", 6),
    "none": ("none", 0),
}
"""What to choose by purpose; docs/decisions tells the measurement behind it."""


@dataclass(frozen=True)
class Encoder:
    """How a repository compresses."""

    name: str = "zlib-ng"
    level: int = 5

    def __post_init__(self) -> None:
        if self.name not in LEVELS:
            raise InputError(f"no encoder '{self.name}'", None, did_you_mean(self.name, LEVELS))
        levels = LEVELS[self.name]
        if self.level not in levels:
            raise InputError(
                f"encoder {self.name} has no level {self.level}",
                None,
                f"choose from {levels.start} to {levels.stop - 1}",
            )

    def __str__(self) -> str:
        return f"{self.name}-{self.level}"

    @property
    def stores_raw(self) -> bool:
        """Whether files are stored as they are."""
        return self.name == "none"

    def for_files(self) -> Callable[[bytes], bytes]:
        """The function that turns the content of a file into what is stored."""
        return bytes if self.stores_raw else self.for_catalogs()

    def for_catalogs(self) -> Callable[[bytes], bytes]:
        """The function for catalogs: always zlib streams."""
        level = self.level
        if self.name == "zlib-ng":
            from zlib_ng import zlib_ng

            return lambda data: zlib_ng.compress(data, level)
        if self.name == "isal":
            from isal import isal_zlib

            return lambda data: isal_zlib.compress(data, level)
        return lambda data: zlib.compress(data, level or 6)


def compress_document(data: bytes) -> bytes:
    """For certificate, metainfo and history: zlib as CernVM-FS calls it, whatever the encoder.

    Its replication unpacks certificate and metainfo and packs them again under the old name:
    packed otherwise they would be damaged in every replica.
    """
    return zlib.compress(data)


class BadStream(ValueError):  # noqa: N818 (caught where it is given a place and a name)
    """Bytes that are no whole zlib stream, or that hold more than was declared."""


def decompress(data: bytes, limit: int) -> bytes:
    """The content of the zlib stream ``data``, at most ``limit`` bytes. Raises BadStream."""
    decoder = zlib.decompressobj()
    try:
        content = decoder.decompress(data, limit + 1)
    except zlib.error as error:
        raise BadStream(f"not a zlib stream: {error}") from None
    if len(content) > limit:
        raise BadStream(f"holds more than the {limit} bytes declared")
    if not decoder.eof:
        try:
            more = decoder.decompress(decoder.unconsumed_tail, 1)
        except zlib.error as error:
            raise BadStream(f"not a zlib stream: {error}") from None
        if more:
            raise BadStream(f"holds more than the {limit} bytes declared")
        if not decoder.eof:
            raise BadStream("the zlib stream is cut off")
    if decoder.unused_data:
        raise BadStream(f"{len(decoder.unused_data)} bytes follow the zlib stream")
    return content


def stored_limit(size: int) -> int:
    """The most bytes that content of ``size`` bytes may take when stored, by any encoder."""
    return size + size // 64 + 4096
