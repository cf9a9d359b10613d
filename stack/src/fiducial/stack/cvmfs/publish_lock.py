"""One publisher at a time, and a fence for the one that was overtaken.

The lock is the kernel's (``flock``), so a killed publisher leaves none behind; whoever does
not get it is told who has it. Where a file system loses locks (some network ones), the fence
holds: every publisher takes the next number, and before the manifest is replaced its number
must still be the highest and the manifest the one that it started from.
"""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fiducial.stack.cvmfs.settings import FOLDER
from fiducial.stack.errors import NegativeAnswer, from_os_error
from fiducial.stack.files import write_atomically


class AnotherPublisher(NegativeAnswer):
    """Somebody else publishes, or published meanwhile: nothing was changed."""


class Fence:
    """The number of this publisher."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "fence"
        self.number = self._read() + 1
        write_atomically(self._path, f"{self.number}\n")

    def _read(self) -> int:
        try:
            return int(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def check(self) -> None:
        """Raise AnotherPublisher where a later publisher has begun."""
        found = self._read()
        if found != self.number:
            raise AnotherPublisher(
                "this publish was overtaken",
                f"it has number {self.number}, a later one {found}",
                "nothing was changed: publish again",
            )


@contextmanager
def hold_lock(root: Path) -> Iterator[Fence]:
    """Hold the lock of the repository at ``root``. Raises AnotherPublisher where it is taken."""
    folder = root / FOLDER
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise from_os_error(error, "lock", folder / "lock") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherPublisher(
                f"the repository {root} is being changed by another publisher",
                _holder(descriptor),
                "nothing was changed: try again when it is done",
            ) from None
        _sign(descriptor)
        yield Fence(folder)
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record = {"process": os.getpid(), "host": socket.gethostname(), "since": now}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(record).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        record = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {record['process']} on {record['host']} since {record['since']}"
    except (ValueError, KeyError, TypeError):
        return "who, is not known"
