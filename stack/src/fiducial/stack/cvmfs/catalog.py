"""A catalog in memory: the entries of one part of the tree, and the catalogs nested in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fiducial.stack.cvmfs.digest import Digest
from fiducial.stack.cvmfs.entry import Entry
from fiducial.stack.cvmfs.path_hash import parent_of
from fiducial.stack.cvmfs.statistics import Statistics, count

Listing = dict[bytes, Entry]
"""The entries of one directory, by name."""


class Reference(NamedTuple):
    """Where a nested catalog is: its digest, and its size uncompressed [bytes]."""

    digest: Digest
    size: int


@dataclass
class Catalog:
    """The content of one catalog, independent of when and where it was written.

    ``directories`` holds a listing for every directory of this catalog, by absolute path; a
    mount point of a nested catalog has none. ``root`` is the entry of the directory ``prefix``.
    """

    prefix: bytes
    root: Entry
    directories: dict[bytes, Listing] = field(default_factory=dict)
    nested: dict[bytes, Reference] = field(default_factory=dict)
    binds: dict[bytes, Reference] = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)
    properties: dict[str, str] = field(default_factory=dict)

    def lookup(self, path: bytes) -> Entry | None:
        """The entry of ``path``, None where this catalog has none."""
        if path == self.prefix:
            return self.root
        return self.directories.get(parent_of(path), {}).get(path.rpartition(b"/")[2])

    def walk(self) -> Iterator[tuple[bytes, Entry]]:
        """Every path and entry, the root first, each directory before what it holds, by name."""
        yield self.prefix, self.root
        pending = [self.prefix]
        while pending:
            place = pending.pop()
            listing = self.directories.get(place, {})
            below = []
            for name in sorted(listing):
                entry, path = listing[name], place + b"/" + name
                yield path, entry
                if path in self.directories:
                    below.append(path)
            pending.extend(reversed(below))

    def recount(self) -> None:
        """Count the catalog's own entries anew; ``statistics.subtree`` stays as it is."""
        self.statistics.own = count(entry for _, entry in self.walk())
