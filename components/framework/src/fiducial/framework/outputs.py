"""The event files of a run, written as a stream of batches in event order.

Each output keeps its collections and at most its ``max_events`` first events.  Small batches are
gathered into clusters by the writers of fiducial.io.  Time spent here is counted as the step
``write:<output>``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fiducial.core.errors import FiducialError
from fiducial.core.files import environment_problem, sha256_file
from fiducial.edm import EventBatch
from fiducial.framework.chain_model import HepMC3Output, Output
from fiducial.framework.measure import Meter

_SUFFIX = {"rntuple": "root", "hepmc3": "hepmc3"}


def output_files(outputs: Mapping[str, Output]) -> dict[str, str]:
    """{output: file name}: ``events.<suffix>``, or ``<output>.<suffix>`` where formats repeat."""
    formats = [output.format for output in outputs.values()]
    return {
        name: f"{'events' if formats.count(output.format) == 1 else name}.{_SUFFIX[output.format]}"
        for name, output in outputs.items()
    }


class OutputWriter:
    """Writes one output to `path`; `close` gives its record, `abandon` leaves it unfinished."""

    def __init__(
        self,
        name: str,
        output: Output,
        keep: tuple[str, ...],
        path: Path,
        provenance: Mapping[str, Any],
        meter: Meter,
    ) -> None:
        self.step = f"write:{name}"
        self.path = path
        self._keep = keep
        self._meter = meter
        self._empty: EventBatch | None = None
        self._left = output.max_events
        with self._timed():
            self._writer: Any = _open(output, path, dict(provenance))

    def extend(self, batch: EventBatch) -> None:
        """Take the next events."""
        if self._empty is None:
            self._empty = batch.select_events(slice(0, 0)).keep(self._keep)
        if self._left is not None:
            if batch.n_events > self._left:
                batch = batch.select_events(slice(0, self._left))
            self._left -= batch.n_events
        if batch.n_events == 0:
            return
        with self._timed():
            self._write(batch.keep(self._keep))

    def close(self) -> dict[str, Any]:
        """Write what waits and finish the file; {path, events, bytes, sha256}."""
        with self._timed():
            if self._empty is not None and self._meter.usage(self.step).events_out == 0:
                self._write(self._empty)  # no event passed: the file still says of what
            self._writer.close()
            return {
                "path": self.path.name,
                "events": self._meter.usage(self.step).events_out,
                "bytes": self.path.stat().st_size,
                "sha256": sha256_file(self.path),
            }

    def abandon(self) -> None:
        """Let go of the file after a failure; what is in it does not matter."""
        with contextlib.suppress(Exception):
            self._writer.abort()

    def _write(self, batch: EventBatch) -> None:
        usage = self._meter.usage(self.step)
        usage.events_in += batch.n_events
        self._writer.extend(batch)
        usage.events_out += batch.n_events

    @contextlib.contextmanager
    def _timed(self) -> Any:
        try:
            with self._meter.measure(self.step):
                yield
        except FiducialError:
            raise
        except OSError as error:
            raise environment_problem(f"cannot write {self.path.name}", error) from error


def _open(output: Output, path: Path, provenance: dict[str, Any]) -> Any:
    """The writer of fiducial.io for an output's format."""
    if isinstance(output, HepMC3Output):
        from fiducial.io import HepMC3Writer

        return HepMC3Writer(path)
    from fiducial.io import RNTupleWriter

    return RNTupleWriter(path, provenance)
