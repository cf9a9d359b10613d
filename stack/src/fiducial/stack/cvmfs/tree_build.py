"""Build the catalogs of a scanned tree, leaves first, and store them.

A catalog whose content was written before is found by the digest of its content, without
writing and compressing it again. The object of a catalog depends on its content only, so the
same tree gives the same catalogs wherever and whenever it is published under one path.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from fiducial.stack.cvmfs import statistics
from fiducial.stack.cvmfs.catalog import Catalog, Listing, Reference
from fiducial.stack.cvmfs.catalog_schema import MARKER, Flag
from fiducial.stack.cvmfs.catalog_write import write_catalog
from fiducial.stack.cvmfs.compression import compress_document
from fiducial.stack.cvmfs.content_index import Content
from fiducial.stack.cvmfs.digest import Kind
from fiducial.stack.cvmfs.entry import Entry
from fiducial.stack.cvmfs.ingest import Contents, Ingest
from fiducial.stack.cvmfs.nesting import NestingRule, choose_nested
from fiducial.stack.cvmfs.tree_scan import Node, ScannedTree


@dataclass(frozen=True)
class Built:
    """A stored nested catalog: its mount point (for the parent), where it is, what it counts."""

    mountpoint: Entry
    reference: Reference
    counts: statistics.Counts


class CatalogStore:
    """Writes catalogs, compresses and stages them, or finds them written."""

    def __init__(self, ingest: Ingest, compress: Callable[[bytes], bytes]) -> None:
        self._ingest, self._compress = ingest, compress

    def put_document(self, content: bytes, kind: Kind) -> Reference:
        """Stage a history, certificate or metainfo, or a catalog as it is."""
        pack = self._compress if kind is Kind.CATALOG else compress_document
        return Reference(self._ingest.put_stored(pack(content), kind), len(content))

    def put_catalog(self, catalog: Catalog) -> Reference:
        """Stage a nested catalog, unless one of the same content is stored."""
        key = content_key(catalog)
        known = self._ingest.index.lookup_catalog(key)
        if known is not None and self._ingest.storage.has(known.digest, Kind.CATALOG):
            return known
        reference = self.put_document(write_catalog(catalog), Kind.CATALOG)
        self._ingest.index.remember_catalog(key, reference)
        return reference


def content_key(catalog: Catalog) -> bytes:
    """SHA-256 of all that determines the catalog's file."""
    hasher = hashlib.sha256(f"{sqlite3.sqlite_version}\n".encode())
    parts = (
        catalog.prefix, catalog.root, sorted(catalog.nested.items()),
        sorted(catalog.binds.items()), catalog.statistics.rows(),
    )  # fmt: skip
    hasher.update(repr(parts).encode())
    for path in sorted(catalog.directories):
        listing = catalog.directories[path]
        hasher.update(repr((path, [tuple(listing[name]) for name in sorted(listing)])).encode())
    return hasher.digest()


def marker_entry(ingest: Ingest, flags: int) -> Entry:
    """The empty file ``.cvmfscatalog``; its content is staged. ``flags``: how files are stored."""
    return Entry(MARKER, 0o100644, 0, 0, Flag.FILE | flags, ingest.put(b"", Kind.FILE))


class TreeBuilder:
    """Builds the catalogs of one scanned tree whose contents are ``contents``."""

    def __init__(
        self, store: CatalogStore, contents: Contents, flags: int, rule: NestingRule, empty: Entry
    ) -> None:
        self._store, self._contents, self._flags = store, contents, flags
        self._rule, self._empty = rule, empty
        self._nested: set[int] = set()

    def build_nested(self, tree: ScannedTree, path: bytes) -> Built:
        """Store the tree's catalogs, to be mounted at ``path`` (not the root)."""
        self._nested = choose_nested(tree.root, self._rule)
        return self._build(tree.root, path)

    def build_root(self, tree: ScannedTree) -> Catalog:
        """Store the catalogs below a tree that is all of a repository; its root catalog."""
        self._nested = choose_nested(tree.root, self._rule)
        catalog = Catalog(b"", tree.root.entry._replace(name=b""))
        self._fill(catalog, b"", tree.root)
        catalog.recount()
        return catalog

    def _build(self, node: Node, path: bytes) -> Built:
        entry = node.entry._replace(name=path.rpartition(b"/")[2])
        root = entry._replace(flags=entry.flags | Flag.NESTED_ROOT)
        catalog = Catalog(path, root)
        self._fill(catalog, path, node)
        listing = catalog.directories[path]
        listing.setdefault(MARKER, self._empty._replace(mtime=entry.mtime))
        catalog.recount()
        reference = self._store.put_catalog(catalog)
        mountpoint = entry._replace(flags=entry.flags | Flag.NESTED_MOUNTPOINT)
        return Built(mountpoint, reference, catalog.statistics.total)

    def _fill(self, catalog: Catalog, top: bytes, node: Node) -> None:
        pending = [(top, node)]
        groups = 0
        while pending:
            path, folder = pending.pop()
            listing: Listing = {}
            catalog.directories[path] = listing
            linked: dict[tuple[int, int], list[bytes]] = {}
            for child in folder.children or ():
                entry = child.entry
                below = path + b"/" + entry.name
                if child.source is not None:
                    entry = self._with_content(entry, self._contents[child.source.key])
                    if child.linked:
                        linked.setdefault(child.source.key, []).append(entry.name)
                elif child.children is not None:
                    if id(child) in self._nested:
                        built = self._build(child, below)
                        entry = built.mountpoint
                        catalog.nested[below] = built.reference
                        subtree = catalog.statistics.subtree
                        catalog.statistics.subtree = statistics.add(subtree, built.counts)
                    else:
                        pending.append((below, child))
                listing[entry.name] = entry
            for names in linked.values():
                if len(names) > 1:
                    groups += 1
                    for name in names:
                        listing[name] = listing[name]._replace(links=len(names), group=groups)

    def _with_content(self, entry: Entry, content: Content) -> Entry:
        flags = entry.flags | self._flags | (Flag.CHUNKED if content.chunks else 0)
        return Entry(
            entry.name, entry.mode, entry.size, entry.mtime, flags, content.raw, b"", 1, 0,
            entry.mtimens, 0, 0, entry.xattr, content.chunks,
        )  # fmt: skip
