"""Every kind of mistake that a writer can make is named by our checker, whoever else notices it.

Each test takes a sound repository, makes one mistake in it (with valid digests and signatures
all the way up, as a wrong writer would), and asks for the name of the fault.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import zlib

import pytest

from fiducial.stack.cvmfs import manifest as manifests
from fiducial.stack.cvmfs.check import check_repository
from fiducial.stack.cvmfs.digest import Kind, digest_of, parse_digest
from fiducial.stack.cvmfs.faults import FaultKind, RefusedRepository
from fiducial.stack.cvmfs.manifest import read_manifest, sign_manifest
from fiducial.stack.cvmfs.nesting import NestingRule
from fiducial.stack.cvmfs.revision import Demands, read_revision
from fiducial.stack.cvmfs.storage import DirectoryStorage

from .conftest import NAME, grow


class Forger:
    """Changes a repository behind our writer's back, keeping digests and signatures right."""

    def __init__(self, root, workshop) -> None:
        self.root, self.workshop = root, workshop
        self.storage = DirectoryStorage(root)

    def manifest(self):
        return read_manifest((self.root / ".cvmfspublished").read_bytes())[0]

    def put(self, raw: bytes, kind: Kind):
        stored = zlib.compress(raw)
        digest = digest_of(stored)
        (self.root / digest.path(kind)).write_bytes(stored)
        return digest

    def read(self, digest, kind: Kind) -> bytes:
        return zlib.decompress((self.root / digest.path(kind)).read_bytes())

    def sign(self, **fields) -> None:
        changed = dataclasses.replace(self.manifest(), **fields)
        (self.root / ".cvmfspublished").write_bytes(sign_manifest(changed, self.workshop.signer))

    def sign_text(self, edit) -> None:
        """Sign the manifest with its text changed by hand."""
        text = edit(self.manifest().text().decode()).encode()
        digest = digest_of(text)
        signature = self.workshop.signer.sign(str(digest).encode())
        raw = text + b"--\n" + str(digest).encode() + b"\n" + signature
        (self.root / ".cvmfspublished").write_bytes(raw)

    def edit_sql(self, raw: bytes, *statements: str) -> bytes:
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.deserialize(raw)
        for statement in statements:
            database.execute(statement)
        return database.serialize()

    def edit_nested(self, *statements: str, path: str = "/sw/1", raw=None) -> None:
        """Change the catalog of ``path`` by SQL, and everything up to the manifest."""
        parent = self.read(self.manifest().root, Kind.CATALOG)
        database = sqlite3.connect(":memory:")
        database.deserialize(parent)
        query = "SELECT sha1 FROM nested_catalogs WHERE path=?"
        old = parse_digest(database.execute(query, (path,)).fetchone()[0])
        content = self.edit_sql(raw or self.read(old, Kind.CATALOG), *statements)
        new = self.put(content, Kind.CATALOG)
        self.edit_root(
            f"UPDATE nested_catalogs SET sha1='{new}', size={len(content)} WHERE path='{path}'"
        )

    def edit_root(self, *statements: str) -> None:
        content = self.edit_sql(self.read(self.manifest().root, Kind.CATALOG), *statements)
        root = self.put(content, Kind.CATALOG)
        self.sign(root=root, root_size=len(content))
        self.mend_records(root, len(content))

    def mend_records(self, root, size) -> None:
        """Let history and reflog agree with a new root, so that one mistake is left."""
        manifest = self.manifest()
        history = self.edit_sql(
            self.read(manifest.history, Kind.HISTORY),
            f"UPDATE tags SET hash='{root}', size={size} WHERE name='trunk'",
        )
        digest = self.put(history, Kind.HISTORY)
        reflog = self.edit_sql(
            (self.root / ".cvmfsreflog").read_bytes(),
            f"INSERT INTO refs VALUES ('{root}', 0, 1), ('{digest}', 2, 1)",
        )
        (self.root / ".cvmfsreflog").write_bytes(reflog)
        self.sign(history=digest, reflog=digest_of(reflog))

    def faults(self, **settings) -> set[FaultKind]:
        report = check_repository(
            self.storage, self.workshop.masters, self.workshop.now, NAME, **settings
        )
        return {fault.kind for fault in report.faults}


@pytest.fixture(scope="module")
def sound(make_workshop_once, tmp_path_factory):
    """A sound repository, to be copied and damaged."""
    tree = grow(tmp_path_factory.mktemp("sound") / "tree")
    make_workshop_once.publish(tree, rule=NestingRule(minimum=4))
    assert Forger(make_workshop_once.root, make_workshop_once).faults() == set()
    return make_workshop_once


@pytest.fixture
def forger(sound, clone):
    return Forger(clone(sound.root), sound)


def row(name: str) -> str:
    return f"WHERE name='{name}'"


IN_CATALOG = {
    "a NULL symlink": (f"UPDATE catalog SET symlink=NULL {row('empty')}", "NULL_TEXT"),
    "a NULL name": (f"UPDATE catalog SET name=NULL {row('empty')}", "HOSTILE_NAME"),
    "no schema": ("DELETE FROM properties WHERE key='schema'", "NO_SCHEMA"),
    "another schema": ("UPDATE properties SET value='3.0' WHERE key='schema'", "UNKNOWN_SCHEMA"),
    "no schema revision": (
        "DELETE FROM properties WHERE key='schema_revision'", "OLD_SCHEMA_REVISION",
    ),
    "no bind_mountpoints": ("DROP TABLE bind_mountpoints", "MISSING_TABLE"),
    "a missing counter": (
        "DELETE FROM statistics WHERE counter='subtree_xattr'", "MISSING_COUNTER",
    ),
    "a wrong own counter": (
        "UPDATE statistics SET value=value+1 WHERE counter='self_regular'", "WRONG_COUNTER",
    ),
    "a wrong subtree counter": (
        "UPDATE statistics SET value=value+1 WHERE counter='subtree_dir'", "WRONG_COUNTER",
    ),
    "no root_prefix": ("DELETE FROM properties WHERE key='root_prefix'", "WRONG_ROOT_PREFIX"),
    "a hash as text": (
        f"UPDATE catalog SET hash=lower(hex(hash)) {row('setup.sh')}", "DIGEST_FORM",
    ),
    "no hash": (f"UPDATE catalog SET hash=NULL {row('empty')}", "NO_DIGEST"),
    "a hash of nothing stored": (
        f"UPDATE catalog SET hash=randomblob(20) {row('empty')}", "OBJECT_MISSING",
    ),
    "a wrong size": (f"UPDATE catalog SET size=size+1 {row('run')}", "OBJECT_SIZE"),
    "a negative size": (f"UPDATE catalog SET size=-1 {row('run')}", "NEGATIVE_SIZE"),
    "a missing marker": (f"DELETE FROM catalog {row('.cvmfscatalog')}", "MARKER_MISSING"),
    "a wrong link count of a directory": (
        f"UPDATE catalog SET hardlinks=7 {row('bin')}", "LINK_COUNT",
    ),
    "link count 0": (f"UPDATE catalog SET hardlinks=0 {row('run')}", "LINK_COUNT"),
    "a hard link without a group": (
        f"UPDATE catalog SET hardlinks=2 {row('setup.sh')}", "HARDLINKS",
    ),
    "a group with a wrong count": (
        f"UPDATE catalog SET hardlinks=(1<<32)|3 {row('setup.sh')}", "HARDLINKS",
    ),
    "members that differ": (f"UPDATE catalog SET mtime=5 {row('setup.sh')}", "HARDLINKS"),
    "a nested root without its flag": ("UPDATE catalog SET flags=1 WHERE flags=33", "NESTED_FLAGS"),
    "symlink flags without 4": (f"UPDATE catalog SET flags=8 {row('again')}", "SYMLINK_FLAGS"),
    "a wrong size of a symlink": (f"UPDATE catalog SET size=99 {row('again')}", "SYMLINK_SIZE"),
    "unknown flags": (f"UPDATE catalog SET flags=4|0x700 {row('run')}", "UNKNOWN_FLAGS"),
    "a file and directory": (f"UPDATE catalog SET flags=5 {row('run')}", "UNKNOWN_FLAGS"),
    "a mode that disagrees": (f"UPDATE catalog SET mode=33188 {row('again')}", "MODE_DIFFERS"),
    "big-endian path hashes": (
        f"UPDATE catalog SET md5path_1=md5path_1+1 {row('run')}", "WRONG_PATH_HASH",
    ),
    "no root entry": ("DELETE FROM catalog WHERE flags=33", "NO_ROOT_ENTRY"),
    "a name with a slash": (f"UPDATE catalog SET name='../run' {row('run')}", "HOSTILE_NAME"),
    "a name ..": (f"UPDATE catalog SET name='..' {row('run')}", "HOSTILE_NAME"),
    "an orphan": (f"UPDATE catalog SET parent_1=5 {row('run')}", "UNREACHABLE_ENTRY"),
    "malformed attributes": (f"UPDATE catalog SET xattr=x'0105' {row('run')}", "BAD_XATTRS"),
    "chunks that are missing": (f"UPDATE catalog SET flags=68 {row('run')}", "CHUNKS"),
    "gaps in the row numbers": (
        f"UPDATE catalog SET rowid=9000 {row('run')}", "SPARSE_ROWS",
    ),
    "a view": ("CREATE VIEW v AS SELECT 1", "CATALOG_UNREADABLE"),
    "a nested digest with its suffix": (
        "UPDATE nested_catalogs SET sha1=sha1||'C'", "NESTED_DIGEST",
    ),
    "a wrong nested size": ("UPDATE nested_catalogs SET size=size+1", "NESTED_SIZE"),
    "a nested catalog that is not registered": (
        "DELETE FROM nested_catalogs", "NESTED_UNREGISTERED",
    ),
    "a nested catalog and no mount point": (
        "UPDATE catalog SET flags=1 WHERE flags=3", "NESTED_FLAGS",
    ),
    "a mount point that differs": (
        "UPDATE catalog SET mode=16832 WHERE flags=3", "MOUNTPOINT_DIFFERS",
    ),
    "a special file with a size": (
        f"UPDATE catalog SET flags=20, mode=4516, hash=NULL, size=4 {row('run')}", "SPECIAL_FILE",
    ),
    "a symlink with a digest": (
        f"UPDATE catalog SET hash=randomblob(20) {row('again')}", "STRAY_DIGEST",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", IN_CATALOG)
def test_a_mistake_in_a_catalog_is_named(forger, mistake):
    statement, kind = IN_CATALOG[mistake]
    forger.edit_nested(statement)
    assert FaultKind[kind] in forger.faults()


def test_all_path_hashes_big_endian_is_named_for_what_it_is(forger):
    import struct

    def swap(number):
        return struct.unpack(">q", struct.pack("<q", number))[0]

    raw = forger.read(forger.manifest().root, Kind.CATALOG)
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.deserialize(raw)
    database.create_function("swap", 1, swap)
    database.execute("UPDATE catalog SET md5path_1=swap(md5path_1), md5path_2=swap(md5path_2)")
    content = database.serialize()
    forger.sign(root=forger.put(content, Kind.CATALOG), root_size=len(content))
    assert FaultKind.WRONG_PATH_HASH in forger.faults()


def test_an_abandoned_marker_is_named(forger):
    from fiducial.stack.cvmfs.path_hash import hash_path

    first, second = hash_path(b"/sw/1/bin/.cvmfscatalog")
    above = hash_path(b"/sw/1/bin")
    forger.edit_nested(
        f"UPDATE catalog SET name='.cvmfscatalog', md5path_1={first}, md5path_2={second},"
        f" parent_1={above[0]}, parent_2={above[1]} {row('run')}"
    )
    assert FaultKind.MARKER_ABANDONED in forger.faults()


def test_a_mount_point_that_is_not_empty_is_named(forger):
    from fiducial.stack.cvmfs.path_hash import hash_path

    above, own = hash_path(b"/sw/1"), hash_path(b"/sw/1/x")
    forger.edit_root(
        "INSERT INTO catalog SELECT "
        f"{own[0]}, {own[1]}, {above[0]}, {above[1]}, 1, NULL, 1, 41471, 0, NULL, 12, 'x', 'y',"
        " 0, 0, NULL FROM catalog LIMIT 1"
    )
    assert FaultKind.MOUNTPOINT_NOT_EMPTY in forger.faults()


def test_a_catalog_in_write_ahead_mode_is_named(forger):
    raw = bytearray(forger.read(forger.manifest().root, Kind.CATALOG))
    raw[18:20] = b"\x02\x02"
    forger.sign(root=forger.put(bytes(raw), Kind.CATALOG))
    assert FaultKind.JOURNAL_MODE in forger.faults()


def test_the_catalog_of_another_place_is_named(forger):
    """A nested catalog that is its own parent would go round for ever."""
    root = forger.manifest().root
    size = forger.manifest().root_size
    forger.edit_root(f"UPDATE nested_catalogs SET sha1='{root}', size={size}")
    assert forger.faults() & {FaultKind.WRONG_ROOT_PREFIX, FaultKind.CATALOG_CYCLE}


IN_MANIFEST = {
    "no revision": (lambda text: text.replace("S2\n", ""), "MANIFEST_FIELD_MISSING"),
    "another name": (lambda text: text.replace(f"N{NAME}", "Nother.example.org"), "WRONG_NAME"),
    "another root path": (lambda text: text.replace("Rd41d", "Rd41e"), "WRONG_ROOT_PATH"),
    "a compressed root size": (lambda text: text.replace("\nB", "\nB1"), "ROOT_SIZE"),
    "no time": (lambda text: drop(text, "T"), "NO_PUBLISH_TIME"),
    "no history": (lambda text: drop(text, "H"), "NO_HISTORY"),
    "no metainfo": (lambda text: drop(text, "M"), "NO_METAINFO"),
    "another reflog": (lambda text: drop(text, "Y"), "REFLOG_CHANGED"),
    "a digest with its suffix": (lambda text: text.replace("\nB", "C\nB"), "MANIFEST_MALFORMED"),
    "a field twice": (lambda text: text + "S3\n", "MANIFEST_MALFORMED"),
}  # fmt: skip


def drop(text: str, key: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if line[0] != key)


@pytest.mark.parametrize("mistake", IN_MANIFEST)
def test_a_mistake_in_the_manifest_is_named(forger, mistake):
    edit, kind = IN_MANIFEST[mistake]
    forger.sign_text(edit)
    assert FaultKind[kind] in forger.faults()


def test_mistakes_of_history_and_reflog_are_named(forger):
    manifest = forger.manifest()
    history = forger.read(manifest.history, Kind.HISTORY)
    for statement, kind in (
        ("INSERT INTO branches VALUES ('old', '', 1)", FaultKind.HISTORY_MALFORMED),
        ("UPDATE tags SET branch='none'", FaultKind.WRONG_TAG),
        ("UPDATE tags SET revision=99", FaultKind.WRONG_TAG),
        ("UPDATE tags SET size=size+1", FaultKind.WRONG_TAG),
        ("UPDATE properties SET value='x' WHERE key='fqrn'", FaultKind.HISTORY_MALFORMED),
    ):
        forger.sign(history=forger.put(forger.edit_sql(history, statement), Kind.HISTORY))
        assert kind in forger.faults()
    forger.sign(history=manifest.history)
    reflog = forger.edit_sql((forger.root / ".cvmfsreflog").read_bytes(), "DELETE FROM refs")
    (forger.root / ".cvmfsreflog").write_bytes(reflog)
    assert FaultKind.REFLOG_CHANGED in forger.faults()
    forger.sign(reflog=digest_of(reflog))
    assert FaultKind.REFLOG_INCOMPLETE in forger.faults()


def test_bit_rot_is_found_in_every_object(forger):
    for name in sorted(reachable(forger)):
        path = forger.root / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        assert FaultKind.OBJECT_CHANGED in forger.faults(), name
        path.unlink()
        assert FaultKind.OBJECT_MISSING in forger.faults(), name
        path.write_bytes(good)
    assert forger.faults() == set()


def reachable(forger):
    """A file object, a catalog, the history, the certificate and the metainfo."""
    manifest = forger.manifest()
    view = forger.workshop.view()
    return {
        view.lookup(b"/sw/1/bin/run").digest().path(Kind.FILE),
        manifest.root.path(Kind.CATALOG),
        view.root.nested[b"/sw/1"].digest.path(Kind.CATALOG),
        manifest.history.path(Kind.HISTORY),
        manifest.certificate.path(Kind.CERTIFICATE),
        manifest.metainfo.path(Kind.METAINFO),
    }


def test_a_reader_refuses_what_a_checker_names(forger):
    raw = (forger.root / manifests.NAME).read_bytes()
    (forger.root / manifests.NAME).write_bytes(raw.replace(b"D240", b"D241"))
    with pytest.raises(RefusedRepository) as caught:
        read_revision(forger.storage, Demands(forger.workshop.masters))
    assert caught.value.kinds == {FaultKind.MANIFEST_CHANGED}
    (forger.root / manifests.NAME).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert FaultKind.MANIFEST_SIGNATURE in forger.faults()
