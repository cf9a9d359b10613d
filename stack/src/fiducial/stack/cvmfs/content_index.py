"""What a publisher remembers between publishes: contents to objects, files to contents, catalogs.

It is a cache: every object that it names is looked for before it is relied on, and a damaged
or missing index is made anew. A file is recognised by device, inode, size and times, and only
if it had been left alone for a while when it was read: a change in the same tick of the file
system's clock would not be seen otherwise.
"""

from __future__ import annotations

import sqlite3
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from fiducial.stack.cvmfs.catalog import Reference
from fiducial.stack.cvmfs.digest import Algorithm, Digest
from fiducial.stack.cvmfs.entry import Chunk
from fiducial.stack.cvmfs.tree_scan import SourceFile

SETTLED_NS = 2_000_000_000
"""How long ago a file must have changed last to be recognised by its times [ns]."""

_VERSION = 1
_CHUNK = struct.Struct("<qq20s")
_TABLES = """
CREATE TABLE IF NOT EXISTS contents (
    sha256 BLOB PRIMARY KEY, raw BLOB, chunks BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    device INTEGER, inode INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER, sha256 BLOB,
    PRIMARY KEY (device, inode)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS catalogs (
    content BLOB PRIMARY KEY, raw BLOB, size INTEGER) WITHOUT ROWID;
"""


class Content(NamedTuple):
    """Where a file's content lies: one object, or chunks."""

    raw: bytes | None
    chunks: tuple[Chunk, ...] = ()


class ContentIndex:
    """The index in file ``path``, for one algorithm and encoder (``variant``)."""

    def __init__(self, path: Path, variant: str, algorithm: Algorithm) -> None:
        self.path, self.algorithm = path, algorithm
        self._lock = threading.Lock()
        self._variant = f"{_VERSION} {variant}"
        self._database = self._open()
        self._contents: dict[bytes, Content] = {}
        self._files: list[tuple[SourceFile, bytes]] = []
        self._catalogs: dict[bytes, Reference] = {}

    def _open(self) -> sqlite3.Connection:
        for _ in range(2):
            try:
                return self._connect()
            except sqlite3.DatabaseError:
                self._discard()
        return self._connect()

    def _discard(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("CREATE TABLE IF NOT EXISTS about (variant TEXT)")
            found = database.execute("SELECT variant FROM about").fetchone()
            if found is None:
                database.execute("INSERT INTO about VALUES (?)", (self._variant,))
            elif found[0] != self._variant:
                raise sqlite3.DatabaseError("an index for other settings")
            database.executescript(_TABLES)
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def recognise(self, files: Iterable[SourceFile]) -> dict[tuple[int, int], Content]:
        """The contents of those ``files`` that were read before and have not changed since."""
        by_key = {file.key: file for file in files}
        database = self._database
        database.execute("CREATE TEMP TABLE IF NOT EXISTS asked (device INTEGER, inode INTEGER)")
        database.execute("BEGIN")
        database.executemany("INSERT INTO asked VALUES (?, ?)", by_key)
        found: dict[tuple[int, int], Content] = {}
        query = (
            "SELECT f.device, f.inode, f.size, f.mtime, f.ctime, c.raw, c.chunks FROM asked a"
            " JOIN files f USING (device, inode) JOIN contents c USING (sha256)"
        )
        for device, inode, size, mtime, ctime, raw, chunks in database.execute(query):
            key = device, inode
            file = by_key[key]
            if file.mtime_ns == mtime and file.size == size and file.ctime_ns == ctime:
                found[key] = Content(raw) if not chunks else _content(raw, chunks)
        database.execute("DELETE FROM asked")
        database.execute("COMMIT")
        return found

    def lookup(self, sha256: bytes) -> Content | None:
        """The object of a content. Safe from many threads."""
        with self._lock:
            found = self._contents.get(sha256)
            if found is not None:
                return found
            query = "SELECT raw, chunks FROM contents WHERE sha256=?"
            row = self._database.execute(query, (sha256,)).fetchone()
        return None if row is None else _content(*row)

    def remember(self, file: SourceFile, sha256: bytes, content: Content) -> None:
        """What ``file`` holds, and where that lies. Safe from many threads; kept by ``save``."""
        with self._lock:
            self._contents[sha256] = content
            if time.time_ns() - max(file.mtime_ns, file.ctime_ns) > SETTLED_NS:
                self._files.append((file, sha256))

    def lookup_catalog(self, content: bytes) -> Reference | None:
        """The catalog that was written for a content (its SHA-256)."""
        found = self._catalogs.get(content)
        if found is not None:
            return found
        query = "SELECT raw, size FROM catalogs WHERE content=?"
        row = self._database.execute(query, (content,)).fetchone()
        return None if row is None else Reference(Digest(row[0], self.algorithm), row[1])

    def remember_catalog(self, content: bytes, reference: Reference) -> None:
        self._catalogs[content] = reference

    def save(self) -> None:
        """Keep what was remembered; call it when the objects are in place."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT OR REPLACE INTO contents VALUES (?, ?, ?)",
            [
                (sha256, content.raw, b"".join(_CHUNK.pack(*chunk) for chunk in content.chunks))
                for sha256, content in self._contents.items()
            ],
        )
        database.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
            [
                (file.device, file.inode, file.size, file.mtime_ns, file.ctime_ns, sha256)
                for file, sha256 in self._files
            ],
        )
        database.executemany(
            "INSERT OR REPLACE INTO catalogs VALUES (?, ?, ?)",
            [(key, item.digest.raw, item.size) for key, item in self._catalogs.items()],
        )
        database.execute("COMMIT")
        self.forget_new()

    def forget_new(self) -> None:
        """Drop what was remembered and not saved."""
        self._contents, self._files, self._catalogs = {}, [], {}

    def forget_objects(self, removed: Mapping[bytes, object]) -> None:
        """Drop what lies in objects that were removed (by raw digest)."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        gone = [
            (sha256,)
            for sha256, raw, chunks in database.execute("SELECT sha256, raw, chunks FROM contents")
            if raw in removed or any(chunk.raw in removed for chunk in _content(raw, chunks).chunks)
        ]
        database.executemany("DELETE FROM contents WHERE sha256=?", gone)
        database.execute("DELETE FROM files WHERE sha256 NOT IN (SELECT sha256 FROM contents)")
        catalogs = [
            (key,)
            for key, raw in database.execute("SELECT content, raw FROM catalogs")
            if raw in removed
        ]
        database.executemany("DELETE FROM catalogs WHERE content=?", catalogs)
        database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()


def _content(raw: bytes | None, chunks: bytes) -> Content:
    return Content(raw, tuple(Chunk(*fields) for fields in _CHUNK.iter_unpack(chunks)))
