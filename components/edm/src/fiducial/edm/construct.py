"""From what a caller has at hand to complete columns of the model's dtypes.

Tuples become the columns of a component, counts become offsets, a name becomes a
collection's id, and what was not given takes the model's default. Values are cast as
:mod:`fiducial.edm.casting` says. All mistakes are told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from fiducial.core.errors import Mistake, Mistakes
from fiducial.edm import jagged
from fiducial.edm.arrays import OFFSET, Array, namespace
from fiducial.edm.casting import as_column, as_counts
from fiducial.edm.checks import check_collection, check_names, check_offsets
from fiducial.edm.identifiers import NO_COLLECTION, collection_id
from fiducial.edm.relation import Relation
from fiducial.edm.schema import ColumnSpec, RelationSpec, TypeSchema, VectorSpec
from fiducial.edm.vector_member import VectorMember
from fiducial.edm.view import View

__all__ = ["Donor", "Parts", "construct"]

Parts = tuple[Array, dict[str, Array], dict[str, Relation], dict[str, VectorMember]]

_INDEX = ColumnSpec("index", "int32")
_COLLECTION = ColumnSpec("collection", "uint32")


class Donor(Protocol):
    """A collection that gives the members which were not named."""

    @property
    def columns(self) -> Mapping[str, Array]: ...
    @property
    def relations(self) -> Mapping[str, Relation]: ...
    @property
    def vectors(self) -> Mapping[str, VectorMember]: ...


class _Builder:
    """Converts members of ``n`` objects, and collects mistakes while it goes."""

    def __init__(self, schema: TypeSchema, n: int, xp: Any) -> None:
        self.schema = schema
        self.n = n
        self.xp = xp
        self.mistakes: list[Mistake] = []

    def place(self, where: str) -> str:
        return f"{self.schema.name}.{where}"

    def wrong(self, where: str, problem: str, hint: str | None = None) -> None:
        self.mistakes.append(Mistake(self.place(where), problem, hint))

    # Columns

    def default(self, spec: ColumnSpec, n: int) -> Array:
        return self.xp.full((n, *spec.shape), spec.default, spec.numpy_dtype)  # type: ignore[no-any-return]

    def column(self, where: str, spec: ColumnSpec, value: Any, n: int) -> Array:
        try:
            return as_column(value, spec.numpy_dtype, (n, *spec.shape))
        except (TypeError, ValueError) as error:
            self.wrong(where, str(error))
            return self.default(spec, n)

    def columns(
        self, where: str, specs: Mapping[str, ColumnSpec], value: Any, n: int
    ) -> dict[str, Array]:
        """Columns by the names that ``value`` may use for them; the rest takes the default."""
        given = self.named(where, list(specs), value, n)
        check_names(self.mistakes, self.place(where), given, specs, "column")
        return {
            spec.name: self.column(f"{where}.{name}", spec, given[name], n)
            if name in given
            else self.default(spec, n)
            for name, spec in specs.items()
        }

    def named(self, where: str, names: list[str], value: Any, n: int) -> Mapping[str, Any]:
        """The columns of a component by name, from a mapping, view, tuple or matrix (n, k)."""
        if isinstance(value, Mapping):
            return value
        if isinstance(value, View):
            return {name: value.column(name) for name in value.names}
        wanted = f"{len(names)} ({', '.join(names)})"
        if isinstance(value, tuple):
            if len(value) == len(names):
                return dict(zip(names, value, strict=True))
            self.wrong(where, f"{len(value)} columns, expected {wanted}")
            return {}
        if getattr(value, "ndim", 0) != 2:
            self.wrong(
                where,
                f"{type(value).__name__} where columns are expected",
                f"give a tuple or mapping of {wanted}, or an array of shape {(n, len(names))}",
            )
            return {}
        if value.shape != (n, len(names)):
            self.wrong(where, f"shape {value.shape}, expected {(n, len(names))}")
            return {}
        return {name: value[:, i] for i, name in enumerate(names)}

    def member(self, name: str, specs: tuple[ColumnSpec, ...], value: Any) -> dict[str, Array]:
        if specs[0].name == name:  # no component, or a folded one
            return {name: self.column(name, specs[0], value, self.n)}
        inner = {spec.name.removeprefix(f"{name}."): spec for spec in specs}
        return self.columns(name, inner, value, self.n)

    # Lists

    def offsets(self, where: str, counts: Any) -> Array | None:
        """Offsets from the counts of each object; None on a mistake."""
        try:
            return jagged.offsets(as_counts(counts, self.n))
        except (TypeError, ValueError) as error:
            self.wrong(where, str(error))
            return None

    def empty_lists(self) -> Array:
        return self.xp.zeros(self.n + 1, OFFSET)  # type: ignore[no-any-return]

    def empty_vector(self, spec: VectorSpec) -> VectorMember:
        columns = {column.name: self.default(column, 0) for column in spec.columns}
        return VectorMember(self.empty_lists(), columns)

    def vector(self, spec: VectorSpec, value: Any) -> VectorMember:
        if isinstance(value, VectorMember):
            return value
        if not isinstance(value, tuple) or len(value) != 2:
            self.wrong(spec.name, "a vector member is given as (counts, values)")
            return self.empty_vector(spec)
        if (offsets := self.offsets(spec.name, value[0])) is None:
            return self.empty_vector(spec)
        m = int(offsets[-1])
        if spec.columns[0].name == "":
            return VectorMember(offsets, {"": self.column(spec.name, spec.columns[0], value[1], m)})
        inner = {column.name: column for column in spec.columns}
        return VectorMember(offsets, self.columns(spec.name, inner, value[1], m))

    # Relations

    def empty_relation(self, spec: RelationSpec) -> Relation:
        m = 0 if spec.many else self.n
        index = self.xp.full(m, -1, np.int32)
        collection = self.xp.full(m, NO_COLLECTION, np.uint32)
        return Relation(self.empty_lists() if spec.many else None, index, collection)

    def relation(self, spec: RelationSpec, value: Any) -> Relation:
        if isinstance(value, Relation):
            return value
        parts = list(value) if isinstance(value, tuple) else [value]
        if len(parts) not in ((2, 3) if spec.many else (1, 2)):
            form = "(counts, index[, name])" if spec.many else "index or (index, name)"
            self.wrong(spec.name, f"this relation is given as {form}")
            return self.empty_relation(spec)
        offsets = self.offsets(spec.name, parts.pop(0)) if spec.many else None
        if spec.many and offsets is None:
            return self.empty_relation(spec)
        m = self.n if offsets is None else int(offsets[-1])
        index = self.column(f"{spec.name}.index", _INDEX, parts[0], m)
        name = parts[1] if len(parts) > 1 else spec.collection
        if name is None:
            self.wrong(
                spec.name,
                f"{spec.target} stands for several types, so the collection must be named",
                f"give the name of a collection of {' or '.join(spec.targets)}",
            )
            return self.empty_relation(spec)
        ids = collection_id(name) if isinstance(name, str) else name
        collection = self.column(f"{spec.name}.collection", _COLLECTION, ids, m)
        if index.size and index.min() < 0:
            collection = self.xp.where(index < 0, self.xp.uint32(NO_COLLECTION), collection)
        return Relation(offsets, index, collection)


def _event_offsets(schema: TypeSchema, counts: Any, offsets: Any, mistakes: list[Mistake]) -> Array:
    """Offsets of the objects in events; raises all mistakes so far where there can be none."""
    if (counts is None) == (offsets is None):
        mistakes.append(Mistake(schema.name, "give either counts or offsets, one of them"))
    elif counts is not None:
        try:
            return jagged.offsets(as_counts(counts, None))
        except (TypeError, ValueError) as error:
            mistakes.append(Mistake(f"{schema.name}.counts", str(error)))
    else:
        array: Array = np.asarray(offsets) if not hasattr(offsets, "dtype") else offsets
        if array.dtype.kind in "iu":
            array = array.astype(OFFSET, copy=False)
        if check_offsets(mistakes, f"{schema.name}.offsets", array, None, None):
            return array
    raise Mistakes(mistakes, schema.name)


def construct(
    schema: TypeSchema,
    counts: Any,
    offsets: Any,
    members: Mapping[str, Any],
    donor: Donor | None = None,
) -> Parts:
    """Offsets, columns, relations and vectors of a collection of the type ``schema``.

    counts or offsets  objects in each event (n_events,), or where each event begins (n_events + 1,)
    members            by name; see the ``build`` of a generated collection
    donor              gives what ``members`` lacks, instead of the defaults
    Raises Mistakes.
    """
    mistakes: list[Mistake] = []
    check_names(mistakes, schema.name, members, schema.names, "member")
    events = _event_offsets(schema, counts, offsets, mistakes)
    builder = _Builder(schema, int(events[-1]), namespace(events))

    columns: dict[str, Array] = {}
    for member in schema.members:
        if member.name in members:
            columns |= builder.member(member.name, member.columns, members[member.name])
        else:
            for column in member.columns:
                columns[column.name] = (
                    donor.columns[column.name] if donor else builder.default(column, builder.n)
                )
    vectors: dict[str, VectorMember] = {}
    for vector in schema.vectors:
        if vector.name in members:
            vectors[vector.name] = builder.vector(vector, members[vector.name])
        else:
            vectors[vector.name] = (
                donor.vectors[vector.name] if donor else builder.empty_vector(vector)
            )
    relations: dict[str, Relation] = {}
    for relation in schema.relations:
        if relation.name in members:
            relations[relation.name] = builder.relation(relation, members[relation.name])
        else:
            relations[relation.name] = (
                donor.relations[relation.name] if donor else builder.empty_relation(relation)
            )
    mistakes += builder.mistakes
    mistakes += check_collection(schema, events, columns, relations, vectors)
    if mistakes:
        raise Mistakes(mistakes, schema.name)
    return events, columns, relations, vectors
