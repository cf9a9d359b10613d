"""Where large files are cut: the fast search against the plain rule, byte by byte."""

from __future__ import annotations

import itertools
import random

import pytest

from fiducial.stack.cvmfs import chunking


def plain_cut(data: bytes, start: int, end: int) -> int | None:
    value = chunking.checksum(data[start - 32 : start])
    for place in range(start, end):
        value = ((value << 1) ^ data[place]) & 0xFFFFFFFF
        if chunking.is_cut(value):
            return place
    return None


@pytest.mark.parametrize("seed", range(6))
def test_the_fast_search_finds_what_the_plain_rule_finds(seed):
    data = random.Random(seed).randbytes((2 << 20) + 12_345)
    places = [chunking.find_cut(data, 32, len(data)), plain_cut(data, 32, len(data))]
    assert places[0] == places[1]


def test_planted_cuts_are_found_at_every_edge_of_a_stretch():
    """Bytes 0x80, 31 zero bits … : the last 32 bytes make x what is wanted."""
    for wanted in (0x7FFFFE01, 0x7FFFFFFF, 0x80000000, 0x800001FD):
        window = bytes((wanted >> (31 - k)) & 1 for k in range(32))
        assert chunking.checksum(window) == wanted and chunking.is_cut(wanted)
        for place in (64, 131_071, 131_072, 131_073, 131_103, 1_048_575, 1_048_607, 1_048_640):
            data = bytearray(1_100_000)
            data[place - 31 : place + 1] = window
            found = chunking.find_cut(bytes(data), 40, len(data))
            assert found == plain_cut(bytes(data), 40, len(data))
            assert found == place


def test_numbers_just_outside_mark_no_cut():
    assert not chunking.is_cut(0x7FFFFE00) and not chunking.is_cut(0x800001FE)
    assert not chunking.is_cut(0)


def test_chunks_keep_to_their_bounds_and_fill_the_file():
    data = random.Random(1).randbytes(5 << 20) + bytes(30 << 20)
    pieces = list(chunking.cuts(data))
    assert pieces[0][0] == 0 and sum(size for _, size in pieces) == len(data)
    for (offset, size), (following, _) in itertools.pairwise(pieces):
        assert offset + size == following
        assert chunking.MINIMUM <= size <= chunking.MAXIMUM


def test_a_change_near_the_front_moves_few_cuts():
    data = random.Random(7).randbytes(40 << 20)
    old = {offset + size for offset, size in chunking.cuts(data)}
    new = {offset + size for offset, size in chunking.cuts(b"x" * 1000 + data)}
    assert len({place + 1000 for place in old} & new) >= len(old) // 2
