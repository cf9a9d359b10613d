"""Spack locks made by hand: any graph of packages, with the hashes that Spack would give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fiducial.stack.spack.lock_graph import SpackLock, node_hash, parse_spack_lock


@dataclass
class Package:
    """A node to be: ``needs`` maps keys of other packages to the virtuals they provide to it."""

    name: str
    version: str = "1.0"
    recipe: str = "r0"
    namespace: str = "builtin"
    target: str = "x86_64"
    variants: dict[str, Any] = field(default_factory=dict)
    external: str | None = None
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)


def make_entries(packages: Mapping[str, Package]) -> dict[str, dict[str, Any]]:
    """Entries of ``concrete_specs`` by the keys of ``packages``, which form no cycle."""
    entries: dict[str, dict[str, Any]] = {}

    def entry(key: str) -> dict[str, Any]:
        if key not in entries:
            package = packages[key]
            made: dict[str, Any] = {
                "name": package.name,
                "version": package.version,
                "arch": {"platform": "linux", "platform_os": "test1", "target": package.target},
                "namespace": package.namespace,
                "parameters": {"build_system": "generic", **package.variants, "cflags": []},
            }
            if package.external:
                made["external"] = {"path": package.external, "module": None}
            made["package_hash"] = package.recipe
            if package.needs:
                made["dependencies"] = [
                    {
                        "name": packages[other].name,
                        "hash": entry(other)["hash"],
                        "parameters": {"deptypes": ["build", "link"], "virtuals": list(virtuals)},
                    }
                    for other, virtuals in sorted(package.needs.items())
                ]
            made["annotations"] = {"original_specfile_version": 5}
            entries[key] = {**made, "hash": node_hash(made)}
        return entries[key]

    for key in packages:
        entry(key)
    return entries


def lock_bytes(packages: Mapping[str, Package], roots: Iterable[str] = ()) -> bytes:
    """A ``spack.lock``; ``roots`` are keys of ``packages``."""
    entries = make_entries(packages)
    document = {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5},
        "spack": {"version": "1.1.0", "type": "git", "commit": "c0ffee"},
        "roots": [{"hash": entries[key]["hash"], "spec": packages[key].name} for key in roots],
        "concrete_specs": {row["hash"]: row for row in entries.values()},
    }
    return json.dumps(document).encode()


def make_lock(packages: Mapping[str, Package], roots: Iterable[str] = ()) -> SpackLock:
    """The same, parsed."""
    return parse_spack_lock(lock_bytes(packages, roots), "made.lock")
