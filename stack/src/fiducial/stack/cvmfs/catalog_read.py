"""Read a catalog, trusting nothing in it: the tree is followed from the root entry by name.

Every entry's path hash must be that of the path that led to it, so a catalog can name nothing
outside of its own directory, and no cycle is possible. Faults are reported; what is left over
(unreachable rows) is reported too. A reader that wants no unsafe catalog raises at the first
refusal: :func:`read_catalog`. The checker collects them: :func:`parse_catalog`.
"""

from __future__ import annotations

import sqlite3
import stat
import struct
from collections.abc import Iterator
from typing import Any

from fiducial.stack.cvmfs import statistics
from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.catalog_database import (
    Report,
    open_database,
    read_pairs,
    require_tables,
)
from fiducial.stack.cvmfs.catalog_schema import CATALOG_COLUMNS, COLUMNS, SCHEMA, Flag
from fiducial.stack.cvmfs.digest import DIGEST_BYTES, parse_digest
from fiducial.stack.cvmfs.entry import Chunk, Entry
from fiducial.stack.cvmfs.faults import Fault, FaultKind, Gravity, RefusedRepository, refuse
from fiducial.stack.cvmfs.path_hash import PathHash, hash_path, name_fault, show
from fiducial.stack.errors import InputError

MAX_ENTRIES = 20_000_000
"""Rows of one catalog above which it is refused."""

_SELECT = f"SELECT rowid, {', '.join(CATALOG_COLUMNS)} FROM catalog ORDER BY rowid"


def read_catalog(raw: bytes, prefix: bytes) -> Catalog:
    """The catalog in ``raw`` for directory ``prefix``. Raises RefusedRepository if it is unsafe."""

    def stop(fault: Fault) -> None:
        if fault.kind.gravity is Gravity.REFUSAL:
            raise RefusedRepository(f"the catalog of {show(prefix)}", [fault])

    return parse_catalog(raw, prefix, stop)


def parse_catalog(raw: bytes, prefix: bytes, report: Report) -> Catalog:
    """The catalog in ``raw``; every fault is told to ``report``.

    Raises RefusedRepository where nothing can be read at all.
    """
    where = show(prefix)
    with open_database(raw, where, report) as database:
        tables = require_tables(database, COLUMNS, where, report)
        if "catalog" not in tables:
            raise refuse(FaultKind.MISSING_TABLE, where, "no usable table catalog")
        properties = read_pairs(database, "properties") if "properties" in tables else {}
        _judge_properties(properties, prefix, report)
        rows = _Rows(database, where, report)
        chunks = _read_chunks(database, where, report) if "chunks" in tables else {}
        catalog = rows.follow(prefix, chunks)
        catalog.properties = {key: str(value) for key, value in properties.items()}
        for table, references in (
            ("nested_catalogs", catalog.nested),
            ("bind_mountpoints", catalog.binds),
        ):
            if table in tables:
                references.update(_read_references(database, table, where, report))
        if "statistics" in tables:
            found, missing = statistics.read_rows(_integers(read_pairs(database, "statistics")))
            catalog.statistics = found
            for name in missing:
                report(Fault(FaultKind.MISSING_COUNTER, where, name))
    return catalog


def _integers(rows: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in rows.items() if isinstance(value, int)}


def _judge_properties(properties: dict[str, Any], prefix: bytes, report: Report) -> None:
    where = show(prefix)
    schema = properties.get("schema")
    if schema is None:
        report(Fault(FaultKind.NO_SCHEMA, where, "property schema is missing"))
    elif _number(schema) != float(SCHEMA):
        report(Fault(FaultKind.UNKNOWN_SCHEMA, where, f"{schema}, not {SCHEMA}"))
    revision = properties.get("schema_revision")
    if _number(revision) != 7:
        report(Fault(FaultKind.OLD_SCHEMA_REVISION, where, f"{revision}, not 7"))
    found = properties.get("root_prefix")
    if (found or "") != prefix.decode("utf-8", "backslashreplace"):
        report(Fault(FaultKind.WRONG_ROOT_PREFIX, where, f"root_prefix is {found!r}"))


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


class _Rows:
    """The rows of table ``catalog``, by parent."""

    def __init__(self, database: sqlite3.Connection, where: str, report: Report) -> None:
        self.where, self.report = where, report
        self.total = 0
        self.by_parent: dict[PathHash, list[tuple[Any, ...]]] = {}
        self.by_hash: dict[PathHash, tuple[Any, ...]] = {}
        largest = 0
        for row in database.execute(_SELECT):
            self.total += 1
            if self.total > MAX_ENTRIES:
                raise refuse(FaultKind.CATALOG_TOO_LARGE, where, f"above {MAX_ENTRIES} entries")
            largest = max(largest, row[0])
            self.by_hash[row[1:3]] = row
            self.by_parent.setdefault(row[3:5], []).append(row)
        if largest > self.total:
            detail = f"{self.total} rows, the largest number {largest}"
            report(Fault(FaultKind.SPARSE_ROWS, where, detail))

    def follow(self, prefix: bytes, chunks: dict[PathHash, list[Chunk]]) -> Catalog:
        root_row = self.by_hash.get(hash_path(prefix))
        if root_row is None:
            raise self._no_root(prefix)
        root = self._entry(root_row, prefix, chunks)
        if not root.is_directory:
            raise refuse(FaultKind.NO_ROOT_ENTRY, self.where, "the root entry is no directory")
        if root.name != prefix.rpartition(b"/")[2]:
            self._say(FaultKind.HOSTILE_NAME, prefix, f"the root entry is called {root.name!r}")
        catalog = Catalog(prefix, root)
        seen, pending = 1, [prefix]
        while pending:
            place = pending.pop()
            listing = catalog.directories.setdefault(place, {})
            for row in self.by_parent.get(hash_path(place), ()):
                if row is root_row:
                    continue
                name = row[12]
                fault = name_fault(name) if isinstance(name, bytes) else "no text for a name"
                if fault:
                    self._say(FaultKind.HOSTILE_NAME, place, fault)
                    continue
                path = place + b"/" + name
                if row[1:3] != hash_path(path):
                    self._say(FaultKind.WRONG_PATH_HASH, path, "the row belongs to another path")
                    continue
                seen += 1
                entry = self._entry(row, path, chunks)
                listing[name] = entry
                if not entry.is_directory:
                    continue
                if entry.flags & (Flag.NESTED_MOUNTPOINT | Flag.BIND_MOUNTPOINT):
                    held = len(self.by_parent.get(hash_path(path), ()))
                    if held:
                        seen += held
                        self._say(FaultKind.MOUNTPOINT_NOT_EMPTY, path, f"{held} entries here too")
                else:
                    pending.append(path)
        if seen < self.total:
            self._say(FaultKind.UNREACHABLE_ENTRY, prefix, f"{self.total - seen} of {self.total}")
        return catalog

    def _no_root(self, prefix: bytes) -> RefusedRepository:
        first, second = struct.unpack(">qq", struct.pack("<qq", *hash_path(prefix)))
        if (first, second) in self.by_hash:
            return refuse(FaultKind.WRONG_PATH_HASH, self.where, "path hashes are big-endian")
        return refuse(FaultKind.NO_ROOT_ENTRY, self.where, "no row for the catalog's directory")

    def _say(self, kind: FaultKind, path: bytes, detail: str) -> None:
        self.report(Fault(kind, show(path), detail))

    def _entry(
        self, row: tuple[Any, ...], path: bytes, chunks: dict[PathHash, list[Chunk]]
    ) -> Entry:
        (_, first, second, _, _, hardlinks, raw, size, mode, mtime, mtimens, flags, name, symlink,
         uid, gid, xattr) = row  # fmt: skip
        numbers = {"hardlinks": hardlinks, "size": size, "mode": mode, "mtime": mtime,
                   "flags": flags}  # fmt: skip
        for column, value in numbers.items():
            if not isinstance(value, int):
                self._say(FaultKind.WRONG_TYPE, path, f"{column} is no number")
        hardlinks, size, mode, mtime, flags = (
            value if isinstance(value, int) else 0 for value in numbers.values()
        )
        for column, text in (("name", name), ("symlink", symlink)):
            if text is None:
                self._say(FaultKind.NULL_TEXT, path, f"{column} is NULL: clients crash")
            elif not isinstance(text, bytes):
                self._say(FaultKind.WRONG_TYPE, path, f"{column} is no text")
        if raw is not None and (not isinstance(raw, bytes) or len(raw) != DIGEST_BYTES):
            self._say(FaultKind.DIGEST_FORM, path, f"not {DIGEST_BYTES} bytes: {raw!r:.60}")
            raw = None
        elif raw is not None and _looks_like_text(raw):
            self._say(FaultKind.DIGEST_FORM, path, "hexadecimal text in place of bytes")
        entry = Entry(
            name if isinstance(name, bytes) else b"", mode, size, mtime, flags, raw,
            symlink if isinstance(symlink, bytes) else b"", hardlinks & 0xFFFFFFFF,
            hardlinks >> 32, mtimens if isinstance(mtimens, int) else None, uid or 0, gid or 0,
            xattr if isinstance(xattr, bytes) else None,
            tuple(chunks.get((first, second), ())) if flags & Flag.CHUNKED else (),
        )  # fmt: skip
        self._judge(path, entry)
        return entry

    def _judge(self, path: bytes, entry: Entry) -> None:
        """What makes an entry ambiguous or unsafe to read."""
        flags = entry.flags
        if flags & ~Flag.KNOWN or entry.algorithm is None or entry.compression > 1:
            self._say(FaultKind.UNKNOWN_FLAGS, path, hex(flags))
        if not flags & (Flag.DIRECTORY | Flag.FILE | Flag.LINK | Flag.SPECIAL):
            self._say(FaultKind.UNKNOWN_FLAGS, path, f"{hex(flags)}: neither file nor directory")
        if flags & Flag.DIRECTORY and flags & (Flag.FILE | Flag.LINK | Flag.SPECIAL):
            self._say(FaultKind.UNKNOWN_FLAGS, path, f"{hex(flags)}: file and directory")
        if entry.size < 0:
            self._say(FaultKind.NEGATIVE_SIZE, path, str(entry.size))
        kind = stat.S_IFMT(entry.mode)
        wanted = (
            kind == stat.S_IFDIR if entry.is_directory
            else kind == stat.S_IFLNK if entry.is_symlink
            else kind not in (stat.S_IFDIR, stat.S_IFLNK, stat.S_IFREG) if entry.is_special
            else kind == stat.S_IFREG
        )  # fmt: skip
        if not wanted:
            self._say(FaultKind.MODE_DIFFERS, path, f"mode {entry.mode:o}, flags {hex(flags)}")
        if entry.is_regular and not entry.is_external:
            if entry.is_chunked:
                self._judge_chunks(path, entry)
            elif entry.raw is None:
                self._say(FaultKind.NO_DIGEST, path, "its content cannot be found")

    def _judge_chunks(self, path: bytes, entry: Entry) -> None:
        offset = 0
        for chunk in entry.chunks:
            if chunk.offset != offset or chunk.size <= 0:
                detail = f"a chunk at {chunk.offset}, expected at {offset}"
                self._say(FaultKind.CHUNKS, path, detail)
                return
            offset += chunk.size
        if not entry.chunks:
            self._say(FaultKind.CHUNKS, path, "it has none")
        elif offset != entry.size:
            detail = f"chunks hold {offset} bytes, the file {entry.size}"
            self._say(FaultKind.CHUNKS, path, detail)


_HEX = frozenset(b"0123456789abcdef")


def _looks_like_text(raw: bytes) -> bool:
    return all(byte in _HEX for byte in raw)


def _read_chunks(
    database: sqlite3.Connection, where: str, report: Report
) -> dict[PathHash, list[Chunk]]:
    found: dict[PathHash, list[Chunk]] = {}
    query = "SELECT md5path_1, md5path_2, offset, size, hash FROM chunks ORDER BY 1, 2, 3"
    for first, second, offset, size, raw in database.execute(query):
        if not (isinstance(offset, int) and isinstance(size, int)):
            report(Fault(FaultKind.WRONG_TYPE, where, "a chunk's offset or size is no number"))
        elif not isinstance(raw, bytes) or len(raw) != DIGEST_BYTES:
            report(Fault(FaultKind.DIGEST_FORM, where, f"of a chunk: {raw!r:.60}"))
        else:
            found.setdefault((first, second), []).append(Chunk(offset, size, raw))
    return found


def _read_references(
    database: sqlite3.Connection, table: str, where: str, report: Report
) -> Iterator[tuple[bytes, Reference]]:
    for path, text, size in database.execute(f"SELECT path, sha1, size FROM {table}"):
        if not isinstance(path, bytes) or not isinstance(text, bytes):
            report(Fault(FaultKind.NESTED_DIGEST, where, f"{table}: path or digest is no text"))
            continue
        try:
            digest = parse_digest(text.decode("ascii", "replace"))
        except InputError as error:
            report(Fault(FaultKind.NESTED_DIGEST, show(path), str(error)))
            continue
        yield path, Reference(digest, size if isinstance(size, int) and size >= 0 else 0)
