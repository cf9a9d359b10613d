"""The manifest: what a stack contains, file by file.

``manifest.json`` at the root of a prefix names every package with its source and licence and
every file with its SHA-256, size and mode. Setup scripts, the bill of materials, the diff of
two stacks, the publish and the deploy need nothing else. docs/formats/manifest.md describes
the format; the classes below are the one table that reader and writer share.

Not covered, by design: the manifest itself (a verdict signs its digest) and the host binding
(``interpreter.bound``: the paths that tie a prefix to a host's Python, remade on each host).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistake, Mistakes
from fiducial.stack.files import sha256_bytes, write_atomically

FORMAT = 1
NAME = "manifest.json"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Mode = Annotated[str, StringConstraints(pattern=r"^[0-7]{3}$")]


def _inside(path: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"'{path}' does not stay below the prefix")
    if str(PurePosixPath(path)) != path or path == ".":
        raise ValueError(f"'{path}' is not a plain relative path")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(_Record):
    """A regular file: digest of its bytes, size [bytes], permissions in octal ("644")."""

    sha256: Sha256
    size: int
    mode: Mode


class Link(_Record):
    """A symbolic link and the text it holds, which must not leave the prefix."""

    link: str


Entry = File | Link


class Builder(_Record):
    """Which builder made the stack, the version of its output, and the tools it used."""

    name: str
    version: str
    tools: dict[str, str] = {}


class Platform(_Record):
    """Where the stack runs: the oldest C library and the instruction set it is built for."""

    system: str
    machine: str
    microarchitecture: str
    libc: str | None = None


class Interpreter(_Record):
    """The Python of the stack: the host's (of this minor version) or a bundled one.

    ``bound`` names the paths of the host binding, which are in no digest.
    """

    mode: Literal["host", "bundled"]
    implementation: str
    version: str
    cache_tag: str
    bound: tuple[RelativePath, ...] = ()


class Package(_Record):
    """One package: where it came from, what it may be used for, what it consists of.

    ``source_sha256`` is the digest of the wheel as the lock allows it (kind "wheel"), of the
    component's source tree (kind "component"), or of the interpreter's files (kind
    "interpreter").
    """

    name: str
    version: str
    kind: Literal["wheel", "component", "interpreter"]
    source: str | None = None
    source_sha256: Sha256
    licence: str
    summary: str = ""
    requires: tuple[str, ...] = ()
    files: dict[RelativePath, Entry]


class Manifest(_Record):
    """The whole manifest; valid once constructed."""

    format: Literal[1] = 1
    stack: str
    environment: str
    lock_sha256: Sha256
    inputs_sha256: Sha256
    builder: Builder
    platform: Platform
    interpreter: Interpreter
    packages: tuple[Package, ...]
    files: dict[RelativePath, Entry]

    @model_validator(mode="after")
    def _one_owner_and_sorted(self) -> Manifest:
        names = [package.name for package in self.packages]
        if names != sorted(set(names)):
            raise ValueError("packages must be sorted by name, each once")
        owners: dict[str, str] = {}
        for owner, files in self._parts():
            if list(files) != sorted(files):
                raise ValueError(f"the files of {owner} must be sorted by path")
            for path in files:
                if path in owners:
                    raise ValueError(f"{path} belongs to {owners[path]} and to {owner}")
                owners[path] = owner
        return self

    def _parts(self) -> Iterator[tuple[str, dict[str, Entry]]]:
        for package in self.packages:
            yield package.name, package.files
        yield "the stack", self.files

    def entries(self) -> dict[str, Entry]:
        """Every path of the stack with its entry, sorted by path."""
        return dict(sorted(item for _, files in self._parts() for item in files.items()))

    def owner(self, path: str) -> str | None:
        """The package that ``path`` belongs to ("the stack" for files of no package)."""
        return next((owner for owner, files in self._parts() if path in files), None)

    def package(self, name: str) -> Package | None:
        """The package called ``name``."""
        return next((package for package in self.packages if package.name == name), None)

    def to_bytes(self) -> bytes:
        """The one serialisation: UTF-8 JSON, keys as declared, indented by one space."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    @property
    def sha256(self) -> str:
        """Digest of the serialisation: what a verdict signs and a store is addressed by."""
        return sha256_bytes(self.to_bytes())


def write_manifest(prefix: Path, manifest: Manifest) -> Path:
    """Write ``manifest`` to ``prefix``/manifest.json and return that path."""
    path = prefix / NAME
    write_atomically(path, manifest.to_bytes())
    return path


def parse_manifest(data: bytes, name: str = NAME) -> Manifest:
    """The manifest in ``data``; every mistake at once, and only the one serialisation passes."""
    try:
        version = json.loads(data).get("format")
    except (ValueError, AttributeError) as error:
        raise InputError(f"{name} is not a manifest", str(error)) from error
    if version != FORMAT:
        raise InputError(
            f"{name} has format {version!r}",
            f"this program reads format {FORMAT}",
            "use the version of fiducial-stack that made it, or a newer one",
        )
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        mistakes = [
            Mistake(".".join(str(part) for part in item["loc"]) or name, item["msg"])
            for item in error.errors(include_url=False)[:50]
        ]
        raise Mistakes(mistakes, name) from error
    if manifest.to_bytes() != data:
        raise InputError(
            f"{name} was altered",
            "its bytes are not those a builder writes for the same content",
            "fetch or build the stack anew",
        )
    return manifest


def read_manifest(prefix: Path) -> Manifest:
    """The manifest of the stack at ``prefix``."""
    path = prefix / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            f"{prefix} is not a stack", f"it has no {NAME}", "make one with: fiducial build"
        ) from error
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}", error.strerror) from error
    return parse_manifest(data, str(path))
