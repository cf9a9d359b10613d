"""Write event files: batches as clusters of an RNTuple, with provenance and a content hash.

The file is written aside and takes its name when it is complete. Batches are gathered into
clusters of about 50 MB (uncompressed), since a reader fetches and unpacks whole clusters. So the
memory held is that of two clusters (three with threads), however long the file.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.edm.batch import EventBatch
from fiducial.edm.content import ContentHasher
from fiducial.edm.schema import TypeSchema
from fiducial.io import rntuple_layout as layout
from fiducial.io.rntuple import Compression, NTupleWriter, RootFileWriter
from fiducial.io.staged_writer import StagedWriter

__all__ = ["CLUSTER_BYTES", "RNTupleWriter", "write_rntuple"]

CLUSTER_BYTES = 50_000_000


class RNTupleWriter(StagedWriter):
    """A growing event file; every batch holds the same collections.

    path           the file, which appears when it is closed
    provenance     what made the events: anything that JSON can hold
    cluster_bytes  in memory, of the events that are stored together
    compression    zstd at ROOT's default level where none is given
    threads        that encode and pack columns; the file is the same for any number
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        provenance: Mapping[str, Any] | None = None,
        cluster_bytes: int = CLUSTER_BYTES,
        compression: Compression | None = None,
        threads: int = 1,
    ) -> None:
        self._provenance = json.loads(json.dumps(dict(provenance or {})))  # refuse it now
        super().__init__(path)
        self._cluster_bytes = cluster_bytes
        self._waiting: list[EventBatch] = []
        self._schemas: dict[str, TypeSchema] | None = None
        self._hasher = ContentHasher()
        self._file = RootFileWriter(self._staged, compression, threads)
        self._stack.callback(self._file.abandon)
        self._ntuple: NTupleWriter | None = None

    def extend(self, batch: EventBatch) -> None:
        """Append events; every batch holds the same collections."""
        schemas = {name: c.schema for name, c in batch.collections.items()}
        if self._schemas is None:
            self._begin(schemas)
        elif self._schemas != schemas:
            raise InputError(
                f"the batch does not fit {self.path}",
                f"it holds {', '.join(schemas) or 'nothing'}; the file {', '.join(self._schemas)}",
                "give every batch the same collections",
            )
        self._waiting.append(batch)
        self.n_events += batch.n_events
        if sum(b.nbytes for b in self._waiting) >= self._cluster_bytes:
            self._flush()

    def _finish(self) -> None:
        if self._schemas is None:
            raise InputError(
                f"nothing to write to {self.path}",
                "no batch was given, so its collections are unknown",
                "give a batch, even one without events",
            )
        self._flush()
        self._write_metadata(self._schemas)

    def _begin(self, schemas: dict[str, TypeSchema]) -> None:
        known = [
            Mistake(name, f"{schema.name} cannot be written", "its type is not in the model")
            for name, schema in schemas.items()
            if layout.type_of(layout.data_type(schema)) is None
        ]
        if known:
            raise Mistakes(known, str(self.path))
        self._schemas = schemas
        empty = {
            name: cls.empty(0)
            for name, schema in schemas.items()
            if (cls := layout.type_of(layout.data_type(schema)))
        }
        record = layout.encode(empty, 0)
        self._ntuple = self._open(layout.EVENTS, record)

    def _open(self, name: str, record: Any) -> NTupleWriter:
        return self._file.ntuple(name, record.fields, [c.form for c in record.contents])

    def _flush(self) -> None:
        if not self._waiting or self._ntuple is None:
            return
        batch = EventBatch.concatenate(self._waiting)
        self._waiting.clear()
        self._hasher.update(batch)
        clusters = max(1, round(batch.nbytes / self._cluster_bytes))
        step = max(1, -(-batch.n_events // clusters))
        for first in range(0, batch.n_events, step):
            part = batch.select_events(slice(first, first + step))
            record = layout.encode(part.collections, part.n_events)
            self._ntuple.fill(record.contents, part.n_events)

    def _write_metadata(self, schemas: dict[str, TypeSchema]) -> None:
        entry = layout.metadata(schemas)
        self._open(layout.METADATA, entry).fill(entry.contents, 1)
        record = {
            "layout": layout.LAYOUT,
            "events": self.n_events,
            "content_sha256": self._hasher.hexdigest(),
            "writer": f"fiducial-io {importlib.metadata.version('fiducial-io')}",
            "provenance": self._provenance,
        }
        self._file.string(layout.RECORD, layout.seal(record))
        self._file.close()


def write_rntuple(
    path: str | os.PathLike[str],
    batches: EventBatch | Iterable[EventBatch],
    provenance: Mapping[str, Any] | None = None,
    *,
    compression: Compression | None = None,
    threads: int = 1,
) -> None:
    """Write an event file of one batch or several; see :class:`RNTupleWriter`."""
    with RNTupleWriter(path, provenance, compression=compression, threads=threads) as writer:
        for batch in [batches] if isinstance(batches, EventBatch) else batches:
            writer.extend(batch)
