"""Change the tree of catalogs of a repository: only the catalogs on the way are read and written.

    tree = CatalogTree(load, root)
    tree.put(b"/base/2026.1/x86_64", built, now)      # a tree built elsewhere
    tree.remove(b"/base/2025.4", now)
    root = tree.write(store, …)                        # changed catalogs, leaves first

A change of what a directory holds sets its time to ``now``; nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fiducial.stack.cvmfs import statistics
from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.catalog_schema import Flag
from fiducial.stack.cvmfs.entry import Entry, directory
from fiducial.stack.cvmfs.path_hash import parent_of, show
from fiducial.stack.cvmfs.tree_build import Built, CatalogStore
from fiducial.stack.errors import InputError, did_you_mean

Load = Callable[[bytes, Reference], Catalog]
"""Reads the catalog of a path."""


@dataclass
class _Loaded:
    """A catalog that was read: what it counted then, what hangs below it, whether it changed."""

    catalog: Catalog
    before: statistics.Counts
    below: dict[bytes, _Loaded] = field(default_factory=dict)
    changed: bool = False


class CatalogTree:
    """The catalogs of one revision, read where they are needed."""

    def __init__(self, load: Load, root: Catalog) -> None:
        self._load = load
        self._root = _Loaded(root, root.statistics.total)
        self._fresh: dict[Reference, statistics.Counts] = {}

    @property
    def changed(self) -> bool:
        """Whether anything differs from the revision that was read."""
        return any(item.changed for item in _all(self._root))

    def replace_root(self, catalog: Catalog) -> None:
        """Put a whole new tree in the place of everything."""
        old = self._root.catalog
        same = (
            catalog.root == old.root and catalog.directories == old.directories
            and catalog.nested == old.nested and catalog.binds == old.binds
        )  # fmt: skip
        if not same:
            self._root = _Loaded(catalog, catalog.statistics.total, changed=True)

    def lookup(self, path: bytes) -> Entry | None:
        """The entry of ``path``, of the parent's side where a catalog begins there."""
        holder = self._holder(path)
        return None if holder is None else holder.catalog.lookup(path)

    def put(self, path: bytes, built: Built, now: int) -> None:
        """Mount a stored catalog at ``path``, in the place of what is there."""
        holder = self._prepare(path, now)
        catalog = holder.catalog
        old = catalog.lookup(path)
        if old == built.mountpoint and catalog.nested.get(path) == built.reference:
            return
        self._drop(holder, path)
        catalog.nested[path] = built.reference
        self._fresh[built.reference] = built.counts
        catalog.statistics.subtree = statistics.add(catalog.statistics.subtree, built.counts)
        self._place(holder, path, built.mountpoint, old, now)

    def put_entry(self, path: bytes, entry: Entry, now: int) -> None:
        """Put a single entry (a symlink) at ``path``, in the place of what is there."""
        holder = self._prepare(path, now)
        old = holder.catalog.lookup(path)
        if old is not None and old._replace(mtime=0) == entry._replace(mtime=0):
            return
        self._drop(holder, path)
        self._place(holder, path, entry, old, now)

    def remove(self, path: bytes, now: int) -> None:
        """Remove ``path`` and all below it. Raises InputError where it is not there."""
        if not path:
            raise InputError("the root of a repository cannot be removed")
        holder = self._holder(path)
        old = None if holder is None else holder.catalog.lookup(path)
        if holder is None or old is None:
            raise InputError(f"no {show(path)} in the repository", None, self._near(path))
        self._drop(holder, path)
        del holder.catalog.directories[parent_of(path)][old.name]
        self._touch(holder, parent_of(path), -1 if old.is_directory else 0, now)

    def write(
        self, store: CatalogStore, write_root: Callable[[Catalog], Reference]
    ) -> tuple[Reference, Catalog]:
        """Store every changed catalog, leaves first, and the root in any case."""
        self._write_below(self._root, store)
        catalog = self._root.catalog
        catalog.recount()
        return write_root(catalog), catalog

    def _write_below(self, node: _Loaded, store: CatalogStore) -> None:
        for path, child in node.below.items():
            self._write_below(child, store)
            if not child.changed:
                continue
            child.catalog.recount()
            node.catalog.nested[path] = store.put_catalog(child.catalog)
            total = child.catalog.statistics.total
            difference = statistics.subtract(total, child.before)
            subtree = node.catalog.statistics.subtree
            node.catalog.statistics.subtree = statistics.add(subtree, difference)
            mount = child.catalog.root
            flags = mount.flags & ~Flag.NESTED_ROOT | Flag.NESTED_MOUNTPOINT
            node.catalog.directories[parent_of(path)][mount.name] = mount._replace(flags=flags)
            node.changed = True

    def _holder(self, path: bytes) -> _Loaded | None:
        """The catalog whose listing holds ``path`` (None where its parent does not exist)."""
        node = self._root
        if not path:
            return node
        names = path[1:].split(b"/")
        place = b""
        for name in names[:-1]:
            place += b"/" + name
            entry = node.catalog.lookup(place)
            if entry is None or not entry.is_directory:
                return None
            if entry.is_mountpoint:
                node = self._enter(node, place)
        return node if node.catalog.directories.get(parent_of(path)) is not None else None

    def _enter(self, node: _Loaded, path: bytes) -> _Loaded:
        found = node.below.get(path)
        if found is None:
            reference = node.catalog.nested.get(path)
            if reference is None:
                raise InputError(f"the catalog of {show(path)} is not registered", None, "check it")
            catalog = self._load(path, reference)
            found = node.below[path] = _Loaded(catalog, catalog.statistics.total)
        return found

    def _prepare(self, path: bytes, now: int) -> _Loaded:
        """Make the directories above ``path``; the catalog that will hold it."""
        if not path:
            raise InputError("the root of a repository cannot be replaced by this")
        place, node = b"", self._root
        for name in path[1:].split(b"/")[:-1]:
            above, place = place, place + b"/" + name
            entry = node.catalog.lookup(place)
            if entry is None:
                node.catalog.directories[place] = {}
                node.catalog.directories[above][name] = directory(name, 0o755, now)
                self._touch(node, above, 1, now)
            elif not entry.is_directory:
                raise InputError(
                    f"{show(place)} is a {entry.kind}, not a directory", None, "remove it first"
                )
            elif entry.is_mountpoint:
                node = self._enter(node, place)
        return node

    def _place(
        self, holder: _Loaded, path: bytes, entry: Entry, old: Entry | None, now: int
    ) -> None:
        parent = parent_of(path)
        holder.catalog.directories[parent][entry.name] = entry
        more = entry.is_directory - (old is not None and old.is_directory)
        holder.changed = True
        if old is None or more:
            self._touch(holder, parent, more, now)

    def _drop(self, holder: _Loaded, path: bytes) -> None:
        """Take away what lies at and below ``path``, but not its entry in its directory."""
        catalog, below = holder.catalog, path + b"/"
        for mounted in [p for p in catalog.nested if p == path or p.startswith(below)]:
            counts = self._fresh.get(catalog.nested[mounted])
            if counts is None:
                counts = self._enter(holder, mounted).before
            subtree = catalog.statistics.subtree
            catalog.statistics.subtree = statistics.subtract(subtree, counts)
            del catalog.nested[mounted]
            holder.below.pop(mounted, None)
        for place in [p for p in catalog.directories if p == path or p.startswith(below)]:
            del catalog.directories[place]
        for bound in [p for p in catalog.binds if p == path or p.startswith(below)]:
            del catalog.binds[bound]

    def _touch(self, node: _Loaded, path: bytes, more: int, now: int) -> None:
        """Directory ``path`` of this catalog has got ``more`` subdirectories, at ``now``."""
        node.changed = True
        catalog = node.catalog
        if path == catalog.prefix:
            catalog.root = catalog.root._replace(links=catalog.root.links + more, mtime=now)
            return
        listing = catalog.directories[parent_of(path)]
        name = path.rpartition(b"/")[2]
        listing[name] = listing[name]._replace(links=listing[name].links + more, mtime=now)

    def _near(self, path: bytes) -> str:
        """The nearest name in the deepest directory that is there."""
        while path:
            holder = self._holder(path)
            if holder is not None:
                listing = holder.catalog.directories[parent_of(path)]
                names = [show(parent_of(path) + b"/" + name) for name in listing]
                return did_you_mean(show(path), names)
            path = parent_of(path)
        return "it is empty"


def _all(node: _Loaded) -> Iterator[_Loaded]:
    yield node
    for child in node.below.values():
        yield from _all(child)


def empty_root(now: int) -> Catalog:
    """The catalog of an empty repository."""
    catalog = Catalog(b"", directory(b"", 0o755, now), {b"": {}})
    catalog.recount()
    return catalog
