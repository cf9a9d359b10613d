"""One cluster: the columns of some entries as pages, encoded, packed and with their checksums.

A :class:`Sealer` can be pickled, and :meth:`Sealer.seal` depends on nothing but its arguments:
workers of any kind may seal clusters, in any order, and one writer appends them in the order of
the events.

The effort of compression is chosen column by column. Physics columns are mostly noise in all
bytes but one: there zstd's level 10, which ROOT's default 505 means, costs five to ten times
the time of level 1 for files that are no smaller. So a part of a column is packed both ways, once
an ntuple, and the column takes the strong level only where that saves SAVING of the bytes.

Columns with the same content (the offsets of all jagged columns of one kind of object; members
that nobody filled) are stored once: "locators may reference identical byte ranges".
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import numpy.typing as npt
import xxhash

from fiducial.io.rntuple.blocks import Compression, compress
from fiducial.io.rntuple.encoding import encode_page
from fiducial.io.rntuple.fields import Field, numpy_of
from fiducial.io.rntuple.records import ColumnType, Role

__all__ = ["PAGE_BYTES", "SealedCluster", "SealedPage", "Sealer", "at_once", "choose", "flatten"]

PAGE_BYTES = 1 << 20
"""Most bytes of a page before compression: ROOT's default ("Defaults")."""
SAMPLE_BYTES = 1 << 16
SHORT_BYTES = 1 << 15
"""Columns of less are packed with the strong level; what it costs there is nothing."""
SAVING = 0.1

Array = npt.NDArray[Any]
Columns = list[tuple[ColumnType, Array]]


class SealedPage(NamedTuple):
    """The stored bytes of a page, and the XXH3 that follows them."""

    elements: int
    data: Any
    checksum: bytes


@dataclass
class SealedCluster:
    """The pages of all columns of some entries; indexes count from the cluster's beginning.

    pages  of each column that is stored
    place  for every column, where its pages stand in ``pages``
    """

    entries: int
    pages: list[list[SealedPage]]
    place: list[int]


@dataclass(frozen=True)
class Sealer:
    """How the clusters of an ntuple are made.

    fast  the columns that take the quick level of zstd
    """

    fields: list[Field]
    compression: Compression
    page_bytes: int
    fast: list[bool | None]

    def seal(self, layouts: list[Any], entries: int) -> SealedCluster:
        """The cluster of these entries; one awkward layout a field."""
        return self.begin(flatten(self.fields, layouts), entries, at_once)()

    def begin(
        self, columns: Columns, entries: int, submit: Callable[..., Future[list[SealedPage]]]
    ) -> Callable[[], SealedCluster]:
        """Have ``submit`` seal the columns, one task each; gives what waits for the cluster."""
        seen: dict[tuple[int, int, bytes], int] = {}
        tasks: list[Future[list[SealedPage]]] = []
        place: list[int] = []
        for (kind, array), fast in zip(columns, self.fast, strict=True):
            key = (kind.code, len(array), _digest(array))
            if key not in seen:
                seen[key] = len(tasks)
                tasks.append(
                    submit(_seal_column, kind, array, self.compression, self.page_bytes, fast)
                )
            place.append(seen[key])
        return lambda: SealedCluster(entries, [task.result() for task in tasks], place)


def at_once(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """What a pool's ``submit`` does, without a pool."""
    done: Future[Any] = Future()
    done.set_result(function(*arguments))
    return done


def _digest(array: Array) -> bytes:
    return xxhash.xxh3_128_digest(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _seal_column(
    kind: ColumnType, array: Array, compression: Compression, page_bytes: int, fast: bool | None
) -> list[SealedPage]:
    n = len(array)
    if not n:
        return []
    count = -(-n // max(1, page_bytes * 8 // kind.bits))
    step = -(-n // count)
    pages = []
    for start in range(0, n, step):
        part = array[start : start + step]
        data = compress(encode_page(part, kind), compression, bool(fast))
        checksum = xxhash.xxh3_64_intdigest(data).to_bytes(8, "little")
        pages.append(SealedPage(len(part), data, checksum))
    return pages


def choose(
    columns: Columns, compression: Compression, known: list[bool | None]
) -> list[bool | None]:
    """For each column whether the strong level is not worth its time; None while it is too short.

    known  what was chosen before, which stays
    """
    if compression.algorithm != "zstd":
        return known
    return [
        _prefers_speed(kind, array, compression) if old is None else old
        for (kind, array), old in zip(columns, known, strict=True)
    ]


def _prefers_speed(kind: ColumnType, array: Array, compression: Compression) -> bool | None:
    if len(array) * kind.bits < SHORT_BYTES * 8:
        return None
    elements = min(len(array), SAMPLE_BYTES * 8 // kind.bits)
    middle = (len(array) - elements) // 2
    page = encode_page(array[middle : middle + elements], kind)
    quick = len(compress(page, compression, fast=True))
    return len(compress(page, compression)) > (1 - SAVING) * quick


# --- From layouts to columns ---


def flatten(fields: list[Field], layouts: list[Any]) -> Columns:
    """Every column with its elements, in the order of the schema."""
    out: Columns = []
    for field, layout in zip(fields, layouts, strict=True):
        _flatten(field, layout, out)
    return out


def _ends(offsets: Array) -> Array:
    """The index column of lists: where each ends, counted from the first."""
    ends = offsets[1:].astype(np.uint64)
    return ends - np.uint64(offsets[0]) if offsets[0] else ends


def _flatten(field: Field, layout: Any, out: Columns) -> None:
    if layout.is_indexed and not layout.is_option:
        layout = layout.project()
    if field.role is Role.COLLECTION and field.type_name.startswith("std::optional<"):
        held = ~np.asarray(layout.mask_as_bool(valid_when=False))
        out.append((field.columns[0], np.cumsum(held, dtype=np.uint64)))
        _flatten(field.children[0], layout.project(), out)
    elif field.role is Role.COLLECTION or field.type_name == "std::string":
        lists = layout if isinstance(layout, ak.contents.ListOffsetArray) else (
            layout.to_ListOffsetArray64(False)
        )  # fmt: skip
        offsets = np.asarray(lists.offsets.data)
        out.append((field.columns[0], _ends(offsets)))
        content = lists.content[int(offsets[0]) : int(offsets[-1])]
        if field.children:
            _flatten(field.children[0], content, out)
        else:
            out.append((field.columns[1], np.asarray(content.data)))
    elif field.array_size is not None:
        if isinstance(layout, ak.contents.NumpyArray):
            layout = layout.to_RegularArray()
        content = layout.content[: len(layout) * layout.size]
        _flatten(field.children[0], content, out)
    elif field.role is Role.RECORD:
        for i, child in enumerate(field.children):
            _flatten(child, layout.contents[i][: len(layout)], out)
    elif field.role is Role.VARIANT:
        _flatten_union(field, layout, out)
    elif field.children:
        _flatten(field.children[0], layout, out)
    else:
        kind = field.columns[0]
        out.append((kind, np.asarray(layout.data).astype(numpy_of(kind), copy=False)))


def _flatten_union(field: Field, layout: Any, out: Columns) -> None:
    tags = np.asarray(layout.tags.data)
    index = np.asarray(layout.index.data)[: len(tags)]
    switch = np.zeros((len(tags), 3), np.uint32)
    switch[:, 2] = tags + 1
    out.append((field.columns[0], switch))
    for tag, child in enumerate(field.children):
        here = tags == tag
        places = np.arange(int(here.sum()), dtype=np.uint64)
        switch[here, 0] = places & np.uint64(0xFFFF_FFFF)
        switch[here, 1] = places >> np.uint64(32)
        _flatten(child, layout.contents[tag]._carry(ak.index.Index64(index[here]), False), out)
