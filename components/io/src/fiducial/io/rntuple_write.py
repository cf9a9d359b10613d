"""Write event files: batches as clusters of an RNTuple, with provenance and a content hash.

The file is written aside and takes its name when it is complete. Batches are gathered into
clusters of about 50 MB (uncompressed), since a reader fetches and unpacks whole clusters.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import awkward as ak
import uproot

from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.edm.batch import EventBatch
from fiducial.edm.content import ContentHasher
from fiducial.edm.identifiers import collection_id
from fiducial.edm.schema import TypeSchema
from fiducial.io import rntuple_layout as layout
from fiducial.io.staged_writer import StagedWriter

__all__ = ["CLUSTER_BYTES", "RNTupleWriter", "write_rntuple"]

CLUSTER_BYTES = 50_000_000
COMPRESSION_LEVEL = 1


class RNTupleWriter(StagedWriter):
    """A growing event file; every batch holds the same collections.

    path        the file, which appears when it is closed
    provenance  what made the events: anything that JSON can hold
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        provenance: Mapping[str, Any] | None = None,
        cluster_bytes: int = CLUSTER_BYTES,
    ) -> None:
        self._provenance = json.loads(json.dumps(dict(provenance or {})))  # refuse it now
        super().__init__(path)
        self._cluster_bytes = cluster_bytes
        self._waiting: list[EventBatch] = []
        self._schemas: dict[str, TypeSchema] | None = None
        self._hasher = ContentHasher()
        self._file = self._stack.enter_context(
            uproot.recreate(self._staged, compression=uproot.ZSTD(COMPRESSION_LEVEL))
        )
        self._ntuple: Any = None

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
        form = layout.encode(empty, 0).layout.form
        self._ntuple = self._file.mkrntuple(layout.EVENTS, form)

    def _flush(self) -> None:
        if not self._waiting:
            return
        batch = EventBatch.concatenate(self._waiting)
        self._waiting.clear()
        self._hasher.update(batch)
        clusters = max(1, round(batch.nbytes / self._cluster_bytes))
        step = max(1, -(-batch.n_events // clusters))
        for first in range(0, batch.n_events, step):
            part = batch.select_events(slice(first, first + step))
            self._ntuple.extend(layout.encode(part.collections, part.n_events))

    def _write_metadata(self, schemas: dict[str, TypeSchema]) -> None:
        info = [
            {
                "collectionID": collection_id(name),
                "dataType": layout.data_type(schema),
                "isSubset": False,
                "schemaVersion": 1 if schema.is_link else schema.version,
                "name": name,
                "storageType": layout.storage_type(schema),
            }
            for name, schema in schemas.items()
        ]
        metadata = self._file.mkrntuple(layout.METADATA, _metadata_form())
        array = ak.Array(
            [
                {
                    "PodioBuildVersion": list(layout.PODIO_VERSION),
                    "availableCategories": [layout.EVENTS],
                    "events___CollectionTypeInfo": info,
                }
            ]
        )
        metadata.extend(ak.enforce_type(array, _metadata_type()))
        record = {
            "layout": layout.LAYOUT,
            "events": self.n_events,
            "content_sha256": self._hasher.hexdigest(),
            "writer": f"fiducial-io {importlib.metadata.version('fiducial-io')}, "
            f"uproot {uproot.__version__}",
            "provenance": self._provenance,
        }
        self._file[layout.RECORD] = layout.seal(record)


def _metadata_type() -> Any:
    return ak.types.from_datashape(
        "{PodioBuildVersion: var * uint16, availableCategories: var * string, "
        "events___CollectionTypeInfo: var * {collectionID: uint32, dataType: string, "
        "isSubset: bool, schemaVersion: uint32, name: string, storageType: string}}",
        highlevel=False,
    )


def _metadata_form() -> Any:
    return ak.forms.from_type(_metadata_type())


def write_rntuple(
    path: str | os.PathLike[str],
    batches: EventBatch | Iterable[EventBatch],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write an event file of one batch or several."""
    with RNTupleWriter(path, provenance) as writer:
        for batch in [batches] if isinstance(batches, EventBatch) else batches:
            writer.extend(batch)
