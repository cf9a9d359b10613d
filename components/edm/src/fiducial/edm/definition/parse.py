"""Reading a model file: YAML with lines, podio's keys, every mistake at once.

ExtraCode, MutableExtraCode and the options hold C++ and are read past: what a type can *do*
in Python is written by hand in :mod:`fiducial.edm.behaviours`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fiducial.core.errors import Mistake, did_you_mean
from fiducial.core.yaml_lines import Location, MappedYaml, read_yaml
from fiducial.edm.definition.grammar import parse_member
from fiducial.edm.definition.model import Component, Datatype, Interface, Link, Member, Model

__all__ = ["parse_model"]

T = TypeVar("T")

_CODE = ("ExtraCode", "MutableExtraCode")
_SECTIONS = ("schema_version", "options", "components", "datatypes", "interfaces", "links")


class _Parser:
    def __init__(self, source: MappedYaml) -> None:
        self.source = source
        self.mistakes: list[Mistake] = []

    def wrong(self, at: Location, problem: str, hint: str | None = None) -> None:
        self.mistakes.append(Mistake(self.source.where(at), problem, hint))

    def keys(
        self, at: Location, body: Any, known: tuple[str, ...], needed: tuple[str, ...]
    ) -> dict[str, Any]:
        """``body`` as a mapping with the keys allowed there."""
        if not isinstance(body, dict):
            self.wrong(at, f"expected a mapping with {', '.join(needed or known)}")
            return {}
        for key in body:
            if key not in known:
                self.wrong((*at, key), f"no key {key!r} here", did_you_mean(key, known))
        for key in needed:
            if key not in body:
                self.wrong(at, f"{key} is missing")
        return body

    def text(self, at: Location, body: dict[str, Any], key: str) -> str:
        value = body.get(key, "")
        if isinstance(value, str):
            return value.strip()
        self.wrong((*at, key), f"expected text, not {value!r}")
        return ""

    def texts(self, at: Location, items: Any) -> list[tuple[str, int]]:
        """A list of texts with their lines."""
        if items is None:
            return []
        if not isinstance(items, list):
            self.wrong(at, "expected a list")
            return []
        result = []
        for i, item in enumerate(items):
            if isinstance(item, str):
                result.append((item, self.source.line((*at, i))))
            else:
                self.wrong((*at, i), f"expected text, not {item!r}", "quote a text that holds ': '")
        return result

    def members(self, at: Location, body: dict[str, Any], key: str) -> tuple[Member, ...]:
        here = (*at, key)
        found: list[Member] = []
        for text, line in self.texts(here, body.get(key)):
            try:
                found.append(parse_member(text, line))
            except ValueError as error:
                self.mistakes.append(
                    Mistake(f"{self.source.name}:{line}: {'.'.join(map(str, here))}", str(error))
                )
        return tuple(found)

    def section(
        self, data: dict[str, Any], name: str, read: Callable[[Location, str, Any, int], T]
    ) -> tuple[T, ...]:
        body = data.get(name)
        if body is None:
            return ()
        if not isinstance(body, dict):
            self.wrong((name,), "expected a mapping of types by name")
            return ()
        return tuple(
            read((name, key), key, value, self.source.line((name, key)))
            for key, value in body.items()
        )

    def component(self, at: Location, name: str, body: Any, line: int) -> Component:
        body = self.keys(at, body, ("Description", "Author", "Members", *_CODE), ("Members",))
        return Component(
            name, self.members(at, body, "Members"), self.text(at, body, "Description"), line
        )

    def datatype(self, at: Location, name: str, body: Any, line: int) -> Datatype:
        lists = ("Members", "VectorMembers", "OneToOneRelations", "OneToManyRelations")
        body = self.keys(
            at, body, ("Description", "Author", *lists, *_CODE), ("Description", "Author")
        )
        members, vectors, one_to_one, one_to_many = (self.members(at, body, key) for key in lists)
        description, author = self.text(at, body, "Description"), self.text(at, body, "Author")
        return Datatype(name, members, vectors, one_to_one, one_to_many, description, author, line)

    def interface(self, at: Location, name: str, body: Any, line: int) -> Interface:
        needed = ("Description", "Author", "Types")
        body = self.keys(at, body, (*needed, "Members", *_CODE), needed)
        return Interface(
            name,
            self.members(at, body, "Members"),
            tuple(text for text, _ in self.texts((*at, "Types"), body.get("Types"))),
            self.text(at, body, "Description"),
            self.text(at, body, "Author"),
            line,
        )

    def link(self, at: Location, name: str, body: Any, line: int) -> Link:
        needed = ("Description", "Author", "From", "To")
        body = self.keys(at, body, (*needed, *_CODE), needed)
        source, target, description, author = (
            self.text(at, body, key) for key in ("From", "To", "Description", "Author")
        )
        return Link(name, source, target, description, author, line)

    def model(self) -> Model:
        """The model without what is wrong in it; see ``mistakes``."""
        data = self.keys((), self.source.data, _SECTIONS, ("schema_version",))
        version = data.get("schema_version", 0)
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            if "schema_version" in data:
                self.wrong(("schema_version",), f"{version!r} is not a whole number from 1 on")
            version = 0
        options = data.get("options") or {}
        return Model(
            self.source.name,
            version,
            self.section(data, "components", self.component),
            self.section(data, "datatypes", self.datatype),
            self.section(data, "interfaces", self.interface),
            self.section(data, "links", self.link),
            options if isinstance(options, dict) else {},
        )


def parse_model(text: str, name: str = "<string>") -> tuple[Model, list[Mistake]]:
    """The model in ``text``, called ``name`` in messages, and the mistakes of its grammar.

    What is wrong is left out of the model, so that the rest can be checked too. Raises
    Mistakes where the text is not YAML at all.
    """
    parser = _Parser(read_yaml(text, name))
    return parser.model(), parser.mistakes
