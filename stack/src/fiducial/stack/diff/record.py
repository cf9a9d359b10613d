"""The answer of ``fiducial diff --json``: docs/formats/diff.md describes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from fiducial.stack.diff.changes import Comparison, PackageChange
from fiducial.stack.spack.lock_diff import ChangedNode, LockDiff
from fiducial.stack.spack.lock_graph import Node, SpackLock

FORMAT = 1


def to_record(found: Comparison | LockDiff) -> dict[str, Any]:
    """A comparison as plain data; the keys of the first block are always there."""
    return _spack(found) if isinstance(found, LockDiff) else _common(found)


def _common(found: Comparison) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": found.kind,
        "identical": found.identical,
        "before": found.before,
        "after": found.after,
        "inputs": {name: list(pair) for name, pair in found.inputs.items()},
        "packages": [_package(change) for change in found.packages],
        "files": [dataclasses.asdict(change) for change in found.files],
        "downgrades": [
            {"name": row.name, "before": row.before, "after": row.after, "user": None}
            for row in found.downgrades
        ],
        "notes": list(found.notes),
    }


def _package(change: PackageChange) -> dict[str, Any]:
    return {**dataclasses.asdict(change), "downgraded": change.downgraded}


def _spack(found: LockDiff) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "spack locks",
        "identical": found.identical,
        "before": found.before.name,
        "after": found.after.name,
        "inputs": {"spack": list(found.spack)} if found.spack else {},
        "packages": sorted(
            [
                *(_changed(found, row) for row in found.changed),
                *_only("removed", found.removed, found.before),
                *_only("added", found.added, found.after),
            ],
            key=lambda row: (row["name"], row["kind"], row["hash"][1] or "", row["hash"][0] or ""),
        ),
        "files": [],
        "downgrades": [dataclasses.asdict(row) for row in found.downgrades],
        "notes": [],
        "roots": [
            {"name": row.field, "before": row.before, "after": row.after} for row in found.roots
        ],
        "hashes": {
            "before": len(found.before.nodes),
            "after": len(found.after.nodes),
            "changed": len(found.changed),
            "added": len(found.added),
            "removed": len(found.removed),
        },
        "causes": [
            {
                "packages": [node.label for node in cause.packages],
                "changes": [dataclasses.asdict(change) for change in cause.changes],
                "hashes": len(cause.reaches),
            }
            for cause in found.causes
        ],
    }


def _changed(found: LockDiff, row: ChangedNode) -> dict[str, Any]:
    kinds = {change.kind for index in row.causes for change in found.causes[index].changes}
    return {
        "name": row.after.name,
        "kind": "changed",
        "before": row.before.version,
        "after": row.after.version,
        "causes": sorted(kinds),
        "why": "; ".join(map(str, row.changes)) or "a dependency moved",
        "files": [],
        "downgraded": row.downgraded,
        "hash": [row.before.hash, row.after.hash],
        "changes": [dataclasses.asdict(change) for change in row.changes],
        "because": [
            {"cause": index, "path": [node.label for node in found.path(row, index)]}
            for index in row.causes
        ],
    }


def _only(kind: str, nodes: Iterable[Node], lock: SpackLock) -> Iterable[dict[str, Any]]:
    users = lock.users()
    for node in nodes:
        before, after = (node, None) if kind == "removed" else (None, node)
        needed = [user.label for user in users[node.hash]]
        yield {
            "name": node.name,
            "kind": kind,
            "before": before.version if before else None,
            "after": after.version if after else None,
            "causes": ["root" if node.hash in lock.roots else "dependency"],
            "why": "asked for" if node.hash in lock.roots else f"needed by {', '.join(needed)}",
            "files": [],
            "downgraded": False,
            "hash": [before.hash if before else None, after.hash if after else None],
            "changes": [],
            "because": [],
        }
