"""The reference store: content-addressed JSON files and a manifest that seals them.

``<sha256>.json`` holds one reference (docs/formats/results.md); ``references.json`` says which
observable uses which, and who blessed it, when, why, with which lock, seed and events. The
manifest carries its own digest and has exactly one byte form, so that one changed byte in either
is refused by name. The digest proves integrity, not authorship: who may change the manifest is
decided by review, and the verdict that is signed names its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.core.files import write_atomically
from fiducial.validation.canonical import canonical, digest
from fiducial.validation.observables import Observable

FORMAT = 1
MANIFEST = "references.json"
Kind = Literal["published", "analytic", "engine", "blessed"]


class Reference(BaseModel):
    """What an observable is compared with.

    declaration_sha256  of the declaration it was made for: a changed declaration needs a new one
    entries, estimate, error, content   as in :class:`fiducial.validation.measure.Measurement`
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    chain: str
    observable: str
    kind: Kind
    declaration_sha256: str
    entries: int = 0
    estimate: float
    error: float = Field(ge=0.0)
    content: dict[str, Any] = Field(default_factory=dict)
    source: str

    def payload(self) -> bytes:
        """The bytes that are stored and hashed."""
        return canonical(self.model_dump())


class Entry(BaseModel):
    """A line of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    kind: Kind
    who: str
    when: str
    why: str
    lock_sha256: str | None = None
    seed: int | None = None
    events: int | None = None


class TamperedReference(Mistakes):
    """A file of the store is not what its name or its seal says."""


class MissingReference(InputError):  # noqa: N818
    """The manifest names a file that is not there."""


def key_of(chain: str, observable: str) -> str:
    """The manifest's name of an observable."""
    return f"{chain}.{observable}"


def declaration_digest(chain: str, observable: Observable) -> str:
    """Hash of all that decides what a reference means; titles and texts may change freely."""
    parts = observable.model_dump(
        mode="json", by_alias=True,
        include={"name", "table", "where", "measure", "comparison", "reference"},
    )  # fmt: skip
    parts["reference"].pop("tolerance_reason", None)
    return digest({"chain": chain, **parts})


class ReferenceStore:
    """A directory of references, its manifest read and its seal checked."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries: dict[str, Entry] = {}
        path = directory / MANIFEST
        if path.exists():
            self.entries = _read_manifest(path)

    @property
    def sha256(self) -> str:
        """Digest of the manifest's bytes, which name every reference's digest."""
        return hashlib.sha256(_manifest_bytes(self.entries)).hexdigest()

    def read(self, key: str) -> Reference:
        """One reference, its bytes checked against the manifest."""
        entry = self.entries[key]
        path = self.directory / f"{entry.sha256}.json"
        if not path.exists():
            raise MissingReference(
                f"no reference file {path.name}", f"the manifest names it for {key}",
                "restore it from the repository, or bless a new one",
            )  # fmt: skip
        data = path.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != entry.sha256:
            raise TamperedReference([_tampered(path, key, found)])
        reference = Reference.model_validate_json(data)
        if key_of(reference.chain, reference.observable) != key or reference.kind != entry.kind:
            raise TamperedReference(
                [Mistake(str(path), f"holds {reference.kind} {reference.chain}."
                         f"{reference.observable}, the manifest says {entry.kind} {key}")]
            )  # fmt: skip
        return reference

    def problems(self) -> list[Mistake]:
        """Everything wrong with the store: changed, missing and unlisted files."""
        found: list[Mistake] = []
        for key in self.entries:
            try:
                self.read(key)
            except Mistakes as error:
                found += error.mistakes
            except MissingReference as error:
                found.append(Mistake(key, error.problem, error.hint))
        listed = {f"{entry.sha256}.json" for entry in self.entries.values()} | {MANIFEST}
        if self.directory.is_dir():
            found += [
                Mistake(str(path), "not listed in the manifest", "remove it, or bless it")
                for path in sorted(self.directory.glob("*.json"))
                if path.name not in listed
            ]
        return found

    def with_references(
        self, changes: Mapping[str, tuple[Entry, Reference]], remove: tuple[str, ...] = ()
    ) -> None:
        """Write new references, then the manifest, then drop files that nobody names.

        In this order a crash leaves the old manifest valid, with at most unlisted files beside it.
        """
        for entry, reference in changes.values():
            write_atomically(self.directory / f"{entry.sha256}.json", reference.payload())
        entries = {key: entry for key, entry in self.entries.items() if key not in remove}
        entries |= {key: entry for key, (entry, _) in changes.items()}
        self.entries = dict(sorted(entries.items()))
        write_atomically(self.directory / MANIFEST, _manifest_bytes(self.entries))
        used = {entry.sha256 for entry in self.entries.values()}
        for path in self.directory.glob("*.json"):
            if path.name != MANIFEST and path.stem not in used:
                path.unlink()


def _tampered(path: Path, key: str, found: str) -> Mistake:
    return Mistake(
        str(path), f"the reference of {key} was changed: its SHA-256 is {found[:16]}…",
        "restore the file from the repository, or bless a new reference",
    )  # fmt: skip


def _manifest_bytes(entries: Mapping[str, Entry]) -> bytes:
    body = {
        "format": FORMAT,
        "references": {key: entry.model_dump() for key, entry in sorted(entries.items())},
    }
    return canonical({**body, "seal": digest(body)})


def _read_manifest(path: Path) -> dict[str, Entry]:
    data = path.read_bytes()
    restore = "restore it from the repository; change it only by 'fiducial reference bless'"
    try:
        document = json.loads(data)
        if document.get("format") != FORMAT:
            raise InputError(
                f"{path}: format {document.get('format')!r}", f"this version reads {FORMAT}",
                "use the release that wrote it",
            )  # fmt: skip
        entries = {
            key: Entry.model_validate(value) for key, value in document["references"].items()
        }
    except (ValidationError, KeyError, TypeError, AttributeError, UnicodeDecodeError,
            json.JSONDecodeError) as error:  # fmt: skip
        first = str(error).splitlines()[0]
        raise TamperedReference(
            [Mistake(str(path), f"the manifest was changed: {first}", restore)]
        ) from None
    if data != _manifest_bytes(entries):
        raise TamperedReference(
            [Mistake(str(path), "the manifest was changed: its seal does not fit", restore)]
        )
    return entries
