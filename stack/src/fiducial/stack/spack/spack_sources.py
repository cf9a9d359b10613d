"""Sources that only Spack itself can name and fetch: by its own ``mirror create``, set aside.

Spack fills a scratch folder, where a second run finds what a killed one left; every file is then
held to the digest that its name carries. What is new among the files of Python packages is
learned: with its digest kept, the next mirror needs no Spack for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fiducial.stack.errors import EnvironmentProblem, StackError
from fiducial.stack.files import sha256_file
from fiducial.stack.spack.index_addresses import find_addresses_of
from fiducial.stack.spack.lock_graph import Node
from fiducial.stack.spack.mirror_layout import ARCHIVES, Source, mirror_source
from fiducial.stack.spack.program import Spack

_FAILED = re.compile(r"Error while fetching (\S+@\S+)(.*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class SpackFiles:
    """What came (source, where it lies now), and why some packages did not."""

    files: tuple[tuple[Source, Path], ...]
    done: tuple[str, ...]
    failed: dict[str, str]


def fetch_with_spack(
    spack: Spack,
    environment: Path,
    nodes: Sequence[Node],
    scratch: Path,
    advance: Callable[[str], None] = lambda line: None,
) -> SpackFiles:
    """Let Spack fetch the files of ``nodes`` of ``environment`` to ``scratch``.

    Packages that could not be fetched are in the answer; anything else that goes wrong is raised.
    """
    failed: dict[str, str] = {}
    said: list[str] = []

    def watch(line: str) -> None:
        said.append(line)
        if "Adding package" in line:
            advance(line)
        if found := _FAILED.search(line):
            failed[found[1]] = found[2].strip(" :")

    hashes = [f"/{node.hash}" for node in nodes]
    command = ["mirror", "create", "-j", "4", "-d", str(scratch), *hashes]
    try:
        action = f"fetch the sources of {len(nodes)} packages"
        spack.run(*command, environment=environment, action=action, on_line=watch)
    except StackError:
        if not failed:
            raise
    labels = tuple(node.label for node in nodes if node.label not in failed)
    return SpackFiles(tuple(_collect(scratch, nodes)), labels, failed)


def _collect(scratch: Path, nodes: Sequence[Node]) -> list[tuple[Source, Path]]:
    versions = {node.name: node.version for node in nodes}
    aliases: dict[Path, list[str]] = {}
    for path in sorted(scratch.rglob("*")):
        if path.is_symlink() and path.resolve().is_relative_to(scratch.resolve()):
            alias = path.relative_to(scratch).as_posix()
            aliases.setdefault(path.resolve(), []).append(alias)
    found = []
    for path in sorted(scratch.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        place, digest = path.relative_to(scratch).as_posix(), sha256_file(path)
        named = path.name.split(".")[0]
        if place.startswith(ARCHIVES) and _SHA256.fullmatch(named) and named != digest:
            path.unlink()
            raise EnvironmentProblem(
                f"a file that Spack fetched is not what its name says: {place}",
                f"its SHA-256 is {digest}",
                "run it again: the file was removed",
            )
        names = aliases.get(path.resolve(), [] if place.startswith("_source-cache") else [place])
        package = PurePosixPath(names[0]).parts[0] if names else "unknown"
        source = Source(
            package=package,
            version=versions.get(package, "unknown"),
            filename=PurePosixPath(names[0]).name if names else path.name,
            sha256=digest,
            origin="spack",
            path=place,
            aliases=tuple(name for name in names if name != place),
            size=path.stat().st_size,
        )
        found.append((source, path))
    return found


def learn(files: Sequence[Source]) -> dict[str, Source]:
    """Files that the package index has too, by label, under the names that it gives them."""
    single: dict[str, list[Source]] = {}
    for source in files:
        single.setdefault(source.label, []).append(source)
    rows = {
        label: found[0]
        for label, found in single.items()
        if len(found) == 1 and found[0].package.startswith("py-")
    }
    names = {(row.package.removeprefix("py-"), row.version) for row in rows.values()}
    addresses = find_addresses_of(sorted(names))
    learned = {}
    for label, row in rows.items():
        if address := addresses.get(row.sha256):
            learned[label] = mirror_source(
                row.package, row.version, address.filename, row.sha256, row.extension, "index"
            )
    return learned
