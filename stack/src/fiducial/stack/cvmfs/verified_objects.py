"""Read objects, believing nothing: the digest first, then the size, then what is inside."""

from __future__ import annotations

from typing import Protocol

from fiducial.stack.cvmfs.catalog import Catalog, Reference
from fiducial.stack.cvmfs.catalog_read import read_catalog
from fiducial.stack.cvmfs.catalog_schema import COMPRESSION_NONE
from fiducial.stack.cvmfs.compression import BadStream, decompress, stored_limit
from fiducial.stack.cvmfs.digest import Digest, Kind, digest_of
from fiducial.stack.cvmfs.faults import FaultKind, refuse
from fiducial.stack.cvmfs.path_hash import show

MAX_CATALOG = 2 << 30
"""A catalog above this size [bytes, uncompressed] is refused."""

MAX_DOCUMENT = 256 << 20
"""Likewise the history, the reflog, a certificate, the metainfo."""


class Source(Protocol):
    """A place that files of a repository are read from."""

    @property
    def location(self) -> str:
        """Where it is, for people."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """The file ``name``, None where there is none; at most ``limit + 1`` bytes of it."""
        ...


class VerifiedObjects:
    """The objects of ``source``, each checked before it is used."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def stored(self, digest: Digest, kind: Kind, limit: int, where: str) -> bytes:
        """The stored bytes of an object, at most ``limit``. Raises RefusedRepository."""
        name = digest.path(kind)
        data = self.source.read(name, limit)
        if data is None:
            raise refuse(FaultKind.OBJECT_MISSING, where, name)
        if len(data) > limit:
            raise refuse(FaultKind.OBJECT_SIZE, where, f"{name} is larger than {limit} bytes")
        if digest_of(data, digest.algorithm) != digest:
            raise refuse(FaultKind.OBJECT_CHANGED, where, f"{name} does not have its digest")
        return data

    def document(self, digest: Digest, kind: Kind, where: str, limit: int = MAX_DOCUMENT) -> bytes:
        """The content of a history, certificate, metainfo or catalog (at most ``limit``)."""
        data = self.stored(digest, kind, stored_limit(limit), where)
        try:
            return decompress(data, limit)
        except BadStream as error:
            too_large = "declared" in str(error)
            fault = FaultKind.CATALOG_TOO_LARGE if too_large else FaultKind.OBJECT_MALFORMED
            raise refuse(fault, where, str(error)) from error

    def catalog_file(self, path: bytes, reference: Reference) -> bytes:
        """The SQLite file of a catalog; not more than the size that its parent declares."""
        limit = min(reference.size or MAX_CATALOG, MAX_CATALOG)
        return self.document(reference.digest, Kind.CATALOG, f"the catalog of {show(path)}", limit)

    def catalog(self, path: bytes, reference: Reference) -> Catalog:
        """The catalog of ``path``. Raises RefusedRepository where it is not safe to use."""
        return read_catalog(self.catalog_file(path, reference), path)

    def content(self, digest: Digest, kind: Kind, size: int, compression: int, where: str) -> bytes:
        """The content of a file or chunk, of exactly ``size`` bytes."""
        data = self.stored(digest, kind, stored_limit(size), where)
        if compression != COMPRESSION_NONE:
            try:
                data = decompress(data, size)
            except BadStream as error:
                too_large = "declared" in str(error)
                fault = FaultKind.OBJECT_SIZE if too_large else FaultKind.OBJECT_MALFORMED
                raise refuse(fault, where, str(error)) from error
        if len(data) != size:
            raise refuse(FaultKind.OBJECT_SIZE, where, f"{len(data)} bytes, declared {size}")
        return data
