"""Event ranges: the units of work.

A run of N events is cut into ranges [first, first + count).  Every cut lies at a multiple of the
producer's ``block`` (the events that share one seed), since only there may production begin; the
last range takes what is left.  The answer never depends on the cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

DEFAULT_RANGE = 500


@dataclass(frozen=True, order=True)
class EventRange:
    """Events first … first + count - 1."""

    first: int
    count: int

    @property
    def stop(self) -> int:
        """One past the last event."""
        return self.first + self.count

    def __str__(self) -> str:
        return f"{self.first}-{self.stop - 1}"


def aligned(size: int, block: int) -> int:
    """The range size nearest above `size` that is a multiple of `block`."""
    return -(-size // block) * block


def split(events: int, size: int, block: int = 1) -> Iterator[EventRange]:
    """Cut events 0 … events-1 into ranges of `size`, rounded up to a multiple of `block`."""
    step = aligned(size, block)
    for first in range(0, events, step):
        yield EventRange(first, min(step, events - first))
