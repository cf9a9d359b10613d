"""How ``fiducial diff`` prints what it found, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fiducial.stack.diff.changes import Comparison, FileChange, PackageChange
from fiducial.stack.spack.lock_diff import Cause, ChangedNode, LockDiff
from fiducial.stack.spack.lock_graph import Node, SpackLock

_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_FILES = {"stacks": "files", "wheel locks": "wheels"}


def comparison_lines(found: Comparison, every: bool) -> Iterator[str]:
    """Stacks, wheel locks, or versions; ``every`` names every file that differs."""
    if found.identical:
        same = "have the same versions" if found.kind == "versions" else "are identical"
        yield f"{found.before} and {found.after} {same}"
        yield from found.notes
        return
    yield f"{found.before} -> {found.after}"
    for name, (old, new) in found.inputs.items():
        yield f"  {name}: {old} -> {new}"
    for change in found.packages:
        yield _package(change, _FILES.get(found.kind))
        yield from _files(change.files, every) if found.kind == "stacks" or every else ()
    if found.files:
        yield f"~ files of the stack itself ({len(found.files)})"
        yield from _files(found.files, every)
    yield from found.notes
    if found.downgrades:
        yield f"{_count(len(found.downgrades), 'downgrade')}:"
        yield from (f"  {row.name} {row.before} -> {row.after}" for row in found.downgrades)


def _package(change: PackageChange, files: str | None) -> str:
    versions = " -> ".join(dict.fromkeys(v for v in (change.before, change.after) if v))
    line = f"{_MARKS[change.kind]} {change.name} {versions}: {change.why}"
    return f"{line} ({len(change.files)} {files})" if files else line


def _files(changes: Sequence[FileChange], every: bool) -> Iterator[str]:
    sources = [change for change in changes if "/__pycache__/" not in change.path]
    shown = changes if every else sources[:5]
    yield from (f"    {_MARKS[change.kind]} {change.path}" for change in shown)
    if len(shown) < len(changes):
        yield f"    … and {len(changes) - len(shown)} more (--verbose names them)"


def spack_lines(found: LockDiff, every: bool) -> Iterator[str]:
    """Two Spack locks; ``every`` names every changed package with the way of each cause to it."""
    if found.identical:
        yield f"{found.before.name} and {found.after.name} are identical"
        return
    yield f"{found.before.name} -> {found.after.name}"
    if found.spack:
        yield f"  concretized by Spack {found.spack[0]} -> {found.spack[1]}"
    for root in found.roots:
        yield f"  asked for: {root.before or 'nothing'} -> {root.after or 'nothing'}"
    changed, total = len(found.changed), len(found.after.nodes)
    if changed:
        causes = _count(len(found.causes), "cause")
        yield f"{changed} of {_count(total, 'hash', 'es')} changed, because of {causes}:"
        yield f"{'hashes':>8}  cause"
        yield from (f"{len(row.reaches):>8}  {cause_text(row)}" for row in found.causes)
    else:
        yield f"no hash changed: {total} packages"
    for kind, nodes, lock in (
        ("added", found.added, found.after),
        ("removed", found.removed, found.before),
    ):
        if nodes:
            yield f"{len(nodes)} {kind}:"
            yield from _only(_MARKS[kind], nodes, lock)
    if found.downgrades:
        yield f"{_count(len(found.downgrades), 'downgrade')}:"
        for row in found.downgrades:
            whose = f" (what {row.user} depends on)" if row.user else ""
            yield f"  {row.name} {row.before} -> {row.after}{whose}"
    if changed and every:
        yield f"{changed} changed:"
        for node in found.changed:
            yield from _changed(found, node)
    elif changed:
        yield "--verbose names every changed package, and the way of each cause to it"


def cause_text(cause: Cause) -> str:
    """A cause in a line: which package, and what of it moved."""
    changes = "; ".join(map(str, cause.changes))
    names = list(dict.fromkeys(node.name for node in cause.packages))
    if len(cause.packages) == 1 and cause.changes[0].kind != "provider":
        return f"{names[0]}: {changes}"
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{changes}, in {some}"


def _changed(found: LockDiff, row: ChangedNode) -> Iterator[str]:
    versions = " -> ".join(dict.fromkeys((row.before.version, row.after.version)))
    yield f"  ~ {row.after.name} {versions}  {row.before.hash[:7]} -> {row.after.hash[:7]}"
    for index in row.causes:
        way = " > ".join(node.name for node in found.path(row, index))
        yield f"      {way}: {'; '.join(map(str, found.causes[index].changes))}"


def _only(mark: str, nodes: Sequence[Node], lock: SpackLock) -> Iterator[str]:
    users = lock.users()
    for node in nodes:
        names = [user.name for user in users[node.hash]]
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        asked = "asked for" if node.hash in lock.roots else f"needed by {some}"
        yield f"  {mark} {node.name} {node.version} ({asked})"


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"
