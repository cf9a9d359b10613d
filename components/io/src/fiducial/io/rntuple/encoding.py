"""Pages: elements as they lie in memory, to and from the bytes on storage ("Column Description").

Split: all first bytes, then all second bytes, and so on. Delta: differences, from the second
element on. Zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 …. All within one page, so that a page can
be read alone. Copies between strided arrays of bytes run at 3 GB/s in numpy: no compiled
code is needed here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fiducial.io.rntuple.records import ColumnRecord, ColumnType

__all__ = ["decode_page", "encode_page", "page_bytes"]

Array = npt.NDArray[Any]


def page_bytes(kind: ColumnType, record: ColumnRecord, elements: int) -> int:
    """The uncompressed size of a page of so many elements."""
    return (elements * (kind.bits or record.bits) + 7) // 8


def encode_page(elements: Array, kind: ColumnType) -> npt.NDArray[np.uint8]:
    """The bytes of a page.

    elements  contiguous, of the column's dtype, in this machine's byte order; of a Switch,
              three uint32 an element
    """
    if kind.name == "Bit":
        return np.packbits(elements, bitorder="little")
    if kind.delta and len(elements):
        elements = np.concatenate([elements[:1], np.diff(elements)])
    elif kind.zigzag:
        elements = (elements << 1) ^ (elements >> elements.dtype.itemsize * 8 - 1)
    data = np.ascontiguousarray(elements.astype(elements.dtype.newbyteorder("<"), copy=False))
    data = data.view(np.uint8).reshape(-1)
    if not kind.split:
        return data
    out = np.empty_like(data)
    width = elements.dtype.itemsize
    out.reshape(width, -1)[...] = data.reshape(-1, width).T
    return out


def decode_page(
    data: npt.NDArray[np.uint8], kind: ColumnType, record: ColumnRecord, out: Array
) -> None:
    """Fill ``out`` (contiguous, of the column's dtype) from the bytes of a page."""
    n = len(out)
    if kind.packed:
        _decode_bits(data, kind, record, out)
        return
    target = out.reshape(-1).view(np.uint8)
    if kind.split:
        width = out.dtype.itemsize
        planes, rows = data.reshape(width, n), target.reshape(n, width)
        for i in range(width):
            rows[:, i] = planes[i]
    else:
        target[:] = data
    if np.little_endian is False:  # pragma: no cover
        out.byteswap(inplace=True)
    if kind.delta:
        np.cumsum(out, out=out)
    elif kind.zigzag:
        unsigned = out.view(out.dtype.str.replace("i", "u"))
        sign = -(out & 1)
        np.right_shift(unsigned, 1, out=unsigned)
        np.bitwise_xor(out, sign, out=out)


def _decode_bits(
    data: npt.NDArray[np.uint8], kind: ColumnType, record: ColumnRecord, out: Array
) -> None:
    """Elements of a number of bits that is no whole number of bytes, least significant first."""
    n, bits = len(out), kind.bits or record.bits
    if kind.name == "Bit":
        out[:] = np.unpackbits(data, count=n, bitorder="little").view(bool)
        return
    spread = np.unpackbits(data, count=n * bits, bitorder="little").reshape(n, bits)
    words = np.zeros((n, 32), np.uint8)
    words[:, :bits] = spread
    values = np.packbits(words, axis=1, bitorder="little").view("<u4").reshape(n)
    if kind.name == "Real32Trunc":
        out[:] = (values << np.uint32(32 - bits)).view(np.float32)
    else:
        step = (record.maximum - record.minimum) / ((1 << bits) - 1)
        out[:] = record.minimum + values * step
