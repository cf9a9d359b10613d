"""Objects by content: ``objects/<first 2 hex>/<other 62>``, each a file's raw bytes.

Writing: every new object is written aside (hashed on the way), all of them are made durable,
then each is renamed into its place. A writer that dies leaves whole objects, and a folder below
``transactions/`` which the next writer removes; never half an object under an object's name.
Reading: bytes are hashed while they are copied, and nothing that does not match its name is
handed on.

An object that is there already is read and hashed too, and so is its source: a publish over a
damaged object mends it, and a publish of a damaged stack fails though the store has it whole.

Objects are kept uncompressed: on the ``base`` stack zlib (level 6) would save 70 % of the space
for 34 ns a byte, half a minute of processor time at each publish; where space is dearer than
time, let the file system compress.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fiducial.stack.durable import make_durable
from fiducial.stack.errors import from_os_error
from fiducial.stack.files import fsync_directory, remove_tree
from fiducial.stack.refusals import Failure, Refusal, Refused, refuse_if

T = TypeVar("T")
CHUNK = 1 << 20
_BATCH = 64
MAX_DOCUMENT = 256 << 20
"""Objects read into memory (manifests, verdicts, results) must be smaller [bytes]."""


@dataclass(frozen=True)
class Transfer:
    """What a transfer did: objects and bytes that were wanted, and that had to be written."""

    objects: int
    bytes: int
    new_objects: int
    new_bytes: int
    mended: int = 0


@dataclass(frozen=True)
class Source:
    """Where the bytes of an object come from: a file, or ``data``."""

    name: str
    path: Path | None = None
    data: bytes | None = None


class ObjectStore:
    """The objects of one repository."""

    def __init__(self, root: Path) -> None:
        self.root = root / "objects"
        self.transactions = root / "transactions"

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:]

    def put(
        self, sources: Mapping[str, Source], advance: Callable[[int], None] | None = None
    ) -> Transfer:
        """Store ``sources`` (SHA-256 -> where from), all durable when this returns.

        ``advance`` is told the bytes done. Raises Refused (object changed) where a source
        does not have the digest it is filed under, EnvironmentProblem where it cannot be
        read or there is no space; the store then holds what it held before.
        """
        try:
            with self._transaction() as folder:
                work = [(sha256, source, folder / sha256) for sha256, source in sources.items()]
                staged = list(_parallel(self._stage, work, advance))
                failures = [item for item in staged if isinstance(item, Failure)]
                refuse_if("the publish", failures, "the source changed meanwhile: verify it")
                written = [item for item in staged if isinstance(item, _Staged) and item.new]
                if written:
                    make_durable(folder, len(written))
                    self._commit(folder, [item.sha256 for item in written])
        except OSError as error:
            raise from_os_error(error, "store objects in", self.root) from error
        held = [item for item in staged if isinstance(item, _Staged)]
        return Transfer(
            len(held),
            sum(item.bytes for item in held),
            len(written),
            sum(item.bytes for item in written),
            sum(item.mended for item in held),
        )

    def read(self, sha256: str, what: str, changed: Refusal = Refusal.OBJECT_CHANGED) -> bytes:
        """The bytes of an object, checked. Raises Refused: ``changed`` or object missing."""
        try:
            with self.path(sha256).open("rb") as stream:
                data = stream.read(MAX_DOCUMENT)
        except FileNotFoundError:
            raise Refused(
                what, [Failure(Refusal.OBJECT_MISSING, what, f"no object {sha256[:12]}")]
            ) from None
        except OSError as error:
            raise from_os_error(error, f"read {what}", self.path(sha256)) from error
        if (found := hashlib.sha256(data).hexdigest()) != sha256:
            detail = f"object {sha256[:12]} has digest {found[:12]}"
            raise Refused(what, [Failure(changed, what, detail)])
        return data

    def copy_out(
        self,
        files: Mapping[str, tuple[str, int]],
        destination: Path,
        advance: Callable[[int], None] | None = None,
    ) -> int:
        """Write ``files`` (path -> SHA-256, mode) below ``destination``, hashing each.

        Folders must exist. Returns the bytes written. Raises Refused with every changed or
        missing object; what was written then has to be thrown away by the caller.
        """
        work = [
            (path, self.path(sha256), sha256, destination / path, mode)
            for path, (sha256, mode) in files.items()
        ]
        done = list(_parallel(_checkout, work, advance))
        refuse_if(
            "the checkout",
            [item for item in done if isinstance(item, Failure)],
            "publish the stack anew: a publish mends damaged objects",
        )
        return sum(item for item in done if isinstance(item, int))

    def verify(
        self, wanted: Iterable[tuple[str, str]], advance: Callable[[int], None] | None = None
    ) -> list[Failure]:
        """Hash the objects ``wanted`` (what it is for, SHA-256); every one that fails."""
        work = [(what, self.path(sha256), sha256) for what, sha256 in wanted]
        return [item for item in _parallel(_check, work, advance) if isinstance(item, Failure)]

    def __iter__(self) -> Iterator[str]:
        """The digest of every object."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for file in os.scandir(folder):
                yield folder.name + file.name

    def remove(self, sha256: str) -> int:
        """Remove an object and return its size [bytes]; the caller knows that nothing needs it."""
        path = self.path(sha256)
        size = path.stat().st_size
        path.unlink()
        return size

    @contextmanager
    def _transaction(self) -> Iterator[Path]:
        folder = self.transactions / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            remove_tree(folder)

    def _stage(self, sha256: str, source: Source, staged: Path) -> _Staged | Failure:
        """Write one object aside, unless a sound one is there; the source is read either way."""
        present = _digest(self.path(sha256))
        sound = present is not None and present[0] == sha256
        try:
            found, size = _read_hashed(source) if sound else _write_hashed(source, staged)
        except FileNotFoundError:
            if source.path is None or source.path.exists():
                raise
            return Failure(Refusal.OBJECT_MISSING, source.name, f"no file {source.path}")
        if found != sha256:
            detail = f"digest {found[:12]}, expected {sha256[:12]}"
            return Failure(Refusal.OBJECT_CHANGED, source.name, detail)
        mended = present is not None and not sound
        return _Staged(sha256, size, new=not sound, mended=mended)

    def _commit(self, folder: Path, names: list[str]) -> None:
        touched = {self.root.parent, self.root}
        for sha256 in names:
            target = self.path(sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            (folder / sha256).rename(target)
            touched.add(target.parent)
        for place in touched:
            fsync_directory(place)


@dataclass(frozen=True)
class _Staged:
    sha256: str
    bytes: int
    new: bool
    mended: bool


def _parallel(
    function: Callable[..., T],
    work: Sequence[tuple[Any, ...]],
    advance: Callable[[int], None] | None,
) -> Iterator[T]:
    """``function`` over ``work``, in order, by threads; tells ``advance`` the bytes done."""

    def run(start: int) -> list[T]:
        return [function(*item) for item in work[start : start + _BATCH]]

    workers = min(8, (os.cpu_count() or 1) + 1)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for results in pool.map(run, range(0, len(work), _BATCH)):
                if advance is not None:
                    advance(sum(_size(result) for result in results))
                yield from results
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _size(result: object) -> int:
    if isinstance(result, _Staged):
        return result.bytes
    return result if isinstance(result, int) else 0


def _write_hashed(source: Source, target: Path) -> tuple[str, int]:
    """Copy ``source`` to the new file ``target``; its digest and size [bytes]."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb", buffering=0) as out:
        os.fchmod(out.fileno(), 0o444)
        for chunk in _chunks(source):
            digest.update(chunk)
            size += len(chunk)
            _write_all(out.fileno(), chunk)
    return digest.hexdigest(), size


def _read_hashed(source: Source) -> tuple[str, int]:
    """The digest and size [bytes] of ``source``."""
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(source):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _chunks(source: Source) -> Iterator[bytes]:
    if source.data is not None:
        yield source.data
        return
    if source.path is None:
        return
    with source.path.open("rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _digest(path: Path) -> tuple[str, int] | None:
    try:
        with path.open("rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            return hashlib.file_digest(stream, "sha256").hexdigest(), size
    except FileNotFoundError:
        return None


def _checkout(name: str, source: Path, sha256: str, target: Path, mode: int) -> int | Failure:
    """Copy one object to ``target``; its size [bytes], or why not."""
    try:
        found, size = _write_hashed(Source(name, source), target)
    except FileNotFoundError as error:
        if error.filename != str(source):
            raise
        return Failure(Refusal.OBJECT_MISSING, name, f"no object {sha256[:12]}")
    if found != sha256:
        detail = f"object {sha256[:12]} has digest {found[:12]}"
        return Failure(Refusal.OBJECT_CHANGED, name, detail)
    target.chmod(mode)
    return size


def _check(name: str, path: Path, sha256: str) -> int | Failure:
    found = _digest(path)
    if found is None:
        return Failure(Refusal.OBJECT_MISSING, name, f"no object {sha256[:12]}")
    if found[0] != sha256:
        detail = f"object {sha256[:12]} has digest {found[0][:12]}"
        return Failure(Refusal.OBJECT_CHANGED, name, detail)
    return found[1]
