"""Write aside, fsync, rename: a failed write leaves the last good file untouched.

A file is first written under a hidden name in its own directory, flushed to the disk, and
then renamed over the target, which the operating system does in one step. A reader sees the
old file or the new one. Whatever fails on the way (no space, a signal, an error of the
writer) removes the staged file. A ``kill -9`` leaves the staged file behind; it is held by a
lock only while its writer lives, so the next write to the same target removes it.

Neglected: power failure on file systems that ignore fsync; lock files on file systems
without ``flock`` (there, stale staged files stay until somebody removes them).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from fiducial.core.errors import EnvironmentProblem

__all__ = [
    "environment_problem",
    "fsync_tree",
    "replace_directory",
    "sha256_file",
    "staged_file",
    "write_atomically",
]

_HINTS = {
    errno.ENOSPC: "free some space there, or choose another directory",
    errno.EDQUOT: "free some of your quota there, or choose another directory",
    errno.EFBIG: "raise the file-size limit (ulimit -f), or write less",
    errno.EROFS: "choose a directory that can be written",
    errno.EACCES: "choose a directory that you may write to, or change its permissions",
    errno.EPERM: "choose a directory that you may write to, or change its permissions",
    errno.ENOENT: "create the directory first",
    errno.ENOTDIR: "one part of the path is a file: choose another path",
    errno.EISDIR: "the path is a directory: give the name of a file",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def environment_problem(action: str, error: OSError) -> EnvironmentProblem:
    """The :class:`EnvironmentProblem` that says what ``error`` means for ``action``.

    action  what was tried, with its path: ``"cannot write out/events.root"``
    """
    reason = os.strerror(error.errno) if error.errno else str(error)
    problem = EnvironmentProblem(action, reason.lower(), _HINTS.get(error.errno or 0))
    problem.errno = error.errno
    return problem


@contextlib.contextmanager
def staged_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, it becomes ``path``, durably.

    Made for libraries that open a path themselves. The staged file exists, is empty, and
    lies beside the target. If the block raises, the staged file is removed and the target
    stays as it was; an ``OSError`` comes out as :class:`EnvironmentProblem`.
    """
    target = Path(path)
    try:
        if target.is_symlink():
            target = target.resolve()
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        _sweep(target)
        staged, lock = _create_locked(target)
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise environment_problem(f"cannot write {target}", error) from error
    try:
        try:
            yield staged
            _fsync(staged)
            staged.replace(target)
            _fsync(target.parent)
        except EnvironmentProblem:
            raise
        except OSError as error:
            if error.errno is None or error.filename not in (None, str(staged), staged):
                raise
            raise environment_problem(f"cannot write {target}", error) from error
    finally:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        os.close(lock)


def write_atomically(
    path: str | os.PathLike[str], data: bytes | str | Callable[[BinaryIO], object]
) -> None:
    """Write ``path`` in one step: its old content or all of ``data`` (text as UTF-8).

    data  the content, or a function that writes it to the binary file it is given
    """
    with staged_file(path) as staged, staged.open("wb") as stream:
        if callable(data):
            data(stream)
        else:
            stream.write(data.encode() if isinstance(data, str) else data)


def sha256_file(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise environment_problem(f"cannot read {path}", error) from error


def replace_directory(staged: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Put the directory ``staged`` in the place of ``target``, and remove the old one.

    Both lie on one file system. On Linux the two names are exchanged in one step, so that
    ``target`` exists at every moment; elsewhere, and on file systems without the exchange,
    the old directory is first renamed to ``.<name>.old``, which stands beside the target if
    the program dies between the two renames.
    """
    new, old = Path(staged), Path(target)
    try:
        fsync_tree(new)
        if not old.exists():
            new.rename(old)
        elif _exchange(new, old):
            shutil.rmtree(new)
        else:
            aside = old.with_name(f".{old.name}.old")
            shutil.rmtree(aside, ignore_errors=True)
            old.rename(aside)
            new.rename(old)
            shutil.rmtree(aside)
        _fsync(old.parent)
    except OSError as error:
        raise environment_problem(f"cannot replace {old}", error) from error


def fsync_tree(directory: str | os.PathLike[str]) -> None:
    """Flush a directory, and all files and directories below it, to the disk."""
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                _fsync(path)
        _fsync(Path(folder))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a directory on a file system that cannot sync it
            raise
    finally:
        os.close(descriptor)


def _prefix(target: Path) -> str:
    return f".{target.name[:200]}.staged-"


def _create_locked(target: Path) -> tuple[Path, int]:
    """An empty file beside the target, and a descriptor that holds its lock."""
    while True:
        staged = target.with_name(_prefix(target) + secrets.token_hex(6))
        lock = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_SH)
        if staged.exists():  # a sweeper may have come between creation and lock
            return staged, lock
        os.close(lock)


def _sweep(target: Path) -> None:
    """Remove what dead writers of the same target have left."""
    prefix = _prefix(target)
    for entry in os.scandir(target.parent):
        if not entry.name.startswith(prefix):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(entry.path, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                Path(entry.path).unlink()
            finally:
                os.close(descriptor)


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step (Linux ``renameat2``); False where it is not offered."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    done = renameat2(
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(first)),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(second)),
        ctypes.c_uint(_RENAME_EXCHANGE),
    )
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(code, os.strerror(code))
