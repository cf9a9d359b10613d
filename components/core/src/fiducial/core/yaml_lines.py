"""YAML with the line of every key and item kept.

Reads the core schema of YAML 1.2, which a physicist expects, where PyYAML's default is 1.1:
``on``, ``off``, ``yes``, ``no`` are text (Pythia's settings need that), ``1e-3`` is a number,
``12:30`` and ``2026-01-01`` are text, ``0o17`` is octal and ``017`` is seventeen. One document
a file. Anchors and aliases work; merge keys (``<<``), tags, duplicate keys and keys that are
not text are mistakes. Nothing but plain data is ever constructed. A file is limited to 16 MiB
and, with its aliases followed, to a million values, so that no small file fills the memory.

All mistakes of a file that can be found are found at once. A syntax error ends the reading.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from fiducial.core.errors import Mistake, Mistakes

__all__ = ["Location", "MappedYaml", "dotted", "read_yaml"]

Location = tuple[str | int, ...]
"""Where a value stands: ``("steps", 0, "use")``."""

MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 1_000_000
MAX_DEPTH = 100

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"


class _CoreSchemaLoader(_Base):  # type: ignore[misc]
    """Resolves plain scalars by the YAML 1.2 core schema (section 10.3.2)."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012


CORE_SCHEMA: list[tuple[str, re.Pattern[str], list[str]]] = []
"""Tag, pattern and possible first characters of the plain scalars that are not text."""

for _kind, _pattern, _first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
]:
    CORE_SCHEMA.append((_TAG + _kind, re.compile(rf"^(?:{_pattern})$"), _first))
    _CoreSchemaLoader.add_implicit_resolver(*CORE_SCHEMA[-1])


@dataclass(frozen=True)
class MappedYaml:
    """A document's data and the line (from 1) of every key and list item."""

    name: str
    data: Any
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """The line of ``location``, or of the nearest enclosing value that has one."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def where(self, location: Location) -> str:
        """``file:line: dotted.key`` of a location."""
        place = f"{self.name}:{self.line(location)}"
        return f"{place}: {dotted(location)}" if location else place


def dotted(location: Location) -> str:
    """``steps[0].use`` for ``("steps", 0, "use")``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(text: str, name: str = "<string>") -> MappedYaml:
    """The data of one YAML document, with its lines; raises :class:`Mistakes`."""
    if len(text) > MAX_BYTES:
        raise Mistakes([Mistake(name, f"{len(text)} characters: more than {MAX_BYTES}")], name)
    loader = None
    try:
        _refuse_deep_nesting(text, name)
        loader = _CoreSchemaLoader(text)
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        raise Mistakes([_syntax_mistake(error, name, text)], name) from None
    finally:
        if loader is not None:
            loader.dispose()
    if node is None:
        raise Mistakes([Mistake(name, "the file is empty", "expected keys and values")], name)
    reader = _Reader(name)
    data = reader.read(node, ())
    if reader.mistakes:
        raise Mistakes(reader.mistakes, name)
    return MappedYaml(name, data, reader.lines)


def _refuse_deep_nesting(text: str, name: str) -> None:
    """Composing recurses on the C stack, so that a deep nest would end the process."""
    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise Mistakes(
                    [Mistake(f"{name}:{line}", f"nested more than {MAX_DEPTH} deep")], name
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_mistake(error: yaml.YAMLError, name: str, text: str) -> Mistake:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None)
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    column = f", column {mark.column + 1}" if mark is not None else ""
    detail = f"{context}, {problem}" if context else str(problem)
    hint = None
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines) and lines[mark.line].lstrip(" ")[:1] == "\t":
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in detail:
        hint = "check the indentation, and quote a text that holds ': '"
    return Mistake(where, f"not valid YAML ({detail}{column})", hint)


class _Reader:
    """Turns PyYAML's node graph into plain data, and notes lines and mistakes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Location, int] = {}
        self.mistakes: list[Mistake] = []
        self.values = 0
        self.open: set[int] = set()

    def mistake(self, node: Any, location: Location, problem: str, hint: str | None = None) -> None:
        where = f"{self.name}:{node.start_mark.line + 1}"
        if location:
            where += f": {dotted(location)}"
        self.mistakes.append(Mistake(where, problem, hint))

    def read(self, node: Any, location: Location) -> Any:
        self.lines.setdefault(location, node.start_mark.line + 1)
        self.values += 1
        if self.values > MAX_VALUES:
            raise Mistakes([Mistake(self.name, f"more than {MAX_VALUES} values")], self.name)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, location)
        if id(node) in self.open:
            self.mistake(node, location, "an alias refers to what encloses it")
            return None
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, location)
            return self._mapping(node, location)
        finally:
            self.open.discard(id(node))

    def _sequence(self, node: Any, location: Location) -> list[Any]:
        if node.tag != _TAG + "seq":
            self.mistake(node, location, f"the tag {node.tag} is not supported", "remove it")
        return [self.read(item, (*location, i)) for i, item in enumerate(node.value)]

    def _mapping(self, node: Any, location: Location) -> dict[str, Any]:
        if node.tag != _TAG + "map":
            self.mistake(node, location, f"the tag {node.tag} is not supported", "remove it")
        data: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                self.mistake(
                    key_node, location, "merge keys (<<) are not supported", "write the keys out"
                )
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.mistake(key_node, location, "a key must be text")
                continue
            key = key_node.value
            here = (*location, key)
            line = key_node.start_mark.line + 1
            if key in first:
                self.mistake(key_node, here, f"the key is given twice, first in line {first[key]}")
                continue
            first[key] = line
            self.lines[here] = line
            data[key] = self.read(value_node, here)
        return data

    def _scalar(self, node: Any, location: Location) -> Any:
        kind = node.tag.removeprefix(_TAG)
        text: str = node.value
        if kind in ("str", "merge"):
            return text
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return {"true": True, "false": False}[text.lower()]
            if kind == "int":
                base = {"0o": 8, "0x": 16}.get(text[:2], 10)
                return int(text[2:], base) if base != 10 else int(text)
            if kind == "float":
                return _float(text)
        except (KeyError, ValueError):
            self.mistake(node, location, f"{text!r} is not a valid {kind}")
            return None
        self.mistake(node, location, f"the tag {node.tag} is not supported", "remove it")
        return None


def _float(text: str) -> float:
    folded = text.lower().lstrip("+-")
    if folded == ".inf":
        return -math.inf if text.startswith("-") else math.inf
    if folded == ".nan":
        return math.nan
    return float(text)
