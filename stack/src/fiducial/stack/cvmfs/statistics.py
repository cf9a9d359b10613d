"""The counters of a catalog: what it holds itself, and what lies in all catalogs below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fiducial.stack.cvmfs.catalog_schema import COUNTERS, Flag
from fiducial.stack.cvmfs.entry import Entry

Counts = dict[str, int]
_NOT_PLAIN = Flag.DIRECTORY | Flag.FILE | Flag.LINK | Flag.SPECIAL | Flag.CHUNKED | Flag.EXTERNAL


def zero() -> Counts:
    return dict.fromkeys(COUNTERS, 0)


def count(entries: Iterable[Entry]) -> Counts:
    """What ``entries`` add up to: all of a catalog, with its own root directory.

    A mount point counts as a directory here, and as the root directory of its own catalog.
    """
    counts = zero()
    plain = plain_size = 0  # most entries are plain files: they are counted apart, for speed
    for entry in entries:
        flags = entry.flags
        if entry.xattr is not None:
            counts["xattr"] += 1
        if flags & _NOT_PLAIN == Flag.FILE:
            plain += 1
            plain_size += entry.size
        elif flags & Flag.DIRECTORY:
            counts["dir"] += 1
            counts["nested"] += entry.is_mountpoint
        elif flags & Flag.LINK:
            counts["symlink"] += 1
        elif flags & Flag.SPECIAL:
            counts["special"] += 1
        else:
            counts["regular"] += 1
            counts["file_size"] += entry.size
            if entry.is_chunked:
                counts["chunked"] += 1
                counts["chunked_size"] += entry.size
                counts["chunks"] += len(entry.chunks)
            if entry.is_external:
                counts["external"] += 1
                counts["external_file_size"] += entry.size
    counts["regular"] += plain
    counts["file_size"] += plain_size
    return counts


@dataclass
class Statistics:
    """The 24 counters of one catalog."""

    own: Counts = field(default_factory=zero)
    subtree: Counts = field(default_factory=zero)

    @property
    def total(self) -> Counts:
        """Of this catalog and all below it: what its parent adds to its own ``subtree``."""
        return {name: self.own[name] + self.subtree[name] for name in COUNTERS}

    @property
    def entries(self) -> int:
        """Files, links, specials and directories of this catalog."""
        return sum(self.own[name] for name in ("regular", "symlink", "special", "dir"))

    def rows(self) -> list[tuple[str, int]]:
        """The rows of table ``statistics``."""
        return [(f"self_{name}", self.own[name]) for name in COUNTERS] + [
            (f"subtree_{name}", self.subtree[name]) for name in COUNTERS
        ]


def read_rows(rows: Mapping[str, int]) -> tuple[Statistics, list[str]]:
    """The counters of the table's rows, and the names of those that are missing."""
    missing = [
        name for prefix in ("self_", "subtree_") for name in (prefix + key for key in COUNTERS)
        if name not in rows
    ]  # fmt: skip
    found = Statistics(
        {name: rows.get(f"self_{name}", 0) for name in COUNTERS},
        {name: rows.get(f"subtree_{name}", 0) for name in COUNTERS},
    )
    return found, missing


def add(first: Counts, second: Counts) -> Counts:
    return {name: first[name] + second[name] for name in COUNTERS}


def subtract(first: Counts, second: Counts) -> Counts:
    return {name: first[name] - second[name] for name in COUNTERS}
