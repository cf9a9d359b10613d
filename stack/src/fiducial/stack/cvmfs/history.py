"""The history: named revisions of a repository (tags), a small SQLite database, schema 1.0 rev 3.

``trunk`` is the newest revision and ``trunk-previous`` the one before; publishing keeps both.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from fiducial.stack.cvmfs.catalog_database import Report, open_database, read_pairs, require_tables
from fiducial.stack.cvmfs.digest import Digest, Kind, parse_digest
from fiducial.stack.cvmfs.faults import Fault, FaultKind
from fiducial.stack.cvmfs.manifest import Manifest
from fiducial.stack.cvmfs.verified_objects import Source, VerifiedObjects
from fiducial.stack.errors import InputError, did_you_mean

TRUNK, PREVIOUS = "trunk", "trunk-previous"
SCHEMA, SCHEMA_REVISION = "1.0", "3"
_WHAT = "the history"
_NAME = re.compile(r"[A-Za-z0-9._/:@+-]{1,120}")

_TABLES = {
    "properties": {"key": "TEXT", "value": "TEXT"},
    "branches": {"branch": "TEXT", "parent": "TEXT", "initial_revision": "INTEGER"},
    "tags": {
        "name": "TEXT", "hash": "TEXT", "revision": "INTEGER", "timestamp": "INTEGER",
        "channel": "INTEGER", "description": "TEXT", "size": "INTEGER", "branch": "TEXT",
    },
    "recycle_bin": {"hash": "TEXT", "flags": "INTEGER"},
}  # fmt: skip
_CONSTRAINTS = {
    "properties": ("CONSTRAINT pk_properties PRIMARY KEY (key)",),
    "branches": (
        "CONSTRAINT pk_branch PRIMARY KEY (branch)",
        "FOREIGN KEY (parent) REFERENCES branches (branch)",
        "CHECK ((branch <> '') OR (parent IS NULL))",
        "CHECK ((branch = '') OR (parent IS NOT NULL))",
    ),
    "tags": (
        "CONSTRAINT pk_tags PRIMARY KEY (name)",
        "FOREIGN KEY (branch) REFERENCES branches (branch)",
    ),
    "recycle_bin": ("CONSTRAINT pk_hash PRIMARY KEY (hash)",),
}


class Tag(NamedTuple):
    """A named revision: its root catalog (and that one's size), number, time, words about it."""

    name: str
    root: Digest
    revision: int
    timestamp: int
    size: int
    description: str = ""


@dataclass
class History:
    """The tags of repository ``name``, by name."""

    name: str
    tags: dict[str, Tag] = field(default_factory=dict)

    def find(self, name: str) -> Tag:
        """The tag called ``name``. Raises InputError naming the nearest."""
        if name not in self.tags:
            raise InputError(f"no tag '{name}'", None, did_you_mean(name, self.tags))
        return self.tags[name]

    def put(self, tag: Tag) -> None:
        """Add a tag, or move it."""
        self.tags[tag.name] = tag

    def advance(self, root: Digest, revision: int, timestamp: int, size: int) -> None:
        """A new revision is the trunk."""
        old = self.tags.get(TRUNK)
        if old is not None:
            self.put(old._replace(name=PREVIOUS, description="default undo target"))
        self.put(Tag(TRUNK, root, revision, timestamp, size, "current HEAD"))


def check_tag_name(name: str) -> str:
    """``name`` if users may give it to a tag. Raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot name a tag", "1 to 120 letters, digits and . _ / : @ + -"
        )
    if name in (TRUNK, PREVIOUS):
        raise InputError(f"the tag {name} is kept by publishing", None, "choose another name")
    return name


def write_history(history: History, previous: Digest | None) -> bytes:
    """The SQLite file: the same tags give the same bytes."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.execute("PRAGMA page_size=1024")
        database.execute("BEGIN")
        for table, columns in _TABLES.items():
            parts = [f"{name} {kind}" for name, kind in columns.items()]
            parts += _CONSTRAINTS[table]
            database.execute(f"CREATE TABLE {table} ({', '.join(parts)})")
        properties = {
            "schema": SCHEMA, "schema_revision": SCHEMA_REVISION, "fqrn": history.name,
        }  # fmt: skip
        if previous is not None:
            properties["previous_revision"] = str(previous)
        database.executemany("INSERT INTO properties VALUES (?, ?)", list(properties.items()))
        database.execute("INSERT INTO branches VALUES ('', NULL, 0)")
        database.executemany(
            "INSERT INTO tags VALUES (?, ?, ?, ?, 0, ?, ?, '')",
            [
                (tag.name, str(tag.root), tag.revision, tag.timestamp, tag.description, tag.size)
                for _, tag in sorted(history.tags.items())
            ],
        )
        database.execute("COMMIT")
        return database.serialize()
    finally:
        database.close()


def read_history(raw: bytes, report: Report) -> History:
    """The tags in ``raw``; faults are reported. Raises RefusedRepository for no database."""
    with open_database(raw, _WHAT, report) as database:
        tables = require_tables(database, _TABLES, _WHAT, report)
        properties = read_pairs(database, "properties") if "properties" in tables else {}
        if properties.get("schema") != SCHEMA:
            detail = f"schema {properties.get('schema')}, not {SCHEMA}"
            report(Fault(FaultKind.HISTORY_MALFORMED, _WHAT, detail))
        history = History(str(properties.get("fqrn", "")))
        if "tags" not in tables:
            return history
        branches = (
            _column(database, "SELECT branch FROM branches") if "branches" in tables else [""]
        )
        query = "SELECT name, hash, revision, timestamp, size, description, branch FROM tags"
        used = set()
        for name, text, revision, timestamp, size, words, branch in database.execute(query):
            label = _words(name)
            try:
                root = parse_digest(_words(text))
            except InputError as error:
                report(Fault(FaultKind.WRONG_TAG, label, str(error)))
                continue
            numbers = [_number(value) for value in (revision, timestamp, size)]
            history.put(Tag(label, root, numbers[0], numbers[1], numbers[2], _words(words)))
            used.add(_words(branch))
            if _words(branch) not in branches:
                report(Fault(FaultKind.WRONG_TAG, label, f"no branch '{_words(branch)}'"))
        for branch in sorted(set(branches) - used):
            report(Fault(FaultKind.HISTORY_MALFORMED, _WHAT, f"no tag uses branch '{branch}'"))
    return history


def _column(database: sqlite3.Connection, query: str) -> list[str]:
    return [_words(row[0]) for row in database.execute(query)]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _words(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def sorted_tags(tags: Iterable[Tag]) -> list[Tag]:
    """Newest first."""
    return sorted(tags, key=lambda tag: (-tag.revision, -tag.timestamp, tag.name))


def load(source: Source, manifest: Manifest) -> list[Tag]:
    """The tags of a revision that was believed."""
    if manifest.history is None:
        return []
    raw = VerifiedObjects(source).document(manifest.history, Kind.HISTORY, _WHAT)
    return list(read_history(raw, lambda fault: None).tags.values())
