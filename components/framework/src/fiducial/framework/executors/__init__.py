"""Executors: where the ranges of a run are computed.

An executor takes the ranges and gives back one `Done` a range, in any order, with a bounded
number in flight.  It knows nothing of steps: what it runs is ``setup.compute(range)``, where the
setup is small, can be pickled, and prepares its steps once in each process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from fiducial.core.errors import InputError, did_you_mean
from fiducial.framework.compute import Done, Setup
from fiducial.framework.progress import Progress
from fiducial.framework.ranges import EventRange

KINDS = ("inprocess", "processes", "dask", "jobqueue")


class Executor(Protocol):
    """Computes ranges somewhere; `workers` of them at a time."""

    name: str
    workers: int

    def run(self, setup: Setup, ranges: Iterable[EventRange], progress: Progress) -> Iterator[Done]:
        """Compute every range; yield each when it is done, in any order.

        An error of a range comes out of the iterator, and ends the work on all others.
        """


def make_executor(text: str, workers: int | None = None) -> Executor:
    """The executor that a name stands for.

    text     ``inprocess``, ``processes``, ``dask`` (a local cluster), ``dask:ADDRESS`` (a running
             scheduler, such as ``dask:tcp://host:8786``), or ``jobqueue:SYSTEM`` (a batch system
             of dask-jobqueue: ``jobqueue:slurm``, ``jobqueue:htcondor``, …)
    workers  how many; one for ``inprocess``, else the cores of this machine by default
    """
    kind, _, detail = text.partition(":")
    if kind not in KINDS:
        raise InputError(f"no executor '{text}'", hint=did_you_mean(kind, KINDS))
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers", hint="give at least 1")
    if detail and kind in ("inprocess", "processes"):
        raise InputError(f"the executor '{kind}' takes no ':{detail}'", hint=f"write '{kind}'")
    if kind == "inprocess":
        from fiducial.framework.executors.inprocess import InProcess

        if workers not in (None, 1):
            raise InputError(
                f"{workers} workers with the executor 'inprocess'",
                "it works in one process",
                "add --executor processes",
            )
        return InProcess()
    if kind == "processes":
        from fiducial.framework.executors.processes import Processes

        return Processes(workers)
    from fiducial.framework.executors.dask import Dask, JobQueue

    if kind == "dask":
        return Dask(detail or None, workers)
    return JobQueue(detail, workers)
