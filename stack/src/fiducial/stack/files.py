"""Files that are either wholly there or not: write aside, fsync, rename; and their digests.

A reader never sees half a file or half a directory made by these functions, also when the
writer is killed or the machine stops. What is left of a killed writer carries the mark
``.fiducial-aside-`` in its name; ``sweep`` removes it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fiducial.stack.errors import EnvironmentProblem, from_os_error

ASIDE = ".fiducial-aside-"
_CHUNK = 1 << 20
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


def aside(path: Path) -> Path:
    """A name beside ``path``, on the same file system, for what is not finished yet."""
    return path.parent / f".{path.name}{ASIDE}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def fsync_directory(path: Path) -> None:
    """Make the names in directory ``path`` durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(
    path: Path | str, data: bytes | str | Callable[[BinaryIO], None], mode: int = 0o644
) -> None:
    """Write ``data`` (bytes, text, or a callback that writes) to ``path``, whole or not at all.

    The mode does not depend on the umask. A failure leaves the old ``path`` untouched.
    """
    path = Path(path)
    temporary = aside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            if callable(data):
                data(stream)
            else:
                stream.write(data.encode() if isinstance(data, str) else data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        temporary.replace(path)
        fsync_directory(path.parent)
    except EnvironmentProblem:
        raise
    except OSError as error:
        raise from_os_error(error, "write", path) from error
    finally:
        temporary.unlink(missing_ok=True)


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of ``data``, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path | str) -> str:
    """SHA-256 of the file's bytes, 64 hexadecimal digits, in constant memory."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def remove_tree(path: Path) -> None:
    """Remove a file or directory tree, also where directories were made read-only."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    if not path.exists():
        return

    def retry(function: Callable[[str], object], name: str, _error: object) -> None:
        Path(name).parent.chmod(0o755)
        if Path(name).is_dir() and not Path(name).is_symlink():
            Path(name).chmod(0o755)
        function(name)

    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=retry)
    else:
        shutil.rmtree(path, onerror=retry)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step (Linux renameat2); False where that cannot be done."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    done = renameat2(
        _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
    )
    if done == 0:
        return True
    if ctypes.get_errno() in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code), str(first))


def replace_directory(new: Path, target: Path) -> None:
    """Put directory ``new`` (finished, same file system) in the place of ``target``.

    Where the kernel can exchange two names (Linux), no reader ever finds ``target`` absent.
    Elsewhere the old directory is renamed aside first, and ``recover_directory`` puts it back
    if the process died between the two renames. The old directory is removed last.
    """
    try:
        if not target.exists():
            new.rename(target)
        elif _exchange(new, target):
            fsync_directory(target.parent)
            remove_tree(new)
        else:
            old = target.parent / f".{target.name}.fiducial-old"
            remove_tree(old)
            target.rename(old)
            new.rename(target)
            fsync_directory(target.parent)
            remove_tree(old)
        fsync_directory(target.parent)
    except OSError as error:
        raise from_os_error(error, "put in place", target) from error


def recover_directory(target: Path) -> None:
    """Finish or undo a ``replace_directory`` that was killed between its two renames."""
    old = target.parent / f".{target.name}.fiducial-old"
    if old.exists():
        if target.exists():
            remove_tree(old)
        else:
            old.rename(target)


def sweep(target: Path) -> list[Path]:
    """Remove what killed writers of ``target`` left beside it; call it under ``locked``."""
    left = sorted(target.parent.glob(f".{target.name}{ASIDE}*")) if target.parent.is_dir() else []
    for path in left:
        remove_tree(path)
    return left


@contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an exclusive lock named by the file ``path``; the kernel frees it if we are killed.

    ``waiting`` is called once if somebody else holds the lock.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise from_os_error(error, "lock", path) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
