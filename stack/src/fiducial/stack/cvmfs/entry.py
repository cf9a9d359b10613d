"""One entry of a catalog: a file, directory, symbolic link or special file, as a client sees it."""

from __future__ import annotations

import stat
from typing import NamedTuple

from fiducial.stack.cvmfs.catalog_schema import (
    COMPRESSION_NONE,
    COMPRESSION_ZLIB,
    DIRECTORY_SIZE,
    Flag,
)
from fiducial.stack.cvmfs.digest import Algorithm, Digest


class Chunk(NamedTuple):
    """A piece of a large file: where it begins, its size [bytes], the digest of its object."""

    offset: int
    size: int
    raw: bytes


class Entry(NamedTuple):
    """A row of table ``catalog``, without the paths (they follow from its place)."""

    name: bytes
    mode: int
    size: int
    mtime: int
    flags: int
    raw: bytes | None = None
    symlink: bytes = b""
    links: int = 1
    group: int = 0
    mtimens: int | None = None
    uid: int = 0
    gid: int = 0
    xattr: bytes | None = None
    chunks: tuple[Chunk, ...] = ()

    @property
    def is_directory(self) -> bool:
        return bool(self.flags & Flag.DIRECTORY)

    @property
    def is_symlink(self) -> bool:
        return bool(self.flags & Flag.LINK)

    @property
    def is_special(self) -> bool:
        return bool(self.flags & Flag.SPECIAL)

    @property
    def is_regular(self) -> bool:
        return bool(self.flags & Flag.FILE) and not self.flags & (Flag.LINK | Flag.SPECIAL)

    @property
    def is_mountpoint(self) -> bool:
        """Whether another catalog begins here (a nested one)."""
        return bool(self.flags & Flag.NESTED_MOUNTPOINT)

    @property
    def is_chunked(self) -> bool:
        return bool(self.flags & Flag.CHUNKED)

    @property
    def is_external(self) -> bool:
        return bool(self.flags & Flag.EXTERNAL)

    @property
    def algorithm(self) -> Algorithm | None:
        """The algorithm of the content's digest; None where the number is unknown."""
        return Algorithm.from_code((self.flags & Flag.DIGEST_MASK) >> Flag.DIGEST_SHIFT)

    @property
    def compression(self) -> int:
        """0 zlib, 1 none; others are unknown."""
        return (self.flags & Flag.COMPRESSION_MASK) >> Flag.COMPRESSION_SHIFT

    @property
    def kind(self) -> str:
        """A word for it."""
        if self.is_directory:
            return "directory"
        if self.is_symlink:
            return "symlink"
        return "special" if self.is_special else "file"

    def digest(self) -> Digest | None:
        """The digest of the content's object; None where there is none (or it is in chunks)."""
        algorithm = self.algorithm
        return None if self.raw is None or algorithm is None else Digest(self.raw, algorithm)


def content_flags(algorithm: Algorithm, raw_content: bool) -> int:
    """The bits that say how the content of a file is digested and stored."""
    compression = COMPRESSION_NONE if raw_content else COMPRESSION_ZLIB
    return algorithm.code << Flag.DIGEST_SHIFT | compression << Flag.COMPRESSION_SHIFT


def directory(name: bytes, mode: int, mtime: int, subdirectories: int = 0) -> Entry:
    """A plain directory; its link count is 2 and one for each subdirectory."""
    return Entry(
        name, stat.S_IFDIR | stat.S_IMODE(mode), DIRECTORY_SIZE, mtime, Flag.DIRECTORY,
        links=2 + subdirectories,
    )  # fmt: skip


def symlink(name: bytes, target: bytes, mtime: int) -> Entry:
    """A symbolic link; its size is the length of its target."""
    return Entry(name, stat.S_IFLNK | 0o777, len(target), mtime, Flag.SYMLINK, symlink=target)
