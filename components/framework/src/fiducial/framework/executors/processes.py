"""The executor of one machine: spawned worker processes, each with the chain prepared once.

A worker holds one range in work and one waiting, so that it does not idle while the parent
merges.  A worker that dies (killed, out of memory, crashed in C++) takes nothing with it: the
range it worked on is tried again on a new worker, up to `ATTEMPTS` times, and its waiting range
goes back unblamed.  Workers end by themselves when the parent is gone.  Neglected: a step that
hangs is waited for.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from fiducial.core.errors import EnvironmentProblem, FiducialError, InternalError
from fiducial.framework.compute import Done, Setup
from fiducial.framework.progress import Progress
from fiducial.framework.ranges import EventRange

ATTEMPTS = 3
_DEPTH = 2


@dataclass(eq=False)
class _Worker:
    process: Any
    link: Connection
    waiting: deque[EventRange] = field(default_factory=deque)


class Processes:
    """Computes on this machine, in `workers` processes."""

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers if workers is not None else _cores()

    def run(self, setup: Setup, ranges: Iterable[EventRange], progress: Progress) -> Iterator[Done]:
        """Compute the ranges; whatever ends the iteration ends the workers too."""
        todo = deque(ranges)
        pool = _Pool(setup)
        blame: dict[EventRange, int] = {}
        try:
            for _ in range(min(self.workers, len(todo))):
                pool.start()
            while todo or pool.busy:
                pool.feed(todo)
                for worker in pool.ready():
                    answer = pool.receive(worker)
                    if isinstance(answer, Done):
                        yield answer
                    elif isinstance(answer, FiducialError):
                        raise answer
                    else:
                        lost = pool.bury(worker)
                        if lost:
                            _count(blame, lost[0], answer, progress)
                        todo.extendleft(reversed(lost))
                        if todo:
                            pool.start()
        finally:
            pool.stop()


def _cores() -> int:
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return max(1, os.cpu_count() or 1)


def _count(blame: dict[EventRange, int], work: EventRange, death: str, progress: Progress) -> None:
    blame[work] = blame.get(work, 0) + 1
    if blame[work] >= ATTEMPTS:
        raise EnvironmentProblem(
            f"events {work} ended their worker {ATTEMPTS} times",
            death,
            "if memory is short give a smaller --range or fewer --workers; else run them with"
            " --executor inprocess to see the crash",
        )
    progress.notice(f"a worker died on events {work} ({death}): they are tried again")


class _Pool:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    @property
    def busy(self) -> bool:
        return any(worker.waiting for worker in self._workers)

    def start(self) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(self._setup, theirs), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def feed(self, todo: deque[EventRange]) -> None:
        for depth in range(1, _DEPTH + 1):
            for worker in self._workers:
                if todo and len(worker.waiting) < depth:
                    work = todo.popleft()
                    worker.waiting.append(work)
                    with contextlib.suppress(OSError):  # dead: `ready` will tell
                        worker.link.send(work)

    def ready(self) -> list[_Worker]:
        handles: dict[Any, _Worker] = {}
        for worker in self._workers:
            handles[worker.link] = worker
            handles[worker.process.sentinel] = worker
        return list(dict.fromkeys(handles[handle] for handle in wait(list(handles))))

    def receive(self, worker: _Worker) -> Done | FiducialError | str:
        """What a worker says; how it died where it says nothing any more."""
        try:
            answer = worker.link.recv() if worker.link.poll() else None
        except (EOFError, OSError):
            answer = None
        if answer is None:
            worker.process.join()
            return _death(worker.process.exitcode)
        worker.waiting.popleft()
        if isinstance(answer, Done | FiducialError):
            return answer
        raise InternalError(f"a worker answered {answer!r}")

    def bury(self, worker: _Worker) -> list[EventRange]:
        """Forget a dead worker; the ranges it leaves, the one it worked on first."""
        self._workers.remove(worker)
        worker.link.close()
        return list(worker.waiting)

    def stop(self) -> None:
        for worker in self._workers:
            if worker.waiting:
                worker.process.kill()
            worker.link.close()
        for worker in self._workers:
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers = []


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"{name}, as by an out-of-memory killer" if name == "SIGKILL" else name
    return f"exit code {code}"


def _serve(setup: Setup, link: Connection) -> None:
    """The worker's life: answer each range, until the parent closes the link or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    while True:
        try:
            work = link.recv()
        except (EOFError, OSError):
            return
        answer: Done | FiducialError
        try:
            answer = setup.compute(work)
        except FiducialError as error:
            answer = error
        except Exception as error:
            answer = InternalError(
                f"events {work} failed outside of a step", f"{type(error).__name__}: {error}"
            )
        try:
            link.send(answer)
        except OSError:
            return


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
