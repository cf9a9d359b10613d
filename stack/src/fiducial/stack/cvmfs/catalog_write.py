"""Write a catalog as SQLite: the same content gives the same bytes, whoever writes it when.

Rows go in by the order of the tree (row numbers are dense, and clients size their range of
inode numbers by the largest), the time of last modification is that of the newest entry, and
a nested catalog has revision 1 and no predecessor. The version of SQLite stands in the file,
so one release of SQLite should write one repository.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from fiducial.stack.cvmfs.catalog import Catalog
from fiducial.stack.cvmfs.catalog_schema import (
    CATALOG_COLUMNS,
    PAGE_SIZE,
    SCHEMA,
    SCHEMA_REVISION,
    statements,
)
from fiducial.stack.cvmfs.path_hash import NO_PARENT, PathHash, hash_path, parent_of

_TEXT_COLUMNS = ("name", "symlink")
_INSERT_ENTRY = "INSERT INTO catalog VALUES ({})".format(
    ", ".join("CAST(? AS TEXT)" if name in _TEXT_COLUMNS else "?" for name in CATALOG_COLUMNS)
)


def write_catalog(catalog: Catalog, properties: Mapping[str, str] | None = None) -> bytes:
    """The SQLite file of ``catalog``; ``properties`` are added (those of a root catalog)."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size={PAGE_SIZE}")
        database.execute("PRAGMA auto_vacuum=NONE")
        database.execute("BEGIN")
        for statement in statements():
            database.execute(statement)
        entries = list(_entry_rows(catalog))
        database.executemany(_INSERT_ENTRY, entries)
        chunks = sorted(
            (*hash_path(path), *chunk) for path, entry in catalog.walk() for chunk in entry.chunks
        )
        database.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", chunks)
        for table, references in (
            ("nested_catalogs", catalog.nested),
            ("bind_mountpoints", catalog.binds),
        ):
            database.executemany(
                f"INSERT INTO {table} VALUES (CAST(? AS TEXT), ?, ?)",
                [(path, str(digest), size) for path, (digest, size) in sorted(references.items())],
            )
        database.executemany("INSERT INTO statistics VALUES (?, ?)", catalog.statistics.rows())
        database.executemany(
            "INSERT INTO properties VALUES (?, CAST(? AS TEXT))",
            list(_properties(catalog, properties or {}).items()),
        )
        database.execute("COMMIT")
        return database.serialize()
    finally:
        database.close()


def _properties(catalog: Catalog, more: Mapping[str, str]) -> dict[str, str | bytes]:
    made: dict[str, str | bytes] = {
        "schema": SCHEMA,
        "schema_revision": SCHEMA_REVISION,
        "revision": "1",
        "last_modified": str(newest(catalog)),
    }
    if catalog.prefix:
        made["root_prefix"] = catalog.prefix
    made.update(more)
    return made


def newest(catalog: Catalog) -> int:
    """The time of the newest entry [s since 1970], not before 1970."""
    return max(0, max(entry.mtime for _, entry in catalog.walk()))


def _entry_rows(catalog: Catalog) -> Iterator[tuple[Any, ...]]:
    hashes: dict[bytes, PathHash] = {}  # of directories: most entries share their parent's
    for path, entry in catalog.walk():
        own, above = hash_path(path), NO_PARENT
        if path:
            parent = parent_of(path)
            above = hashes.get(parent) or hash_path(parent)
        if entry.is_directory:
            hashes[path] = own
        yield (
            *own, *above, entry.group << 32 | entry.links, entry.raw, entry.size, entry.mode,
            entry.mtime, entry.mtimens, entry.flags, entry.name, entry.symlink, entry.uid,
            entry.gid, entry.xattr,
        )  # fmt: skip
