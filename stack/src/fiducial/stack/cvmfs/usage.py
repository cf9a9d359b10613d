"""How much lies below each part of a directory: files and bytes as clients see them.

Nested catalogs are not walked: their counters say what they and all below them hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from fiducial.stack.cvmfs.catalog import Catalog
from fiducial.stack.cvmfs.path_hash import show
from fiducial.stack.cvmfs.reader import RepositoryView
from fiducial.stack.errors import InputError


@dataclass
class Usage:
    """What lies at and below a path: regular files, their bytes, and catalogs that begin there."""

    path: bytes
    files: int = 0
    bytes: int = 0
    catalogs: int = 0


def disk_usage(view: RepositoryView, path: bytes = b"") -> list[Usage]:
    """One Usage for each name in directory ``path``, the largest first."""
    if not view.lookup(path).is_directory:
        raise InputError(f"{show(path)} is no directory", None, "name a directory")
    catalog = view.holder(path, enter=True)
    assert catalog is not None  # it has just been looked up
    found = []
    for name in catalog.directories.get(path, {}):
        usage = Usage(path + b"/" + name)
        _add(view, catalog, usage.path, usage)
        found.append(usage)
    return sorted(found, key=lambda usage: (-usage.bytes, usage.path))


def _add(view: RepositoryView, catalog: Catalog, top: bytes, usage: Usage) -> None:
    pending = [top]
    while pending:
        path = pending.pop()
        entry = catalog.lookup(path)
        if entry is None:
            continue
        if entry.is_mountpoint:
            total = view.mounted(catalog, path).statistics.total
            usage.files += total["regular"]
            usage.bytes += total["file_size"]
            usage.catalogs += total["nested"] + 1
        elif entry.is_directory:
            pending.extend(path + b"/" + name for name in catalog.directories.get(path, {}))
        elif entry.is_regular:
            usage.files += 1
            usage.bytes += entry.size
