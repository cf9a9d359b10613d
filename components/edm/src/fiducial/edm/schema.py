"""What a generated collection knows of its type: members, columns, vectors, relations.

The generator writes these tables into the generated modules from the model's YAML; readers
and writers of files, the content hash and the checks of a collection all go by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["ColumnSpec", "MemberSpec", "RelationSpec", "TypeSchema", "VectorSpec"]


@dataclass(frozen=True)
class ColumnSpec:
    """One contiguous column.

    name     dotted from the object down ("momentum.x"); "" in a vector of plain numbers
    dtype    numpy's name of the element type
    shape    of one entry: () or (N,) for a fixed array
    default  of an entry that nobody gave
    folded   where a component holds nothing but one fixed array, that array's name: the column
             "covMatrix" is "covMatrix.values" in a file
    """

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    default: int | float | bool = 0
    folded: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The nested names in a file: ("momentum", "x"), ("covMatrix", "values"); or ()."""
        names = tuple(self.name.split(".")) if self.name else ()
        return (*names, self.folded) if self.folded else names

    @cached_property
    def numpy_dtype(self) -> np.dtype[Any]:
        return np.dtype(self.dtype)


@dataclass(frozen=True)
class MemberSpec:
    """One member, as one column or as the columns of its component."""

    name: str
    type: str
    columns: tuple[ColumnSpec, ...]
    unit: str | None = None
    description: str = ""

    @property
    def is_component(self) -> bool:
        return self.columns[0].name != self.name


@dataclass(frozen=True)
class VectorSpec:
    """A member with any number of entries an object; columns are named from the element down."""

    name: str
    type: str
    columns: tuple[ColumnSpec, ...]
    unit: str | None = None
    description: str = ""


@dataclass(frozen=True)
class RelationSpec:
    """A relation to objects of a type, or of any of the types of an interface.

    name     in Python ("from_"), label in the model and in files ("from")
    target   type or interface named by the model; targets the concrete types allowed
    many     any number of entries an object; else exactly one, index -1 where unset
    collection  where it points when no name is given: the customary collection of its target,
                None for an interface, which has none
    """

    name: str
    label: str
    target: str
    targets: tuple[str, ...]
    many: bool
    collection: str | None = None
    description: str = ""


@dataclass(frozen=True)
class TypeSchema:
    """The layout of one datatype or link.

    collection  the name that a collection of this type bears by custom ("MCParticles"), to which
                relations point when no other name is given
    version     schema version of the model
    """

    name: str
    version: int
    collection: str
    members: tuple[MemberSpec, ...]
    vectors: tuple[VectorSpec, ...] = ()
    relations: tuple[RelationSpec, ...] = ()
    description: str = ""
    is_link: bool = False

    @cached_property
    def columns(self) -> dict[str, ColumnSpec]:
        """All columns of fixed size by name, in the model's order."""
        return {column.name: column for member in self.members for column in member.columns}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that ``build`` takes."""
        return (
            *(member.name for member in self.members),
            *(vector.name for vector in self.vectors),
            *(relation.name for relation in self.relations),
        )

    def relation(self, name: str) -> RelationSpec:
        return next(spec for spec in self.relations if spec.name == name)

    def vector(self, name: str) -> VectorSpec:
        return next(spec for spec in self.vectors if spec.name == name)
