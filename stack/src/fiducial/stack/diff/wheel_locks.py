"""What differs between two wheel locks, and which input moved each package.

A lock repeats the inputs that it was resolved from. An input that names a package and moved is
its cause; a package that no such input names follows from the others, and where no input moved
at all, the package index offered other files or versions than before.
"""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from fiducial.stack.diff.changes import Comparison, FileChange, PackageChange
from fiducial.stack.lock import InputMove, compare_inputs
from fiducial.stack.lock_resolve import compare
from fiducial.stack.lockfile import Lock

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def diff_wheel_locks(before: Lock, after: Lock, names: tuple[str, str]) -> Comparison:
    """Compare two wheel locks; ``names`` are what to call them."""
    moves = compare_inputs(before.inputs, after.inputs)
    inputs = {move.label: (_rows(move.removed), _rows(move.added)) for move in moves}
    if before.environment != after.environment:
        inputs["environment"] = before.environment, after.environment
    packages = []
    for change in compare(before.packages, after.packages):
        causes, why = _why(change.name, moves)
        packages.append(
            PackageChange(
                name=change.name,
                kind=change.kind,
                before=change.before or None,
                after=change.after or None,
                causes=causes,
                why=why,
                files=_wheels(before, after, change.name),
            )
        )
    return Comparison("wheel locks", *names, inputs, tuple(packages))


def _why(package: str, moves: list[InputMove]) -> tuple[tuple[str, ...], str]:
    named = [part for move in moves if (part := _about(package, move)) is not None]
    if named:
        return tuple(dict.fromkeys(map(_cause, named))), "; ".join(map(str, named))
    if moves:
        return ("lock",), "resolved anew with the inputs that moved"
    return ("index",), "no input moved: the index offered others, or it was upgraded"


def _about(package: str, move: InputMove) -> InputMove | None:
    """What of an input's move names ``package``."""

    def named(rows: tuple[str, ...]) -> tuple[str, ...]:
        found = ((row, _NAME.match(row)) for row in rows)
        return tuple(row for row, name in found if name and canonicalize_name(name[0]) == package)

    added, removed = named(move.added), named(move.removed)
    return InputMove(move.label, added, removed) if added or removed else None


def _cause(move: InputMove) -> str:
    if move.label.startswith("fiducial-"):
        return "component"
    return {"pins.yaml": "pin", "python": "interpreter"}.get(move.label, "environment")


def _rows(rows: tuple[str, ...]) -> str:
    return ", ".join(rows) or "none"


def _wheels(before: Lock, after: Lock, name: str) -> tuple[FileChange, ...]:
    old, new = (
        {file: digest for row in lock.packages if row.name == name
         for digest, file in row.wheels.items()}
        for lock in (before, after)
    )  # fmt: skip
    kinds = [(file, "removed") for file in old.keys() - new.keys()]
    kinds += [(file, "added") for file in new.keys() - old.keys()]
    kinds += [(file, "changed") for file in old.keys() & new.keys() if old[file] != new[file]]
    return tuple(FileChange(file, kind) for file, kind in sorted(kinds))
