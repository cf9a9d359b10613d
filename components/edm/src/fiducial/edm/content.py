"""The content hash: SHA-256 of physics content, whatever the batches it came in.

Every array of every collection is one stream, to which a batch appends its bytes; offsets
are hashed as counts, which do not depend on where a batch begins. The digest is the SHA-256
over the sorted streams: their names, types and dtypes, their lengths and their own digests.
So the digest is the same for every split into batches, and differs where a name, a type, a
dtype, a bit of a value, or the boundary of an event or a list differs. Values are compared
as bits: 0.0 and -0.0 differ. Numbers are taken in little-endian order.

Format 1; the layout is written down in docs/formats/edm-model.md.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from fiducial.core.errors import InputError
from fiducial.edm import jagged
from fiducial.edm.arrays import Array
from fiducial.edm.batch import EventBatch
from fiducial.edm.collection import Collection

__all__ = ["FORMAT", "ContentHasher", "content_hash"]

FORMAT = 1


def _streams(collection: Collection) -> Iterator[tuple[str, Array]]:
    """The arrays of a collection, with offsets as counts."""
    for name, array in collection.arrays():
        if name.rpartition("/")[2] == "offsets":
            yield name.removesuffix("offsets") + "counts", jagged.counts(array)
        else:
            yield name, array


def _little_endian(array: Array) -> Array:
    return array.byteswap() if sys.byteorder == "big" else array


class ContentHasher:
    """Takes batches in the order of their events; all must hold the same collections."""

    def __init__(self) -> None:
        self._streams: dict[str, tuple[str, Any]] = {}
        self._lengths: dict[str, int] = {}
        self._events = 0
        self._names: dict[str, str] | None = None

    def update(self, batch: EventBatch) -> None:
        """Append the events of ``batch``."""
        names = {name: collection.type_name for name, collection in batch.collections.items()}
        if self._names is None:
            self._names = names
        elif names != self._names:
            changed = sorted(set(names.items()) ^ set(self._names.items()))
            raise InputError(
                "a batch holds other collections than the ones before",
                ", ".join(f"{name} ({type_})" for name, type_ in changed),
                "keep the same collections in every batch",
            )
        for name, collection in batch.collections.items():
            for label, array in _streams(collection):
                self._append(f"{name}:{label}", array)
        self._events += batch.n_events

    def _append(self, key: str, array: Array) -> None:
        kind = f"{array.dtype.str.lstrip('<>=|')}{list(array.shape[1:])}"
        if key not in self._streams:
            self._streams[key] = (kind, hashlib.sha256())
            self._lengths[key] = 0
        if array.size:
            self._streams[key][1].update(_little_endian(array).reshape(-1).view(np.uint8).data)
        self._lengths[key] += len(array)

    def hexdigest(self) -> str:
        """The digest of everything so far; more may follow."""
        total = hashlib.sha256(f"fiducial content {FORMAT}\nevents {self._events}\n".encode())
        for name, type_ in sorted((self._names or {}).items()):
            total.update(f"collection {name} {type_}\n".encode())
        for key in sorted(self._streams):
            kind, stream = self._streams[key]
            total.update(f"{key} {kind} {self._lengths[key]} {stream.hexdigest()}\n".encode())
        return total.hexdigest()


def content_hash(batch: EventBatch) -> str:
    """The digest of one batch."""
    hasher = ContentHasher()
    hasher.update(batch)
    return hasher.hexdigest()
