"""Open what ``fiducial diff`` is given, and choose the comparison that fits both.

What a file is shows in its content: a manifest, a sealed wheel lock, or a ``spack.lock``. A folder
is a stack, or holds one lock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fiducial.stack.diff.changes import Comparison
from fiducial.stack.diff.stacks import diff
from fiducial.stack.diff.versions import diff_versions
from fiducial.stack.diff.wheel_locks import diff_wheel_locks
from fiducial.stack.errors import InputError, from_os_error
from fiducial.stack.lockfile import Lock, parse_lock
from fiducial.stack.manifest import NAME, Manifest, parse_manifest
from fiducial.stack.spack.lock_diff import LockDiff, diff_locks
from fiducial.stack.spack.lock_graph import SpackLock, parse_spack_lock

_LOCKS = ("wheels.lock", "spack.lock")
_WANTED = "give a stack (its prefix or manifest.json), a wheels.lock or a spack.lock"


@dataclass(frozen=True)
class Document:
    """One side of a comparison, and what to call it."""

    name: str
    content: Manifest | Lock | SpackLock


def open_document(where: Path) -> Document:
    """The stack or lock at ``where``. Raises InputError where it is neither, or damaged."""
    path = _file(where)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    name = str(path)
    if data.startswith(b"#"):
        return Document(name, parse_lock(data, name))
    try:
        keys = json.loads(data).keys()
    except (ValueError, AttributeError) as error:
        raise InputError(f"{where} is neither a stack nor a lock", str(error), _WANTED) from error
    if "_meta" in keys:
        return Document(name, parse_spack_lock(data, name))
    manifest = parse_manifest(data, name)
    return Document(manifest.stack, manifest)


def _file(where: Path) -> Path:
    if not where.exists():
        locks = [Path("environments") / where / lock for lock in _LOCKS]
        near = " or ".join(str(lock) for lock in locks if lock.exists())
        raise InputError(
            f"no stack or lock at {where}", None, f"did you mean {near}?" if near else _WANTED
        )
    if not where.is_dir():
        return where
    if (where / NAME).exists():
        return where / NAME
    found = [where / lock for lock in _LOCKS if (where / lock).exists()]
    if len(found) == 1:
        return found[0]
    both = " and ".join(path.name for path in found)
    why = f"it has {both}" if found else f"it has no {NAME}, {' and no '.join(_LOCKS)}"
    hint = f"say which: {found[0]}" if found else _WANTED
    raise InputError(f"{where} is not one stack or lock", why, hint)


def compare(before: Document, after: Document) -> Comparison | LockDiff:
    """The closest comparison of two documents: of one kind in full, else of their versions."""
    names = (before.name, after.name)
    match before.content, after.content:
        case Manifest() as old, Manifest() as new:
            return diff(old, new)
        case Lock() as old, Lock() as new:
            return diff_wheel_locks(old, new, names)
        case SpackLock() as old, SpackLock() as new:
            return diff_locks(old, new)
        case old, new:
            return diff_versions(old, new, names)
