"""Check a whole revision, in a folder or over HTTP: each object once, in parallel.

It looks at what clients rely on, at what CernVM-FS's own checker looks at, and at what neither
notices: manifest, whitelist, certificate, metainfo, history with the root catalogs of its tags,
reflog, every catalog with its counters and nested catalogs, and every object: that it is there,
has its digest, can be decompressed, and holds as many bytes as its entry says.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeVar

from fiducial.stack.cvmfs import history as histories
from fiducial.stack.cvmfs import manifest as manifests
from fiducial.stack.cvmfs import reflog as reflogs
from fiducial.stack.cvmfs import statistics
from fiducial.stack.cvmfs import whitelist as whitelists
from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.catalog_read import parse_catalog
from fiducial.stack.cvmfs.catalog_rules import judge_catalog, judge_mountpoint
from fiducial.stack.cvmfs.digest import Digest, Kind, digest_of
from fiducial.stack.cvmfs.entry import Entry
from fiducial.stack.cvmfs.faults import Fault, FaultKind, Gravity, RefusedRepository
from fiducial.stack.cvmfs.manifest import Manifest
from fiducial.stack.cvmfs.path_hash import show
from fiducial.stack.cvmfs.revision import MAX_CERTIFICATE, Demands, read_revision
from fiducial.stack.cvmfs.signing import MasterKey
from fiducial.stack.cvmfs.verified_objects import (
    MAX_CATALOG,
    MAX_DOCUMENT,
    Source,
    VerifiedObjects,
)
from fiducial.stack.progress import Progress, SilentProgress

SENTINEL = ".cvmfs_master_replica"
SOON = datetime.timedelta(days=7)
MOST_FAULTS = 10_000
_BATCH = 64
T = TypeVar("T")


@dataclass
class Report:
    """What a check found, and how much it looked at."""

    revision: int = 0
    catalogs: int = 0
    entries: int = 0
    objects: int = 0
    bytes: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; advice does not count."""
        return all(fault.kind.gravity is Gravity.ADVICE for fault in self.faults)

    def add(self, fault: Fault) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def take(self, action: Callable[[], T]) -> T | None:
        """The result of ``action``, None with its faults on the list where it is refused."""
        try:
            return action()
        except RefusedRepository as error:
            for fault in error.faults:
                self.add(fault)
            return None


class Wanted(NamedTuple):
    """An object that an entry needs."""

    digest: Digest
    kind: Kind
    size: int
    compression: int
    where: str


def check_repository(
    source: Source,
    masters: Sequence[MasterKey],
    now: datetime.datetime,
    name: str | None = None,
    contents: bool = True,
    workers: int = 8,
    progress: Progress | None = None,
) -> Report:
    """Check the current revision; ``contents`` False: do not read the files' objects.

    Raises EnvironmentProblem where there is no repository or the network fails.
    """
    return _Check(source, masters, now, name, workers, progress or SilentProgress()).run(contents)


class _Check:
    def __init__(
        self,
        source: Source,
        masters: Sequence[MasterKey],
        now: datetime.datetime,
        name: str | None,
        workers: int,
        progress: Progress,
    ) -> None:
        self.source, self.masters, self.now, self.name = source, masters, now, name
        self.workers, self.progress = workers, progress
        self.objects = VerifiedObjects(source)
        self.report = Report()
        self.wanted: dict[tuple[Digest, Kind], Wanted] = {}
        self.seen: dict[Digest, Catalog | None] = {}
        self._sizes: dict[Digest, int] = {}

    def run(self, contents: bool) -> Report:
        report = self.report
        demands = Demands(self.masters, self.name, self.now)
        revision = report.take(lambda: read_revision(self.source, demands))
        manifest = revision.manifest if revision else self._unsigned()
        if manifest is None:
            return report
        report.revision = manifest.revision
        if revision is not None:
            self._judge_whitelist(revision.whitelist)
        self._judge_manifest(manifest)
        with self.progress.phase("check catalogs") as task:
            root = Reference(manifest.root, 0)
            self._catalog(b"", root, task.advance)
            self._judge_root_size(manifest)
            self._judge_history(manifest, task.advance)
        self._judge_reflog(manifest)
        if contents:
            self._check_objects()
        return report

    def _unsigned(self) -> Manifest | None:
        """The manifest for a further look, where the revision was refused already."""
        raw = self.source.read(manifests.NAME, MAX_DOCUMENT)
        if raw is None:
            return None
        try:
            return manifests.read_manifest(raw)[0]
        except RefusedRepository:
            return None

    # ---------------------------------------------------------------- what is signed

    def _judge_whitelist(self, whitelist: whitelists.Whitelist) -> None:
        if whitelist.has_expired(self.now + SOON):
            detail = f"on {whitelist.expires:%Y-%m-%d %H:00} UTC"
            self.report.add(Fault(FaultKind.WHITELIST_EXPIRES, whitelists.NAME, detail))
        if whitelist.issued > self.now + datetime.timedelta(hours=1):
            detail = f"issued {whitelist.issued:%Y-%m-%d %H:%M} UTC: is the clock right?"
            self.report.add(Fault(FaultKind.WHITELIST_FUTURE, whitelists.NAME, detail))

    def _judge_manifest(self, manifest: Manifest) -> None:
        for value, kind, letter in (
            (manifest.published, FaultKind.NO_PUBLISH_TIME, "T"),
            (manifest.history, FaultKind.NO_HISTORY, "H"),
            (manifest.metainfo, FaultKind.NO_METAINFO, "M"),
        ):
            if value is None:
                self.report.add(Fault(kind, manifests.NAME, f"no line {letter}"))
        if self.source.read(SENTINEL, 4096) is None:
            self.report.add(Fault(FaultKind.NO_SENTINEL, SENTINEL, "replicas refuse it"))
        if manifest.metainfo is not None:
            self.report.take(lambda: self._metainfo(manifest.metainfo))

    def _metainfo(self, digest: Digest | None) -> None:
        if digest is None:
            return
        text = self.objects.document(digest, Kind.METAINFO, "the metainfo", MAX_CERTIFICATE)
        try:
            json.loads(text)
        except ValueError as error:
            self.report.add(Fault(FaultKind.DOCUMENT_MALFORMED, "the metainfo", str(error)))

    def _judge_root_size(self, manifest: Manifest) -> None:
        raw = self._sizes.get(manifest.root)
        if manifest.root_size and raw is not None and raw != manifest.root_size:
            detail = f"{manifest.root_size}, the root catalog has {raw} bytes"
            self.report.add(Fault(FaultKind.ROOT_SIZE, manifests.NAME, detail))

    def _judge_history(self, manifest: Manifest, advance: Callable[[int], None]) -> None:
        digest = manifest.history
        if digest is None:
            return
        raw = self.report.take(lambda: self.objects.document(digest, Kind.HISTORY, "the history"))
        found = raw and self.report.take(lambda: histories.read_history(raw, self.report.add))
        if not found:
            return
        if found.name != manifest.name:
            detail = f"it is for {found.name}"
            self.report.add(Fault(FaultKind.HISTORY_MALFORMED, "the history", detail))
        for tag in found.tags.values():
            where = f"tag {tag.name}"
            if tag.revision > manifest.revision:
                detail = f"revision {tag.revision} is newer than {manifest.revision}"
                self.report.add(Fault(FaultKind.WRONG_TAG, where, detail))
            self._catalog(b"", Reference(tag.root, 0), advance)
            size = self._sizes.get(tag.root)
            if size is not None and size != tag.size:
                detail = f"size {tag.size}, its root catalog has {size} bytes"
                self.report.add(Fault(FaultKind.WRONG_TAG, where, detail))
        trunk = found.tags.get(histories.TRUNK)
        if trunk is not None and trunk.root != manifest.root:
            detail = f"{trunk.root}, the manifest has {manifest.root}"
            self.report.add(Fault(FaultKind.WRONG_TAG, "tag trunk", detail))

    def _judge_reflog(self, manifest: Manifest) -> None:
        raw = self.source.read(reflogs.NAME, MAX_DOCUMENT)
        if raw is None:
            if manifest.reflog is not None:
                self.report.add(Fault(FaultKind.REFLOG_CHANGED, reflogs.NAME, "it is missing"))
            return
        if manifest.reflog is None or digest_of(raw, manifest.reflog.algorithm) != manifest.reflog:
            detail = f"it is not the one that the manifest names ({manifest.reflog})"
            self.report.add(Fault(FaultKind.REFLOG_CHANGED, reflogs.NAME, detail))
        found = self.report.take(lambda: reflogs.read_reflog(raw, self.report.add))
        if found is None:
            return
        for what, digest in (
            ("root catalog", manifest.root), ("certificate", manifest.certificate),
            ("history", manifest.history), ("metainfo", manifest.metainfo),
        ):  # fmt: skip
            if digest is not None and digest not in found.references:
                detail = f"the current {what} {digest}"
                self.report.add(Fault(FaultKind.REFLOG_INCOMPLETE, reflogs.NAME, detail))

    # ---------------------------------------------------------------- catalogs

    def _catalog(
        self, path: bytes, reference: Reference, advance: Callable[[int], None]
    ) -> Catalog | None:
        """Check a catalog and all below it, once; its shallow content for its parent."""
        digest = reference.digest
        if digest in self.seen:
            return self.seen[digest]
        self.seen[digest] = None
        catalog = self.report.take(lambda: self._parse(path, reference))
        if catalog is None:
            return None
        self.report.catalogs += 1
        advance(1)
        below = statistics.zero()
        known = True
        for place, nested in sorted(catalog.nested.items()):
            child = self._nested(catalog, place, nested, advance)
            known = known and child is not None
            if child is not None:
                below = statistics.add(below, child.statistics.total)
        for fault in judge_catalog(catalog, below if known else None):
            self.report.add(fault)
        self._collect(catalog)
        shallow = Catalog(path, catalog.root, statistics=catalog.statistics)
        self.seen[digest] = shallow
        return shallow

    def _nested(
        self, parent: Catalog, path: bytes, reference: Reference, advance: Callable[[int], None]
    ) -> Catalog | None:
        if not path.startswith(parent.prefix + b"/"):
            detail = f"nested in {show(parent.prefix)}"
            self.report.add(Fault(FaultKind.CATALOG_CYCLE, show(path), detail))
            return None
        child = self._catalog(path, reference, advance)
        size = self._sizes.get(reference.digest)
        if reference.size and size is not None and size != reference.size:
            detail = f"{reference.size}, it has {size} bytes"
            self.report.add(Fault(FaultKind.NESTED_SIZE, show(path), detail))
        if child is not None and child.prefix == path:
            for fault in judge_mountpoint(parent, child):
                self.report.add(fault)
        elif child is not None:
            detail = f"the catalog of {show(child.prefix)}"
            self.report.add(Fault(FaultKind.CATALOG_CYCLE, show(path), detail))
            return None
        return child

    def _parse(self, path: bytes, reference: Reference) -> Catalog:
        where = f"the catalog of {show(path)}"
        raw = self.objects.document(reference.digest, Kind.CATALOG, where, MAX_CATALOG)
        self._sizes[reference.digest] = len(raw)
        return parse_catalog(raw, path, self.report.add)

    def _collect(self, catalog: Catalog) -> None:
        """Note the objects that the entries of ``catalog`` need."""
        for path, entry in catalog.walk():
            self.report.entries += 1
            if entry.is_regular and not entry.is_external:
                for wanted in _objects_of(path, entry):
                    known = self.wanted.setdefault(wanted[:2], wanted)
                    if known.size != wanted.size:
                        detail = f"{wanted.size} bytes here, {known.size} at {known.where}"
                        self.report.add(Fault(FaultKind.OBJECT_SIZE, wanted.where, detail))

    # ---------------------------------------------------------------- objects

    def _check_objects(self) -> None:
        def one(wanted: Wanted) -> tuple[int, Sequence[Fault]]:
            try:
                content = self.objects.content(*wanted)
            except RefusedRepository as error:
                return 0, error.faults
            return len(content), ()

        total = len(self.wanted)
        with (
            self.progress.phase("check objects", total) as task,
            ThreadPoolExecutor(self.workers) as pool,
        ):
            for batch in _batches(self.wanted.values(), _BATCH * self.workers):
                for size, faults in pool.map(one, batch):
                    self.report.objects += 1
                    self.report.bytes += size
                    for fault in faults:
                        self.report.add(fault)
                task.advance(len(batch))


def _objects_of(path: bytes, entry: Entry) -> Iterator[Wanted]:
    algorithm, where = entry.algorithm, show(path)
    if algorithm is None or entry.compression > 1:
        return
    for chunk in entry.chunks:
        digest = Digest(chunk.raw, algorithm)
        yield Wanted(digest, Kind.CHUNK, chunk.size, entry.compression, where)
    if entry.raw is not None:
        digest = Digest(entry.raw, algorithm)
        yield Wanted(digest, Kind.FILE, entry.size, entry.compression, where)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
