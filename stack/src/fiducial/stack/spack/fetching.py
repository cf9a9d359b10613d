"""Fetch exactly given files, in parallel, resuming where an earlier try stopped.

A file is written to its partial path; when its SHA-256 is right, it takes its name in one step.
Whatever ends a run early (a signal, a full disk, a server that hangs up) leaves the partial
files, and the next run asks for the rest only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fiducial.stack.errors import EnvironmentProblem, from_os_error
from fiducial.stack.files import fsync_directory
from fiducial.stack.spack.transport import (
    BeyondEndError,
    InterruptedTransferError,
    UnavailableError,
    open_address,
)

WORKERS = 8
TRIES = 4
_CHUNK = 1 << 18
_PAUSE = 0.2

Report = Callable[[int], None]


@dataclass(frozen=True)
class Download:
    """One file: where it is to be had, what it must be, and where it goes."""

    label: str
    address: str
    sha256: str
    partial: Path
    target: Path
    size: int | None = None


@dataclass(frozen=True)
class Failed:
    """A file that was not had. ``altered``: something came, and is not what was asked for."""

    download: Download
    why: str
    altered: bool = False


class _AlteredError(Exception):
    """The address holds another file."""


class _StoppedError(Exception):
    """Another thread found a reason to stop everything."""


def fetch_all(
    downloads: Sequence[Download], report: Report = lambda count: None, workers: int = WORKERS
) -> list[Failed]:
    """Fetch every file, the largest first; returns those that were not had, after all the others.

    ``report`` is told from any thread how many bytes arrived (fewer than none where a file is
    begun anew). Raises EnvironmentProblem where the disk takes no more.
    """
    _need_space(downloads)
    failed: list[Failed] = []
    stop = threading.Event()
    with ThreadPoolExecutor(workers, thread_name_prefix="fetch") as pool:
        largest_first = sorted(downloads, key=lambda row: -(row.size or 0))
        running = {pool.submit(_Fetch(row, report, stop).run): row for row in largest_first}
        try:
            for done in as_completed(running):
                error = done.exception()
                if isinstance(error, (UnavailableError, InterruptedTransferError, _AlteredError)):
                    altered = isinstance(error, _AlteredError)
                    failed.append(Failed(running[done], str(error), altered))
                elif error is not None:
                    raise error
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
    return sorted(failed, key=lambda row: row.download.label)


def _need_space(downloads: Iterable[Download]) -> None:
    """Refuse to begin what cannot end, as far as sizes are known."""
    rows = list(downloads)
    if not rows:
        return
    place = rows[0].partial.parent
    try:
        place.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise from_os_error(error, "fetch to", place) from error
    missing = sum(max(0, (row.size or 0) - _size(row.partial)) for row in rows)
    if missing > free:
        raise EnvironmentProblem(
            f"cannot fetch {len(rows)} files to {place.parent}",
            f"no space left: {missing / 1e6:.1f} MB are to come, {free / 1e6:.1f} MB are free",
            "free some space, or choose another place",
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _Fetch:
    """One download under way: how many bytes are there, and their digest so far."""

    def __init__(self, download: Download, report: Report, stop: threading.Event) -> None:
        self.download, self.report, self.stop = download, report, stop
        self.done, self.digest = 0, hashlib.sha256()
        self.older = 0  # bytes that an earlier run left

    def run(self) -> None:
        if self.stop.is_set():
            raise _StoppedError
        row = self.download
        try:
            with row.partial.open("a+b") as stream:
                self._take_up(stream)
                if self.digest.hexdigest() != row.sha256:
                    self._complete(stream)
                stream.flush()
                os.fsync(stream.fileno())
            row.partial.chmod(0o644)
            row.target.parent.mkdir(parents=True, exist_ok=True)
            if row.target.is_dir() and not row.target.is_symlink():
                row.target.rmdir()
            row.partial.replace(row.target)
            fsync_directory(row.target.parent)
        except EnvironmentProblem:
            raise
        except OSError as error:
            raise from_os_error(error, "write", row.partial) from error

    def _take_up(self, stream: BinaryIO) -> None:
        """Read what an earlier run left."""
        stream.seek(0)
        while chunk := stream.read(_CHUNK):
            self.digest.update(chunk)
            self.done += len(chunk)
        self.older = self.done
        self.report(self.done)

    def _begin_anew(self, stream: BinaryIO) -> None:
        stream.truncate(0)
        self.report(-self.done)
        self.done, self.older, self.digest = 0, 0, hashlib.sha256()

    def _complete(self, stream: BinaryIO) -> None:
        """Receive the rest until the digest is right; an older beginning may be to blame once."""
        if self.download.size is not None and self.done >= self.download.size:
            self._begin_anew(stream)
        tries = TRIES
        while True:
            try:
                self._receive(stream)
            except InterruptedTransferError:
                tries -= 1
                if tries == 0:
                    raise
                if self.stop.wait(_PAUSE * 2 ** (TRIES - 1 - tries)):
                    raise _StoppedError from None
                continue
            if self.digest.hexdigest() == self.download.sha256:
                return
            seen, size, older = self.digest.hexdigest(), self.done, self.older
            self._begin_anew(stream)
            if not older:
                raise _AlteredError(f"{size} bytes came, whose SHA-256 is {seen}")

    def _receive(self, stream: BinaryIO) -> None:
        """Append what is missing, to the end of the file or the first interruption."""
        try:
            with open_address(self.download.address, self.done) as answer:
                if answer.first != self.done:
                    self._begin_anew(stream)
                end = None if answer.length is None else answer.first + answer.length
                while chunk := answer.read(_CHUNK):
                    if self.stop.is_set():
                        raise _StoppedError
                    stream.write(chunk)
                    self.digest.update(chunk)
                    self.done += len(chunk)
                    self.report(len(chunk))
                    if self.download.size is not None and self.done > self.download.size:
                        return  # another file: its digest will say so
        except BeyondEndError:
            self._begin_anew(stream)
            raise
        if end is not None and self.done < end:
            raise InterruptedTransferError(f"only {self.done} of {end} bytes came")
