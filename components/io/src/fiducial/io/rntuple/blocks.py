"""Compression as ROOT does it ("Compression Block"): chunks of up to 16 MiB, each with a head.

Neglected: the deflation that ROOT used before 2000 ("CS"), which is refused by name.
"""

from __future__ import annotations

import lzma
import zlib
from dataclasses import dataclass
from typing import Any

import cramjam
import numpy as np
import xxhash

from fiducial.core.errors import InputError, did_you_mean

__all__ = ["Compression", "compress", "decompress"]

LARGEST = 0xFF_FFFF
HEADER = 9
_LZ4_CHECKSUM = 8
_CODES = {"none": 0, "lzma": 2, "lz4": 4, "zstd": 5}
Bytes = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Compression:
    """An algorithm (zstd, lz4, lzma, none) and a level from 1 to 9, as ROOT counts them.

    The level is the most effort spent on a page. ``zstd`` at level n stands for zstd's own level
    2 n, as in ROOT; see ``cluster`` for when a column is packed with less.
    """

    algorithm: str = "zstd"
    level: int = 5

    def __post_init__(self) -> None:
        if self.algorithm not in _CODES:
            raise InputError(
                f"unknown compression {self.algorithm!r}",
                f"known are {', '.join(_CODES)}",
                did_you_mean(self.algorithm, list(_CODES)),
            )
        if self.algorithm != "none" and not 1 <= self.level <= 9:
            raise InputError(f"compression level {self.level}", "levels go from 1 to 9")

    @property
    def settings(self) -> int:
        """ROOT's number: 505 is zstd at level 5; 0 is none."""
        code = _CODES[self.algorithm]
        return code * 100 + self.level if code else 0


def compress(data: Bytes, compression: Compression, fast: bool = False) -> Any:
    """``data`` in chunks; ``data`` itself where that is no smaller.

    fast  zstd's own level 1, whatever the level
    """
    if compression.algorithm == "none" or not len(data):
        return data
    parts = []
    for start in range(0, len(data), LARGEST):
        chunk = data[start : start + LARGEST]
        tag, packed = _pack(chunk, compression, fast)
        sizes = len(packed).to_bytes(3, "little") + len(chunk).to_bytes(3, "little")
        if len(packed) > LARGEST:
            return data
        parts += [tag + sizes, packed]
    packed = b"".join(parts)
    return packed if len(packed) < len(data) else data


def _pack(chunk: Any, compression: Compression, fast: bool) -> tuple[bytes, Any]:
    if compression.algorithm == "zstd":
        level = 1 if fast else 2 * compression.level
        return b"ZS\1", cramjam.zstd.compress(chunk, level=level)
    if compression.algorithm == "lz4":
        block = bytes(
            cramjam.lz4.compress_block(
                chunk, mode="high_compression", compression=compression.level, store_size=False
            )
        )
        return b"L4\1", xxhash.xxh64_digest(block) + block
    data = lzma.compress(chunk, check=lzma.CHECK_CRC32, preset=compression.level)
    return b"XZ\0", data


def decompress(data: memoryview, size: int) -> Bytes:
    """``size`` bytes from the chunks in ``data``; ValueError where they do not fit.

    The headers of all chunks are added up before anything is allocated.
    """
    if len(data) == size:
        return np.frombuffer(data, np.uint8)
    chunks, at, total = [], 0, 0
    while at < len(data):
        if len(data) - at < HEADER:
            raise ValueError("a compressed chunk is cut off")
        packed = int.from_bytes(data[at + 3 : at + 6], "little")
        length = int.from_bytes(data[at + 6 : at + 9], "little")
        if at + HEADER + packed > len(data):
            raise ValueError("a compressed chunk is cut off")
        chunks.append((bytes(data[at : at + 2]), at + HEADER, packed, length))
        at, total = at + HEADER + packed, total + length
    if total != size:
        raise ValueError(f"compressed chunks hold {total} bytes where {size} are expected")
    out = np.empty(size, np.uint8)
    done = 0
    for tag, start, packed, length in chunks:
        try:
            _unpack(tag, data[start : start + packed], out[done : done + length])
        except (cramjam.DecompressionError, lzma.LZMAError, zlib.error) as error:
            raise ValueError(f"a chunk cannot be unpacked: {error}") from None
        done += length
    return out


def _unpack(tag: bytes, data: memoryview, out: Any) -> None:
    if tag == b"ZS":
        found = cramjam.zstd.decompress_into(data, out)
    elif tag == b"L4":
        block = data[_LZ4_CHECKSUM:]
        if xxhash.xxh64_digest(block) != bytes(data[:_LZ4_CHECKSUM]):
            raise ValueError("the checksum of an LZ4 chunk is wrong")
        found = cramjam.lz4.decompress_block_into(bytes(block), out, output_len=len(out))
    elif tag in (b"XZ", b"ZL"):
        machine = lzma.LZMADecompressor() if tag == b"XZ" else zlib.decompressobj()
        text = machine.decompress(bytes(data), len(out) + 1)
        found = len(text)
        if found == len(out):
            out[:] = np.frombuffer(text, np.uint8)
    else:
        raise ValueError(f"a chunk is compressed by the unknown method {tag!r}")
    if found != len(out):
        raise ValueError(f"a chunk gave {found} bytes where {len(out)} are expected")
