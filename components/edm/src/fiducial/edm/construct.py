"""From what a caller has at hand to complete columns of the model's dtypes.

Numbers and sequences become arrays, one number serves all objects, tuples become the
columns of a component, counts become offsets, a name becomes a collection's id, and what
was not given takes the model's default. An array that already fits is taken without a copy.
Nothing is rounded or wrapped silently: a float does not become an integer, an integer must
lie in the range of its column. All mistakes are told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from fiducial.core.errors import Mistake, Mistakes
from fiducial.edm import jagged
from fiducial.edm.arrays import OFFSET, Array, namespace
from fiducial.edm.checks import check_collection, check_names
from fiducial.edm.identifiers import NO_COLLECTION, collection_id
from fiducial.edm.relation import Relation
from fiducial.edm.schema import ColumnSpec, RelationSpec, TypeSchema, VectorSpec
from fiducial.edm.vector_member import VectorMember
from fiducial.edm.view import View

__all__ = ["Parts", "construct"]

Parts = tuple[Array, dict[str, Array], dict[str, Relation], dict[str, VectorMember]]


class _Donor(Protocol):
    """A collection that gives the members which were not named."""

    @property
    def columns(self) -> Mapping[str, Array]: ...
    @property
    def relations(self) -> Mapping[str, Relation]: ...
    @property
    def vectors(self) -> Mapping[str, VectorMember]: ...


class _Builder:
    """Collects mistakes while it converts."""

    def __init__(self, schema: TypeSchema) -> None:
        self.schema = schema
        self.mistakes: list[Mistake] = []

    def wrong(self, where: str, problem: str, hint: str | None = None) -> None:
        self.mistakes.append(Mistake(f"{self.schema.name}.{where}".rstrip("."), problem, hint))

    def column(self, where: str, spec: ColumnSpec, value: Any, n: int) -> Array:
        """``value`` as the column of ``spec`` with ``n`` rows; a number is repeated."""
        dtype = spec.numpy_dtype
        fallback = np.zeros((n, *spec.shape), dtype)
        try:
            array = value if hasattr(value, "dtype") else np.asarray(value)
        except ValueError as error:
            self.wrong(where, f"not a rectangular array ({error})")
            return fallback
        if array.dtype != dtype and not self._castable(where, array, dtype):
            return fallback
        if array.ndim == 0:
            return np.full((n, *spec.shape), array, dtype)
        if array.shape != (n, *spec.shape):
            if array.size == 0 and n == 0:
                return fallback
            expected = ", ".join(map(str, (n, *spec.shape)))
            self.wrong(where, f"shape {array.shape}, expected ({expected})")
            return fallback
        return namespace(array).ascontiguousarray(array, dtype=dtype)  # type: ignore[no-any-return]

    def _castable(self, where: str, array: Array, dtype: np.dtype[Any]) -> bool:
        kinds = {"b": "biuf", "i": "iuf", "u": "iuf", "f": "f"}
        if array.size == 0:
            return True
        if dtype.kind not in kinds.get(array.dtype.kind, ""):
            self.wrong(where, f"{array.dtype} cannot become {dtype} without loss", f"give {dtype}")
            return False
        if dtype.kind in "iu" and array.dtype.kind in "iu":
            limits = np.iinfo(dtype)
            least, most = int(array.min()), int(array.max())
            if least < limits.min or most > limits.max:
                self.wrong(where, f"values {least} to {most} do not fit {dtype}")
                return False
        return True

    def columns(
        self, where: str, specs: tuple[ColumnSpec, ...], value: Any, n: int
    ) -> dict[str, Array]:
        """The columns of one member: of a component from a tuple, mapping, view or matrix."""
        if len(specs) == 1 and not isinstance(value, (View, Mapping)):
            return {specs[0].name: self.column(where, specs[0], value, n)}
        prefix = f"{where}."
        inner = {spec.name.removeprefix(prefix): spec for spec in specs}
        if isinstance(value, View):
            value = {name: value.column(name) for name in value.names}
        elif isinstance(value, (tuple, list)):
            if len(value) != len(inner):
                self.wrong(
                    where, f"{len(value)} columns, expected {len(inner)} ({', '.join(inner)})"
                )
                return self.defaults(specs, n)
            value = dict(zip(inner, value, strict=True))
        elif not isinstance(value, Mapping):
            array = np.asarray(value)
            if array.shape != (n, len(inner)):
                self.wrong(
                    where,
                    f"shape {array.shape}, expected ({n}, {len(inner)}) for {', '.join(inner)}",
                )
                return self.defaults(specs, n)
            value = {name: array[:, i] for i, name in enumerate(inner)}
        check_names(self.mistakes, f"{self.schema.name}.{where}", value, inner, "column")
        result = self.defaults(specs, n)
        for name, spec in inner.items():
            if name in value:
                result[spec.name] = self.column(f"{prefix}{name}", spec, value[name], n)
        return result

    @staticmethod
    def defaults(specs: tuple[ColumnSpec, ...], n: int) -> dict[str, Array]:
        return {
            spec.name: np.full((n, *spec.shape), spec.default, spec.numpy_dtype) for spec in specs
        }

    def offsets(self, where: str, counts: Any, n: int | None) -> Array:
        """Offsets from ``counts``; on a mistake those of ``n`` empty lists."""
        fallback = np.zeros((n or 0) + 1, OFFSET)
        array = counts if hasattr(counts, "dtype") else np.asarray(counts)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            self.wrong(
                where, f"counts are one-dimensional integers, not {array.dtype} {array.shape}"
            )
        elif n is not None and len(array) != n:
            self.wrong(where, f"{len(array)} counts for {n} objects")
        elif array.size and array.min() < 0:
            self.wrong(where, f"count {array.min()} is negative")
        else:
            return jagged.offsets(array)
        return fallback

    def vector(self, spec: VectorSpec, value: Any, n: int) -> VectorMember:
        if isinstance(value, VectorMember):
            return value
        if not isinstance(value, tuple) or len(value) != 2:
            self.wrong(spec.name, "a vector member is given as (counts, values)")
            return self.empty_vector(spec, n)
        offsets = self.offsets(spec.name, value[0], n)
        if spec.columns[0].name == "":
            column = self.column(spec.name, spec.columns[0], value[1], int(offsets[-1]))
            return VectorMember(offsets, {"": column})
        named = value[1]
        if not isinstance(named, (Mapping, View)):
            names = ", ".join(column.name for column in spec.columns)
            self.wrong(spec.name, "its values are a mapping of columns", f"the columns are {names}")
            return self.empty_vector(spec, n)
        if isinstance(named, View):
            named = {name: named.column(name) for name in named.names}
        where = f"{self.schema.name}.{spec.name}"
        check_names(self.mistakes, where, named, [c.name for c in spec.columns], "column")
        m = int(offsets[-1])
        columns = self.defaults(spec.columns, m)
        for inner in spec.columns:
            if inner.name in named:
                place = f"{spec.name}.{inner.name}"
                columns[inner.name] = self.column(place, inner, named[inner.name], m)
        return VectorMember(offsets, columns)

    def empty_vector(self, spec: VectorSpec, n: int) -> VectorMember:
        return VectorMember(np.zeros(n + 1, OFFSET), self.defaults(spec.columns, 0))

    def relation(self, spec: RelationSpec, value: Any, n: int) -> Relation:
        if isinstance(value, Relation):
            return value
        parts = value if isinstance(value, tuple) else (value,)
        if len(parts) not in ((2, 3) if spec.many else (1, 2)):
            form = (
                "(counts, index) or (counts, index, name)"
                if spec.many
                else "index or (index, name)"
            )
            self.wrong(spec.name, f"this relation is given as {form}")
            return self.empty_relation(spec, n)
        offsets = self.offsets(spec.name, parts[0], n) if spec.many else None
        m = n if offsets is None else int(offsets[-1])
        at = 1 if spec.many else 0
        index = self.column(f"{spec.name} (index)", ColumnSpec("index", "int32"), parts[at], m)
        name = parts[at + 1] if len(parts) > at + 1 else spec.collection
        if name is None:
            self.wrong(
                spec.name,
                f"{spec.target} stands for several types, so the collection must be named",
                f"give the name of a collection of {' or '.join(spec.targets)}",
            )
            return self.empty_relation(spec, n)
        ids = collection_id(name) if isinstance(name, str) else name
        collection = self.column(f"{spec.name} (collection)", ColumnSpec("", "uint32"), ids, m)
        if index.size and index.min() < 0:
            collection = np.where(index < 0, np.uint32(NO_COLLECTION), collection)
        return Relation(offsets, index, collection)

    @staticmethod
    def empty_relation(spec: RelationSpec, n: int) -> Relation:
        if spec.many:
            return Relation(np.zeros(n + 1, OFFSET), np.zeros(0, np.int32), np.zeros(0, np.uint32))
        return Relation(None, np.full(n, -1, np.int32), np.full(n, NO_COLLECTION, np.uint32))


def construct(
    schema: TypeSchema,
    counts: Any,
    offsets: Any,
    members: Mapping[str, Any],
    donor: _Donor | None = None,
) -> Parts:
    """Offsets, columns, relations and vectors of a collection of the type ``schema``.

    counts or offsets  objects in each event (n_events,), or where each event begins (n_events + 1,)
    members            by name; see the ``build`` of a generated collection
    donor              gives what ``members`` lacks, instead of the defaults
    Raises Mistakes.
    """
    builder = _Builder(schema)
    if (counts is None) == (offsets is None):
        builder.wrong("", "give either counts or offsets, one of them")
        raise Mistakes(builder.mistakes, schema.name)
    if offsets is None:
        event_offsets = builder.offsets("counts", counts, None)
    else:
        event_offsets = np.asarray(offsets) if not hasattr(offsets, "dtype") else offsets
        if event_offsets.dtype.kind in "iu":
            event_offsets = event_offsets.astype(OFFSET, copy=False)
    check_names(builder.mistakes, schema.name, members, schema.names, "member")
    if builder.mistakes and offsets is None and len(event_offsets) == 1:
        raise Mistakes(builder.mistakes, schema.name)
    n = int(event_offsets[-1]) if event_offsets.size else 0

    columns: dict[str, Array] = {}
    for member in schema.members:
        if member.name in members:
            columns |= builder.columns(member.name, member.columns, members[member.name], n)
        elif donor is not None:
            columns |= {spec.name: donor.columns[spec.name] for spec in member.columns}
        else:
            columns |= builder.defaults(member.columns, n)
    vectors = {
        spec.name: builder.vector(spec, members[spec.name], n)
        if spec.name in members
        else donor.vectors[spec.name]
        if donor is not None
        else builder.empty_vector(spec, n)
        for spec in schema.vectors
    }
    relations = {
        spec.name: builder.relation(spec, members[spec.name], n)
        if spec.name in members
        else donor.relations[spec.name]
        if donor is not None
        else builder.empty_relation(spec, n)
        for spec in schema.relations
    }
    found = builder.mistakes or check_collection(schema, event_offsets, columns, relations, vectors)
    if found:
        raise Mistakes(found, schema.name)
    return event_offsets, columns, relations, vectors
