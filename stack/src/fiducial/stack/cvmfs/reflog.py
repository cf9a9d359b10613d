"""The reflog ``.cvmfsreflog``: every root object this storage has held, for garbage collection.

An SQLite file, not compressed; the manifest holds its digest. It belongs to one storage: a
replica has its own.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from enum import IntEnum

from fiducial.stack.cvmfs.catalog_database import Report, open_database, require_tables
from fiducial.stack.cvmfs.digest import Digest, parse_digest
from fiducial.stack.cvmfs.faults import Fault, FaultKind
from fiducial.stack.errors import InputError

NAME = ".cvmfsreflog"
_WHAT = "the reflog"
_TABLES = {
    "properties": {"key": "TEXT", "value": "TEXT"},
    "refs": {"hash": "TEXT", "type": "INTEGER", "timestamp": "INTEGER"},
}


class RefType(IntEnum):
    """What a reference is to."""

    CATALOG = 0
    CERTIFICATE = 1
    HISTORY = 2
    METAINFO = 3


@dataclass
class Reflog:
    """The references of repository ``name``: digest to type and time of entry [s since 1970]."""

    name: str
    references: dict[Digest, tuple[RefType, int]] = field(default_factory=dict)

    def add(self, digest: Digest, kind: RefType, timestamp: int) -> None:
        """Remember ``digest``; the first time stands."""
        self.references.setdefault(digest, (kind, timestamp))

    def of(self, kind: RefType) -> dict[Digest, int]:
        """The digests of one type and when they came."""
        return {digest: when for digest, (found, when) in self.references.items() if found is kind}


def write_reflog(reflog: Reflog) -> bytes:
    """The SQLite file: the same references give the same bytes."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.execute("PRAGMA page_size=1024")
        database.execute("BEGIN")
        database.execute(
            "CREATE TABLE properties (key TEXT, value TEXT,"
            " CONSTRAINT pk_properties PRIMARY KEY (key))"
        )
        database.execute(
            "CREATE TABLE refs (hash TEXT, type INTEGER, timestamp INTEGER,"
            " CONSTRAINT pk_refs PRIMARY KEY (hash))"
        )
        database.executemany(
            "INSERT INTO properties VALUES (?, ?)",
            [("schema", "1.0"), ("schema_revision", "0"), ("fqrn", reflog.name)],
        )
        rows = sorted((when, int(kind), str(d)) for d, (kind, when) in reflog.references.items())
        database.executemany(
            "INSERT INTO refs VALUES (?, ?, ?)", [(text, kind, when) for when, kind, text in rows]
        )
        database.execute("COMMIT")
        return database.serialize()
    finally:
        database.close()


def read_reflog(raw: bytes, report: Report) -> Reflog:
    """The references in ``raw``; faults are reported. Raises RefusedRepository for no database."""
    with open_database(raw, _WHAT, report) as database:
        present = require_tables(database, _TABLES, _WHAT, report)
        if len(present) < len(_TABLES):
            report(Fault(FaultKind.REFLOG_MALFORMED, _WHAT, "tables are missing"))
            return Reflog("")
        name = database.execute("SELECT value FROM properties WHERE key='fqrn'").fetchone()
        reflog = Reflog(name[0].decode("utf-8", "replace") if name else "")
        for text, kind, when in database.execute("SELECT hash, type, timestamp FROM refs"):
            try:
                digest = parse_digest(text.decode("ascii", "replace"))
                reflog.add(digest, RefType(kind), int(when))
            except (InputError, ValueError, TypeError, AttributeError) as error:
                report(Fault(FaultKind.REFLOG_MALFORMED, _WHAT, str(error)))
    return reflog
