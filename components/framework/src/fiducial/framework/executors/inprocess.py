"""The executor of one process: a range after the other, and nothing is read back from the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fiducial.framework.compute import Done, Setup
from fiducial.framework.progress import Progress
from fiducial.framework.ranges import EventRange


class InProcess:
    """Computes here.  Each range is still checkpointed before it is handed over."""

    name = "inprocess"
    workers = 1

    def run(self, setup: Setup, ranges: Iterable[EventRange], progress: Progress) -> Iterator[Done]:
        """Compute the ranges in order; the results carry their batches along."""
        for work in ranges:
            yield setup.compute(work, hand_over=True)
