"""Facts of the format that were verified with the real tools, independent of our own reader."""

from __future__ import annotations

import datetime
import hashlib
import sqlite3
import stat
import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from fiducial.stack.cvmfs.catalog_schema import statements
from fiducial.stack.cvmfs.digest import Algorithm, Digest, Kind, digest_of, parse_digest
from fiducial.stack.cvmfs.path_hash import ROOT_MD5, hash_path, parse_path
from fiducial.stack.cvmfs.xattrs import pack, unpack
from fiducial.stack.errors import InputError

EMPTY = "e8ec3d88b62ebf526e4e5a4ff6162a3aa48a6b78"


def test_the_empty_file_has_its_known_name():
    stored = zlib.compress(b"")
    assert str(digest_of(stored)) == EMPTY
    assert Digest(bytes.fromhex(EMPTY)).path(Kind.FILE) == f"data/e8/{EMPTY[2:]}"


def test_names_carry_the_algorithm_and_then_the_kind():
    raw = bytes(range(20))
    text = raw.hex()
    shake = Digest(raw, Algorithm.SHAKE128)
    assert shake.path(Kind.CATALOG) == f"data/{text[:2]}/{text[2:]}-shake128C"
    assert str(Digest(raw, Algorithm.RIPEMD160)) == f"{text}-rmd160"
    assert parse_digest(str(shake)) == shake
    for bad in (text.upper(), text[:-1], text + "C", text + "-sha256", ""):
        with pytest.raises(InputError):
            parse_digest(bad)


def test_digests_have_160_bits_of_the_right_functions():
    assert str(digest_of(b"abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d"
    ripemd = digest_of(b"abc", Algorithm.RIPEMD160)
    assert ripemd.raw.hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
    shake = digest_of(b"", Algorithm.SHAKE128)
    assert shake.raw.hex() == "7f9c2ba4e88f827d616045507605853ed73b8093"


def test_paths_are_split_into_little_endian_signed_numbers():
    assert ROOT_MD5 == "d41d8cd98f00b204e9800998ecf8427e"
    digest = hashlib.md5(b"/a/b").digest()
    first, second = hash_path(b"/a/b")
    assert first == int.from_bytes(digest[:8], "little", signed=True)
    assert second == int.from_bytes(digest[8:], "little", signed=True)
    assert hash_path(b"")[0] == int.from_bytes(bytes.fromhex(ROOT_MD5)[:8], "little", signed=True)


@pytest.mark.parametrize("text", ["a//b", "/a/../b", "/.", "a/\0"])
def test_a_path_with_odd_parts_is_refused(text):
    with pytest.raises(InputError):
        parse_path(text)
    assert parse_path("/") == b"" and parse_path("a/b/") == b"/a/b"


def test_extended_attributes_have_single_length_bytes():
    blob = pack({b"user.b": b"22", b"user.a": b""})
    assert blob == b"\x01\x02" + b"\x06\x00user.a" + b"\x06\x02user.b22"
    assert unpack(blob) == {b"user.a": b"", b"user.b": b"22"}
    for bad in (b"", b"\x02\x00", blob[:-1], blob + b"x"):
        with pytest.raises(ValueError, match="extended"):
            unpack(bad)
    with pytest.raises(ValueError, match=r"user\.c"):
        pack({b"user.c": b"x" * 256})


def read_lines(root, name):
    """A signed text, taken apart without our own code: lines, digest, signature."""
    text, _, rest = (root / name).read_bytes().partition(b"--\n")
    digest, _, signature = rest.partition(b"\n")
    return text, digest, signature


def test_the_manifest_is_signed_as_the_format_says(workshop, tree):
    workshop.publish(tree)
    text, digest, signature = read_lines(workshop.root, ".cvmfspublished")
    assert digest.decode() == hashlib.sha1(text).hexdigest()
    fields = {line[0]: line[1:] for line in text.decode().splitlines()}
    assert fields["R"] == ROOT_MD5 and fields["N"] == "software.example.org"
    assert fields["S"] == "2" and fields["G"] == "yes" and fields["A"] == "no"
    named = fields["X"]
    pem = zlib.decompress((workshop.root / f"data/{named[:2]}/{named[2:]}X").read_bytes())
    key = x509.load_pem_x509_certificate(pem).public_key()
    key.verify(signature, digest, padding.PKCS1v15(), hashes.SHA1())
    root = fields["C"]
    raw = zlib.decompress((workshop.root / f"data/{root[:2]}/{root[2:]}C").read_bytes())
    assert len(raw) == int(fields["B"])
    reflog = (workshop.root / ".cvmfsreflog").read_bytes()
    assert hashlib.sha1(reflog).hexdigest() == fields["Y"]


def test_the_whitelist_is_signed_without_a_digest_info(workshop):
    text, digest, signature = read_lines(workshop.root, ".cvmfswhitelist")
    assert digest.decode() == hashlib.sha1(text).hexdigest()
    lines = text.decode().splitlines()
    assert len(lines[0]) == 14 and len(lines[1]) == 15 and lines[1][0] == "E"
    assert lines[2] == "Nsoftware.example.org"
    public = serialization.load_pem_public_key(workshop.keys.master_public.read_bytes())
    assert public.recover_data_from_signature(signature, padding.PKCS1v15(), None) == digest
    der = x509.load_pem_x509_certificate(workshop.keys.certificate.read_bytes())
    fingerprint = hashlib.sha1(der.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    assert lines[3].replace(":", "") == fingerprint


def test_private_keys_are_for_their_owner_alone(workshop):
    for path in (workshop.keys.master_private, workshop.keys.repository_private):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def open_catalog(workshop, digest, tmp_path):
    path = tmp_path / digest
    stored = (workshop.root / f"data/{digest[:2]}/{digest[2:]}C").read_bytes()
    path.write_bytes(zlib.decompress(stored))
    return sqlite3.connect(path)


def test_catalogs_have_the_rows_that_clients_expect(workshop, tree, tmp_path):
    workshop.publish(tree)
    root = open_catalog(workshop, str(workshop.view().manifest.root), tmp_path)
    assert root.execute("PRAGMA page_size").fetchone() == (1024,)
    assert root.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    path, digest, size = root.execute("SELECT * FROM nested_catalogs").fetchone()
    assert path == "/sw/1" and len(digest) == 40
    nested = open_catalog(workshop, digest, tmp_path)
    assert size == (tmp_path / digest).stat().st_size
    properties = dict(nested.execute("SELECT * FROM properties"))
    assert properties["schema"] == "2.5" and properties["schema_revision"] == "7"
    assert properties["root_prefix"] == "/sw/1"
    rows = dict(nested.execute("SELECT name, flags FROM catalog"))
    assert rows == rows | {"1": 33, "again": 12, "dangling": 12, "bin": 1, ".cvmfscatalog": 4}
    assert nested.execute("SELECT count(*) FROM statistics").fetchone() == (24,)
    odd = "SELECT count(*) FROM catalog WHERE name IS NULL OR symlink IS NULL"
    assert nested.execute(odd).fetchone() == (0,)
    kinds = nested.execute("SELECT DISTINCT typeof(hash), length(hash) FROM catalog").fetchall()
    assert sorted(kinds) == [("blob", 20), ("null", None)]
    group = "SELECT hardlinks FROM catalog WHERE name LIKE 'setup%'"
    assert nested.execute(group).fetchall() == [(1 << 32 | 2,), (1 << 32 | 2,)]
    most, count = nested.execute("SELECT max(rowid), count(*) FROM catalog").fetchone()
    assert most == count


def test_the_schema_is_one_that_sqlite_accepts():
    database = sqlite3.connect(":memory:")
    for statement in statements():
        database.execute(statement)
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert {"properties", "catalog", "chunks", "nested_catalogs", "bind_mountpoints"} <= tables


def test_an_expiry_counts_by_the_hour():
    from fiducial.stack.cvmfs.whitelist import Whitelist

    at = datetime.datetime(2026, 5, 1, 10, 45, tzinfo=datetime.UTC)
    whitelist = Whitelist("n", at, at, ())
    assert whitelist.has_expired(at.replace(hour=10, minute=0))
    assert not whitelist.has_expired(at.replace(hour=9, minute=59))


def test_certificate_and_metainfo_are_packed_as_replication_packs_them(make_workshop):
    """The real ``pull`` unpacks and packs them again, and keeps the name."""
    from fiducial.stack.cvmfs.compression import Encoder

    workshop = make_workshop(Encoder("isal", 1))
    manifest = workshop.view().manifest
    for digest, kind in (
        (manifest.certificate, Kind.CERTIFICATE), (manifest.metainfo, Kind.METAINFO),
    ):  # fmt: skip
        stored = (workshop.root / digest.path(kind)).read_bytes()
        assert zlib.compress(zlib.decompress(stored)) == stored
