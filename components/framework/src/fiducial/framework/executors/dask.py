"""The executor of many machines: dask.distributed, and batch systems through dask-jobqueue.

Three ways to workers: a cluster on this machine, a running scheduler by its address, and jobs in
a batch system, whose resources come from dask-jobqueue's own configuration
(``~/.config/dask/jobqueue.yaml``).  Workers must see OUT under the same path (a shared file
system), since they leave the finished ranges there.  A worker that dies is replaced by Dask, and
its ranges are tried again as often as the scheduler allows (``distributed.scheduler.
allowed-failures``; 3 on our own clusters).  A worker process computes one range at a time.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from fiducial.core.errors import EnvironmentProblem, InputError, MissingExtra, did_you_mean
from fiducial.framework.compute import Done, Setup
from fiducial.framework.progress import Progress
from fiducial.framework.ranges import EventRange

ALLOWED_FAILURES = 3
CONNECT_TIMEOUT = 20  # seconds to reach a running scheduler
WORKER_TIMEOUT = 120  # seconds until the first worker must have come
_AHEAD = 2  # ranges in flight for each worker

SYSTEMS = {
    "htcondor": "HTCondorCluster",
    "local": "LocalCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}

_prepared: dict[str, Setup] = {}
_one_at_a_time = threading.Lock()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra("Dask", "fiducial-framework", "dask", str(error)) from error
    return distributed


def _jobqueue() -> Any:
    try:
        import dask_jobqueue
    except ImportError as error:
        raise MissingExtra("dask-jobqueue", "fiducial-framework", "dask", str(error)) from error
    return dask_jobqueue


class Dask:
    """Computes on a cluster of this machine, or on the workers of a running scheduler."""

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        if address is not None and workers is not None:
            raise InputError(
                f"{workers} workers with a running scheduler",
                f"{address} has the workers that it has",
                "leave --workers out",
            )
        _distributed()
        self._address = address
        self.name = "dask" if address is None else f"dask:{address}"
        self.workers = workers if workers is not None else (0 if address else os.cpu_count() or 1)

    def run(self, setup: Setup, ranges: Iterable[EventRange], progress: Progress) -> Iterator[Done]:
        """Compute the ranges on the cluster."""
        distributed = _distributed()
        with ExitStack() as stack:
            if self._address is None:
                client = stack.enter_context(self._local(distributed, stack))
            else:
                client = stack.enter_context(_connect(distributed, self._address))
                self.workers = _await_workers(client)
            yield from _compute_all(distributed, client, setup, ranges, self.workers)

    def _local(self, distributed: Any, stack: ExitStack) -> Any:
        import dask

        settings = {"distributed.scheduler.allowed-failures": ALLOWED_FAILURES}
        stack.enter_context(dask.config.set(settings))
        cluster = distributed.LocalCluster(
            n_workers=self.workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            memory_limit=0,  # the operating system's own limit, as without Dask
            silence_logs=50,
        )
        return distributed.Client(stack.enter_context(cluster))


class JobQueue:
    """Computes in jobs of a batch system."""

    def __init__(self, system: str, workers: int | None = None) -> None:
        if system not in SYSTEMS:
            hint = f"write jobqueue:SYSTEM; {did_you_mean(system, sorted(SYSTEMS))}"
            raise InputError(f"no batch system '{system}'", hint=hint)
        _jobqueue()
        self._system = system
        self.name = f"jobqueue:{system}"
        self.workers = workers if workers is not None else 1

    def run(self, setup: Setup, ranges: Iterable[EventRange], progress: Progress) -> Iterator[Done]:
        """Compute the ranges in jobs, which end with the run."""
        import dask

        distributed, jobqueue = _distributed(), _jobqueue()
        settings = {"distributed.scheduler.allowed-failures": ALLOWED_FAILURES}
        with ExitStack() as stack:
            stack.enter_context(dask.config.set(settings))
            try:
                cluster = getattr(jobqueue, SYSTEMS[self._system])()
            except (ValueError, TypeError) as error:
                raise InputError(
                    f"the batch system '{self._system}' is not configured",
                    str(error),
                    f"set jobqueue.{self._system}.cores and .memory (~/.config/dask/jobqueue.yaml)",
                ) from error
            stack.enter_context(cluster)
            cluster.scale(self.workers)
            client = stack.enter_context(distributed.Client(cluster))
            _await_workers(client)
            yield from _compute_all(distributed, client, setup, ranges, self.workers)


def _connect(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=CONNECT_TIMEOUT)
    except (OSError, ValueError, TypeError) as error:
        raise EnvironmentProblem(
            f"cannot reach the Dask scheduler {address}",
            str(error) or type(error).__name__,
            "check that it runs, and write dask:tcp://HOST:PORT",
        ) from error


def _await_workers(client: Any) -> int:
    try:
        client.wait_for_workers(1, timeout=WORKER_TIMEOUT)
    except TimeoutError as error:
        raise EnvironmentProblem(
            "no Dask worker has come",
            f"waited {WORKER_TIMEOUT} s",
            "start workers, or see the queue of the batch system",
        ) from error
    return len(client.nthreads())


def _compute_all(
    distributed: Any, client: Any, setup: Setup, ranges: Iterable[EventRange], workers: int
) -> Iterator[Done]:
    todo = deque(ranges)
    flying = distributed.as_completed()
    works: dict[str, EventRange] = {}

    def feed() -> None:
        while todo and len(works) < _AHEAD * workers:
            work = todo.popleft()
            future = client.submit(compute_there, setup, work, pure=False)
            works[future.key] = work
            flying.add(future)

    feed()
    try:
        while works:
            future = next(flying)
            work = works.pop(future.key)
            feed()
            yield _result(distributed, future, work)
    finally:
        flying.clear()


def _result(distributed: Any, future: Any, work: EventRange) -> Done:
    try:
        done = future.result()
    except distributed.KilledWorker as error:
        raise EnvironmentProblem(
            f"events {work} ended their workers again and again",
            str(error).splitlines()[0],
            "if memory is short give a smaller --range; else run them with --executor inprocess"
            " to see the crash",
        ) from error
    assert isinstance(done, Done)
    return done


def compute_there(setup: Setup, work: EventRange) -> Done:
    """The task of a Dask worker: prepare the chain once in this process, compute one range."""
    directory = setup.checkpoints.directory
    if not directory.is_dir():
        raise EnvironmentProblem(
            f"a worker on {socket.gethostname()} does not see {directory}",
            hint="give --out on a file system that all workers share, as an absolute path",
        )
    with _one_at_a_time:
        key = f"{directory}:{setup.checkpoints.identity}"
        if key not in _prepared:
            _prepared.clear()
            _prepared[key] = setup
        return _prepared[key].compute(work)
