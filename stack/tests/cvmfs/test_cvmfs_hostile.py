"""Hostile repositories are refused by name, before anything of theirs is used."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import zlib

import pytest

from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.catalog_schema import Flag
from fiducial.stack.cvmfs.catalog_write import write_catalog
from fiducial.stack.cvmfs.compression import BadStream, decompress
from fiducial.stack.cvmfs.digest import Kind, digest_of
from fiducial.stack.cvmfs.entry import Chunk, Entry, directory, symlink
from fiducial.stack.cvmfs.extract import ExtractPolicy, _leads_out, extract
from fiducial.stack.cvmfs.faults import FaultKind, RefusedRepository
from fiducial.stack.cvmfs.reader import Limits, RepositoryView
from fiducial.stack.cvmfs.revision import Demands, Revision, read_revision
from fiducial.stack.cvmfs.verified_objects import VerifiedObjects
from fiducial.stack.cvmfs.whitelist import sign_fingerprints

from .conftest import NAME, write


def refused(action) -> frozenset[FaultKind]:
    with pytest.raises(RefusedRepository) as caught:
        action()
    return caught.value.kinds


def test_an_expired_whitelist_is_refused_and_renewed(workshop, tree):
    workshop.publish(tree)
    later = workshop.now + datetime.timedelta(days=31)
    demands = Demands(workshop.masters, NAME, later)
    read = lambda: read_revision(workshop.repository.storage, demands)  # noqa: E731
    assert refused(read) == {FaultKind.WHITELIST_EXPIRED}
    workshop.repository.resign(workshop.keys.load_master_key(), later)
    assert read().manifest.revision == 2


def test_another_master_key_is_not_believed(workshop, foreign_keys):
    from fiducial.stack.cvmfs.key_files import load_master_public

    demands = Demands([load_master_public(foreign_keys.master_public)], NAME)
    read = lambda: read_revision(workshop.repository.storage, demands)  # noqa: E731
    assert refused(read) == {FaultKind.WHITELIST_SIGNATURE}


def test_a_certificate_that_is_not_listed_is_refused(workshop, foreign_keys):
    raw = sign_fingerprints(
        NAME, [foreign_keys.load_repository_key().certificate.fingerprint],
        workshop.keys.load_master_key(), workshop.now,
    )  # fmt: skip
    (workshop.root / ".cvmfswhitelist").write_bytes(raw)
    assert refused(workshop.view) == {FaultKind.FOREIGN_CERTIFICATE}


def test_the_whitelist_of_another_repository_is_refused(workshop):
    raw = sign_fingerprints(
        "other.example.org", [workshop.signer.certificate.fingerprint],
        workshop.keys.load_master_key(), workshop.now,
    )  # fmt: skip
    (workshop.root / ".cvmfswhitelist").write_bytes(raw)
    assert refused(workshop.view) == {FaultKind.WRONG_NAME}


def test_a_revision_that_went_back_is_refused(workshop, tree):
    old = (workshop.root / ".cvmfspublished").read_bytes()
    workshop.publish(tree)
    seen = workshop.view().manifest
    (workshop.root / ".cvmfspublished").write_bytes(old)
    demands = {"revision": seen.revision, "published": seen.published}
    assert refused(lambda: workshop.view(**demands)) == {FaultKind.DOWNGRADED}


@pytest.mark.parametrize("name", [".cvmfspublished", ".cvmfswhitelist"])
@pytest.mark.parametrize("damage", [b"", b"junk", b"\xff" * 999, b"--\n" * 9, b"x" * (2 << 20)])
def test_garbage_in_place_of_what_is_signed_is_refused(workshop, name, damage):
    (workshop.root / name).write_bytes(damage)
    kinds = refused(workshop.view)
    assert kinds <= {FaultKind.MANIFEST_MALFORMED, FaultKind.WHITELIST_MALFORMED}


class Stranger:
    """A source whose root catalog is what a test says; the signatures are not the subject here."""

    location = "a stranger"

    def __init__(self, workshop) -> None:
        self.files: dict[str, bytes] = {}
        revision = read_revision(workshop.repository.storage, Demands(workshop.masters))
        self.revision = revision

    def read(self, name, limit):
        data = self.files.get(name)
        return None if data is None else data[: limit + 1]

    def put(self, content: bytes, kind=Kind.FILE):
        stored = zlib.compress(content)
        digest = digest_of(stored)
        self.files[digest.path(kind)] = stored
        return digest

    def view(
        self, *entries: Entry, nested=None, size=None, limits=Limits(), rename=None
    ) -> RepositoryView:
        import dataclasses

        root = Catalog(b"", directory(b"", 0o755, 0), {b"": {item.name: item for item in entries}})
        root.nested = nested or {}
        root.recount()
        raw = write_catalog(root)
        if rename is not None:
            database = sqlite3.connect(":memory:", isolation_level=None)
            database.deserialize(raw)
            database.execute("UPDATE catalog SET name=CAST(? AS TEXT) WHERE name='f'", (rename,))
            raw = database.serialize()
        manifest = dataclasses.replace(
            self.revision.manifest, root=self.put(raw, Kind.CATALOG), root_size=size or len(raw)
        )
        believed = Revision(manifest, self.revision.whitelist, self.revision.certificate, b"")
        return RepositoryView(self, believed, limits)


@pytest.fixture
def stranger(workshop):
    return Stranger(workshop)


def file(stranger, name=b"f", content=b"x", size=None, **more):
    digest = stranger.put(content)
    return Entry(
        name, 0o100644, len(content) if size is None else size, 0, Flag.FILE, digest.raw, **more
    )  # fmt: skip


@pytest.mark.parametrize("name", [b"..", b".", b"a/b", b"/etc/passwd", b"../../up", b"x" * 256])
def test_a_path_traversal_is_refused(stranger, name):
    view = stranger.view(file(stranger), rename=name)
    assert refused(lambda: view.listing(b"")) == {FaultKind.HOSTILE_NAME}


def test_a_file_that_unpacks_to_more_than_declared_is_refused(stranger, tmp_path):
    bomb = file(stranger, content=b"\0" * (64 << 20), size=1000)
    assert refused(lambda: stranger.view(bomb).read(b"/f")) == {FaultKind.OBJECT_SIZE}
    short = file(stranger, content=b"abc", size=1000)
    assert refused(lambda: stranger.view(short).read(b"/f")) == {FaultKind.OBJECT_SIZE}


def test_a_catalog_that_unpacks_to_more_than_declared_is_refused(stranger):
    view = stranger.view(size=600)
    assert refused(lambda: view.root) == {FaultKind.CATALOG_TOO_LARGE}


def test_a_catalog_that_is_mounted_in_itself_is_refused(stranger):
    mount = directory(b"loop", 0o755, 0)._replace(flags=3)
    first = stranger.view(mount)
    reference = Reference(first.manifest.root, 0)
    view = stranger.view(mount, nested={b"/loop": reference})
    assert refused(lambda: list(view.walk())) == {FaultKind.WRONG_ROOT_PREFIX}


def test_too_many_catalogs_or_bytes_are_refused(stranger, tmp_path):
    view = stranger.view(file(stranger), limits=Limits(catalogs=0))
    assert refused(lambda: view.root) == {FaultKind.TOO_MUCH}
    huge = file(stranger, size=1 << 50)
    view = stranger.view(huge)
    assert refused(lambda: extract(view, b"", tmp_path / "out")) == {FaultKind.TOO_MUCH}


def test_chunks_that_do_not_fit_are_refused(stranger):
    raw = stranger.put(b"abc", Kind.CHUNK).raw
    for chunks in ((Chunk(1, 3, raw),), (Chunk(0, 3, raw), Chunk(2, 3, raw)), (Chunk(0, 2, raw),)):
        entry = file(stranger, size=3)._replace(chunks=chunks, flags=Flag.FILE | Flag.CHUNKED)
        assert refused(lambda entry=entry: stranger.view(entry).read(b"/f")) == {FaultKind.CHUNKS}


@pytest.mark.parametrize("target", [b"/etc/passwd", b"..", b"../x", b"a/../../x", b"./.././x"])
def test_a_link_out_of_the_tree_is_refused_unless_allowed(stranger, tmp_path, target):
    view = stranger.view(symlink(b"link", target, 0))
    assert refused(lambda: extract(view, b"", tmp_path / "out")) == {FaultKind.SYMLINK_ESCAPE}
    assert not (tmp_path / "out").exists()
    extract(view, b"", tmp_path / "out", ExtractPolicy(outside_links=True))
    assert (tmp_path / "out/link").is_symlink()


def test_links_within_the_tree_are_not_escapes():
    assert not _leads_out(b"/bin/a", b"../lib/b") and not _leads_out(b"/a", b"b/../c")
    assert _leads_out(b"/bin/a", b"../../lib/b")


def test_nothing_is_written_through_a_link_that_lies_in_the_target(stranger, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/f").symlink_to(outside / "f")
    extract(stranger.view(file(stranger)), b"", tmp_path / "out")
    assert not (outside / "f").exists() and (tmp_path / "out/f").read_bytes() == b"x"


def test_setuid_bits_are_dropped_unless_kept(stranger, tmp_path):
    entry = file(stranger)._replace(mode=0o104755)
    extract(stranger.view(entry), b"", tmp_path / "a")
    assert (tmp_path / "a/f").stat().st_mode & 0o7777 == 0o755
    extract(stranger.view(entry), b"", tmp_path / "b", ExtractPolicy(setuid=True))
    assert (tmp_path / "b/f").stat().st_mode & 0o7777 == 0o4755


def test_wrong_objects_are_refused_before_a_file_appears(workshop, tree, tmp_path):
    workshop.publish(tree)
    view = workshop.view()
    name = view.lookup(b"/sw/1/bin/run").digest().path(Kind.FILE)
    write(workshop.root / name, zlib.compress(b"#!/bin/sh\nrm -rf\n"))
    assert refused(lambda: view.read(b"/sw/1/bin/run")) == {FaultKind.OBJECT_CHANGED}
    assert refused(lambda: extract(view, b"/sw/1", tmp_path / "o")) == {FaultKind.OBJECT_CHANGED}
    assert not (tmp_path / "o/bin/run").exists()


def test_streams_are_taken_whole_or_not():
    stored = zlib.compress(b"content")
    assert decompress(stored, 7) == b"content"
    for bad in (stored[:-1], stored + b"x", b"", b"junk"):
        with pytest.raises(BadStream):
            decompress(bad, 7)
    with pytest.raises(BadStream, match="more than the 6 bytes declared"):
        decompress(stored, 6)


def test_catalogs_of_noise_are_refused(workshop):
    import random

    objects = VerifiedObjects(workshop.repository.storage)
    good = objects.catalog_file(b"", workshop.view()._root)
    from fiducial.stack.cvmfs.catalog_read import read_catalog

    numbers = random.Random(1)
    for _ in range(200):
        raw = bytearray(good)
        for _ in range(numbers.randrange(1, 30)):
            raw[numbers.randrange(len(raw))] = numbers.randrange(256)
        with contextlib.suppress(RefusedRepository):
            read_catalog(bytes(raw), b"")
    for cut in (0, 10, 100, 512, 1024, 4096):
        with pytest.raises(RefusedRepository):
            read_catalog(good[:cut], b"")
