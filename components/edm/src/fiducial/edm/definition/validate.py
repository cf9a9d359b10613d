"""Checking models together: every name leads to something, and nothing is said twice."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence

import numpy as np

from fiducial.core.errors import Mistake, did_you_mean
from fiducial.edm.collection import Collection
from fiducial.edm.definition.grammar import SCALARS
from fiducial.edm.definition.model import Component, Datatype, Interface, Link, Member, Model

__all__ = ["default_value", "inconsistencies"]

_TYPE_NAME = re.compile(r"[a-z]\w*::[A-Z]\w*")

#: Attributes of every collection, which a member would hide; podio's own suffixes in files.
RESERVED = frozenset(name for name in dir(Collection) if not name.startswith("_")) | {"schema"}
_FILE_SUFFIXES = ("_begin", "_end")


class _Validator:
    def __init__(self, models: Sequence[Model]) -> None:
        self.models = models
        self.mistakes: list[Mistake] = []
        self.components = {c.name: c for m in models for c in m.components}
        self.datatypes = {d.name: d for m in models for d in m.datatypes}
        self.interfaces = {i.name: i for m in models for i in m.interfaces}
        self.links = {link.name: link for m in models for link in m.links}

    def wrong(self, file: str, line: int, what: str, problem: str, hint: str | None = None) -> None:
        self.mistakes.append(Mistake(f"{file}:{line}: {what}", problem, hint))

    def names(self) -> None:
        seen: dict[str, str] = {}
        for model in self.models:
            entries: Iterable[Component | Datatype | Interface | Link]
            entries = (*model.components, *model.datatypes, *model.interfaces, *model.links)
            for entry in entries:
                place = f"{model.file}:{entry.line}"
                if not _TYPE_NAME.fullmatch(entry.name):
                    self.wrong(
                        model.file,
                        entry.line,
                        entry.name,
                        "a type is named namespace::Name",
                        "as edm4hep::MCParticle",
                    )
                bare = entry.name.rpartition("::")[2]  # names the Python class
                if bare in seen:
                    self.wrong(
                        model.file,
                        entry.line,
                        entry.name,
                        f"{bare} is defined before, at {seen[bare]}",
                    )
                seen.setdefault(bare, place)

    def members(self, file: str, owner: str, members: Iterable[Member], described: bool) -> None:
        """Members that hold data: scalars and components, which are defined somewhere."""
        for member in members:
            what = f"{owner}.{member.name}"
            kind = member.type.name
            if kind not in SCALARS and kind not in self.components:
                known = [*SCALARS, *self.components]
                hint = did_you_mean(kind, known)
                if kind in self.datatypes or kind in self.interfaces:
                    hint = "a datatype is reached by a relation, not held as a member"
                self.wrong(file, member.line, what, f"no type {kind!r}", hint)
            if member.type.length is not None and kind in self.components:
                self.wrong(
                    file,
                    member.line,
                    what,
                    "an array of components is not supported",
                    "name them one by one, or use VectorMembers",
                )
            if described and not member.description:
                self.wrong(file, member.line, what, "no description", "write it behind //")
            if member.default is not None:
                self.default(file, what, member)

    def default(self, file: str, what: str, member: Member) -> None:
        dtype = SCALARS.get(member.type.name)
        assert member.default is not None
        if dtype is None or member.type.length is not None:
            self.wrong(file, member.line, what, "only a scalar can have a default here")
            return
        try:
            default_value(member.default, dtype)
        except (ValueError, OverflowError):
            self.wrong(
                file, member.line, what, f"{member.default!r} is no default for {member.type}"
            )

    def identifiers(
        self, file: str, owner: str, members: Iterable[Member], reserved: frozenset[str]
    ) -> None:
        seen: dict[str, int] = {}
        for member in members:
            what = f"{owner}.{member.name}"
            if member.name in reserved:
                self.wrong(
                    file,
                    member.line,
                    what,
                    "every collection has an attribute of this name",
                    "choose another",
                )
            if keyword.iskeyword(member.name):
                self.wrong(file, member.line, what, "a Python keyword", "choose another")
            if member.name.startswith("_") or member.name.endswith(_FILE_SUFFIXES):
                self.wrong(
                    file,
                    member.line,
                    what,
                    "names of files begin with _ or end in _begin, _end",
                    "choose another",
                )
            if member.name in seen:
                self.wrong(
                    file, member.line, what, f"named twice, first in line {seen[member.name]}"
                )
            seen.setdefault(member.name, member.line)

    def relations(self, file: str, owner: str, members: Iterable[Member]) -> None:
        for member in members:
            what = f"{owner}.{member.name}"
            self.target(file, member.line, what, member.type.name)
            if (
                member.type.length is not None
                or member.default is not None
                or member.unit is not None
            ):
                self.wrong(file, member.line, what, "a relation has no length, default or unit")

    def target(self, file: str, line: int, what: str, name: str) -> None:
        known = [*self.datatypes, *self.interfaces]
        if name not in known:
            self.wrong(
                file, line, what, f"no datatype or interface {name!r}", did_you_mean(name, known)
            )

    def cycles(self, model: Model) -> None:
        def reaches(start: str, name: str, seen: frozenset[str]) -> bool:
            inner = {m.type.name for m in self.components[name].members} & self.components.keys()
            return start in inner or any(reaches(start, n, seen | {n}) for n in inner - seen)

        for component in model.components:
            if reaches(component.name, component.name, frozenset({component.name})):
                self.wrong(model.file, component.line, component.name, "contains itself")

    def interface(self, file: str, interface: Interface) -> None:
        for name in interface.types:
            if name not in self.datatypes:
                self.wrong(
                    file,
                    interface.line,
                    interface.name,
                    f"no datatype {name!r}",
                    did_you_mean(name, list(self.datatypes)),
                )
                continue
            own = {m.name: m for m in self.datatypes[name].members}
            for member in interface.members:
                if member.name not in own:
                    self.wrong(
                        file,
                        member.line,
                        f"{interface.name}.{member.name}",
                        f"{name} has no such member",
                    )
                elif own[member.name].type != member.type:
                    self.wrong(
                        file,
                        member.line,
                        f"{interface.name}.{member.name}",
                        f"{name} has it as {own[member.name].type}, not {member.type}",
                    )
        if not interface.types:
            self.wrong(file, interface.line, interface.name, "an interface needs at least one type")

    def check(self) -> None:
        self.names()
        for model in self.models:
            for component in model.components:
                self.members(model.file, component.name, component.members, described=False)
                self.identifiers(model.file, component.name, component.members, frozenset())
                if not component.members:
                    self.wrong(model.file, component.line, component.name, "has no members")
            self.cycles(model)
            for data in model.datatypes:
                relations = (*data.one_to_one, *data.one_to_many)
                self.members(model.file, data.name, (*data.members, *data.vectors), described=True)
                self.identifiers(
                    model.file, data.name, (*data.members, *data.vectors, *relations), RESERVED
                )
                self.relations(model.file, data.name, relations)
            for interface in model.interfaces:
                self.members(model.file, interface.name, interface.members, described=True)
                self.interface(model.file, interface)
            for link in model.links:
                for end in (link.source, link.target):
                    self.target(model.file, link.line, link.name, end)


def default_value(text: str, dtype: str) -> int | float | bool:
    """A default's text as a value of ``dtype``; ValueError or OverflowError if it is none."""
    if dtype == "bool":
        return (
            {"true": True, "false": False}[text]
            if text in ("true", "false")
            else bool(int(text, 0))
        )
    if dtype.startswith("float"):
        return float(text)
    value = int(text, 0)
    limits = np.iinfo(dtype)
    if not limits.min <= value <= limits.max:
        raise OverflowError(f"{value} is outside of {dtype}")
    return value


def inconsistencies(models: Sequence[Model]) -> list[Mistake]:
    """Everything in which these models, taken together, are inconsistent."""
    validator = _Validator(models)
    validator.check()
    return validator.mistakes
