"""Progress of long work behind one small interface: bars, plain lines or JSON lines.

    with make_progress(json_lines=False) as progress:
        with progress.phase("compile", total=1000) as task:
            task.advance(10)
        progress.note("the lock is fresh")

On a terminal the phases are bars (rich); otherwise one line when a phase starts, at most one
every few seconds while it runs, and one at its end. JSON lines have the shape that
``fiducial.validation`` prints too: ``{"phase": "compile", "done": 10, "total": 1000}``.
Everything goes to standard error: standard output belongs to the answer.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars


class Task:
    """What a phase has done so far. ``report`` is called at each change; ``total`` may be None."""

    def __init__(self, name: str, total: int | None, report: Any) -> None:
        self.name, self.total, self.done = name, total, 0
        self._report = report

    def advance(self, count: int = 1) -> None:
        """``count`` more units are done."""
        self.update(self.done + count)

    def update(self, done: int, total: int | None = None) -> None:
        """``done`` units of ``total`` are done."""
        self.done = done
        if total is not None:
            self.total = total
        self._report(self)


class Progress(Protocol):
    """Where work tells how far it is."""

    def __enter__(self) -> Progress: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def phase(self, name: str, total: int | None = None) -> AbstractContextManager[Task]: ...
    def note(self, text: str) -> None: ...


class _Base:
    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class SilentProgress(_Base):
    """Says nothing (for callers that are not a command)."""

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Task]:
        yield Task(name, total, lambda task: None)

    def note(self, text: str) -> None:
        return None


class PlainProgress(_Base):
    """One line at the start and at the end of a phase, and now and then between."""

    def __init__(self, stream: TextIO, every: float = 5.0) -> None:
        self.stream, self.every = stream, every

    def _say(self, text: str) -> None:
        self.stream.write(text + "\n")
        self.stream.flush()

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Task]:
        start = last = time.monotonic()

        def report(task: Task) -> None:
            nonlocal last
            if time.monotonic() - last > self.every:
                last = time.monotonic()
                self._say(f"{name}: {task.done}" + (f"/{task.total}" if task.total else ""))

        self._say(f"{name} ...")
        try:
            yield Task(name, total, report)
        except BaseException:
            self._say(f"{name}: failed after {time.monotonic() - start:.1f} s")
            raise
        self._say(f"{name}: done in {time.monotonic() - start:.1f} s")

    def note(self, text: str) -> None:
        self._say(text)


class JsonProgress(_Base):
    """One JSON object a line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def _say(self, record: dict[str, object]) -> None:
        self.stream.write(json.dumps(record) + "\n")
        self.stream.flush()

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Task]:
        start = last = time.monotonic()

        def report(task: Task) -> None:
            nonlocal last
            if time.monotonic() - last > 0.1 or task.done == task.total:
                last = time.monotonic()
                self._say({"phase": name, "done": task.done, "total": task.total})

        self._say({"phase": name, "done": 0, "total": total})
        task = Task(name, total, report)
        try:
            yield task
        except BaseException:
            self._say({"phase": name, "failed": True, "seconds": time.monotonic() - start})
            raise
        end = {"phase": name, "done": task.done, "total": task.total, "finished": True}
        self._say({**end, "seconds": round(time.monotonic() - start, 3)})

    def note(self, text: str) -> None:
        self._say({"note": text})


class RichProgress(_Base):
    """Bars on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as Bars

        self.bars: RichBars = Bars(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=stream),
        )

    def __enter__(self) -> RichProgress:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Task]:
        row = self.bars.add_task(name, total=total)
        task = Task(
            name, total, lambda task: self.bars.update(row, completed=task.done, total=task.total)
        )
        try:
            yield task
        except BaseException:
            self.bars.update(row, description=f"[red]{name}: failed[/]")
            self.bars.stop_task(row)
            raise
        finished = task.total if task.total is not None else max(task.done, 1)
        self.bars.update(row, total=finished, completed=finished)

    def note(self, text: str) -> None:
        self.bars.console.print(text, markup=False, highlight=False)


def make_progress(json_lines: bool = False, stream: TextIO | None = None) -> Progress:
    """JSON lines if asked for; bars if ``stream`` (standard error) is a terminal; else lines."""
    stream = sys.stderr if stream is None else stream
    if json_lines:
        return JsonProgress(stream)
    return RichProgress(stream) if stream.isatty() else PlainProgress(stream)
