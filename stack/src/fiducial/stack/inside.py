"""Run a command inside a stack: clean environment, own process group, progress relayed.

Lines of standard error that are JSON objects with a phase become progress; all the others go to
a log, whose end is quoted where the command fails. Whatever ends this process ends the
command and its children too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fiducial.stack.errors import EnvironmentProblem
from fiducial.stack.progress import Progress, Task

_TAIL = 15


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status (negative: the signal) and its last words."""

    status: int
    tail: tuple[str, ...]
    log: Path

    def describe(self) -> str:
        if self.status < 0:
            try:
                name = signal.Signals(-self.status).name
            except ValueError:
                name = f"signal {-self.status}"
            how = f"it was killed by {name}"
        else:
            how = f"it ended with exit code {self.status}"
        words = "; ".join(line.strip() for line in self.tail[-3:] if line.strip())
        return how + (f": {words}" if words else "")


def run_inside(
    command: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    log: Path,
    progress: Progress,
) -> Ended:
    """Run ``command`` in ``folder`` and wait; its output goes to ``log`` (standard output too).

    Raises EnvironmentProblem where it cannot be started.
    """
    tail: deque[str] = deque(maxlen=_TAIL)
    with log.open("w", encoding="utf-8", errors="replace") as stream:
        try:
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
                stdout=stream, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                errors="replace", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise EnvironmentProblem(f"cannot start {command[0]}", str(error)) from error
        try:
            with _Relay(progress) as relay:
                _read(process.stderr, stream, tail, relay)
                status = process.wait()
                relay.finished = status in (0, 1)  # 1: the answer is no
        finally:
            _end_group(process)
    return Ended(status, tuple(tail), log)


def _read(stderr: IO[str] | None, log: IO[str], tail: deque[str], relay: _Relay) -> None:
    for line in stderr or ():
        if not relay.take(line):
            log.write(line)
            log.flush()
            tail.append(line.rstrip("\n"))


def _end_group(process: subprocess.Popen[str]) -> None:
    """End what is left of the command's process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


class _Relay:
    """Turns progress lines into phases; several may be open at once."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.finished = False
        self._open: dict[str, tuple[AbstractContextManager[Task], Task]] = {}
        self._finished: set[str] = set()

    def __enter__(self) -> _Relay:
        return self

    def __exit__(self, *_: object) -> None:
        for phase in list(self._open):
            self._close(phase, self.finished)

    def take(self, line: str) -> bool:
        """True where ``line`` was progress."""
        if not line.startswith("{"):
            return False
        try:
            data: Any = json.loads(line)
        except ValueError:
            return False
        if not isinstance(data, dict) or not isinstance(data.get("phase"), str):
            return False
        phase, done, total = data["phase"][:60], data.get("done"), data.get("total")
        if phase in self._finished or not isinstance(done, int):
            return True
        if phase not in self._open:
            size = total if isinstance(total, int) else None
            manager = self.progress.phase(phase, total=size)
            self._open[phase] = manager, manager.__enter__()
        self._open[phase][1].update(done, total if isinstance(total, int) else None)
        if isinstance(total, int) and done >= total:
            self._close(phase, True)
        return True

    def _close(self, phase: str, finished: bool) -> None:
        manager, _ = self._open.pop(phase)
        self._finished.add(phase)
        if finished:
            manager.__exit__(None, None, None)
        else:
            error = RuntimeError("ended early")
            with contextlib.suppress(RuntimeError):
                manager.__exit__(RuntimeError, error, None)
