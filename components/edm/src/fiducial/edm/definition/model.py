"""A data model as plain data: what a YAML file of the model says, and in which line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Component", "Datatype", "Interface", "Link", "Member", "Model", "TypeName"]


@dataclass(frozen=True)
class TypeName:
    """A type in a member: ``float``, ``edm4hep::Vector3f`` or ``std::array<float, 10>``."""

    name: str
    length: int | None = None

    def __str__(self) -> str:
        return self.name if self.length is None else f"std::array<{self.name}, {self.length}>"


@dataclass(frozen=True)
class Member:
    """``type name {default} [unit] // description``."""

    type: TypeName
    name: str
    unit: str | None = None
    default: str | None = None
    description: str = ""
    line: int = 0


@dataclass(frozen=True)
class Component:
    name: str
    members: tuple[Member, ...]
    description: str = ""
    line: int = 0


@dataclass(frozen=True)
class Datatype:
    name: str
    members: tuple[Member, ...]
    vectors: tuple[Member, ...] = ()
    one_to_one: tuple[Member, ...] = ()
    one_to_many: tuple[Member, ...] = ()
    description: str = ""
    author: str = ""
    line: int = 0


@dataclass(frozen=True)
class Interface:
    """A name for any of several datatypes, with the members that all of them have."""

    name: str
    members: tuple[Member, ...]
    types: tuple[str, ...]
    description: str = ""
    author: str = ""
    line: int = 0


@dataclass(frozen=True)
class Link:
    """A weighted pair of objects."""

    name: str
    source: str
    target: str
    description: str = ""
    author: str = ""
    line: int = 0


@dataclass(frozen=True)
class Model:
    """One file."""

    file: str
    schema_version: int
    components: tuple[Component, ...] = ()
    datatypes: tuple[Datatype, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    links: tuple[Link, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
