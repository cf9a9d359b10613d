"""What a source mirror really holds, against what its index says: every digest is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fiducial.stack.errors import from_os_error
from fiducial.stack.files import sha256_file
from fiducial.stack.spack.mirror_layout import MirrorIndex, Source, walk_mirror


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the index says.

    ``kind``: missing, corrupt, link, superfluous; absent for a package no file of which is known.
    """

    kind: str
    path: str
    label: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.label or self.path} ({self.detail})"

    def to_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "path": self.path, "label": self.label, "detail": self.detail}


@dataclass(frozen=True)
class MirrorState:
    """Sizes of the files that are right, and everything that is not right."""

    sizes: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def bytes(self) -> int:
        """How much the right files hold."""
        return sum(self.sizes.values())


def inspect_files(
    folder: Path, sources: Iterable[Source], advance: Callable[[], None] = lambda: None
) -> MirrorState:
    """Read every file of ``sources`` and hold it to its digest."""
    rows = list(sources)
    sizes: dict[str, int] = {}
    findings: list[Finding] = []
    with ThreadPoolExecutor(4, thread_name_prefix="digest") as pool:
        for source, found in zip(rows, pool.map(lambda row: _look(folder, row), rows), strict=True):
            if isinstance(found, Finding):
                findings.append(found)
            else:
                sizes[source.path] = found
            advance()
    return MirrorState(sizes, tuple(findings))


def _look(folder: Path, source: Source) -> int | Finding:
    """The size of a file that is right; what is wrong with one that is not."""
    path = folder / source.path
    try:
        if path.is_symlink() or not path.is_file():
            there = path.is_symlink() or path.exists()
            detail = "it is no regular file" if there else f"no {source.path}"
            return Finding("corrupt" if there else "missing", source.path, source.label, detail)
        size, digest = path.stat().st_size, sha256_file(path)
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    if digest == source.sha256:
        return size
    detail = f"{source.path} has SHA-256 {digest[:12]}…"
    if source.size is not None and size != source.size:
        detail = f"{source.path} has {size} of {source.size} bytes"
    return Finding("corrupt", source.path, source.label, detail)


def inspect_mirror(
    folder: Path, index: MirrorIndex, advance: Callable[[], None] = lambda: None
) -> MirrorState:
    """Files, readable names, and what lies there that the index does not know."""
    files = inspect_files(folder, index.files.values(), advance)
    findings = list(files.findings)
    aliases = {alias: row for row in index.files.values() for alias in row.aliases}
    for alias, source in sorted(aliases.items()):
        link = folder / alias
        if not link.is_symlink() or link.resolve() != (folder / source.path).resolve():
            detail = f"it does not lead to {source.path}"
            findings.append(Finding("link", alias, "", detail))
    known = index.files.keys() | aliases.keys()
    for path in walk_mirror(folder):
        if path not in known:
            findings.append(Finding("superfluous", path, "", "the index does not know it"))
    return MirrorState(files.sizes, tuple(findings))
