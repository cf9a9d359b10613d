"""Merging: finished ranges become final outputs, in event order.

One pass over the ranges feeds the event files, the tables and the digests of the content.
Whatever order the ranges finish in, they are merged by event number; those that wait are on the
disk, not in memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fiducial.core.files import environment_problem, sha256_file
from fiducial.edm import EventBatch
from fiducial.edm.content import ContentHasher
from fiducial.framework.measure import Meter
from fiducial.framework.outputs import OutputWriter
from fiducial.framework.plan import TABLES, RunPlan
from fiducial.framework.provenance import provenance
from fiducial.framework.tables import Tables, TableWriter

HEAD_EVENTS = 10
"""run.json tells the content of the events numbered below this apart."""


class Merger:
    """Takes the content of the ranges in event order, and writes below `final`."""

    def __init__(self, plan: RunPlan, final: Path, meter: Meter) -> None:
        self._final = final
        self._meter = meter
        self._content, self._head = ContentHasher(), ContentHasher()
        self._head_events = 0
        self.provenance = provenance(plan)
        self._tables = TableWriter(final / "columns")
        self._writers: dict[str, OutputWriter] = {}
        for name, output in plan.chain.outputs.items():
            path = final / plan.files[name]
            self._writers[name] = OutputWriter(
                name, output, plan.chain.kept(name), path, self.provenance, meter
            )

    def extend(self, batch: EventBatch, tables: Tables) -> None:
        """Merge the next range."""
        self._content.update(batch)
        first = batch.event_numbers < HEAD_EVENTS
        if first.any():
            self._head.update(batch.select_events(first))
            self._head_events += int(first.sum())
        try:
            with self._meter.measure("write:tables"):
                self._tables.extend(tables)
        except OSError as error:
            raise environment_problem(f"cannot write {TABLES}", error) from error
        for writer in self._writers.values():
            writer.extend(batch)

    def close(self) -> dict[str, Any]:
        """Finish all files; what run.json says of them."""
        outputs = {name: writer.close() for name, writer in self._writers.items()}
        path = self._final / TABLES
        try:
            with self._meter.measure("write:tables"):
                tables_sha256 = self._tables.close(path)
                tables = {"path": TABLES, "bytes": path.stat().st_size, "sha256": sha256_file(path)}
        except OSError as error:
            raise environment_problem(f"cannot write {TABLES}", error) from error
        return {
            "content_sha256": self._content.hexdigest(),
            "head": {"events": self._head_events, "content_sha256": self._head.hexdigest()},
            "tables_sha256": tables_sha256,
            "outputs": outputs,
            "tables": tables,
        }

    def abandon(self) -> None:
        """Let go of all files after a failure."""
        self._tables.abandon()
        for writer in self._writers.values():
            writer.abandon()
