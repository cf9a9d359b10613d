"""A repository that is written here: create it, open it, change it, one publisher at a time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fiducial.stack.cvmfs import manifest as manifests
from fiducial.stack.cvmfs import whitelist as whitelists
from fiducial.stack.cvmfs.catalog_tree import empty_root
from fiducial.stack.cvmfs.content_index import ContentIndex
from fiducial.stack.cvmfs.digest import Digest, Kind
from fiducial.stack.cvmfs.key_files import KeyFiles
from fiducial.stack.cvmfs.publish_lock import hold_lock
from fiducial.stack.cvmfs.revision import Demands, Revision, read_revision
from fiducial.stack.cvmfs.settings import FOLDER, Settings, read_settings, write_settings
from fiducial.stack.cvmfs.signed_text import MAX_BYTES
from fiducial.stack.cvmfs.signing import (
    Certificate,
    ManifestSigner,
    MasterKey,
    WhitelistSigner,
)
from fiducial.stack.cvmfs.storage import DirectoryStorage
from fiducial.stack.cvmfs.transaction import Transaction, recover_reflog
from fiducial.stack.cvmfs.verified_objects import VerifiedObjects
from fiducial.stack.errors import InputError
from fiducial.stack.progress import Progress

SENTINEL = ".cvmfs_master_replica"
INDEX = "index.sqlite"


class Repository:
    """The repository in directory ``root``; ``masters`` are the master public keys it is under."""

    def __init__(self, root: Path, masters: Sequence[MasterKey]) -> None:
        self.root = root.resolve()
        self.settings = read_settings(self.root)
        self.storage = DirectoryStorage(self.root)
        self.masters = tuple(masters)

    def revision(self) -> Revision:
        """The current revision, believed; that the whitelist has expired is no hindrance here."""
        return read_revision(self.storage, Demands(self.masters, self.settings.name))

    @contextmanager
    def transaction(
        self, signer: ManifestSigner, progress: Progress | None = None, dry_run: bool = False
    ) -> Iterator[Transaction]:
        """Begin a change; the caller commits it. Raises AnotherPublisher where one is going on.

        A dry run takes the lock too, so that what it says is true when it says so.
        """
        with hold_lock(self.root) as fence:
            old = self.revision()
            self.storage.sweep()
            recover_reflog(self.storage, old.manifest)
            _require_listed(signer, old)
            objects = VerifiedObjects(self.storage)
            stage = _CountingStage(self.storage) if dry_run else self.storage.stage()
            index = self._index()
            try:
                root = objects.catalog(b"", old.root)
                yield Transaction(
                    self.storage, stage, self.settings, signer, index, old.manifest, old.raw,
                    root, fence, progress,
                )  # fmt: skip
            finally:
                stage.abandon()
                index.close()

    def _index(self) -> ContentIndex:
        settings = self.settings
        variant = f"{settings.encoder} {settings.algorithm}"
        return ContentIndex(self.root / FOLDER / INDEX, variant, settings.algorithm)

    def index(self) -> ContentIndex:
        """The index of contents, for the collector; hold the lock."""
        return self._index()

    def resign(
        self,
        master: WhitelistSigner,
        now: datetime.datetime,
        lifetime: datetime.timedelta = whitelists.LIFETIME,
        certificates: Sequence[Certificate] = (),
    ) -> whitelists.Whitelist:
        """Renew the whitelist: the certificates on it stay, ``certificates`` are added."""
        masters = (MasterKey(master.public_pem()),)
        data = self.storage.read(whitelists.NAME, MAX_BYTES)
        known: list[str] = []
        if data is not None:
            known = list(whitelists.read_whitelist(data, masters).fingerprints)
        for certificate in certificates:
            if certificate.fingerprint not in known:
                known.append(certificate.fingerprint)
        raw = whitelists.sign_fingerprints(self.settings.name, known, master, now, lifetime)
        self.storage.replace(whitelists.NAME, raw)
        return whitelists.read_whitelist(raw, masters)


def create_repository(
    root: Path,
    settings: Settings,
    keys: KeyFiles,
    now: datetime.datetime,
    metainfo: Mapping[str, object] | None = None,
    existing_keys: bool = False,
) -> Repository:
    """Make a repository with an empty first revision, and its keys. Raises InputError where
    there is one already."""
    root = root.resolve()
    if (root / manifests.NAME).exists():
        raise InputError(f"there is a repository at {root} already", None, "choose another folder")
    if not existing_keys:
        keys.create(now)
    signer, master = keys.load_repository_key(), keys.load_master_key()
    storage = DirectoryStorage(root)
    storage.lay_out()
    write_settings(root, settings)
    repository = Repository(root, (MasterKey(master.public_pem()),))
    repository.resign(master, now, certificates=[signer.certificate])
    with hold_lock(root) as fence:
        storage.sweep()
        storage.replace(SENTINEL, b"This repository may be replicated.\n")
        index = repository.index()
        try:
            transaction = Transaction(
                storage, storage.stage(), settings, signer, index, None, None,
                empty_root(int(now.timestamp())), fence,
            )  # fmt: skip
            description = json.dumps(metainfo or {}, indent=1, sort_keys=True).encode()
            transaction.describe(description)
            transaction.commit()
        finally:
            index.close()
    return repository


def _require_listed(signer: ManifestSigner, revision: Revision) -> None:
    if signer.certificate.fingerprint not in revision.whitelist.fingerprints:
        raise InputError(
            "the repository key may not sign here",
            f"certificate {signer.certificate.fingerprint} is not on the whitelist",
            "add it: fiducial repo resign --certificate FILE",
        )


class _CountingStage:
    """The stage of a dry run: says what would be new, keeps nothing."""

    def __init__(self, storage: DirectoryStorage) -> None:
        self._storage = storage
        self._seen: set[str] = set()

    def put(self, digest: Digest, kind: Kind, data: bytes) -> bool:
        name = digest.path(kind)
        if name in self._seen or self._storage.has(digest, kind):
            return False
        self._seen.add(name)
        return True

    def commit(self) -> None:
        raise AssertionError("a dry run commits nothing")

    def abandon(self) -> None:
        self._seen.clear()
