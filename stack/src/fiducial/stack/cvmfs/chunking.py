"""Where a large file is cut into chunks: the rolling checksum of CernVM-FS.

With x(i) = (x(i-1) << 1) ^ byte(i) in 32 bits, which depends on the last 32 bytes only, a file
is cut before byte i where the signed 32-bit number x(i) - (2^31 - 1) is smaller in size than
(2^32 - 1) / average, the first ``minimum`` bytes of a chunk never, and at ``maximum`` at the
latest. A local change of a file moves cuts near it only.

The plain rule costs a step of the interpreter for each byte. Here it is found at the speed of
memory: bits 9 to 31 of x(i) are the parities s(i-2) … s(i-24), where s(i) is the sum modulo 2
of bit j of byte i-7+j over j = 0 … 7. A small |x - (2^31 - 1)| needs bits 30 to 9 to be equal
and bit 31 to differ: 22 equal values of s after a different one. All values of s come from one
long integer by three shifts, as the sum over j has the factors (1 + z^9)(1 + z^18)(1 + z^36);
eight stretches of the file are searched at once, one in each bit of the bytes of another long
integer. What is found is checked by the plain rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MINIMUM, AVERAGE, MAXIMUM = 4 << 20, 8 << 20, 16 << 20
"""What ``cvmfs_server`` uses by default [bytes]; the detector below holds for this average."""

_WINDOW = 32
_THRESHOLD = ((1 << 32) - 1) // AVERAGE
_CENTRE = (1 << 31) - 1
_LANE = 1 << 17
_BLOCK = 8 * _LANE
_TOP_BITS = int.from_bytes(b"\x80" * (_LANE + _WINDOW), "little")
_MARKED = re.compile(rb"[^\x00]")
_ALL_BITS = int.from_bytes(b"\xff" * (_LANE + _WINDOW), "little")


def needs_chunks(size: int) -> bool:
    """Whether a file of ``size`` bytes may be cut; a smaller one is one object."""
    return size > MINIMUM


def checksum(window: bytes) -> int:
    """x after the bytes of ``window``, by the plain rule."""
    value = 0
    for byte in window:
        value = ((value << 1) ^ byte) & 0xFFFFFFFF
    return value


def is_cut(value: int) -> bool:
    """Whether the checksum ``value`` marks a cut."""
    difference = (value - _CENTRE) & 0xFFFFFFFF
    return difference < _THRESHOLD or difference > (1 << 32) - _THRESHOLD


def find_cut(data: bytes | memoryview, start: int, end: int) -> int | None:
    """The first i in [start, end) where ``data`` is cut before byte i; start >= 32."""
    view = memoryview(data)
    for first in range(start, end, _BLOCK):
        last = min(first + _BLOCK, end)
        for place in _candidates(view[first - _WINDOW : last]):
            if is_cut(checksum(bytes(view[first + place - _WINDOW + 1 : first + place + 1]))):
                return first + place
    return None


def _candidates(block: memoryview) -> list[int]:
    """Where bits 9 to 31 of x can mark a cut, ascending, counted from byte 32 of ``block``."""
    packed = 0
    for lane in range(8):
        stretch = block[lane * _LANE : (lane + 1) * _LANE + _WINDOW]
        if len(stretch) <= _WINDOW:
            break
        number = int.from_bytes(stretch, "little")
        number ^= number << 9
        number ^= number << 18
        number ^= number << 36
        packed |= (number & _TOP_BITS) >> lane
    differs = packed ^ (packed << 8)  # bit: s(i) is not s(i-1)
    run = ~differs & _ALL_BITS
    for shift in (8, 16, 32, 64, 40):  # 2, 4, 8, 16, 21 equal neighbours in turn
        run &= run << shift
    run &= differs << 168
    if not run:
        return []
    marked = run.to_bytes((run.bit_length() + 7) // 8, "little")
    size = len(block) - _WINDOW
    places = (
        lane * _LANE + match.start() + 2 - _WINDOW
        for match in _MARKED.finditer(marked)
        for lane in range(8)
        if match[0][0] & (0x80 >> lane)
    )
    return sorted(place for place in places if 0 <= place < size)


def first_chunk(data: bytes | memoryview) -> int:
    """The size of the first chunk of ``data``, which is all that is left of the file, or its
    next ``MAXIMUM`` bytes."""
    end = min(len(data), MAXIMUM)
    cut = find_cut(data, MINIMUM, end) if end > MINIMUM else None
    return end if cut is None else cut


def cuts(data: bytes) -> Iterator[tuple[int, int]]:
    """The chunks (offset, size) of a whole file; one chunk means a plain object."""
    view, offset = memoryview(data), 0
    while offset < len(data):
        size = first_chunk(view[offset : offset + MAXIMUM])
        yield offset, size
        offset += size
