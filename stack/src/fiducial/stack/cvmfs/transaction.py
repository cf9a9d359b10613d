"""One change of a repository: nothing is visible before the manifest is replaced, at the end.

Order of writing: file objects, nested catalogs (leaves first), root catalog, history, all
staged and then put in place together, durably; the reflog; the manifest. Killed at any point,
the old revision stands; what is left over is swept by the next transaction, and a reflog that
is one step ahead of its manifest is put back.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fiducial.stack.cvmfs import history as histories
from fiducial.stack.cvmfs import manifest as manifests
from fiducial.stack.cvmfs import reflog as reflogs
from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.catalog_tree import CatalogTree
from fiducial.stack.cvmfs.catalog_write import write_catalog
from fiducial.stack.cvmfs.content_index import ContentIndex
from fiducial.stack.cvmfs.digest import Digest, Kind, digest_of
from fiducial.stack.cvmfs.entry import content_flags, symlink
from fiducial.stack.cvmfs.faults import Fault, FaultKind, Gravity, RefusedRepository, refuse
from fiducial.stack.cvmfs.history import History, Tag
from fiducial.stack.cvmfs.ingest import Ingest, Tally
from fiducial.stack.cvmfs.manifest import Manifest
from fiducial.stack.cvmfs.nesting import NestingRule
from fiducial.stack.cvmfs.publish_lock import AnotherPublisher, Fence
from fiducial.stack.cvmfs.reflog import Reflog, RefType
from fiducial.stack.cvmfs.settings import FOLDER, Settings
from fiducial.stack.cvmfs.signing import ManifestSigner
from fiducial.stack.cvmfs.storage import Stage, Storage
from fiducial.stack.cvmfs.tree_build import CatalogStore, TreeBuilder, marker_entry
from fiducial.stack.cvmfs.tree_scan import ScannedTree, ScanPolicy, scan_tree
from fiducial.stack.cvmfs.verified_objects import MAX_DOCUMENT, VerifiedObjects
from fiducial.stack.errors import InputError
from fiducial.stack.progress import Progress, SilentProgress

PREVIOUS_REFLOG = f"{FOLDER}/reflog.previous"


@dataclass(frozen=True)
class Outcome:
    """What a transaction did, or (dry run) would do."""

    revision: int
    changed: bool
    root: Digest
    tally: Tally
    files: int = 0
    bytes: int = 0


def raise_refusals(fault: Fault) -> None:
    """For readers of documents: stop at what must not be used."""
    if fault.kind.gravity is not Gravity.ADVICE:
        raise RefusedRepository(fault.where, [fault])


class Transaction:
    """A change in the making; ``Repository.transaction`` makes it and holds the lock."""

    def __init__(
        self,
        storage: Storage,
        stage: Stage,
        settings: Settings,
        signer: ManifestSigner,
        index: ContentIndex,
        old: Manifest | None,
        old_raw: bytes | None,
        root: Catalog,
        fence: Fence,
        progress: Progress | None = None,
    ) -> None:
        self.storage, self.settings, self.index = storage, settings, index
        self._stage, self._signer, self._fence = stage, signer, fence
        self._old, self._old_raw = old, old_raw
        self._objects = VerifiedObjects(storage)
        self._progress = progress or SilentProgress()
        self._tree = CatalogTree(self._objects.catalog, root)
        encoder = settings.encoder
        self._ingest = Ingest(storage, stage, index, encoder.for_files(), settings.algorithm)
        self._store = CatalogStore(self._ingest, encoder.for_catalogs())
        self._flags = content_flags(settings.algorithm, encoder.stores_raw)
        self._history = self._read_history()
        self._tags: list[tuple[str, str]] = []
        self._history_changed = False
        self._forced = old is None
        self._metainfo = old.metainfo if old else None
        self._files = self._bytes = 0
        self.now = max(int(time.time()), (old.published or 0) if old else 0)

    # ---------------------------------------------------------------- what to change

    def put_tree(
        self,
        source: Path,
        path: bytes,
        policy: ScanPolicy = ScanPolicy(),
        rule: NestingRule = NestingRule(),
    ) -> ScannedTree:
        """Put the directory ``source`` at ``path``, in the place of what is there."""
        with self._progress.phase("look at the tree"), _no_cycles():
            tree = scan_tree(source, policy)
        files = list(tree.sources())
        with self._progress.phase("store files", len(files)) as task:
            contents = self._ingest.run(files, task.advance)
        with self._progress.phase("write catalogs"), _no_cycles():
            empty = marker_entry(self._ingest, self._flags)
            builder = TreeBuilder(self._store, contents, self._flags, rule, empty)
            if path:
                self._tree.put(path, builder.build_nested(tree, path), self.now)
            else:
                self._tree.replace_root(builder.build_root(tree))
        self._files += tree.files
        self._bytes += tree.bytes
        return tree

    def put_symlink(self, path: bytes, target: bytes) -> None:
        """Put a symbolic link at ``path`` (a channel that points to a release)."""
        if not target or b"\x00" in target:
            raise InputError("a symbolic link needs a target")
        name = path.rpartition(b"/")[2]
        self._tree.put_entry(path, symlink(name, target, self.now), self.now)

    def remove(self, path: bytes) -> None:
        """Remove ``path`` and all below it."""
        self._tree.remove(path, self.now)

    def tag(self, name: str, description: str = "", move: bool = False) -> None:
        """Name the revision that this transaction leaves."""
        histories.check_tag_name(name)
        if name in self._history.tags and not move:
            raise InputError(f"the tag {name} exists", None, "choose another, or move it")
        self._tags.append((name, description))

    def untag(self, name: str) -> None:
        """Remove a tag; its revision stays until it is collected."""
        self._history.find(name)
        del self._history.tags[histories.check_tag_name(name)]
        self._history_changed = True

    def rollback(self, name: str) -> Tag:
        """Make the tree of a tag the newest revision, under a new number."""
        tag = self._history.find(name)
        if self._tree.changed:
            raise InputError("a rollback cannot follow another change in one transaction")
        if self._old is not None and tag.root == self._old.root:
            raise InputError(f"the tag {name} is the current revision")
        root = self._objects.catalog(b"", Reference(tag.root, tag.size))
        self._tree = CatalogTree(self._objects.catalog, root)
        self._forced = True
        return tag

    def describe(self, text: bytes) -> None:
        """Store the description of the repository (JSON) with the next revision."""
        self._metainfo = self._store.put_document(text, Kind.METAINFO).digest

    # ---------------------------------------------------------------- making it so

    def commit(self, dry_run: bool = False) -> Outcome:
        """Write what changed and replace the manifest; nothing is written where nothing changed."""
        old = self._old
        new_tree = self._tree.changed or self._forced
        certificate = self._certificate()
        renewed = old is not None and certificate != old.certificate
        tagged = [item for item in self._tags if self._moves(item[0])] if not new_tree else []
        if not (new_tree or tagged or self._history_changed or renewed) and old is not None:
            self._stage.abandon()
            if not dry_run:
                self.index.save()
            return self._outcome(old.revision, False, old.root)
        manifest = self._new_root(certificate) if new_tree else replace(
            self._current(), certificate=certificate
        )  # fmt: skip
        manifest = self._with_history(manifest, new_tree)
        manifest, reflog = self._with_reflog(manifest)
        outcome = self._outcome(manifest.revision, True, manifest.root)
        if dry_run:
            self._stage.abandon()
            return outcome
        raw = manifests.sign_manifest(manifest, self._signer)
        with self._progress.phase("put in place"):
            self._stage.commit()
            self._require_unmoved()
            replace_reflog(self.storage, reflog)
            self.storage.replace(manifests.NAME, raw)
            self.index.save()
        return outcome

    def _current(self) -> Manifest:
        if self._old is None:
            raise AssertionError("a repository without a manifest gets a new tree")
        return self._old

    def _moves(self, name: str) -> bool:
        known = self._history.tags.get(name)
        return known is None or known.root != self._current().root

    def _certificate(self) -> Digest:
        pem = self._signer.certificate.pem
        return self._store.put_document(pem, Kind.CERTIFICATE).digest

    def _new_root(self, certificate: Digest) -> Manifest:
        old = self._old
        revision = old.revision + 1 if old else 1
        properties = {
            "revision": str(revision), "last_modified": str(self.now),
            "TTL": str(self.settings.ttl),
        }  # fmt: skip
        if old is not None:
            properties["previous_revision"] = str(old.root)

        def write_root(catalog: Catalog) -> Reference:
            return self._store.put_document(write_catalog(catalog, properties), Kind.CATALOG)

        reference, _ = self._tree.write(self._store, write_root)
        return Manifest(
            self.settings.name, reference.digest, revision, certificate, self.settings.ttl,
            reference.size, None, self._metainfo, None, self.now,
            self.settings.collectable,
        )  # fmt: skip

    def _with_history(self, manifest: Manifest, new_tree: bool) -> Manifest:
        size = manifest.root_size or 0
        if new_tree:
            self._history.advance(manifest.root, manifest.revision, self.now, size)
        for name, description in self._tags:
            tag = Tag(name, manifest.root, manifest.revision, self.now, size, description)
            self._history.put(tag)
        previous = self._old.history if self._old else None
        raw = histories.write_history(self._history, previous)
        return replace(manifest, history=self._store.put_document(raw, Kind.HISTORY).digest)

    def _with_reflog(self, manifest: Manifest) -> tuple[Manifest, bytes]:
        reflog = read_current_reflog(self.storage, self._old, self.settings.name)
        for digest, kind in (
            (manifest.root, RefType.CATALOG), (manifest.certificate, RefType.CERTIFICATE),
            (manifest.history, RefType.HISTORY), (manifest.metainfo, RefType.METAINFO),
        ):  # fmt: skip
            if digest is not None:
                reflog.add(digest, kind, self.now)
        raw = reflogs.write_reflog(reflog)
        return replace(manifest, reflog=digest_of(raw, self.settings.algorithm)), raw

    def _read_history(self) -> History:
        if self._old is None or self._old.history is None:
            return History(self.settings.name)
        raw = self._objects.document(self._old.history, Kind.HISTORY, "the history")
        return histories.read_history(raw, raise_refusals)

    def _require_unmoved(self) -> None:
        self._fence.check()
        if self.storage.read(manifests.NAME, MAX_DOCUMENT) != self._old_raw:
            raise AnotherPublisher(
                "the repository moved while this publish was going on",
                "somebody replaced the manifest without the lock",
                "nothing was changed: publish again",
            )

    def _outcome(self, revision: int, changed: bool, root: Digest) -> Outcome:
        return Outcome(revision, changed, root, self._ingest.tally, self._files, self._bytes)


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Spare the interpreter's search for cycles while tens of thousands of entries are made."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def replace_reflog(storage: Storage, raw: bytes) -> None:
    """Put a new reflog in place, keeping the old one until its manifest has gone too."""
    current = storage.read(reflogs.NAME, MAX_DOCUMENT)
    if current is not None:
        storage.replace(PREVIOUS_REFLOG, current)
    storage.replace(reflogs.NAME, raw)


def read_current_reflog(storage: Storage, manifest: Manifest | None, name: str) -> Reflog:
    """The reflog that the manifest names. Raises RefusedRepository where there is none such."""
    raw = storage.read(reflogs.NAME, MAX_DOCUMENT)
    if manifest is None or (manifest.reflog is None and raw is None):
        return Reflog(name)
    if manifest.reflog is None or raw is None or not _has(raw, manifest.reflog):
        raise refuse(
            FaultKind.REFLOG_CHANGED, reflogs.NAME, "it is not the one that the manifest names",
            "put it back from a backup",
        )  # fmt: skip
    return reflogs.read_reflog(raw, raise_refusals)


def recover_reflog(storage: Storage, manifest: Manifest) -> bool:
    """Put back the reflog of ``manifest`` after a kill between reflog and manifest."""
    raw = storage.read(reflogs.NAME, MAX_DOCUMENT)
    if manifest.reflog is None or (raw is not None and _has(raw, manifest.reflog)):
        return False
    previous = storage.read(PREVIOUS_REFLOG, MAX_DOCUMENT)
    if previous is None or not _has(previous, manifest.reflog):
        return False
    storage.replace(reflogs.NAME, previous)
    return True


def _has(raw: bytes, digest: Digest) -> bool:
    return digest_of(raw, digest.algorithm) == digest
