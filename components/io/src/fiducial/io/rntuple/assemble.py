"""From pages to awkward layouts: walk the fields, from lists down to numbers.

Index columns are unpacked on the way, as they tell how many elements are below; the pages of
all other columns are queued and fetched at the end, in the order in which they lie in the file,
and unpacked straight to where they belong (by threads, where there are any).
"""

from __future__ import annotations

from concurrent.futures import Executor
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import numpy.typing as npt
import xxhash

from fiducial.io.rntuple.blocks import HEADER, LARGEST, decompress
from fiducial.io.rntuple.encoding import decode_page, page_bytes
from fiducial.io.rntuple.envelopes import ColumnPages, Page, Schema
from fiducial.io.rntuple.records import (
    COLUMN_TYPES,
    ColumnFlag,
    ColumnRecord,
    ColumnType,
    FieldFlag,
    Role,
)
from fiducial.io.rntuple.rootfile_read import RootFileReader
from fiducial.io.rntuple.tree import Node, Unsupported

__all__ = ["Assembler"]

GAP, MOST = 1 << 15, 1 << 24
"""Pages with at most this between them are fetched together, up to this size."""
Array = npt.NDArray[Any]
_LEAVES = {
    "bool": "bool", "char": "u1", "std::byte": "u1", "float": "f4", "double": "f8",
    **{f"std::{u}int{n}_t": f"{u or 'i'}{n // 8}".replace("ui", "u")
       for u in ("", "u") for n in (8, 16, 32, 64)},
}  # fmt: skip
_OPTIONS = ("std::optional<", "std::unique_ptr<")


class _Task(NamedTuple):
    page: Page
    kind: ColumnType
    record: ColumnRecord
    out: Array


class Assembler:
    """Builds the layouts of fields for a run of clusters; they are filled by :meth:`finish`."""

    def __init__(
        self,
        source: RootFileReader,
        schema: Schema,
        lists: list[list[ColumnPages]],
        pool: Executor | None,
    ) -> None:
        self._source, self._schema = source, schema
        self._lists, self._pool = lists, pool
        self._queue: list[_Task] = []

    # Fields

    def layout(self, node: Node, lengths: list[int]) -> Any:
        """The layout of a field that has ``lengths`` elements in the clusters."""
        record, total = node.record, sum(lengths)
        if record.role == Role.STREAMER:
            raise Unsupported(
                f"the field {node.path} cannot be read",
                f"it holds objects of {record.type_name} as ROOT's streamer wrote them",
                "read it with ROOT, or leave it out",
            )
        if record.role == Role.COLLECTION:
            return self._collection(node, lengths)
        if record.role == Role.VARIANT:
            return self._variant(node, lengths)
        if record.role == Role.RECORD:
            contents = [self.layout(child, lengths) for child in node.children]
            names: Any = [child.record.name for child in node.children]
            if record.type_name.startswith(("std::pair<", "std::tuple<")):
                names = None
            named = {"__record__": record.type_name} if names and record.type_name else None
            return ak.contents.RecordArray(contents, names, total, parameters=named)
        if record.role != Role.LEAF:
            raise Unsupported(f"the field {node.path} cannot be read", f"its role {record.role}")
        if record.flags & FieldFlag.REPETITIVE:
            size = record.array_size
            inner = [length * size for length in lengths]
            content = self._leaf(node, inner) if node.columns else self._only(node, inner)
            return ak.contents.RegularArray(content, size, total)
        if not node.columns:
            return self._only(node, lengths)  # an enumeration, an atomic
        if record.type_name == "std::string":
            ends, inner = self._index(node, lengths)
            characters = ak.contents.NumpyArray(
                self._column(node, 1, inner, np.dtype("u1")), parameters={"__array__": "char"}
            )
            return ak.contents.ListOffsetArray(
                ak.index.Index64(ends), characters, parameters={"__array__": "string"}
            )
        if record.type_name.startswith("ROOT::RNTupleCardinality<"):
            ends, _ = self._index(node, lengths)
            kind = np.uint32 if "32" in record.type_name else np.uint64
            return ak.contents.NumpyArray(np.diff(ends).astype(kind))
        return self._leaf(node, lengths)

    def finish(self) -> None:
        """Fetch and unpack what is queued."""
        queue, self._queue = self._queue, []
        queue.sort(key=lambda task: task.page.locator.offset)
        begin = 0
        while begin < len(queue):
            first = queue[begin].page.locator.offset
            end, stop = begin, first
            while end < len(queue):
                at, reach = queue[end].page.locator.offset, _reach(queue[end].page)
                if end > begin and (at > stop + GAP or reach - first > MOST):
                    break
                stop, end = max(stop, reach), end + 1
            data = self._source.read(first, stop - first)
            parts = [
                (task, data[task.page.locator.offset - first : _reach(task.page) - first])
                for task in queue[begin:end]
            ]
            if self._pool:
                list(self._pool.map(_unpack, parts))
            else:
                for part in parts:
                    _unpack(part)
            begin = end

    # Kinds of fields

    def _only(self, node: Node, lengths: list[int]) -> Any:
        if len(node.children) != 1:
            raise ValueError(f"the field {node.path} has {len(node.children)} fields below, not 1")
        return self.layout(node.children[0], lengths)

    def _leaf(self, node: Node, lengths: list[int]) -> Any:
        name = node.record.type_name
        dtype = np.dtype(_LEAVES[name]) if name in _LEAVES else None
        return ak.contents.NumpyArray(self._column(node, 0, lengths, dtype))

    def _collection(self, node: Node, lengths: list[int]) -> Any:
        offsets, inner = self._index(node, lengths)
        content = self._only(node, inner)
        if not node.record.type_name.startswith(_OPTIONS):
            return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)
        counts = np.diff(offsets)
        if bool((counts > 1).any()):
            raise ValueError(f"the option {node.path} holds more than one value")
        index = np.where(counts == 1, offsets[:-1], -1)
        return ak.contents.IndexedOptionArray(ak.index.Index64(index), content)

    def _variant(self, node: Node, lengths: list[int]) -> Any:
        switch = self._column(node, 0, lengths, None, now=True)
        where = switch[:, 0].astype(np.int64) | switch[:, 1].astype(np.int64) << 32
        tags = switch[:, 2].astype(np.int64) - 1
        if bool((tags >= len(node.children)).any()):
            raise ValueError(f"the variant {node.path} names a type that it has not")
        cuts = list(accumulate(lengths, initial=0))
        contents = []
        for tag, child in enumerate(node.children):
            inner: list[int] = []
            for low, high in pairwise(cuts):
                here = np.flatnonzero(tags[low:high] == tag) + low
                if not np.array_equal(where[here], np.arange(len(here))):
                    raise ValueError(f"the places of the variant {node.path} are out of order")
                where[here] += sum(inner)
                inner.append(len(here))
            contents.append(self.layout(child, inner))
        self.finish()  # types of numbers may be joined below, which copies
        if bool((tags < 0).any()):
            where[tags < 0] = len(contents[0])
            gap = np.append(np.arange(len(contents[0])), -1)
            contents[0] = ak.contents.IndexedOptionArray(ak.index.Index64(gap), contents[0])
        index = ak.index.Index64(where)
        kinds = ak.index.Index8(np.maximum(tags, 0).astype(np.int8))
        return ak.contents.UnionArray.simplified(kinds, index, contents)

    def _index(self, node: Node, lengths: list[int]) -> tuple[Array, list[int]]:
        """Offsets over all clusters, and the number of elements below in each cluster."""
        ends = self._column(node, 0, lengths, None, now=True).astype(np.int64)
        offsets = np.zeros(len(ends) + 1, np.int64)
        inner: list[int] = []
        start = 0
        for length in lengths:
            part = ends[start : start + length]
            if length and (part[0] < 0 or bool((np.diff(part) < 0).any())):
                raise ValueError(f"the ends of the lists of {node.path} fall")
            np.add(part, sum(inner), out=offsets[start + 1 : start + length + 1])
            inner.append(int(part[-1]) if length else 0)
            start += length
        return offsets, inner

    # Columns

    def _column(
        self, node: Node, place: int, lengths: list[int], dtype: Any, now: bool = False
    ) -> Array:
        """The elements of a column over all clusters; filled at once or by :meth:`finish`.

        place  which of the field's columns; dtype  to give, by default that of the file
        """
        pages = [self._pages(node, place, c, n) for c, n in enumerate(lengths)]
        kind = pages[0][1] if pages else self._kind(node, node.columns[0][place])
        if dtype is None:
            dtype = np.dtype(kind.dtype)
        shape = (sum(lengths), 3) if kind.name == "Switch" else (sum(lengths),)
        out = np.empty(shape, dtype)
        tasks, at = [], 0
        for (found, kind, record, missing), length in zip(pages, lengths, strict=True):
            out[at : at + missing] = 0
            start = at + missing
            for page in found:
                tasks.append(_Task(page, kind, record, out[start : start + page.elements]))
                start += page.elements
            at += length
        if now:
            for task in tasks:
                where = task.page.locator.offset
                _unpack((task, self._source.read(where, _reach(task.page) - where)))
        else:
            self._queue += tasks
        return out

    def _pages(
        self, node: Node, place: int, cluster: int, length: int
    ) -> tuple[list[Page], ColumnType, ColumnRecord, int]:
        """The pages of a column in a cluster, its type, and how many zeros come before them."""
        columns = self._lists[cluster]
        for ids in node.columns:
            if place >= len(ids):
                raise ValueError(f"the field {node.path} lacks a column")
            record = self._schema.columns[ids[place]]
            known = ids[place] < len(columns)  # else it was added after this cluster
            column = columns[ids[place]] if known else ColumnPages([], 0)
            if column.offset < 0:
                continue
            kind = self._kind(node, ids[place])
            if not 0 < (kind.bits or record.bits) <= (kind.bits or 32):
                raise ValueError(f"a column of {node.path} has {record.bits} bits")
            elements = sum(page.elements for page in column.pages)
            missing = length - elements
            if missing < 0 or (missing and not record.flags & ColumnFlag.DEFERRED):
                raise ValueError(f"{node.path} has {elements} elements where {length} are expected")
            for page in column.pages:
                self._refuse_implausible(page, page_bytes(kind, record, page.elements))
            return column.pages, kind, record, missing
        raise ValueError(f"no representation of {node.path} is stored in a cluster")

    def _kind(self, node: Node, column: int) -> ColumnType:
        code = self._schema.columns[column].type
        if code not in COLUMN_TYPES:
            raise Unsupported(
                f"the field {node.path} cannot be read",
                f"its column has the type {code:#x} of a later format",
            )
        return COLUMN_TYPES[code]

    def _refuse_implausible(self, page: Page, size: int) -> None:
        """A page beyond the file, or larger than its chunks can hold, costs no memory."""
        if _reach(page) > self._source.size:
            raise ValueError(f"a page lies beyond the file, at {page.locator.offset}")
        if size > page.locator.size and size > (page.locator.size // HEADER) * LARGEST:
            raise ValueError(f"a page of {size} bytes is said to fit in {page.locator.size}")


def _reach(page: Page) -> int:
    return page.locator.offset + page.locator.size + (8 if page.checksum else 0)


def _unpack(job: tuple[_Task, memoryview]) -> None:
    task, stored = job
    page, kind, record, out = task
    if page.checksum:
        stored, checksum = stored[:-8], stored[-8:]
        if xxhash.xxh3_64_intdigest(stored) != int.from_bytes(checksum, "little"):
            raise ValueError(f"the checksum of the page at {page.locator.offset} is wrong")
    data = decompress(stored, page_bytes(kind, record, page.elements))
    if out.dtype == np.dtype(kind.dtype):
        decode_page(data, kind, record, out)
    else:
        native = np.empty(len(out), kind.dtype)
        decode_page(data, kind, record, native)
        out[:] = native
