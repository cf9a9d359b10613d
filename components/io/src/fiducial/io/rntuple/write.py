"""Write RNTuples into a ROOT file: header first, clusters as they come, footer and anchor last."""

from __future__ import annotations

import importlib.metadata
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from fiducial.io.rntuple.blocks import Compression
from fiducial.io.rntuple.cluster import (
    PAGE_BYTES,
    SealedCluster,
    SealedPage,
    Sealer,
    at_once,
    choose,
    flatten,
)
from fiducial.io.rntuple.envelopes import (
    ColumnPages,
    Footer,
    Header,
    Page,
    PageList,
    checksum_of,
)
from fiducial.io.rntuple.fields import describe, schema_of
from fiducial.io.rntuple.records import (
    ClusterGroupRecord,
    ClusterSummary,
    EnvelopeLink,
    Locator,
)
from fiducial.io.rntuple.rootfile import LARGEST_KEY, RootFile, anchor, tobjstring

__all__ = ["NTupleWriter", "RootFileWriter"]


class RootFileWriter:
    """A ROOT file of RNTuples and strings; whole only after :meth:`close`.

    threads     that encode and pack columns; 1 does it in the caller
    page_bytes  most bytes of a page before compression
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        compression: Compression | None = None,
        threads: int = 1,
        page_bytes: int = PAGE_BYTES,
    ) -> None:
        self.compression = compression or Compression()
        self.page_bytes = page_bytes
        self.file = RootFile(path)
        self.pool: Executor | None = ThreadPoolExecutor(threads) if threads > 1 else None
        self._ntuples: list[NTupleWriter] = []

    def ntuple(self, name: str, names: list[str], forms: list[Any]) -> NTupleWriter:
        """A new RNTuple with these top-level fields, of these awkward forms."""
        self._drain()
        ntuple = NTupleWriter(self, name, names, forms)
        self._ntuples.append(ntuple)
        return ntuple

    def string(self, name: str, text: str) -> None:
        """A TObjString of the file."""
        self._drain()
        self.file.object("TObjString", name, tobjstring(text))

    def close(self) -> None:
        """Write what is waiting, footers and anchors, and the directory."""
        try:
            for ntuple in self._ntuples:
                ntuple.finish()
            self.file.close()
        finally:
            self.abandon()

    def _drain(self) -> None:
        """Write what threads still pack, so that the order in the file does not depend on them."""
        for ntuple in self._ntuples:
            ntuple.drain(leave=0)

    def abandon(self) -> None:
        """Let go of the file and the threads; what was written opens nowhere."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)
        self.file.abandon()


class NTupleWriter:
    """One RNTuple of a :class:`RootFileWriter`."""

    def __init__(self, root: RootFileWriter, name: str, names: list[str], forms: list[Any]) -> None:
        split = root.compression.algorithm != "none"
        self._root, self.name = root, name
        self.fields = describe(names, forms, split)
        schema, _ = schema_of(self.fields)
        version = importlib.metadata.version("fiducial-io")
        envelope = Header(name, "", f"fiducial-io {version}", schema).pack()
        self._checksum = checksum_of(envelope)
        self._header = root.file.envelope(envelope, root.compression)
        self._groups: list[ClusterGroupRecord] = []
        self._elements = [0] * len(schema.columns)
        self._waiting: deque[Callable[[], SealedCluster]] = deque()
        undecided: list[bool | None] = [None] * len(schema.columns)
        self.sealer = Sealer(self.fields, root.compression, root.page_bytes, undecided)
        self.n_entries = 0

    def fill(self, layouts: list[Any], entries: int) -> None:
        """Append a cluster; with threads, the one before is written meanwhile."""
        columns = flatten(self.fields, layouts)
        fast = choose(columns, self._root.compression, self.sealer.fast)
        self.sealer = replace(self.sealer, fast=fast)
        pool = self._root.pool
        if pool is None:
            self.append(self.sealer.begin(columns, entries, at_once)())
        else:
            self._waiting.append(self.sealer.begin(columns, entries, pool.submit))
            self.drain(leave=1)

    def append(self, cluster: SealedCluster) -> None:
        """Write a sealed cluster: its pages, then their list, as a cluster group of its own.

        Clusters that workers seal with :attr:`sealer` are appended in the order of their events.
        """
        stored: list[list[Page]] = [[] for _ in cluster.pages]
        batch: list[tuple[int, SealedPage]] = []
        size = 0
        for place, pages in enumerate(cluster.pages):
            for page in pages:
                if size and size + len(page.data) + 8 > LARGEST_KEY - 1024:
                    self._write_pages(batch, size, stored)
                    batch, size = [], 0
                batch.append((place, page))
                size += len(page.data) + 8
        if batch:
            self._write_pages(batch, size, stored)
        settings = self._root.compression.settings
        columns = []
        for column, place in enumerate(cluster.place):
            columns.append(ColumnPages(stored[place], self._elements[column], settings))
            self._elements[column] += sum(page.elements for page in stored[place])
        summary = ClusterSummary(self.n_entries, cluster.entries)
        page_list = PageList(self._checksum, [summary], [columns])
        link = EnvelopeLink(*self._root.file.envelope(page_list.pack(), self._root.compression))
        self._groups.append(ClusterGroupRecord(self.n_entries, cluster.entries, 1, link))
        self.n_entries += cluster.entries

    def finish(self) -> None:
        """Write the footer and the anchor."""
        self.drain(leave=0)
        file = self._root.file
        footer = file.envelope(Footer(self._checksum, self._groups).pack(), self._root.compression)
        places = [
            (locator.offset, locator.size, length) for length, locator in (self._header, footer)
        ]
        file.object("ROOT::RNTuple", self.name, anchor(places[0], places[1]))

    def drain(self, leave: int) -> None:
        """Append clusters that threads pack, until ``leave`` are waiting."""
        while len(self._waiting) > leave:
            self.append(self._waiting.popleft()())

    def _write_pages(
        self, batch: list[tuple[int, SealedPage]], size: int, stored: list[list[Page]]
    ) -> None:
        parts = [part for _, page in batch for part in (page.data, page.checksum)]
        at = self._root.file.blob(parts, size)
        for place, page in batch:
            locator = Locator(len(page.data), at)
            stored[place].append(Page(page.elements, locator, checksum=True))
            at += len(page.data) + 8
