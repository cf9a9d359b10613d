"""What of a node itself moved between two locks, its dependencies' hashes left aside.

A change has a kind, the field that moved, and its two values. Its version stands for its recipe:
where the version moved the recipe's digest moves with it, and is not listed again. Another
provider of a virtual package is one change of kind ``provider``, and not two of dependencies.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from fiducial.stack.spack.lock_graph import Edge, Node, SpackLock

FLAGS = frozenset({"cflags", "cppflags", "cxxflags", "fflags", "ldflags", "ldlibs"})
SHARED = frozenset({"platform", "os", "target", "repository", "variant", "flags", "provider"})
"""Kinds that are one cause where they are the same in several packages."""


@dataclass(frozen=True, order=True)
class Change:
    """One attribute that moved. ``None`` stands for: there was none, or there is none."""

    kind: str
    field: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        was, now = self.before or "none", self.after or "none"
        match self.kind:
            case "version":
                return f"{was} -> {now}"
            case "recipe":
                return "recipe changed"
            case "format":
                return "written in another form, with the same content"
            case "dependency" if self.before is None:
                return f"depends on {self.field} ({now})"
            case "dependency" if self.after is None:
                return f"no longer depends on {self.field}"
            case "variant" if {was, now} == {"true", "false"}:
                signs = {"true": "+", "false": "~"}
                return f"{signs[was]}{self.field} -> {signs[now]}{self.field}"
            case "variant" | "flags":
                return f"{self.field}={was} -> {self.field}={now}"
            case "use":
                return f"uses {self.field} for {was} -> {now}"
            case "external" if self.field == "path":
                return f"external {was} -> {now}"
            case _:
                what = f"{self.kind} {self.field}".strip()
                return f"{what}: {was} -> {now}"


def own_changes(
    one: Node, other: Node, locks: tuple[SpackLock, SpackLock], pairs: Mapping[str, str]
) -> list[Change]:
    """What moved in the node itself, and in which packages it depends on."""
    old, new = dict(_attributes(one)), dict(_attributes(other))
    if one.version != other.version or old["repository", ""] != new["repository", ""]:
        for row in (old, new):
            row.pop(("recipe", ""), None)
    changes = [
        Change(kind, field, old.get((kind, field)), new.get((kind, field)))
        for kind, field in sorted(old.keys() | new.keys())
        if old.get((kind, field)) != new.get((kind, field))
    ]
    return changes + _dependencies(one, other, locks, pairs)


def _attributes(node: Node) -> Iterator[tuple[tuple[str, str], str]]:
    for key, value in node.content.items():
        match key:
            case "name":
                pass
            case "version":
                yield ("version", ""), str(value)
            case "namespace":
                yield ("repository", ""), str(value)
            case "package_hash":
                yield ("recipe", ""), str(value)
            case "arch":
                for part, text in value.items():
                    yield (part.removeprefix("platform_"), ""), _text(_name(text))
            case "parameters":
                for field, setting in value.items():
                    yield (_parameter(field), field), _text(setting)
            case "external":
                for field, setting in value.items():
                    if setting:  # no module, no extra attribute: nothing to say
                        yield ("external", field), _text(setting)
            case "patches":
                yield ("patches", "order"), _text(value)
            case _:
                yield ("other", key), _text(value)
    if "namespace" not in node.content:
        yield ("repository", ""), ""


def _parameter(field: str) -> str:
    if field in FLAGS:
        return "flags"
    return {"dev_path": "source", "commit": "source", "patches": "patches"}.get(field, "variant")


def _name(target: Any) -> Any:
    return target["name"] if isinstance(target, dict) and "name" in target else target


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value) if value else "none"
    return json.dumps(value, sort_keys=True)


def _dependencies(
    one: Node, other: Node, locks: tuple[SpackLock, SpackLock], pairs: Mapping[str, str]
) -> list[Change]:
    old, new = _edges(one), _edges(other)
    changes, swapped, virtuals = _providers(one, other, locks)
    for name in sorted((old.keys() | new.keys()) - swapped):
        was, now = list(old.get(name, [])), list(new.get(name, []))
        for edge in list(was):  # the same dependency before and after, also where it moved itself
            match = next((row for row in now if pairs.get(edge.hash) == row.hash), None)
            if match is not None:
                was.remove(edge)
                now.remove(match)
                if (how := _how(edge, virtuals)) != (becomes := _how(match, virtuals)):
                    changes.append(Change("use", name, how, becomes))
        for edge, match in zip_longest(was, now):  # others of the same name
            before = _label(locks[0], edge, match) if edge else None
            after = _label(locks[1], match, edge) if match else None
            changes.append(Change("dependency", name, before, after))
    return changes


def _providers(
    one: Node, other: Node, locks: tuple[SpackLock, SpackLock]
) -> tuple[list[Change], set[str], set[str]]:
    """Changes of providers, the names they account for wholly, and the virtual packages."""
    old = {virtual: edge for edge in one.edges for virtual in edge.virtuals}
    new = {virtual: edge for edge in other.edges for virtual in edge.virtuals}
    moved: dict[tuple[str, str], list[str]] = defaultdict(list)
    swapped: set[str] = set()
    for virtual in sorted(old.keys() & new.keys()):
        if old[virtual].name != new[virtual].name:
            values = _label(locks[0], old[virtual]), _label(locks[1], new[virtual])
            moved[values].append(virtual)
            swapped |= {old[virtual].name, new[virtual].name}
    both = {edge.name for edge in one.edges} & {edge.name for edge in other.edges}
    changes = [Change("provider", ", ".join(row), *values) for values, row in moved.items()]
    return changes, swapped - both, {virtual for row in moved.values() for virtual in row}


def _edges(node: Node) -> dict[str, list[Edge]]:
    found: dict[str, list[Edge]] = defaultdict(list)
    for edge in node.edges:
        found[edge.name].append(edge)
    return found


def _how(edge: Edge, without: set[str]) -> str:
    virtuals = [name for name in edge.virtuals if name not in without]
    parts = [", ".join(edge.types)]
    parts += [f"as {', '.join(virtuals)}"] if virtuals else []
    return " ".join([*parts, *(["directly"] if edge.direct else [])])


def _label(lock: SpackLock, edge: Edge, beside: Edge | None = None) -> str:
    node = lock.nodes[edge.hash]
    return f"{node.label} /{edge.hash[:7]}" if beside is not None else node.label
