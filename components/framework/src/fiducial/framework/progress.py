"""Progress of a run, told to whoever listens.

A listener is any object with the methods of `Progress`; the run calls them from its own process
only.  `Quiet` says nothing, `JsonLines` writes one object a line (the form that
``--progress json`` of every command shares), `Bar` draws a bar for people.
"""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Progress(Protocol):
    """What a run reports while it works."""

    def advance(self, phase: str, done: int, total: int) -> None:
        """`done` of `total` events of `phase` (the chain's name, then ``merge``) are finished."""

    def notice(self, text: str) -> None:
        """Something the user should know, that does not stop the run."""


class Quiet:
    """Says nothing."""

    def advance(self, phase: str, done: int, total: int) -> None:
        """Ignore it."""

    def notice(self, text: str) -> None:
        """Ignore it."""


class JsonLines:
    """One JSON object a line: ``{"phase": …, "done": …, "total": …}`` or ``{"notice": …}``."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr

    def advance(self, phase: str, done: int, total: int) -> None:
        """Write where the phase stands."""
        self._write({"phase": phase, "done": done, "total": total})

    def notice(self, text: str) -> None:
        """Write the notice."""
        self._write({"notice": text})

    def _write(self, record: dict[str, object]) -> None:
        self._stream.write(json.dumps(record) + "\n")
        self._stream.flush()


class Bar:
    """A bar a phase on standard error; use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = console if console is not None else Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def advance(self, phase: str, done: int, total: int) -> None:
        """Draw where the phase stands."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        self._bars.update(self._tasks[phase], completed=done, total=total)  # type: ignore[arg-type]

    def notice(self, text: str) -> None:
        """Print the notice above the bars."""
        self._console.print(f"note: {text}", markup=False, highlight=False)
