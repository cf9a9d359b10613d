"""Read a repository without a CernVM-FS client: look up, list, read, walk; every byte verified.

    view = RepositoryView(source, read_revision(source, demands))
    view.lookup(b"/base/latest/setup.sh"); view.listing(b"/base"); view.read(b"/base/setup.sh")

Catalogs are read when the first path below them is asked for and kept, up to a limit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.digest import Digest, Kind
from fiducial.stack.cvmfs.entry import Entry
from fiducial.stack.cvmfs.faults import FaultKind, refuse
from fiducial.stack.cvmfs.path_hash import parent_of, show
from fiducial.stack.cvmfs.revision import Revision
from fiducial.stack.cvmfs.verified_objects import Source, VerifiedObjects
from fiducial.stack.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Limits:
    """What one view may read before a repository is taken for hostile."""

    catalogs: int = 100_000
    entries: int = 50_000_000
    bytes: int = 1 << 42


class RepositoryView:
    """One revision of a repository, to be read."""

    def __init__(self, source: Source, revision: Revision, limits: Limits = Limits()) -> None:
        self.source, self.manifest, self.limits = source, revision.manifest, limits
        self.objects = VerifiedObjects(source)
        self._root = revision.root
        self._catalogs: dict[bytes, Catalog] = {}
        self._lock = threading.Lock()
        self.entries = 0

    def catalog(self, path: bytes, reference: Reference) -> Catalog:
        """The catalog of ``path``, read once."""
        with self._lock:
            found = self._catalogs.get(path)
            if found is not None:
                return found
            if len(self._catalogs) >= self.limits.catalogs:
                detail = f"above {self.limits.catalogs} catalogs"
                raise refuse(FaultKind.TOO_MUCH, self.manifest.name, detail)
            catalog = self.objects.catalog(path, reference)
            self.entries += catalog.statistics.entries
            if self.entries > self.limits.entries:
                detail = f"above {self.limits.entries} entries"
                raise refuse(FaultKind.TOO_MUCH, self.manifest.name, detail)
            self._catalogs[path] = catalog
            return catalog

    @property
    def root(self) -> Catalog:
        """The root catalog."""
        return self.catalog(b"", self._root)

    def holder(self, path: bytes, enter: bool) -> Catalog | None:
        """The catalog that has ``path``; ``enter``: where one begins there, that one."""
        catalog = self.root
        if not path:
            return catalog
        place = b""
        names = path[1:].split(b"/")
        for number, name in enumerate(names):
            place += b"/" + name
            entry = catalog.lookup(place)
            if entry is None:
                return None
            last = number == len(names) - 1
            if entry.is_mountpoint and (enter or not last):
                catalog = self.mounted(catalog, place)
            elif not last and not entry.is_directory:
                return None
        return catalog

    def mounted(self, catalog: Catalog, path: bytes) -> Catalog:
        """The catalog that ``catalog`` mounts at ``path``."""
        reference = catalog.nested.get(path)
        if reference is None:
            raise refuse(FaultKind.NESTED_UNREGISTERED, show(path), "no row in nested_catalogs")
        return self.catalog(path, reference)

    def lookup(self, path: bytes) -> Entry:
        """The entry of ``path``. Raises InputError naming the nearest where there is none."""
        catalog = self.holder(path, enter=False)
        entry = None if catalog is None else catalog.lookup(path)
        if entry is None:
            raise InputError(f"no {show(path)} in {self.manifest.name}", None, self._near(path))
        return entry

    def listing(self, path: bytes) -> dict[bytes, Entry]:
        """What directory ``path`` holds, by name."""
        entry = self.lookup(path)
        if not entry.is_directory:
            raise InputError(f"{show(path)} is no directory", f"it is a {entry.kind}")
        catalog = self.holder(path, enter=True)
        assert catalog is not None  # it has just been looked up
        return dict(sorted(catalog.directories.get(path, {}).items()))

    def walk(self, path: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
        """Every path and entry at and below ``path``, each directory before what it holds."""
        yield path, self.lookup(path)
        pending = [path]
        while pending:
            place = pending.pop()
            catalog = self.holder(place, enter=True)
            listing = catalog.directories.get(place, {}) if catalog is not None else {}
            below = []
            for name in sorted(listing):
                entry = listing[name]
                yield place + b"/" + name, entry
                if entry.is_directory:
                    below.append(place + b"/" + name)
            pending.extend(reversed(below))

    def read(self, path: bytes) -> bytes:
        """The content of a file, all at once."""
        return b"".join(self.pieces(path, self.lookup(path)))

    def pieces(self, path: bytes, entry: Entry) -> Iterator[bytes]:
        """The content of a file, chunk by chunk, each verified."""
        where = show(path)
        if not entry.is_regular:
            raise InputError(f"{where} is no file", f"it is a {entry.kind}")
        if entry.is_external:
            raise InputError(f"{where} cannot be read", "its content lies outside the repository")
        algorithm = entry.algorithm
        assert algorithm is not None  # a catalog with another one was refused
        if entry.is_chunked:
            for chunk in entry.chunks:
                digest = Digest(chunk.raw, algorithm)
                yield self.objects.content(digest, Kind.CHUNK, chunk.size, entry.compression, where)
            return
        digest = Digest(entry.raw or b"", algorithm)
        yield self.objects.content(digest, Kind.FILE, entry.size, entry.compression, where)

    def _near(self, path: bytes) -> str:
        parent = parent_of(path)
        catalog = self.holder(parent, enter=True)
        names = [] if catalog is None else list(catalog.directories.get(parent, {}))
        if not names and parent:
            return self._near(parent)
        return did_you_mean(show(path), [show(parent + b"/" + name) for name in names])
