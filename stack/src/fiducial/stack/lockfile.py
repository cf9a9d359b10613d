"""The lock file: exact third-party packages of an environment, sealed against editing by hand.

``wheels.lock`` is a requirements file that uv and pip read as it is (``--require-hashes -r``).
Comments above the packages repeat the definition it was resolved from, so that a stale lock can
say what moved; comments below seal it: one digest for each package, which names what was edited,
and one over all the bytes above. It holds names, versions and hashes, and no address.
docs/formats/lock.md describes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from fiducial.stack.errors import EnvironmentProblem, InputError, Mistake, Mistakes
from fiducial.stack.files import sha256_bytes

FORMAT = 1
_SEPARATOR = " | "
_HEAD = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>.+))?$"
)
_HASH = re.compile(r"^--hash=sha256:([0-9a-f]{64})$")
_ADDRESS = re.compile(r"://|--(?:index|extra-index|find-links|trusted-host)| @ ")


@dataclass(frozen=True)
class LockedPackage:
    """One package at one version, under a marker, with its allowed wheels.

    ``wheels`` maps the SHA-256 of each to its file name.
    """

    name: str
    version: str
    marker: str
    wheels: dict[str, str]

    @property
    def head(self) -> str:
        """The requirement as it stands in the lock."""
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")

    @property
    def text(self) -> str:
        """The whole entry as requirements files have it, ready for ``--require-hashes``."""
        return " \\\n    ".join(
            [self.head, *(f"--hash=sha256:{digest}" for digest in sorted(self.wheels))]
        )

    @property
    def seal(self) -> str:
        """16 hexadecimal digits that tell whether this entry was edited."""
        rows = [self.text, *(f"{digest} {self.wheels[digest]}" for digest in sorted(self.wheels))]
        return sha256_bytes("\n".join(rows).encode())[:16]

    def applies(self, variables: Mapping[str, str]) -> bool:
        """Whether the marker holds in an interpreter with these marker variables."""
        return not self.marker or Marker(self.marker).evaluate(dict(variables))


@dataclass(frozen=True)
class Lock:
    """A parsed lock. ``sha256`` is the digest of the file's bytes: the lock's identity."""

    environment: str
    python: str
    definition: str
    inputs: dict[str, tuple[str, ...]]
    packages: tuple[LockedPackage, ...]
    sha256: str

    def applicable(self, variables: Mapping[str, str]) -> dict[str, LockedPackage]:
        """The packages for one interpreter and platform, by name."""
        return {package.name: package for package in self.packages if package.applies(variables)}


def render_lock(
    environment: str,
    python: str,
    definition: str,
    inputs: Mapping[str, tuple[str, ...]],
    packages: tuple[LockedPackage, ...],
) -> bytes:
    """The bytes of a lock file."""
    files = {digest: name for package in packages for digest, name in package.wheels.items()}
    lines = [
        f"# Made by: fiducial lock {environment}. Do not edit: it is sealed below.",
        f"# format: {FORMAT}",
        f"# environment: {environment}",
        f"# python: {python}",
        f"# definition: sha256:{definition}",
        *(f"# input {label}: {_SEPARATOR.join(rows)}".rstrip() for label, rows in inputs.items()),
        *(package.text for package in packages),
        *(
            f"# wheel {digest} {filename}"
            for digest, filename in sorted(files.items(), key=lambda row: row[1])
        ),
        *(f"# seal {package.head}: {package.seal}" for package in packages),
    ]
    body = ("\n".join(lines) + "\n").encode()
    return body + f"# digest: sha256:{sha256_bytes(body)}\n".encode()


def read_lock(path: Path) -> Lock:
    """The lock at ``path``; refuses one that is absent, altered, or not a lock."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        name = path.parent.name
        raise InputError(
            f"no lock at {path}", None, f"make it with: fiducial lock {name}"
        ) from error
    except OSError as error:
        raise EnvironmentProblem(f"cannot read {path}", error.strerror) from error
    return parse_lock(data, str(path))


def parse_lock(data: bytes, name: str) -> Lock:
    """The lock in ``data``; every edited, added or removed entry is named with its line."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not a lock", str(error)) from error
    fields, inputs = _header(text)
    if fields.get("format") != str(FORMAT):
        raise InputError(
            f"{name} is not a sealed lock",
            f"its format is {fields.get('format')}, this program reads {FORMAT}",
            f"make it with: fiducial lock {Path(name).parent.name or 'ENV'} --anew",
        )
    mistakes: list[Mistake] = []
    rows = (line.split(" ") for line in text.splitlines() if line.startswith("# wheel "))
    files = {row[2]: row[3] for row in rows if len(row) == 4}
    packages, lines = parse_packages(text, name, mistakes, files)
    body, found, tail = data.rpartition(b"# digest: ")
    whole = found and tail.strip().decode(errors="replace") == f"sha256:{sha256_bytes(body)}"
    if not whole:
        mistakes += _edited(text, name, packages, lines)
        if not mistakes:
            mistakes.append(
                Mistake(name, "its closing digest does not match", "a comment was edited")
            )
    if mistakes:
        mistakes.append(
            Mistake(
                name,
                "edited by hand",
                f"restore it, or: fiducial lock {fields.get('environment', 'ENV')} --anew",
            )
        )
        raise Mistakes(mistakes, name)
    return Lock(
        environment=fields["environment"],
        python=fields["python"],
        definition=fields["definition"].removeprefix("sha256:"),
        inputs=inputs,
        packages=tuple(packages),
        sha256=sha256_bytes(data),
    )


def _header(text: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    fields: dict[str, str] = {}
    inputs: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            break
        label, _, value = line[2:].partition(": ")
        if label.startswith("input "):
            rows = tuple(value.split(_SEPARATOR)) if value else ()
            inputs[label.removeprefix("input ").rstrip(":")] = rows
        else:
            fields[label] = value
    return fields, inputs


def parse_packages(
    text: str, name: str, mistakes: list[Mistake], files: Mapping[str, str]
) -> tuple[list[LockedPackage], dict[str, int]]:
    """The entries of a hashed requirements file, and the line where each begins.

    ``files`` maps digests to file names; a digest that it lacks gets an empty name.
    """
    packages: list[LockedPackage] = []
    lines: dict[str, int] = {}
    rows = text.split("\n")
    number = 0
    while number < len(rows):
        start, row = number + 1, rows[number]
        number += 1
        if not row.strip() or row.startswith("#"):
            continue
        parts = [row]
        while parts[-1].endswith("\\") and number < len(rows):
            parts.append(rows[number])
            number += 1
        words = [part.removesuffix("\\").strip() for part in parts]
        package = _entry(words, f"{name}:{start}", mistakes, files)
        if package is not None:
            packages.append(package)
            lines[package.head] = start
    return packages, lines


def _entry(
    parts: list[str], where: str, mistakes: list[Mistake], files: Mapping[str, str]
) -> LockedPackage | None:
    if any(_ADDRESS.search(part) for part in parts):
        mistakes.append(Mistake(where, f"'{parts[0]}' holds an address", "a lock holds none"))
        return None
    head = _HEAD.match(parts[0])
    if head is None:
        mistakes.append(Mistake(where, f"'{parts[0]}' is not NAME==VERSION [; MARKER]"))
        return None
    marker = head["marker"] or ""
    try:
        if marker:
            Marker(marker)
    except InvalidMarker:
        mistakes.append(Mistake(where, f"{head['name']}: bad marker '{marker}'"))
    hashes = [_HASH.match(part) for part in parts[1:]]
    if not hashes or not all(hashes):
        mistakes.append(Mistake(where, f"{head['name']}: its hashes are missing or damaged"))
    return LockedPackage(
        canonicalize_name(head["name"]),
        head["version"],
        marker,
        {found[1]: files.get(found[1], "") for found in hashes if found},
    )


def _edited(
    text: str, name: str, packages: list[LockedPackage], lines: dict[str, int]
) -> list[Mistake]:
    """What the seals say was edited."""
    rows = (line[7:].rpartition(": ") for line in text.splitlines() if line.startswith("# seal "))
    seals = {head: seal for head, _, seal in rows}
    mistakes = []
    for package in packages:
        where = f"{name}:{lines[package.head]}"
        if package.head not in seals:
            mistakes.append(Mistake(where, f"{package.head} was added or its version edited"))
        elif seals[package.head] != package.seal:
            mistakes.append(Mistake(where, f"the hashes or files of {package.head} were edited"))
    present = {package.head for package in packages}
    gone = sorted(seals.keys() - present)
    mistakes += [Mistake(name, f"{head} was removed or its version edited") for head in gone]
    return mistakes
