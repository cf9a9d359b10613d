"""Where a repository's files are kept: a small interface, and a plain directory that fills it.

A publisher *stages* objects: they become part of the storage, durably and all together, when
the stage is committed, so whoever is killed before leaves nothing but files in ``data/txn``.
The few files in the root are replaced one by one, each whole.
"""

# Names are bytes, or there are tens of thousands of them: no pathlib.
# ruff: noqa: PTH104, PTH110

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from fiducial.stack.cvmfs.digest import Digest, Kind
from fiducial.stack.durable import make_durable
from fiducial.stack.errors import EnvironmentProblem, from_os_error
from fiducial.stack.files import fsync_directory, remove_tree, write_atomically

TXN = "data/txn"
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class StoredObject(NamedTuple):
    """An object that lies in a storage: its path, size [bytes] and age [s since 1970]."""

    name: str
    size: int
    modified: float


class Stage(Protocol):
    """Objects on their way into a storage."""

    def put(self, digest: Digest, kind: Kind, data: bytes) -> bool:
        """Stage an object; False where the storage has it already. Safe from many threads."""
        ...

    def commit(self) -> None:
        """Make all that was staged part of the storage, durably."""
        ...

    def abandon(self) -> None:
        """Forget what was staged and not committed."""
        ...


class Storage(Protocol):
    """What a publisher needs of the place that holds a repository."""

    @property
    def location(self) -> str:
        """Where it is, for people."""
        ...

    def read(self, name: str, limit: int) -> bytes | None:
        """The file ``name``, None where there is none; at most ``limit + 1`` bytes of it."""
        ...

    def has(self, digest: Digest, kind: Kind) -> bool:
        """Whether the object is there."""
        ...

    def stage(self) -> Stage:
        """Begin to stage objects."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Put a file of the root in place, whole, durably."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """Every object."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; that there is none is no error."""
        ...

    def sweep(self) -> int:
        """Remove what dead publishers staged; the caller holds the lock. Returns how many."""
        ...


class DirectoryStorage:
    """A repository in a directory, served as it is by any web server."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def location(self) -> str:
        return str(self.root)

    def lay_out(self) -> None:
        """Make the folders: readers need none of them, CernVM-FS's own tools all 256."""
        try:
            for number in range(256):
                (self.root / "data" / f"{number:02x}").mkdir(parents=True, exist_ok=True)
            (self.root / TXN).mkdir(exist_ok=True)
        except OSError as error:
            raise from_os_error(error, "make the repository", self.root) from error

    def read(self, name: str, limit: int) -> bytes | None:
        try:
            with (self.root / name).open("rb", buffering=0) as stream:
                return stream.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise from_os_error(error, "read", self.root / name) from error

    def has(self, digest: Digest, kind: Kind) -> bool:
        return os.path.exists(f"{self.root}/{digest.path(kind)}")

    def stage(self) -> DirectoryStage:
        return DirectoryStage(self.root)

    def replace(self, name: str, data: bytes) -> None:
        write_atomically(self.root / name, data)

    def objects(self) -> Iterator[StoredObject]:
        for number in range(256):
            folder = f"data/{number:02x}"
            try:
                with os.scandir(self.root / folder) as found:
                    for item in found:
                        status = item.stat()
                        yield StoredObject(f"{folder}/{item.name}", status.st_size, status.st_mtime)
            except FileNotFoundError:
                continue

    def remove(self, name: str) -> None:
        try:
            (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            raise from_os_error(error, "remove", self.root / name) from error

    def sweep(self) -> int:
        folder = self.root / TXN
        left = sorted(folder.iterdir()) if folder.is_dir() else []
        for path in left:
            remove_tree(path)
        return len(left)


class DirectoryStage:
    """Objects in a folder of ``data/txn``, renamed into place at the commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / TXN / uuid.uuid4().hex
        self._staged: dict[str, str] = {}  # where it belongs: the name in the folder
        self._numbers = itertools.count()
        self._made = False
        self._mask = self._read_mask()

    @staticmethod
    def _read_mask() -> int:
        mask = os.umask(0o022)
        os.umask(mask)
        return mask

    def put(self, digest: Digest, kind: Kind, data: bytes) -> bool:
        target = digest.path(kind)
        if target in self._staged or os.path.exists(f"{self.root}/{target}"):
            return False
        name = f"{next(self._numbers)}{kind.value}"
        path = f"{self.folder}/{name}"
        try:
            if not self._made:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._made = True
            descriptor = os.open(path, _WRITE, 0o644)
            try:
                if self._mask & 0o044:
                    os.fchmod(descriptor, 0o644)
                written = os.write(descriptor, data)
                while written < len(data):
                    written += os.write(descriptor, memoryview(data)[written:])
            finally:
                os.close(descriptor)
        except OSError as error:
            raise from_os_error(error, "store an object in", self.root) from error
        self._staged[target] = name
        return True

    def commit(self) -> None:
        if not self._staged:
            return
        try:
            make_durable(self.folder, len(self._staged))
            root, folder = str(self.root), str(self.folder)
            for target, name in self._staged.items():
                os.rename(f"{folder}/{name}", f"{root}/{target}")
            parents = {target.rpartition("/")[0] for target in self._staged}
            if len(parents) > 16:
                make_durable(self.root / "data", len(self._staged) + 1000)
            else:
                for parent in parents:
                    fsync_directory(self.root / parent)
        except FileNotFoundError as error:
            raise EnvironmentProblem(
                f"what was staged in {self.folder} has gone",
                "somebody else removed it while this publish was going on",
                "publish again",
            ) from error
        except OSError as error:
            raise from_os_error(error, "store objects in", self.root) from error
        self._staged.clear()
        self.abandon()

    def abandon(self) -> None:
        self._staged.clear()
        if self._made:
            remove_tree(self.folder)
            self._made = False
