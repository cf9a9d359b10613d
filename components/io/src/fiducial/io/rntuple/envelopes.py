"""Header, footer and page lists ("Envelopes"): packed and parsed, with their checksums."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

import xxhash

from fiducial.io.rntuple.frames import Cursor, list_frame, record_frame, string
from fiducial.io.rntuple.records import (
    AliasRecord,
    ClusterGroupRecord,
    ClusterSummary,
    ColumnRecord,
    FieldRecord,
    Locator,
)

__all__ = ["ColumnPages", "Footer", "Header", "Page", "PageList", "Schema", "checksum_of"]

HEADER, FOOTER, PAGE_LIST = 1, 2, 3
_PAGE = struct.Struct("<iiQ")
SUPPRESSED = -(1 << 63)


def _seal(kind: int, payload: bytes) -> bytes:
    """An envelope: type (16 bits) and length (48 bits), payload, XXH3."""
    body = struct.pack("<Q", kind | (len(payload) + 16) << 16) + payload
    return body + struct.pack("<Q", xxhash.xxh3_64_intdigest(body))


def _open(data: bytes, kind: int) -> tuple[Cursor, int]:
    """A cursor into the payload, and the checksum; ValueError where anything does not fit."""
    names = {HEADER: "header", FOOTER: "footer", PAGE_LIST: "page list"}
    if len(data) < 16:
        raise ValueError(f"the {names[kind]} has {len(data)} bytes")
    (head,), (stored,) = struct.unpack("<Q", data[:8]), struct.unpack("<Q", data[-8:])
    if xxhash.xxh3_64_intdigest(memoryview(data)[:-8]) != stored:
        raise ValueError(f"the checksum of the {names[kind]} is wrong")
    if head & 0xFFFF != kind or head >> 16 != len(data):
        raise ValueError(f"this is no {names[kind]} of {len(data)} bytes")
    return Cursor(memoryview(data), 8, len(data) - 8), stored


def checksum_of(envelope: bytes) -> int:
    """The XXH3 that an envelope ends with."""
    return int(struct.unpack("<Q", envelope[-8:])[0])


def _refuse_features(cursor: Cursor) -> None:
    flags = cursor.uint64()
    if flags:
        raise ValueError(f"it needs format features that are unknown here (flags {flags:#x})")


@dataclass
class Schema:
    """A schema description: fields, columns, alias columns (extra type information is skipped)."""

    fields: list[FieldRecord] = field(default_factory=list)
    columns: list[ColumnRecord] = field(default_factory=list)
    aliases: list[AliasRecord] = field(default_factory=list)

    def pack(self) -> bytes:
        fields = list_frame(record.pack() for record in self.fields)
        columns = list_frame(record.pack() for record in self.columns)
        aliases = list_frame(record.pack() for record in self.aliases)
        return fields + columns + aliases + list_frame([])

    @classmethod
    def parse(cls, cursor: Cursor) -> Schema:
        count, items = cursor.list(40)
        fields = [FieldRecord.parse(items) for _ in range(count)]
        count, items = cursor.list(20)
        columns = [ColumnRecord.parse(items) for _ in range(count)]
        count, items = cursor.list(16)
        aliases = [AliasRecord.parse(items) for _ in range(count)]
        cursor.list(8)
        return cls(fields, columns, aliases)


@dataclass
class Header:
    """ "Header Envelope"."""

    name: str
    description: str
    writer: str
    schema: Schema
    checksum: int = 0

    def pack(self) -> bytes:
        texts = b"".join(string(text) for text in (self.name, self.description, self.writer))
        return _seal(HEADER, struct.pack("<Q", 0) + texts + self.schema.pack())

    @classmethod
    def parse(cls, data: bytes) -> Header:
        cursor, checksum = _open(data, HEADER)
        _refuse_features(cursor)
        name, description, writer = (cursor.string() for _ in range(3))
        return cls(name, description, writer, Schema.parse(cursor), checksum)


@dataclass
class Footer:
    """ "Footer Envelope"."""

    header_checksum: int
    groups: list[ClusterGroupRecord]
    extension: Schema = field(default_factory=Schema)

    def pack(self) -> bytes:
        payload = struct.pack("<QQ", 0, self.header_checksum)
        payload += record_frame(self.extension.pack())
        return _seal(FOOTER, payload + list_frame(group.pack() for group in self.groups))

    @classmethod
    def parse(cls, data: bytes) -> Footer:
        cursor, _ = _open(data, FOOTER)
        _refuse_features(cursor)
        checksum = cursor.uint64()
        extension = cursor.record()
        schema = Schema.parse(extension) if extension.left else Schema()
        count, items = cursor.list(48)
        return cls(checksum, [ClusterGroupRecord.parse(items) for _ in range(count)], schema)


class Page(NamedTuple):
    """One page ("Page Locations"): its elements, its bytes, and whether XXH3 follows them."""

    elements: int
    locator: Locator
    checksum: bool


class ColumnPages(NamedTuple):
    """The pages of one column in one cluster; suppressed where ``offset`` is negative."""

    pages: list[Page]
    offset: int
    compression: int = 0

    def pack(self) -> bytes:
        items = (
            struct.pack("<i", -p.elements if p.checksum else p.elements) + p.locator.pack()
            for p in self.pages
        )
        trailer = struct.pack("<q", self.offset)
        if self.offset >= 0:
            trailer += struct.pack("<I", self.compression)
        return list_frame(items, trailer)

    @classmethod
    def parse(cls, cursor: Cursor) -> ColumnPages:
        count, items = cursor.list(16)
        if count and _standard(items, count):
            pages = [
                Page(abs(n), Locator(size, at), n < 0)
                for n, size, at in _PAGE.iter_unpack(items.take(_PAGE.size * count))
            ]
        else:
            pages = []
            for _ in range(count):
                (n,) = struct.unpack("<i", items.take(4))
                pages.append(Page(abs(n), Locator.parse(items), n < 0))
        offset = items.int64()
        return cls(pages, offset, items.uint32() if offset >= 0 else 0)


def _standard(items: Cursor, count: int) -> bool:
    """Whether all locators have the short form: 12 bytes of trailer are left then."""
    return items.left == _PAGE.size * count + 12 and all(
        size >= 0 for _, size, _ in _PAGE.iter_unpack(items.data[items.at : items.stop - 12])
    )


@dataclass
class PageList:
    """ "Page List Envelope": the clusters of one group, and the pages of all columns in each."""

    header_checksum: int
    clusters: list[ClusterSummary]
    columns: list[list[ColumnPages]]

    def pack(self) -> bytes:
        payload = struct.pack("<Q", self.header_checksum)
        payload += list_frame(cluster.pack() for cluster in self.clusters)
        payload += list_frame(list_frame(c.pack() for c in cluster) for cluster in self.columns)
        return _seal(PAGE_LIST, payload)

    @classmethod
    def parse(cls, data: bytes) -> PageList:
        cursor, _ = _open(data, PAGE_LIST)
        checksum = cursor.uint64()
        count, items = cursor.list(24)
        clusters = [ClusterSummary.parse(items) for _ in range(count)]
        count, items = cursor.list(12)
        columns = []
        for _ in range(count):
            inner, of_cluster = items.list(20)
            columns.append([ColumnPages.parse(of_cluster) for _ in range(inner)])
        return cls(checksum, clusters, columns)
