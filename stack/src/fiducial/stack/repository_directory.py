"""A repository in a plain directory, on any POSIX file system with hard links and rename.

    repository.json       format, id
    lock                  held shared by publishers, exclusively by the collector
    objects/<2>/<62>      contents by SHA-256
    releases/<stack>/     a ledger: what was published under that stack id
    channels/<name>/      a ledger: where the channel stood, newest last
    transactions/         what is not finished

Readers need no lock and can read from a read-only mount. Several machines can publish to one
directory where the file system carries ``flock`` and ``link`` across machines (NFS v4).
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pydantic

from fiducial.stack.errors import EnvironmentProblem, InputError, from_os_error
from fiducial.stack.files import remove_tree, write_atomically
from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.ledger import LedgerFolder, Record
from fiducial.stack.manifest import File, parse_manifest
from fiducial.stack.objects import ObjectStore, Source, Transfer
from fiducial.stack.refusals import Failure, Refusal, Refused
from fiducial.stack.release import judge, judge_pointer
from fiducial.stack.repository import Advance, Collected, Pointer, Release
from fiducial.stack.tree import Tree

FORMAT = 1
D = TypeVar("D", bound=pydantic.BaseModel)


class DirectoryRepository:
    """The repository at ``root``; ``create`` makes one where there is none."""

    def __init__(self, root: Path, create: bool = False) -> None:
        self.root = root.resolve()
        if create and not (self.root / "repository.json").exists():
            _create(self.root)
        self.id = _read_id(self.root)
        self.objects = ObjectStore(self.root)
        self.ledgers = LedgerFolder(self.root, self.id)

    @property
    def location(self) -> str:
        return str(self.root)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Hold the lock with other publishers; first clear up after dead ones."""
        with _lock(self.root, exclusive=True, wait=False) as alone:
            if alone:
                _sweep(self.objects.transactions, dry_run=False)
        with _lock(self.root, exclusive=False, wait=True):
            yield

    def put(self, sources: Mapping[str, Source], advance: Advance | None = None) -> Transfer:
        return self.objects.put(sources, advance)

    def read(self, sha256: str, what: str, changed: Refusal = Refusal.OBJECT_CHANGED) -> bytes:
        return self.objects.read(sha256, what, changed)

    def get_tree(self, tree: Tree, destination: Path, advance: Advance | None = None) -> int:
        for folder in tree.folders:
            (destination / folder).mkdir()
        files = {path: (file.sha256, int(file.mode, 8)) for path, file in tree.files.items()}
        done = self.objects.copy_out(files, destination, advance)
        for path, link in tree.links.items():
            (destination / path).symlink_to(link.link)
        return done

    def releases(self) -> list[str]:
        return [name.partition("/")[2] for name in self.ledgers.names("releases")]

    def release(
        self, stack: str, trusted: TrustedKeys, revision: int | None = None
    ) -> tuple[Release, Record]:
        name = f"releases/{stack}"
        if revision is None:
            record = self.ledgers.head(name, trusted)
        else:
            record = self.ledgers.read(name, revision, trusted)
        if record is None:
            known = ", ".join(self.releases()) or "none"
            raise InputError(
                f"no release {stack} in {self.location}", hint=f"published are: {known}"
            )
        return _document(Release, record), record

    def add_release(self, release: Release, expected: int, signer: Signer) -> Record:
        body = release.model_dump()
        return self.ledgers.append(f"releases/{release.stack}", body, expected, signer)

    def channels(self) -> list[str]:
        return [name.partition("/")[2] for name in self.ledgers.names("channels")]

    def channel(self, name: str, trusted: TrustedKeys) -> tuple[Pointer, Record] | None:
        record = self.ledgers.head(f"channels/{name}", trusted)
        return None if record is None else (_document(Pointer, record), record)

    def advance(
        self, name: str, pointer: Pointer, expected: int, signer: Signer, trusted: TrustedKeys
    ) -> Record:
        judge_pointer(self, name, pointer, trusted)
        return self.ledgers.append(f"channels/{name}", pointer.model_dump(), expected, signer)

    def verify(self, trusted: TrustedKeys, advance: Advance | None = None) -> list[Failure]:
        failures: list[Failure] = []
        wanted: dict[str, str] = {}
        for stack in self.releases():
            with _gathering(failures):
                for record in self.ledgers.history(f"releases/{stack}", trusted):
                    with _gathering(failures):
                        judge(self, stack, trusted, record.revision, must_pass=False)
                        wanted |= _contents(self, _document(Release, record))
        for name in self.channels():
            with _gathering(failures):
                self.ledgers.history(f"channels/{name}", trusted)
                if (standing := self.channel(name, trusted)) is not None:
                    judge_pointer(self, name, standing[0], trusted)
        pairs = [(what, sha256) for sha256, what in wanted.items()]
        return failures + self.objects.verify(pairs, advance)

    def gc(self, trusted: TrustedKeys, dry_run: bool = False) -> Collected:
        """Remove dead transactions, and objects that no release record binds.

        Every record is verified first: a repository with a damaged record is left alone.
        """
        with _lock(self.root, exclusive=True, wait=False) as alone:
            if not alone:
                raise EnvironmentProblem(
                    f"{self.location} is in use", "a publisher is at work", "try again later"
                )
            needed: set[str] = set()
            for stack in self.releases():
                for record in self.ledgers.history(f"releases/{stack}", trusted):
                    needed |= _contents(self, _document(Release, record)).keys()
            swept = _sweep(self.objects.transactions, dry_run)
            unneeded = [sha256 for sha256 in self.objects if sha256 not in needed]
            size = sum(
                self.objects.path(sha256).stat().st_size if dry_run else self.objects.remove(sha256)
                for sha256 in unneeded
            )
        return Collected(swept, len(unneeded), size)


def _contents(repository: DirectoryRepository, release: Release) -> dict[str, str]:
    """Every object that a release binds (SHA-256 -> what for)."""
    where = f"release {release.stack}"
    found = {
        release.manifest_sha256: f"{where}: manifest",
        release.verdict_sha256: f"{where}: verdict",
        release.results_sha256: f"{where}: results",
    }
    found |= {item.sha256: f"{where}: {path}" for path, item in release.evidence.items()}
    data = repository.read(release.manifest_sha256, f"{where}: manifest", Refusal.MANIFEST_CHANGED)
    for path, entry in parse_manifest(data, f"{where}: manifest").entries().items():
        if isinstance(entry, File):
            found.setdefault(entry.sha256, path)
    return found


def _document(model: type[D], record: Record) -> D:
    try:
        return model.model_validate(record.body)
    except pydantic.ValidationError as error:
        what = f"{record.ledger} revision {record.revision}"
        detail = f"not a {model.__name__.lower()}: {error.errors()[0]['msg']}"
        raise Refused(what, [Failure(Refusal.WRONG_TYPE, what, detail)]) from None


@contextmanager
def _gathering(failures: list[Failure]) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        failures.extend(refused.failures)


def _create(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        strangers = sorted(entry.name for entry in root.iterdir() if not _ours(entry))
    except OSError as error:
        raise from_os_error(error, "make the repository", root) from error
    if strangers:
        raise InputError(
            f"{root} is not a repository", f"it holds {', '.join(strangers[:3])}",
            "name an empty folder, or one that is not there yet",
        )  # fmt: skip
    with _lock(root, exclusive=True, wait=True):
        if not (root / "repository.json").exists():
            content = {"format": FORMAT, "id": str(uuid.uuid4())}
            write_atomically(root / "repository.json", json.dumps(content) + "\n")


def _ours(entry: Path) -> bool:
    return entry.name in ("lock", "repository.json") or ".repository.json" in entry.name


def _read_id(root: Path) -> str:
    path = root / "repository.json"
    try:
        data = json.loads(path.read_bytes())
        version, found = data["format"], str(data["id"])
    except FileNotFoundError:
        raise InputError(
            f"{root} is not a repository", "it has no repository.json",
            "check the path; fiducial publish makes a new one",
        ) from None  # fmt: skip
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read", str(error)) from None
    if version != FORMAT:
        raise InputError(f"{path} has format {version}", f"this program reads format {FORMAT}")
    return found


@contextmanager
def _lock(root: Path, exclusive: bool, wait: bool) -> Iterator[bool]:
    """Hold ``root``/lock; yields whether it was had. The kernel frees it when we die."""
    try:
        descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise from_os_error(error, "lock", root) from error
    try:
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
            had = True
        except BlockingIOError:
            had = False
        yield had
    finally:
        os.close(descriptor)


def _sweep(transactions: Path, dry_run: bool) -> int:
    """Remove what dead publishers left; their number. Only with the exclusive lock."""
    left: Iterable[Path] = transactions.iterdir() if transactions.is_dir() else []
    count = 0
    for path in left:
        count += 1
        if not dry_run:
            remove_tree(path)
    return count
