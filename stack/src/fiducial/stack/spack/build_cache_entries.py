"""The entries of a Spack build cache (layout 3): read, and held to their signatures and digests.

    v3/manifests/spec/NAME/NAME-VERSION-HASH.spec.manifest.json   clear-signed: digests of two blobs
    blobs/sha256/ab/ab12…                                         the package's files, and its spec

A signed manifest does not say what it is a manifest of: the spec in its blob does. So an entry is
right when its signature is by a trusted key, its spec has the hash that is in the entry's name,
and its blobs have their digests. Read for http(s) and file addresses; others are left to Spack.
Spack documentation, "Build caches".
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fiducial.stack.errors import EnvironmentProblem, InputError
from fiducial.stack.files import sha256_bytes, sha256_file
from fiducial.stack.spack.openpgp import FINGERPRINT, Keyring, Standing
from fiducial.stack.spack.transport import (
    InterruptedTransferError,
    UnavailableError,
    open_address,
)

MANIFESTS = "v3/manifests"
SPEC_TYPE = "application/vnd.spack.spec."
READABLE = ("file", "http", "https")
SCHEMES = (*READABLE, "s3", "gs", "oci", "oci+http")
_SUFFIX = ".spec.manifest.json"
_LARGEST = 64 * 2**20  # of a manifest or a spec


@dataclass(frozen=True)
class Wanted:
    """A package that is looked for in a cache."""

    name: str
    version: str
    hash: str

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}/{self.hash[:7]}"

    @property
    def manifest(self) -> str:
        """Where its manifest lies in a cache."""
        file = f"{self.name}-{self.version}-{self.hash}{_SUFFIX}"
        return f"{MANIFESTS}/spec/{self.name}/{file}"


@dataclass(frozen=True)
class Entry:
    """What a cache has of a package. ``problem`` is "" where all is right with it."""

    wanted: Wanted
    standing: Standing | None = None
    fingerprint: str = ""
    size: int = 0
    problem: str = ""


class Cache:
    """A build cache at an address."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.scheme = urlsplit(self.address).scheme

    @property
    def readable(self) -> bool:
        """Whether its entries can be read without Spack."""
        return self.scheme in READABLE

    @property
    def folder(self) -> Path | None:
        """The folder, of one on this machine."""
        return Path(urlsplit(self.address).path) if self.scheme == "file" else None

    def read(self, path: str, limit: int = _LARGEST) -> bytes:
        """The bytes of a file of the cache. Raises UnavailableError, InterruptedTransferError."""
        with open_address(f"{self.address}/{quote(path)}") as answer:
            parts = []
            while chunk := answer.read(1 << 16):
                parts.append(chunk)
                limit -= len(chunk)
                if limit < 0:
                    raise UnavailableError("it is too large")
        return b"".join(parts)

    def public_key(self, fingerprint: str) -> bytes | None:
        """The key with this fingerprint, if the cache publishes it; not trusted by that."""
        try:
            manifest = self.read(f"{MANIFESTS}/key/{fingerprint}.key.manifest.json")
            digest = json.loads(manifest)["data"][0]["checksum"]
            return self.read(blob_path(str(digest)))
        except (UnavailableError, InterruptedTransferError, ValueError, KeyError, IndexError):
            return None


def open_cache(place: str) -> Cache:
    """The cache at a folder or an address; InputError for what is neither."""
    scheme = urlsplit(place).scheme
    if not scheme or "://" not in place:
        return Cache(Path(place).absolute().as_uri())
    if scheme not in SCHEMES:
        raise InputError(
            f"'{scheme}:' is no kind of build cache", None, f"known: {', '.join(SCHEMES)}, a folder"
        )
    return Cache(place)


def blob_path(digest: str) -> str:
    """Where a blob lies in a cache."""
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"{digest!r} is no SHA-256")
    return f"blobs/sha256/{digest[:2]}/{digest}"


def judge_entries(
    cache: Cache,
    wanted: Sequence[Wanted],
    ring: Keyring,
    unsigned: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> list[Entry]:
    """Every entry of ``wanted``, in order, with what is wrong with it."""

    def judge(row: Wanted) -> Entry:
        entry = _judge(cache, row, ring, unsigned)
        advance()
        return entry

    with ThreadPoolExecutor(4, thread_name_prefix="judge") as pool:
        return list(pool.map(judge, wanted))


def _judge(cache: Cache, wanted: Wanted, ring: Keyring, unsigned: bool) -> Entry:
    try:
        text = cache.read(wanted.manifest)
    except UnavailableError as error:
        return Entry(wanted, problem=f"not in the build cache ({error})")
    except InterruptedTransferError as error:
        return Entry(wanted, problem=f"the build cache cannot be read ({error})")
    found = ring.judge(text)
    payload = found.payload
    if found.standing is not Standing.GOOD:
        who = f" ({found.fingerprint})" if found.fingerprint else ""
        if not unsigned:
            return Entry(wanted, found.standing, found.fingerprint, problem=found.standing + who)
        payload = _unverified(text)
    try:
        blobs = _blobs(payload)
        size = sum(row.size for row in blobs)
        problem = _judge_blobs(cache, wanted, blobs)
    except (ValueError, KeyError, TypeError, IndexError, OSError, zlib.error, EOFError) as error:
        return Entry(wanted, found.standing, found.fingerprint, problem=f"damaged ({error})")
    except (UnavailableError, InterruptedTransferError) as error:
        return Entry(wanted, found.standing, found.fingerprint, problem=f"its blob: {error}")
    return Entry(wanted, found.standing, found.fingerprint, size, problem)


@dataclass(frozen=True)
class _Blob:
    digest: str
    size: int
    media: str
    compression: str


def _blobs(payload: bytes) -> list[_Blob]:
    document: dict[str, Any] = json.loads(payload)
    if document["version"] != 3:
        raise ValueError(f"layout {document['version']}")
    rows = []
    for row in document["data"]:
        if row["checksumAlgorithm"] != "sha256":
            raise ValueError(f"a checksum of kind {row['checksumAlgorithm']}")
        blob_path(row["checksum"])
        rows.append(
            _Blob(row["checksum"], int(row["contentLength"]), row["mediaType"], row["compression"])
        )
    return rows


def _judge_blobs(cache: Cache, wanted: Wanted, blobs: Iterable[_Blob]) -> str:
    """What is wrong with the blobs of an entry. Those that are not here are Spack's to verify."""
    named = False
    for blob in blobs:
        if blob.media.startswith(SPEC_TYPE):
            data = cache.read(blob_path(blob.digest))
            if sha256_bytes(data) != blob.digest:
                return "its spec was altered"
            if _hash_of(data, blob.compression) != wanted.hash:
                return "its manifest is that of another package"
            named = True
        elif cache.folder is not None:
            path = cache.folder / blob_path(blob.digest)
            if not path.is_file():
                return "its files are missing"
            if path.stat().st_size != blob.size or sha256_file(path) != blob.digest:
                return "its files were altered"
    return "" if named else "it names no spec"


def _hash_of(data: bytes, compression: str) -> str:
    text = gzip.decompress(data) if compression == "gzip" else data
    return str(json.loads(text)["spec"]["nodes"][0]["hash"])


def _unverified(text: bytes) -> bytes:
    """What a manifest says, whoever signed it: only where unsigned ones are allowed."""
    start, end = text.find(b"{"), text.rfind(b"}")
    return text[start : end + 1]


def require_cache(cache: Cache) -> None:
    """Refuse a folder that holds no build cache."""
    if cache.folder is not None and not (cache.folder / MANIFESTS).is_dir():
        hint = "push to it first: fiducial buildcache push"
        raise InputError(f"{cache.folder} is no build cache", f"it has no {MANIFESTS}", hint)


def list_entries(cache: Cache) -> list[Wanted]:
    """Every package that a cache says it has, by name: from its folder, else from its index."""
    require_cache(cache)
    if cache.folder is not None:
        root = cache.folder / MANIFESTS / "spec"
        found = sorted(root.glob(f"*/*{_SUFFIX}"))
        rows = [_named(path.parent.name, path.name.removesuffix(_SUFFIX)) for path in found]
    else:
        try:
            rows = _indexed(cache)
        except (UnavailableError, InterruptedTransferError) as error:
            why = f"cannot read the index of {cache.address}"
            raise EnvironmentProblem(why, str(error), "check the address") from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            why = f"{type(error).__name__}: {error}"
            raise InputError(f"the index of {cache.address} is damaged", why) from error
    return sorted(rows, key=lambda row: (row.name, row.version, row.hash))


def _indexed(cache: Cache) -> list[Wanted]:
    manifest = json.loads(cache.read(f"{MANIFESTS}/index/index.manifest.json"))
    digest = str(manifest["data"][0]["checksum"])
    data = cache.read(blob_path(digest))
    if sha256_bytes(data) != digest:
        raise ValueError("it was altered")
    installs = json.loads(data)["database"]["installs"]
    return [
        Wanted(row["spec"]["name"], str(row["spec"]["version"]), key)
        for key, row in installs.items()
        if row.get("in_buildcache", True)
    ]


def _named(name: str, stem: str) -> Wanted:
    version, _, digest = stem.removeprefix(f"{name}-").rpartition("-")
    return Wanted(name, version, digest)


def is_fingerprint(text: str) -> bool:
    """Whether ``text`` is the whole fingerprint of a key (40 digits, spaces allowed)."""
    return FINGERPRINT.fullmatch(text.replace(" ", "").upper()) is not None
