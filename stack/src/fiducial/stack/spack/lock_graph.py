"""A ``spack.lock`` as a graph: its nodes, whom each depends on, and whether its hashes hold.

Spack's DAG hash of a node is the base-32 SHA-1 of its JSON without the hash itself; that JSON holds
the hashes of the dependencies, so every edit shows, and no node can depend on itself. The hashes of
nodes written before spec format 5 cannot be computed again, and are refused. Reads lock format 6
(Spack 1.x); imports nothing of Spack.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fiducial.stack.errors import InputError, Mistake, Mistakes, from_os_error
from fiducial.stack.files import sha256_bytes

FILE_TYPE = "spack-lockfile"
_OLDEST, _SPECFILE = 6, 5


@dataclass(frozen=True)
class Edge:
    """A dependency: on which node, of which types (build, link, run, test), as which virtuals."""

    name: str
    hash: str
    types: tuple[str, ...] = ()
    virtuals: tuple[str, ...] = ()
    direct: bool = False


@dataclass(frozen=True)
class Node:
    """One concrete package. ``content`` is what Spack hashed, without the dependencies."""

    name: str
    version: str
    hash: str
    content: Mapping[str, Any] = field(repr=False)
    edges: tuple[Edge, ...] = ()

    @property
    def label(self) -> str:
        """Name and version, as Spack writes them."""
        return f"{self.name}@{self.version}"

    @property
    def external(self) -> bool:
        """Whether the host brings it."""
        return "external" in self.content


@dataclass(frozen=True)
class SpackLock:
    """A parsed lock. ``roots`` maps the hash of each root to the spec that was asked for."""

    name: str
    sha256: str
    spack: str
    roots: Mapping[str, str]
    nodes: Mapping[str, Node] = field(repr=False)

    def users(self) -> dict[str, list[Node]]:
        """Who depends on each node, by its hash; those with the lowest name first."""
        found: dict[str, list[Node]] = {dag: [] for dag in self.nodes}
        for node in sorted(self.nodes.values(), key=lambda node: node.label):
            for dag in {edge.hash for edge in node.edges}:
                found[dag].append(node)
        return found

    def used(self) -> set[str]:
        """Hashes of what is linked or run: what is left when the build is over."""
        waiting, found = list(self.roots), set(self.roots)
        while waiting:
            for edge in self.nodes[waiting.pop()].edges:
                if edge.hash not in found and set(edge.types) & {"link", "run"}:
                    found.add(edge.hash)
                    waiting.append(edge.hash)
        return found


def node_hash(entry: Mapping[str, Any]) -> str:
    """Spack's DAG hash of a node as a lock holds it."""
    content = {key: value for key, value in entry.items() if key != "hash"}
    text = json.dumps(content, separators=(",", ":"))
    found = base64.b32encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest())
    dag = found.decode().lower()
    spliced = entry.get("build_spec")  # a spliced node ends like the one it was built as
    return dag[:-7] + str(spliced["hash"])[-7:] if spliced else dag


def read_spack_lock(path: Path) -> SpackLock:
    """The ``spack.lock`` at ``path``; refuses one that is absent, damaged or edited."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            f"no lock at {path}", None, f"make it with: spack -e {path.parent} concretize"
        ) from error
    except OSError as error:
        raise from_os_error(error, "read", path) from error
    return parse_spack_lock(data, str(path))


def parse_spack_lock(data: bytes, name: str) -> SpackLock:
    """The lock in ``data``; every node whose hash does not hold is named."""
    try:
        document = json.loads(data)
        kind, version = document["_meta"]["file-type"], document["_meta"]["lockfile-version"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{name} is not a spack.lock", str(error) or None) from error
    if kind != FILE_TYPE or not isinstance(version, int) or version < _OLDEST:
        raise InputError(
            f"{name} has format {kind} {version}",
            f"this program reads {FILE_TYPE} {_OLDEST} (Spack 1.0) and newer",
            "concretize anew",
        )
    try:
        entries, roots = dict(document["concrete_specs"]), list(document["roots"])
        for included in document.get("include_concrete", {}).values():
            entries |= included["concrete_specs"]
        mistakes: list[Mistake] = []
        nodes = {dag: _node(dag, entry, name, mistakes) for dag, entry in entries.items()}
        wanted = {root["hash"]: root["spec"] for root in roots}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{name} is damaged", f"{type(error).__name__}: {error}", "concretize anew"
        ) from error
    for node in nodes.values():
        for edge in node.edges:
            if edge.hash not in nodes:
                problem = f"depends on {edge.name} /{edge.hash[:7]}, which the lock lacks"
                mistakes.append(Mistake(f"{node.label} /{node.hash[:7]}", problem))
    for dag, spec in wanted.items():
        if dag not in nodes:
            mistakes.append(Mistake(f"root {spec}", f"/{dag[:7]} is not in the lock"))
    if mistakes:
        mistakes.append(Mistake(name, "edited or damaged", "restore it, or concretize anew"))
        raise Mistakes(mistakes, name)
    program = document.get("spack", {})
    spack = " ".join(str(program[key]) for key in ("version", "commit") if program.get(key))
    return SpackLock(name, sha256_bytes(data), spack or "unknown", wanted, nodes)


def _node(dag: str, entry: Mapping[str, Any], name: str, mistakes: list[Mistake]) -> Node:
    label = f"{entry['name']}@{entry['version']} /{dag[:7]}"
    written = entry.get("annotations", {}).get("original_specfile_version", _SPECFILE)
    found = node_hash(entry)
    if written < _SPECFILE:
        mistakes.append(
            Mistake(label, f"was written in spec format {written}: its hash cannot be checked")
        )
    elif not dag == entry["hash"] == found:
        given = dag if dag != found else entry["hash"]
        mistakes.append(Mistake(label, f"its hash says {given}, its content gives {found}"))
    edges = [_edge(row) for row in entry.get("dependencies", ())]
    if spliced := entry.get("build_spec"):
        edges.append(Edge(spliced["name"], spliced["hash"], ("splice",)))
    dropped = ("hash", "dependencies", "build_spec")
    content = {key: value for key, value in entry.items() if key not in dropped}
    return Node(entry["name"], entry["version"], dag, content, tuple(edges))


def _edge(row: Mapping[str, Any]) -> Edge:
    how = row["parameters"]
    types, virtuals = tuple(how["deptypes"]), tuple(how["virtuals"])
    return Edge(row["name"], row["hash"], types, virtuals, bool(how.get("direct")))
