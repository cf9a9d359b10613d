"""The event data model of two versions of a component, compared in its YAML.

Event files hold a type's members under their names, so what is taken away, retyped or given
another unit breaks every file that was written before, whether or not somebody in the stack
names it; who does is told too. New types and members, and changed defaults and words, break
nothing. The grammar is that of docs/formats/edm-model.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fiducial.stack.overlay.findings import Finding, Place
from fiducial.stack.overlay.usage import Text, Use

_MEMBER = re.compile(r"^\s*(?P<type>std::array<[^>]*>|[\w:]+)\s+(?P<name>\w+)\s*(?P<rest>.*)$")
_LISTS = ("Members", "VectorMembers", "OneToOneRelations", "OneToManyRelations")


@dataclass(frozen=True)
class Member:
    """A member or relation of a type: what files depend on."""

    kind: str
    type: str
    unit: str


Types = dict[str, dict[str, Member]]


def read_models(files: Mapping[str, Path]) -> tuple[Types, dict[str, Any]]:
    """The types in the model files among ``files``, and each file's schema version."""
    types: Types = {}
    versions: dict[str, Any] = {}
    for name, path in files.items():
        try:
            data = yaml.safe_load(path.read_bytes())
        except (yaml.YAMLError, UnicodeDecodeError):
            continue  # no model that anything could read
        if not isinstance(data, dict) or "schema_version" not in data:
            continue
        versions[name] = data["schema_version"]
        for section in ("components", "datatypes", "interfaces", "links"):
            for type_name, body in (data.get(section) or {}).items():
                types[str(type_name)] = dict(_members(body if isinstance(body, dict) else {}))
    return types, versions


def _members(body: dict[str, Any]) -> Iterator[tuple[str, Member]]:
    for kind in _LISTS:
        for row in body.get(kind) or ():
            text = str(row).partition("//")[0]
            found = _MEMBER.match(text)
            if found:
                unit = re.search(r"\[([^\]]*)\]", found["rest"])
                type_name = found["type"].replace(" ", "")
                yield found["name"], Member(kind, type_name, unit[1].strip() if unit else "")
    for end in ("From", "To"):
        if end in body:
            yield end.lower(), Member("link", str(body[end]), "")
    if "Types" in body:
        yield "types", Member("interface", ", ".join(sorted(map(str, body["Types"]))), "")


def compare_schemas(
    component: str, old: Mapping[str, Path], new: Mapping[str, Path],
    uses: list[Use], texts: list[Text],
) -> Iterator[Finding]:  # fmt: skip
    """Changes of the data model between the YAML files ``old`` and ``new``."""
    before, old_versions = read_models(old)
    after, new_versions = read_models(new)
    broken = 0
    for name in sorted(before.keys() | after.keys()):
        for member, what, breaks in _changed(before.get(name), after.get(name)):
            label = f"{name}.{member}" if member else name
            broken += breaks
            places = tuple(_places(name, member, uses, texts)) if breaks else ()
            yield Finding("schema", component, label, what, breaks, places)
    raised = any(new_versions.get(name, was) != was for name, was in old_versions.items())
    if broken and not raised:
        what = "a type changed and no schema_version was raised: readers cannot tell files apart"
        yield Finding("schema", component, "schema_version", what, broken=True)


def _changed(
    before: dict[str, Member] | None, after: dict[str, Member] | None
) -> Iterator[tuple[str, str, bool]]:
    if before is None or after is None:
        yield ("", "new type", False) if before is None else ("", "type removed", True)
        return
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None:
            yield name, "new member", False
        elif now is None:
            yield name, "member removed", True
        elif (was.kind, was.type) != (now.kind, now.type):
            kind = "" if was.kind == now.kind else f" ({was.kind} -> {now.kind})"
            yield name, f"type changed: {was.type} -> {now.type}{kind}", True
        elif was.unit != now.unit:
            yield name, f"unit changed: [{was.unit}] -> [{now.unit}]", True


def _places(name: str, member: str, uses: list[Use], texts: list[Text]) -> Iterator[Place]:
    """Where a dependent names the type (its class or its name in files) or the member."""
    bare = name.rpartition("::")[2]
    seen = set()
    for use in uses:
        last = use.name.rpartition(".")[2]
        hit = use.member and use.name == member if member else last == f"{bare}Collection"
        if hit and (use.path, use.line) not in seen:
            seen.add((use.path, use.line))
            yield Place(use.package, use.path, use.line, None, use.member)
    for text in texts:
        hit = text.value.partition(".")[0] == member if member else text.value == name
        if hit and (text.path, text.line) not in seen:
            seen.add((text.path, text.line))
            yield Place(text.package, text.path, text.line, f"names '{text.value}'", bool(member))
