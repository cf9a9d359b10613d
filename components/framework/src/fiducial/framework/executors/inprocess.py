"""The executor of one process: a range after the other, and nothing is read back from the disk.

While a range is computed, the one before it is written to its checkpoint by a second thread, since
waiting for the disk needs no processor.  One range beside the present one is held in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from fiducial.framework.compute import Done, Setup
from fiducial.framework.progress import Progress
from fiducial.framework.ranges import EventRange


class InProcess:
    """Computes here."""

    name = "inprocess"
    workers = 1

    def run(self, setup: Setup, ranges: Iterable[EventRange], progress: Progress) -> Iterator[Done]:
        """Compute the ranges in order; the results carry their content along.

        An error of a checkpoint comes out with the next range, or at the end.
        """
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint") as writer:
            writing: Future[None] | None = None
            for work in ranges:
                started = time.perf_counter()
                done = setup.run_steps(work)
                if writing is not None:
                    writing.result()
                writing = writer.submit(setup.keep_range, done)
                yield replace(done, seconds=time.perf_counter() - started)
            if writing is not None:
                writing.result()
