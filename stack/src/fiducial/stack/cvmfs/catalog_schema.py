"""The catalog's tables, flags and counters: schema 2.5, revision 7. One place for all of them.

Facts of the format, written anew: see docs/formats/cvmfs.md for what each column means.
"""

from __future__ import annotations

SCHEMA, SCHEMA_REVISION = "2.5", "7"
PAGE_SIZE = 1024
"""Bytes; small pages keep small catalogs small. Readers take any size."""

CATALOG_COLUMNS = {
    "md5path_1": "INTEGER", "md5path_2": "INTEGER", "parent_1": "INTEGER", "parent_2": "INTEGER",
    "hardlinks": "INTEGER", "hash": "BLOB", "size": "INTEGER", "mode": "INTEGER",
    "mtime": "INTEGER", "mtimens": "INTEGER", "flags": "INTEGER", "name": "TEXT",
    "symlink": "TEXT", "uid": "INTEGER", "gid": "INTEGER", "xattr": "BLOB",
}  # fmt: skip
CHUNK_COLUMNS = {
    "md5path_1": "INTEGER", "md5path_2": "INTEGER", "offset": "INTEGER", "size": "INTEGER",
    "hash": "BLOB",
}  # fmt: skip
REFERENCE_COLUMNS = {"path": "TEXT", "sha1": "TEXT", "size": "INTEGER"}

COLUMNS: dict[str, dict[str, str]] = {
    "properties": {"key": "TEXT", "value": "TEXT"},
    "catalog": CATALOG_COLUMNS,
    "chunks": CHUNK_COLUMNS,
    "nested_catalogs": REFERENCE_COLUMNS,
    "bind_mountpoints": REFERENCE_COLUMNS,
    "statistics": {"counter": "TEXT", "value": "INTEGER"},
}
"""Every table and its columns, in order."""

_CONSTRAINTS: dict[str, tuple[str, ...]] = {
    "properties": ("CONSTRAINT pk_properties PRIMARY KEY (key)",),
    "catalog": ("CONSTRAINT pk_catalog PRIMARY KEY (md5path_1, md5path_2)",),
    "chunks": (
        "CONSTRAINT pk_chunks PRIMARY KEY (md5path_1, md5path_2, offset, size)",
        "FOREIGN KEY (md5path_1, md5path_2) REFERENCES catalog(md5path_1, md5path_2)",
    ),
    "nested_catalogs": ("CONSTRAINT pk_nested_catalogs PRIMARY KEY (path)",),
    "bind_mountpoints": ("CONSTRAINT pk_bind_mountpoints PRIMARY KEY (path)",),
    "statistics": ("CONSTRAINT pk_statistics PRIMARY KEY (counter)",),
}
INDEX = "CREATE INDEX idx_catalog_parent ON catalog (parent_1, parent_2)"


def statements() -> list[str]:
    """The statements that make an empty catalog."""
    made = []
    for table, columns in COLUMNS.items():
        parts = [f"{name} {kind}" for name, kind in columns.items()] + list(_CONSTRAINTS[table])
        made.append(f"CREATE TABLE {table} ({', '.join(parts)})")
        if table == "catalog":
            made.append(INDEX)
    return made


class Flag:
    """Bits of an entry's flags."""

    DIRECTORY = 1
    NESTED_MOUNTPOINT = 2
    FILE = 4
    LINK = 8
    SPECIAL = 16
    NESTED_ROOT = 32
    CHUNKED = 64
    EXTERNAL = 128
    DIGEST_SHIFT, DIGEST_MASK = 8, 0x700
    COMPRESSION_SHIFT, COMPRESSION_MASK = 11, 0x3800
    BIND_MOUNTPOINT = 0x4000
    HIDDEN = 0x8000
    DIRECT_IO = 0x10000

    SYMLINK = FILE | LINK
    SPECIAL_FILE = FILE | SPECIAL
    KNOWN = 0x1FFFF


COMPRESSION_ZLIB, COMPRESSION_NONE = 0, 1

COUNTERS = (
    "regular", "symlink", "special", "dir", "nested", "chunked", "chunks", "file_size",
    "chunked_size", "xattr", "external", "external_file_size",
)  # fmt: skip
"""What is counted; each as ``self_…`` (this catalog) and ``subtree_…`` (all below it)."""

DIRECTORY_SIZE = 4096
"""The size that directories have [bytes]."""

MARKER = b".cvmfscatalog"
"""The regular file that the root directory of every nested catalog holds."""

MAX_ENTRIES_ROOT, MAX_ENTRIES_NESTED = 200_000, 500_000
"""More entries in one catalog than this slow every client down."""

MAX_FILE_SIZE = 1024 << 20
"""Larger files [bytes] fill a client's cache."""
