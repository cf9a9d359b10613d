"""The source archive of a component: ``fiducial_core-0.1.0.tar.gz``, the same bytes for ever.

Bytes depend on the files alone: their order is that of their names, times and owners are fixed,
modes are 644 or 755. Nothing is compressed: gzip holds stored blocks, because compressors differ
between versions of zlib, and an archive must be made again, to the byte, years later. Whatever
installs Python packages from source takes it: it holds pyproject.toml, README, LICENSE and src,
and no tests. RFC 1951, RFC 1952; POSIX ustar.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from fiducial.stack.component_wheel import EPOCH
from fiducial.stack.errors import InputError

_BLOCK = 65535  # the longest that a stored block can be
_HEADER = struct.pack("<4sLBB", b"\x1f\x8b\x08\x00", EPOCH, 0, 255)


@dataclass(frozen=True)
class SourceFile:
    """One file of an archive."""

    data: bytes
    executable: bool = False


def archive_stem(name: str, version: str) -> str:
    """The name of an archive without its suffix, which is also its only folder (PEP 625)."""
    return f"{name.replace('-', '_')}-{version}"


def archive_bytes(stem: str, files: Mapping[str, SourceFile]) -> bytes:
    """The archive of ``files`` (by their path) in a folder called ``stem``."""
    return _stored_gzip(_tar(stem, files))


def _tar(stem: str, files: Mapping[str, SourceFile]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            entry = tarfile.TarInfo(f"{stem}/{path}")
            entry.size = len(files[path].data)
            entry.mode = 0o755 if files[path].executable else 0o644
            entry.mtime = EPOCH
            try:
                archive.addfile(entry, io.BytesIO(files[path].data))
            except ValueError as error:
                raise InputError(f"'{path}' cannot be archived", str(error), "shorten it") from None
    return buffer.getvalue()


def _stored_gzip(data: bytes) -> bytes:
    parts = [_HEADER]
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<LL", zlib.crc32(data), len(data) & 0xFFFFFFFF))
    return b"".join(parts)
