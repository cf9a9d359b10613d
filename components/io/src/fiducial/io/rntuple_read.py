"""Read event files: ours, and podio's own of the RNTuple backend for the types of the model."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import awkward as ak

from fiducial.core.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.edm.batch import EventBatch
from fiducial.edm.collection import Collection
from fiducial.edm.content import ContentHasher
from fiducial.io import rntuple_layout as layout
from fiducial.io.damage import DamagedFile, reading
from fiducial.io.rntuple import NTuple, RNTupleFile

__all__ = ["EventFile", "iterate_rntuple", "read_provenance", "read_rntuple", "verify"]

KIND = "an event file (RNTuple)"


class EventFile:
    """An open event file; decoded clusters are kept, the latest two.

    Raises InputError for a file that is not there, is no event file, is cut off or damaged.
    """

    KEPT_CLUSTERS = 2

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with reading(path, KIND):
            self._refuse_truncated()
            self._file = RNTupleFile(self.path)
            try:
                self._events = self._ntuple(layout.EVENTS)
                self.n_events = self._events.n_entries
                runs = self._events.clusters
                self._places = {begin: i for i, (begin, end) in enumerate(runs) if begin < end}
                self._clusters = [run for run in runs if run[0] < run[1]]
                self.record: Mapping[str, Any] | None = self._record()
            except BaseException:
                self._file.close()
                raise
        self._kept: OrderedDict[tuple[Any, ...], EventBatch] = OrderedDict()

    # What it holds

    @cached_property
    def types(self) -> dict[str, str]:
        """podio's data type of every collection by name, of the model or not."""
        with reading(self.path, KIND):
            field = "events___CollectionTypeInfo"
            info = ak.to_list(self._ntuple(layout.METADATA).arrays([field])[field])[0]
            return {
                entry["name"]: ("subset of " if entry["isSubset"] else "") + entry["dataType"]
                for entry in info
            }

    @property
    def collections(self) -> dict[str, type[Collection]]:
        """The collections that can be read: those whose type is in the model."""
        found = {name: layout.type_of(data_type) for name, data_type in self.types.items()}
        return {name: cls for name, cls in found.items() if cls is not None}

    @property
    def provenance(self) -> dict[str, Any]:
        """What the writer was given; empty for files of other programs."""
        return dict(self.record["provenance"]) if self.record else {}

    # Reading

    def read(
        self,
        collections: Iterable[str] | None = None,
        start: int | None = None,
        stop: int | None = None,
    ) -> EventBatch:
        """Events ``start`` … ``stop - 1`` (places in the file, as in a slice).

        collections  names, by default all that can be read (see :attr:`collections`)
        """
        names = self._chosen(collections)
        first, last, _ = slice(start, stop).indices(self.n_events)
        covering = [run for run in self._clusters if run[0] < last and run[1] > first]
        if not covering:
            return EventBatch({name: self.collections[name].empty(0) for name in names}, 0)
        if len(covering) > self.KEPT_CLUSTERS:  # many at once: they are unpacked into one array
            runs = [(covering[0][0], covering[-1][1])]
            decoded = [self._decode(*runs[0], names)]
        else:
            runs = covering
            decoded = [self._cluster(begin, end, names) for begin, end in runs]
        parts = [
            batch.select_events(slice(max(first, begin) - begin, min(last, end) - begin))
            for (begin, end), batch in zip(runs, decoded, strict=True)
        ]
        return parts[0] if len(parts) == 1 else EventBatch.concatenate(parts)

    def iterate(
        self, step: int = 10_000, collections: Iterable[str] | None = None
    ) -> Iterator[EventBatch]:
        """Batches of ``step`` events; the last may be smaller."""
        if step < 1:
            raise InputError(f"cannot read {step} events at a time", "at least 1 is needed")
        names = self._chosen(collections)
        for first in range(0, self.n_events, step):
            yield self.read(names, first, first + step)

    def verify(self) -> str:
        """Read everything and compare with the hash that the writer stored; give that hash.

        Raises DamagedFile where they differ, InputError for a file without a hash.
        """
        if not self.record:
            raise InputError(f"{self.path} cannot be verified", "it holds no content hash")
        hasher, names = ContentHasher(), self._chosen(None)
        for begin, end in self._clusters:
            hasher.update(self._cluster(begin, end, names))
        if not self._clusters:
            hasher.update(self.read(names))
        found, stored = hasher.hexdigest(), str(self.record["content_sha256"])
        if found != stored:
            raise DamagedFile(
                f"{self.path} is damaged",
                f"its content has SHA-256 {found[:12]}…, its writer stored {stored[:12]}…",
                "make it again from its source",
            )
        return found

    def close(self) -> None:
        """Let go of the file and of the kept clusters."""
        self._kept.clear()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Inside

    def _refuse_truncated(self) -> None:
        """ROOT's header says where the file ends; a shorter file is told as what it is."""
        with self.path.open("rb") as stream:
            head = stream.read(24)
        if head[:4] != b"root" or len(head) < 24 or head[8:12] != b"\0\0\0\x64":
            raise DamagedFile(f"cannot read {self.path}", f"it is not {KIND}", "check the path")
        big = int.from_bytes(head[4:8], "big") >= 1_000_000
        end = int.from_bytes(head[12:20] if big else head[12:16], "big")
        size = self.path.stat().st_size
        if size < end:
            raise DamagedFile(
                f"cannot read {self.path}",
                f"it is cut off: {size} bytes of {end}",
                "copy it again, or make it again from its source",
            )

    def _ntuple(self, name: str) -> NTuple:
        kinds = self._file.kinds
        if kinds.get(name) != "ROOT::RNTuple":
            found = ", ".join(f"{key} ({kind})" for key, kind in kinds.items())
            raise DamagedFile(
                f"cannot read {self.path}",
                f"it has no RNTuple {name}; it holds {found or 'nothing'}",
                "event files are RNTuples, of fiducial or of podio's RNTuple backend",
            )
        return self._file.ntuple(name)

    def _record(self) -> dict[str, Any] | None:
        if layout.RECORD not in self._file.kinds:
            return None
        record = layout.unseal(self._file.string(layout.RECORD))
        if record["layout"] > layout.LAYOUT:
            raise InputError(
                f"cannot read {self.path}",
                f"layout {record['layout']}, this release reads up to {layout.LAYOUT}",
                "use a newer fiducial-io",
            )
        if record["events"] != self.n_events:
            raise DamagedFile(
                f"cannot read {self.path}",
                f"{self.n_events} events were found, its writer stored {record['events']}",
                "make it again from its source",
            )
        return record

    def _chosen(self, names: Iterable[str] | None) -> tuple[str, ...]:
        readable = self.collections
        if names is None:
            return tuple(readable)
        mistakes = []
        chosen = tuple(dict.fromkeys(names))
        for name in chosen:
            if name in readable:
                continue
            if name in self.types:
                problem = f"{name} is a {self.types[name]}, which is not in the model"
                mistakes.append(Mistake(str(self.path), problem))
            else:
                hint = did_you_mean(name, list(readable))
                mistakes.append(Mistake(str(self.path), f"no collection {name!r}", hint))
        if mistakes:
            raise Mistakes(mistakes, str(self.path))
        return chosen

    def _cluster(self, begin: int, end: int, names: tuple[str, ...]) -> EventBatch:
        key = (begin, names)
        if key not in self._kept:
            self._kept[key] = self._decode(begin, end, names)
            while len(self._kept) > self.KEPT_CLUSTERS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _decode(self, begin: int, end: int, names: tuple[str, ...]) -> EventBatch:
        readable = self.collections
        with reading(self.path, KIND):
            wanted = [f for n in names for f in layout.fields_of(n, readable[n].schema)]
            absent = sorted(set(wanted) - set(self._events.fields))
            if absent:
                raise DamagedFile(
                    f"cannot read {self.path}",
                    f"it lacks the fields {', '.join(absent)}",
                    "was it written with another version of the data model?",
                )
            if not wanted:
                return EventBatch({}, end - begin)
            first = self._places[begin]
            stop = next((i for at, i in self._places.items() if at >= end), None)
            records = self._events.arrays(wanted, first, stop)
            try:
                collections = {
                    name: layout.decode(name, readable[name], lambda field: records[field])
                    for name in names
                }
                return EventBatch(collections, end - begin)
            except Mistakes as error:
                raise DamagedFile(
                    f"cannot read {self.path}",
                    f"events {begin} to {end - 1} do not hold together: {error.mistakes[0]}",
                    "make it again from its source",
                ) from None


def read_rntuple(
    path: str | os.PathLike[str],
    collections: Iterable[str] | None = None,
    start: int | None = None,
    stop: int | None = None,
) -> EventBatch:
    """Events of a file; see :meth:`EventFile.read`."""
    with EventFile(path) as file:
        return file.read(collections, start, stop)


def iterate_rntuple(
    path: str | os.PathLike[str], step: int = 10_000, collections: Iterable[str] | None = None
) -> Iterator[EventBatch]:
    """Batches of ``step`` events of a file, one after another."""
    with EventFile(path) as file:
        yield from file.iterate(step, collections)


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the writer of a file was given as its provenance."""
    with EventFile(path) as file:
        return file.provenance


def verify(path: str | os.PathLike[str]) -> str:
    """Compare a file's content with its stored hash; see :meth:`EventFile.verify`."""
    with EventFile(path) as file:
        return file.verify()
