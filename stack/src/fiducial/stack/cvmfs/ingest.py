"""Turn files into objects: read, digest, skip what is known, cut, compress, stage; in parallel.

Each content is compressed once, also where many files hold it: whichever thread meets it first
claims it. Encoders and SHA-256 release the interpreter's lock, so threads suffice. The largest
files go first. Memory: one chunk (16 MiB) raw and compressed for each thread.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import BinaryIO

from fiducial.stack.cvmfs.chunking import MAXIMUM, first_chunk, needs_chunks
from fiducial.stack.cvmfs.content_index import Content, ContentIndex
from fiducial.stack.cvmfs.digest import Algorithm, Digest, Kind, digest_of
from fiducial.stack.cvmfs.entry import Chunk
from fiducial.stack.cvmfs.storage import Stage, Storage
from fiducial.stack.cvmfs.tree_scan import SourceFile
from fiducial.stack.errors import InputError, from_os_error

_BLOCK = 1 << 20
Contents = dict[tuple[int, int], Content]
"""Where the content of each source file lies, by ``SourceFile.key``."""


@dataclass
class Tally:
    """What a publish had to do."""

    read_files: int = 0
    read_bytes: int = 0
    new_objects: int = 0
    new_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def read(self, size: int) -> None:
        with self._lock:
            self.read_files += 1
            self.read_bytes += size

    def stored(self, size: int) -> None:
        with self._lock:
            self.new_objects += 1
            self.new_bytes += size


@dataclass
class Ingest:
    """How files become objects of one repository in one publish."""

    storage: Storage
    stage: Stage
    index: ContentIndex
    compress: Callable[[bytes], bytes]
    algorithm: Algorithm
    tally: Tally = field(default_factory=Tally)
    workers: int = 0
    _claims: dict[bytes, Content | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, files: Sequence[SourceFile], advance: Callable[[int], None] | None = None
    ) -> Contents:
        """The contents of ``files``, all staged or stored already when this returns."""
        found = self.index.recognise(files)
        contents = {key: content for key, content in found.items() if self._is_stored(content)}
        work = sorted(
            (file for file in files if file.key not in contents),
            key=lambda file: file.size, reverse=True,
        )  # fmt: skip
        if advance is not None:
            advance(len(files) - len(work))
        digests = self._read_all(work, advance)
        for file, sha256 in zip(work, digests, strict=True):
            content = self._claims[sha256]
            assert content is not None  # every claim was fulfilled, or an error was raised
            contents[file.key] = content
            self.index.remember(file, sha256, content)
        return contents

    def _read_all(
        self, work: Sequence[SourceFile], advance: Callable[[int], None] | None
    ) -> list[bytes]:
        digests: list[bytes] = [b""] * len(work)
        numbers = itertools.count()
        failed = threading.Event()

        def worker() -> None:
            while not failed.is_set():
                number = next(numbers)
                if number >= len(work):
                    return
                try:
                    digests[number] = self._one(work[number])
                except BaseException:
                    failed.set()
                    raise
                if advance is not None:
                    advance(1)

        count = min(self.workers or _cores(), max(1, len(work)))
        with ThreadPoolExecutor(count) as pool:
            futures = [pool.submit(worker) for _ in range(count)]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
                for future in futures:
                    future.result()
            except BaseException:
                failed.set()
                raise
        return digests

    def _one(self, file: SourceFile) -> bytes:
        if needs_chunks(file.size):
            sha256, data = _digest_large(file), None
        else:
            data = _read(file)
            sha256 = hashlib.sha256(data).digest()
        self.tally.read(file.size)
        with self._lock:
            if sha256 in self._claims:
                return sha256
            self._claims[sha256] = None
        content = self.index.lookup(sha256)
        if content is None or not self._is_stored(content):
            if data is None:
                content = self._store_large(file, sha256)
            else:
                content = Content(self.put(data, Kind.FILE))
        self._claims[sha256] = content
        return sha256

    def _store_large(self, file: SourceFile, sha256: bytes) -> Content:
        """Cut and stage a large file; what is cut must be what was digested before."""
        hasher = hashlib.sha256()
        chunks: list[Chunk] = []
        offset = 0
        with _open(file) as stream:
            while offset < file.size:
                stream.seek(offset)
                data = stream.read(MAXIMUM)
                size = first_chunk(data)
                if size == file.size:
                    hasher.update(data)
                    _require(hasher.digest() == sha256, file)
                    return Content(self.put(data, Kind.FILE))
                _require(0 < size <= file.size - offset, file)
                piece = data[:size]
                hasher.update(piece)
                chunks.append(Chunk(offset, size, self.put(piece, Kind.CHUNK)))
                offset += size
        _require(hasher.digest() == sha256, file)
        return Content(None, tuple(chunks))

    def put(self, data: bytes, kind: Kind) -> bytes:
        """Compress and stage the content of an object; its raw digest."""
        return self.put_stored(self.compress(data), kind).raw

    def put_stored(self, stored: bytes, kind: Kind) -> Digest:
        """Stage an object that is compressed already; its digest."""
        digest = digest_of(stored, self.algorithm)
        if self.stage.put(digest, kind, stored):
            self.tally.stored(len(stored))
        return digest

    def _is_stored(self, content: Content) -> bool:
        if content.raw is not None:
            return self.storage.has(Digest(content.raw, self.algorithm), Kind.FILE)
        return all(
            self.storage.has(Digest(chunk.raw, self.algorithm), Kind.CHUNK)
            for chunk in content.chunks
        )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open(file: SourceFile) -> BinaryIO:
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise from_os_error(error, "read", file.path) from error
    return os.fdopen(descriptor, "rb", buffering=0)


def _require(unchanged: bool, file: SourceFile) -> None:
    if not unchanged:
        raise InputError(
            f"{file.path} changed while it was being published",
            None,
            "publish a tree that nobody writes to",
        )


def _read(file: SourceFile) -> bytes:
    """All of a small file."""
    try:
        with _open(file) as stream:
            data = stream.read(file.size + 1)
            while data and len(data) < file.size and (more := stream.read(file.size - len(data))):
                data += more
            status = os.fstat(stream.fileno())
    except OSError as error:
        raise from_os_error(error, "read", file.path) from error
    _require(len(data) == file.size and status.st_mtime_ns == file.mtime_ns, file)
    return data


def _digest_large(file: SourceFile) -> bytes:
    hasher, size = hashlib.sha256(), 0
    try:
        with _open(file) as stream:
            while block := stream.read(_BLOCK):
                hasher.update(block)
                size += len(block)
            status = os.fstat(stream.fileno())
    except OSError as error:
        raise from_os_error(error, "read", file.path) from error
    _require(size == file.size and status.st_mtime_ns == file.mtime_ns, file)
    return hasher.digest()
