"""Garbage collection: remove what no kept revision needs, after a time of grace.

Kept are the current revision, the revisions that tags name, and every revision that was still
current within the time of grace: clients may be reading it. Objects younger than the grace
stay whatever they are. First the reflog forgets the other revisions (the manifest is signed
again, under the same revision number), then their objects go; killed in between, the next
collection finishes the work.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fiducial.stack.cvmfs import history as histories
from fiducial.stack.cvmfs import manifest as manifests
from fiducial.stack.cvmfs import reflog as reflogs
from fiducial.stack.cvmfs.catalog import Reference
from fiducial.stack.cvmfs.digest import Digest, Kind, digest_of
from fiducial.stack.cvmfs.faults import FaultKind, RefusedRepository
from fiducial.stack.cvmfs.manifest import Manifest
from fiducial.stack.cvmfs.publish_lock import Fence, hold_lock
from fiducial.stack.cvmfs.reflog import Reflog, RefType
from fiducial.stack.cvmfs.repository import Repository
from fiducial.stack.cvmfs.signing import ManifestSigner
from fiducial.stack.cvmfs.transaction import (
    raise_refusals,
    read_current_reflog,
    recover_reflog,
    replace_reflog,
)
from fiducial.stack.cvmfs.verified_objects import VerifiedObjects
from fiducial.stack.errors import InputError

GRACE = datetime.timedelta(days=3)
_OBJECT = re.compile(r"data/([0-9a-f]{2})/([0-9a-f]{38})(?:-[a-z0-9]+)?[A-Z]?")


@dataclass(frozen=True)
class Collected:
    """What a collection removed, or (dry run) would remove."""

    revisions: int
    objects: int
    bytes: int
    kept: int


def collect(
    repository: Repository,
    signer: ManifestSigner,
    now: datetime.datetime,
    grace: datetime.timedelta = GRACE,
    dry_run: bool = False,
    advance: Callable[[int], None] | None = None,
) -> Collected:
    """Collect the garbage of ``repository``. Raises AnotherPublisher where somebody publishes."""
    storage = repository.storage
    with hold_lock(repository.root) as fence:
        storage.sweep()
        manifest = repository.revision().manifest
        if not manifest.collectable:
            raise InputError(
                f"the repository {manifest.name} keeps everything",
                "its manifest says that it is not garbage-collectable",
            )
        recover_reflog(storage, manifest)
        reflog = read_current_reflog(storage, manifest, manifest.name)
        limit = int((now - grace).timestamp())
        marks = _Marks(VerifiedObjects(storage), advance)
        kept = _mark(marks, manifest, reflog, limit)
        forgotten = [digest for digest in reflog.of(RefType.CATALOG) if digest not in kept]
        garbage = [
            item
            for item in storage.objects()
            if item.modified < limit
            and _OBJECT.fullmatch(item.name)
            and item.name not in marks.names
        ]
        if not dry_run:
            remaining = Reflog(
                reflog.name, {d: row for d, row in reflog.references.items() if d in kept}
            )
            if len(remaining.references) < len(reflog.references):
                _forget(repository, signer, manifest, remaining, fence)
            _forget_contents(repository, [item.name for item in garbage])
            for item in garbage:
                storage.remove(item.name)
    size = sum(item.size for item in garbage)
    return Collected(len(forgotten), len(garbage), size, len(marks.names))


class _Marks:
    """The names of all objects that are needed."""

    def __init__(self, objects: VerifiedObjects, advance: Callable[[int], None] | None) -> None:
        self.objects, self._advance = objects, advance
        self.names: set[str] = set()

    def add(self, digest: Digest, kind: Kind) -> None:
        self.names.add(digest.path(kind))

    def revision(self, root: Digest) -> None:
        """All that the root catalog ``root`` needs."""
        pending = [(b"", Reference(root, 0))]
        while pending:
            path, reference = pending.pop()
            name = reference.digest.path(Kind.CATALOG)
            if name in self.names:
                continue
            catalog = self.objects.catalog(path, reference)
            self.names.add(name)
            pending.extend(catalog.nested.items())
            for _, entry in catalog.walk():
                if entry.is_regular and not entry.is_external and entry.algorithm is not None:
                    if entry.raw is not None:
                        self.add(Digest(entry.raw, entry.algorithm), Kind.FILE)
                    for chunk in entry.chunks:
                        self.add(Digest(chunk.raw, entry.algorithm), Kind.CHUNK)
            if self._advance is not None:
                self._advance(1)


def _mark(marks: _Marks, manifest: Manifest, reflog: Reflog, limit: int) -> set[Digest]:
    """Mark what is kept; the digests that stay in the reflog."""
    kept = {manifest.root, manifest.certificate}
    marks.revision(manifest.root)
    marks.add(manifest.certificate, Kind.CERTIFICATE)
    if manifest.history is not None:
        kept.add(manifest.history)
        marks.add(manifest.history, Kind.HISTORY)
        raw = marks.objects.document(manifest.history, Kind.HISTORY, "the history")
        for tag in histories.read_history(raw, raise_refusals).tags.values():
            marks.revision(tag.root)
            kept.add(tag.root)
    if manifest.metainfo is not None:
        kept.add(manifest.metainfo)
        marks.add(manifest.metainfo, Kind.METAINFO)
    for digest in _still_current(reflog.of(RefType.CATALOG), limit) - kept:
        try:
            marks.revision(digest)
        except RefusedRepository as error:
            if error.kinds != {FaultKind.OBJECT_MISSING}:
                raise
            continue  # an earlier collection was cut short
        kept.add(digest)
    for kind, letter in (
        (RefType.CERTIFICATE, Kind.CERTIFICATE), (RefType.HISTORY, Kind.HISTORY),
        (RefType.METAINFO, Kind.METAINFO),
    ):  # fmt: skip
        for digest in _still_current(reflog.of(kind), limit):
            kept.add(digest)
            marks.add(digest, letter)
    return kept


def _still_current(entries: dict[Digest, int], limit: int) -> set[Digest]:
    """Those that were replaced after ``limit``, or not at all."""
    order = sorted(entries, key=lambda digest: entries[digest])
    times = [entries[digest] for digest in order]
    return {
        digest
        for number, digest in enumerate(order)
        if number + 1 == len(order) or times[number + 1] >= limit
    }


def _forget(
    repository: Repository,
    signer: ManifestSigner,
    manifest: Manifest,
    reflog: Reflog,
    fence: Fence,
) -> None:
    raw = reflogs.write_reflog(reflog)
    fresh = replace(manifest, reflog=digest_of(raw, repository.settings.algorithm))
    signed = manifests.sign_manifest(fresh, signer)
    if signer.certificate.fingerprint not in repository.revision().whitelist.fingerprints:
        raise InputError("the repository key may not sign here", "it is not on the whitelist")
    fence.check()
    replace_reflog(repository.storage, raw)
    repository.storage.replace(manifests.NAME, signed)


def _forget_contents(repository: Repository, names: list[str]) -> None:
    index = repository.index()
    try:
        removed: dict[bytes, None] = {}
        for name in names:
            match = _OBJECT.fullmatch(name)
            if match is not None:
                removed[bytes.fromhex(match[1] + match[2])] = None
        index.forget_objects(removed)
    finally:
        index.close()
