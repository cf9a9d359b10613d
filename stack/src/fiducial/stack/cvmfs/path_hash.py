"""How a catalog refers to a path: the MD5 of the absolute path as two signed 64-bit numbers.

A path is absolute inside the repository and has no trailing slash; the root is ``b""``. Paths
are bytes: a file system allows every byte in a name but ``/`` and NUL.
"""

from __future__ import annotations

import hashlib
import os
import struct

from fiducial.stack.errors import InputError

PathHash = tuple[int, int]

NO_PARENT: PathHash = (0, 0)
"""What the root entry of a repository has as its parent."""

ROOT_MD5 = hashlib.md5(b"", usedforsecurity=False).hexdigest()
"""What a manifest holds in its R line, always."""

_PAIR = struct.Struct("<qq")
MAX_NAME = 255


def hash_path(path: bytes) -> PathHash:
    """The two numbers of ``path``: little-endian, signed, whatever the machine."""
    first, second = _PAIR.unpack(hashlib.md5(path, usedforsecurity=False).digest())
    return first, second


def parent_of(path: bytes) -> bytes:
    """The path of the directory that holds ``path`` (of the root: the root)."""
    return path.rpartition(b"/")[0]


def name_fault(name: bytes) -> str | None:
    """Why ``name`` cannot be the name of a file, None where it can."""
    if not name:
        return "an empty name"
    if name in (b".", b".."):
        return f"the name {name.decode()}"
    if b"/" in name or b"\x00" in name:
        return "a slash or NUL in a name"
    if len(name) > MAX_NAME:
        return f"a name of {len(name)} bytes"
    return None


def parse_path(text: str) -> bytes:
    """A path inside a repository as a person writes it: ``/a/b``, ``a/b``, ``/``.

    Raises InputError for empty parts, ``.`` and ``..``.
    """
    stripped = os.fsencode(text).strip(b"/")
    if not stripped:
        return b""
    for name in stripped.split(b"/"):
        fault = name_fault(name)
        if fault:
            raise InputError(f"'{text}' is no path in a repository", fault, "write it as /a/b")
    return b"/" + stripped


def show(path: bytes) -> str:
    """``path`` for people; bytes that are no UTF-8 are escaped."""
    return path.decode("utf-8", "backslashreplace") or "/"
