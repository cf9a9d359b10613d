"""Read RNTuples from ROOT files: clusters as awkward layouts, columns and clusters as chosen.

Whatever the writer: all column types, several representations of a field, columns added later,
projected fields, fixed arrays, options, variants, enumerations. Refused by name: objects that
ROOT's streamer wrote, and column types of a later specification. Checksums of envelopes and of
pages are verified; the counts of every column are held against those of its pages before
memory is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property
from typing import Any

from fiducial.core.errors import InputError
from fiducial.io.rntuple.assemble import Assembler
from fiducial.io.rntuple.blocks import decompress
from fiducial.io.rntuple.envelopes import Footer, Header, PageList, Schema
from fiducial.io.rntuple.records import FieldFlag
from fiducial.io.rntuple.rootfile_read import RootFileReader
from fiducial.io.rntuple.tree import Unsupported, grow

__all__ = ["NTuple", "RNTupleFile", "Unsupported"]


class RNTupleFile:
    """An open ROOT file; ValueError or InputError for what cannot be read.

    threads  that unpack pages; 1 does it in the caller
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 1) -> None:
        self._source = RootFileReader(path)
        self._pool: Executor | None = ThreadPoolExecutor(threads) if threads > 1 else None

    @property
    def kinds(self) -> dict[str, str]:
        """The class of every object by name."""
        return {name: key.kind for name, key in self._source.keys.items()}

    def ntuple(self, name: str) -> NTuple:
        """The RNTuple of a name; KeyError where there is none."""
        key = self._source.keys[name]
        if key.kind != "ROOT::RNTuple":
            raise KeyError(f"{name} is a {key.kind}")
        return NTuple(self._source, key, self._pool)

    def string(self, name: str) -> str:
        """The text of a TObjString."""
        return self._source.string(self._source.keys[name])

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown()
        self._source.close()

    def __enter__(self) -> RNTupleFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class NTuple:
    """One RNTuple: its fields, the runs of entries of its clusters, and their content."""

    def __init__(self, source: RootFileReader, key: Any, pool: Executor | None) -> None:
        self._source, self._pool = source, pool
        anchor = source.anchor(key)
        if anchor.epoch != 1:
            raise InputError(
                f"the RNTuple {key.name} cannot be read",
                f"its format is {anchor.epoch}.{anchor.major}, known is 1",
                "write it again with ROOT 6.34 or later" if anchor.epoch == 0 else None,
            )
        self.header = Header.parse(
            self._envelope(anchor.header_offset, anchor.header_stored, anchor.header_length)
        )
        self._footer = Footer.parse(
            self._envelope(anchor.footer_offset, anchor.footer_stored, anchor.footer_length)
        )
        if self._footer.header_checksum != self.header.checksum:
            raise ValueError("header and footer do not belong together")
        first, later = self.header.schema, self._footer.extension
        self.schema = Schema(
            first.fields + later.fields,
            first.columns + later.columns,
            first.aliases + later.aliases,
        )
        self._nodes = grow(self.schema)
        self.n_entries = sum(group.entries for group in self._footer.groups)

    @property
    def fields(self) -> dict[str, str]:
        """The type name of every top-level field, as the file has it."""
        return {name: node.record.type_name for name, node in self._nodes.items()}

    @property
    def projected(self) -> set[str]:
        """The top-level fields that show what other fields hold."""
        return {n for n, node in self._nodes.items() if node.record.flags & FieldFlag.PROJECTED}

    @cached_property
    def clusters(self) -> list[tuple[int, int]]:
        """First entry, and the one behind the last, of each cluster; checked to be gapless."""
        runs = [(c.first_entry, c.first_entry + c.entries) for c in self._page_lists[0]]
        ends = [0, *(end for _, end in runs)]
        if [first for first, _ in runs] != ends[:-1] or ends[-1] != self.n_entries:
            raise ValueError("the clusters do not cover the entries")
        return runs

    def arrays(
        self, names: Iterable[str] | None = None, first: int = 0, stop: int | None = None
    ) -> dict[str, Any]:
        """The awkward layouts of fields, for the clusters ``first`` … ``stop - 1``.

        names  top-level fields, by default all
        Raises KeyError for a field that is not there, Unsupported for one that cannot be read.
        """
        runs = self.clusters[first:stop]
        lists = self._page_lists[1][first:stop]
        assembler = Assembler(self._source, self.schema, lists, self._pool)
        lengths = [end - begin for begin, end in runs]
        chosen = list(self._nodes) if names is None else list(names)
        layouts = {name: assembler.layout(self._nodes[name], lengths) for name in chosen}
        assembler.finish()
        return layouts

    @cached_property
    def _page_lists(self) -> tuple[list[Any], list[Any]]:
        """The summaries of all clusters, and the pages of all columns in each."""
        summaries: list[Any] = []
        pages: list[Any] = []
        for group in self._footer.groups:
            link = group.page_list
            envelope = self._envelope(link.locator.offset, link.locator.size, link.length)
            found = PageList.parse(envelope)
            if found.header_checksum != self.header.checksum:
                raise ValueError("a page list belongs to another RNTuple")
            if not len(found.clusters) == len(found.columns) == group.clusters:
                raise ValueError("a page list has not the clusters that its group counts")
            if any(cluster.flags & 1 for cluster in found.clusters):
                raise ValueError("sharded clusters are of a later format")
            summaries += found.clusters
            pages += found.columns
        return summaries, pages

    def _envelope(self, offset: int, stored: int, length: int) -> bytes:
        return bytes(decompress(self._source.read(offset, stored), length))
