"""A repository: where stacks are published to and deployed from.

One small interface, which the directory store (``repository_directory``) fills here and a
CernVM-FS publisher can fill later, and the two documents that every repository holds, signed:
a *release* (what was published: a manifest, its verdict, the evidence) and a *pointer* (which
release a channel stands at). Format: docs/formats/store.md.

Whoever implements it keeps three promises: a release is stored before anything points to it; a
channel moves from the revision that the caller judged or not at all; and it moves only after
``release.judge`` found a passing verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pydantic

from fiducial.stack.keys import Signer, TrustedKeys
from fiducial.stack.ledger import Record
from fiducial.stack.manifest import RelativePath, Sha256
from fiducial.stack.objects import Source, Transfer
from fiducial.stack.progress import Task
from fiducial.stack.refusals import Failure, Refusal
from fiducial.stack.tree import Tree

MEGABYTE = 1_000_000
Advance = Callable[[int], None]
"""Told the bytes done since it was told last."""


def in_megabytes(task: Task) -> Advance:
    """An ``Advance`` that counts whole megabytes in a phase whose total is megabytes."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        task.update(done // MEGABYTE)

    return advance


class _Document(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Evidence(_Document):
    """A file of the validation kept with the release (results, plots)."""

    sha256: Sha256
    size: int


class Release(_Document):
    """What was published under one stack id, bound by hash."""

    stack: str
    environment: str
    manifest_sha256: Sha256
    lock_sha256: Sha256
    verdict_sha256: Sha256
    results_sha256: Sha256
    passed: bool
    scale: str
    sbom_sha256: Sha256 | None
    files: int
    bytes: int
    evidence: dict[RelativePath, Evidence]


class Pointer(_Document):
    """Where a channel stands."""

    release: str
    release_revision: int
    release_sha256: Sha256
    """Of the release's record (its envelope)."""
    manifest_sha256: Sha256
    verdict_sha256: Sha256


@dataclass(frozen=True)
class Collected:
    """What ``gc`` removed (or would): leftovers of dead publishers, and unreferenced objects."""

    transactions: int
    objects: int
    bytes: int


class Repository(Protocol):
    """The interface; every method that reads takes the keys that count."""

    @property
    def id(self) -> str:
        """A name that no other repository has."""
        ...

    @property
    def location(self) -> str:
        """Where it is, for people."""
        ...

    def publishing(self) -> AbstractContextManager[None]:
        """Held while publishing: nothing that is being published is collected meanwhile."""
        ...

    def put(self, sources: Mapping[str, Source], advance: Advance | None = None) -> Transfer:
        """Store objects (SHA-256 -> where from), durable when this returns."""
        ...

    def read(self, sha256: str, what: str, changed: Refusal = Refusal.OBJECT_CHANGED) -> bytes:
        """One object in memory, checked."""
        ...

    def get_tree(self, tree: Tree, destination: Path, advance: Advance | None = None) -> int:
        """Write ``tree`` into the empty folder ``destination``, checked; the bytes written."""
        ...

    def releases(self) -> list[str]:
        """The ids of the stacks that were published."""
        ...

    def release(
        self, stack: str, trusted: TrustedKeys, revision: int | None = None
    ) -> tuple[Release, Record]:
        """A release (its newest record, or the one of ``revision``), its signature checked."""
        ...

    def add_release(self, release: Release, expected: int, signer: Signer) -> Record:
        """Record a release after the record ``expected`` (0: the first)."""
        ...

    def channels(self) -> list[str]:
        """The names of the channels."""
        ...

    def channel(self, name: str, trusted: TrustedKeys) -> tuple[Pointer, Record] | None:
        """Where a channel stands, its signature checked; None where it never moved."""
        ...

    def advance(
        self, name: str, pointer: Pointer, expected: int, signer: Signer, trusted: TrustedKeys
    ) -> Record:
        """Move a channel from revision ``expected``, if its release is fit for it."""
        ...

    def verify(self, trusted: TrustedKeys, advance: Advance | None = None) -> list[Failure]:
        """Check every record, release and object; every failure."""
        ...

    def gc(self, trusted: TrustedKeys, dry_run: bool = False) -> Collected:
        """Remove what no release needs."""
        ...
