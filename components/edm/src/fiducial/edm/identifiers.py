"""The 32-bit id of a collection's name: MurmurHash3 (x86, 32 bit, seed 0), as podio computes it.

An id stands in every relation for the name of the collection that it points into, so ids
must agree with the ones in podio's files. Algorithm: A. Appleby, MurmurHash3 (public domain).
"""

from __future__ import annotations

from functools import cache

__all__ = ["NO_COLLECTION", "collection_id"]

#: The id of an unset relation, beside the index -1.
NO_COLLECTION = 0

_MASK = 0xFFFFFFFF


def _rotate(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & _MASK


def _scramble(block: int) -> int:
    return _rotate(block * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


@cache
def collection_id(name: str) -> int:
    """The id of ``name``, in 0 … 2**32 - 1."""
    data = name.encode()
    state = 0
    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        state ^= _scramble(int.from_bytes(data[at : at + 4], "little"))
        state = (_rotate(state, 13) * 5 + 0xE6546B64) & _MASK
    state ^= _scramble(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = (state ^ (state >> 16)) * 0x85EBCA6B & _MASK
    state = (state ^ (state >> 13)) * 0xC2B2AE35 & _MASK
    return state ^ (state >> 16)
