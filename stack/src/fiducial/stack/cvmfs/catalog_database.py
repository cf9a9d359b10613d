"""Open a database from a repository that may be hostile, in memory, and read its tables.

Nothing in the file is run: views, triggers and virtual tables are refused, the schema is not
trusted, and every text comes back as bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fiducial.stack.cvmfs.faults import Fault, FaultKind, refuse

Report = Callable[[Fault], None]
_MAGIC = b"SQLite format 3\x00"
_WRITE_VERSION = slice(18, 20)


@contextmanager
def open_database(raw: bytes, where: str, report: Report) -> Iterator[sqlite3.Connection]:
    """The database in ``raw``. Raises RefusedRepository where it is none or a hostile one."""
    if not raw.startswith(_MAGIC) or len(raw) < 512:
        raise refuse(FaultKind.CATALOG_UNREADABLE, where, "it is no SQLite file")
    if raw[_WRITE_VERSION] != b"\x01\x01":
        report(Fault(FaultKind.JOURNAL_MODE, where, "clients cannot open it without writing"))
        raw = raw[:18] + b"\x01\x01" + raw[20:]
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.text_factory = bytes
        database.deserialize(raw)
        database.execute("PRAGMA trusted_schema=OFF")
        database.execute("PRAGMA cell_size_check=ON")
        database.execute("PRAGMA query_only=ON")
        strange = database.execute(
            "SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'index')"
            " OR (type = 'table' AND (rootpage IS NULL OR rootpage = 0))"
        ).fetchone()
        if strange is not None:
            detail = f"it has a {_text(strange[0])} {_text(strange[1])}"
            raise refuse(FaultKind.CATALOG_UNREADABLE, where, detail)
        yield database
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise refuse(FaultKind.CATALOG_UNREADABLE, where, str(error)) from error
    finally:
        database.close()


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def columns_of(database: sqlite3.Connection, table: str) -> list[str]:
    """The columns of ``table``, none where there is no such table."""
    return [_text(row[1]) for row in database.execute(f"PRAGMA table_info({table})")]


def require_tables(
    database: sqlite3.Connection,
    wanted: Mapping[str, Mapping[str, str]],
    where: str,
    report: Report,
) -> set[str]:
    """The tables that are there with all their columns; every other one is reported."""
    present = set()
    for table, columns in wanted.items():
        found = columns_of(database, table)
        missing = [column for column in columns if column not in found]
        if not found:
            report(Fault(FaultKind.MISSING_TABLE, where, f"no table {table}"))
        elif missing:
            detail = f"table {table} has no column {', '.join(missing)}"
            report(Fault(FaultKind.MISSING_TABLE, where, detail))
        else:
            present.add(table)
    return present


def read_pairs(database: sqlite3.Connection, table: str) -> dict[str, Any]:
    """A table of two columns as a dict; texts are decoded."""
    return {
        _text(key): _text(value) if isinstance(value, bytes) else value
        for key, value in database.execute(f"SELECT * FROM {table}")
    }
