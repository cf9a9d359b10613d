"""A collection: the objects of one type of many events, as contiguous columns.

The objects of event ``e`` are the rows ``offsets[e] … offsets[e + 1]`` of every column. A
collection never changes: what selects or joins makes a new one, which shares columns where
it can (a slice of events is a view, a mask of events a copy). Do not write into a column;
another batch may share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import construct, jagged
from fiducial.edm.arrays import Array, namespace, same_bytes
from fiducial.edm.checks import check_collection
from fiducial.edm.jagged import Rows
from fiducial.edm.relation import Relation
from fiducial.edm.schema import TypeSchema
from fiducial.edm.vector_member import VectorMember

if TYPE_CHECKING:
    import awkward as ak

__all__ = ["Collection"]


class Collection:
    """Objects of one type; the generated subclasses add the members as attributes.

    offsets    (n_events + 1,) int64
    columns    {"PDG": (n,), "momentum.x": (n,), "covMatrix": (n, 10), …} with the model's dtypes
    relations  {"parents": Relation, …}, vectors {"weights": VectorMember, …}

    The constructor takes exactly these, complete, and raises Mistakes with everything that
    does not fit; it copies nothing. :meth:`build` is the comfortable way.
    """

    schema: ClassVar[TypeSchema]
    type_name: ClassVar[str]

    __slots__ = ("_columns", "_relations", "_vectors", "offsets")

    offsets: Array

    def __init__(
        self,
        offsets: Array,
        columns: Mapping[str, Array],
        relations: Mapping[str, Relation] | None = None,
        vectors: Mapping[str, VectorMember] | None = None,
    ) -> None:
        relations, vectors = relations or {}, vectors or {}
        if mistakes := check_collection(self.schema, offsets, columns, relations, vectors):
            raise Mistakes(mistakes, self.type_name)
        self._fill(offsets, columns, relations, vectors)

    def _fill(
        self,
        offsets: Array,
        columns: Mapping[str, Array],
        relations: Mapping[str, Relation],
        vectors: Mapping[str, VectorMember],
    ) -> None:
        self.offsets = offsets
        self._columns = {name: columns[name] for name in self.schema.columns}
        self._vectors = {spec.name: vectors[spec.name] for spec in self.schema.vectors}
        self._relations = {
            spec.name: relations[spec.name].bound(offsets, not spec.many)
            for spec in self.schema.relations
        }

    @classmethod
    def _trusted(
        cls,
        offsets: Array,
        columns: Mapping[str, Array],
        relations: Mapping[str, Relation],
        vectors: Mapping[str, VectorMember],
    ) -> Self:
        """Parts that come from a valid collection need no second check."""
        new = cls.__new__(cls)
        new._fill(offsets, columns, relations, vectors)
        return new

    @classmethod
    def _build(cls, counts: Any, offsets: Any, members: Mapping[str, Any]) -> Self:
        """What the generated ``build`` methods call, with typed members."""
        return cls._trusted(*construct.construct(cls.schema, counts, offsets, members))

    @classmethod
    def empty(cls, n_events: int) -> Self:
        """No object in any of ``n_events`` events."""
        return cls._build(np.zeros(n_events, dtype=np.int64), None, {})

    # What it holds

    @property
    def columns(self) -> Mapping[str, Array]:
        return MappingProxyType(self._columns)

    @property
    def relations(self) -> Mapping[str, Relation]:
        return MappingProxyType(self._relations)

    @property
    def vectors(self) -> Mapping[str, VectorMember]:
        return MappingProxyType(self._vectors)

    @property
    def n_events(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Array:
        """Objects in each event, (n_events,) int64."""
        return jagged.counts(self.offsets)

    @property
    def events(self) -> Array:
        """For each object, the place of its event in the batch, (n,) int64."""
        return jagged.owners(self.offsets)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns and offsets, without what Python adds."""
        return (
            self.offsets.nbytes
            + sum(column.nbytes for column in self._columns.values())
            + sum(relation.nbytes for relation in self._relations.values())
            + sum(vector.nbytes for vector in self._vectors.values())
        )

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Every array with a name that is unique in the collection, in the model's order."""
        yield "offsets", self.offsets
        yield from self._columns.items()
        for name, vector in self._vectors.items():
            yield f"{name}/offsets", vector.offsets
            for column, values in vector.columns.items():
                yield f"{name}/{column}", values
        for name, relation in self._relations.items():
            if not relation.is_one_to_one:
                yield f"{name}/offsets", relation.offsets
            yield f"{name}/index", relation.index
            yield f"{name}/collection", relation.collection

    def __len__(self) -> int:
        """The number of objects of all events together."""
        return int(self.offsets[-1])

    # What can be made of it

    def take(self, rows: Rows, offsets: Array) -> Self:
        """The objects ``rows``, which lie in events as ``offsets`` says (trusted)."""
        return self._trusted(
            offsets,
            {name: jagged.gather(col, rows) for name, col in self._columns.items()},
            {name: relation.take(rows, offsets) for name, relation in self._relations.items()},
            {name: vector.take(rows) for name, vector in self._vectors.items()},
        )

    def select_events(self, selection: slice | Array | Sequence[int] | Sequence[bool]) -> Self:
        """The events of a slice (a view), a mask (n_events,) or an array of indices (copies)."""
        try:
            events = jagged.rows_of_selection(selection, self.n_events)
        except (IndexError, ValueError) as error:
            raise InputError("these events cannot be selected", str(error)) from error
        offsets, rows = jagged.take(self.offsets, events)
        return self.take(rows, offsets)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The events of all parts, one part behind another."""
        if not parts:
            raise InputError("there is no collection to concatenate", hint="give at least one")
        if other := next((p for p in parts if type(p) is not type(parts[0])), None):
            raise InputError(f"{other.type_name} cannot be appended to {parts[0].type_name}")
        first = parts[0]
        if len(parts) == 1:
            return first
        xp = namespace(first.offsets)
        offsets = jagged.concatenate([part.offsets for part in parts])
        return first._trusted(
            offsets,
            {name: xp.concatenate([p._columns[name] for p in parts]) for name in first._columns},
            {
                name: Relation.concatenate([p._relations[name] for p in parts], offsets)
                for name in first._relations
            },
            {
                name: VectorMember.concatenate([p._vectors[name] for p in parts])
                for name in first._vectors
            },
        )

    def select(
        self,
        mask: Array,
        name: str | None = None,
        dangling: Literal["refuse", "drop"] = "refuse",
    ) -> Self:
        """Only the objects where ``mask`` (n,) is true.

        Relations of the collection to itself are rewritten, as ``EventBatch.select_objects`` does
        for all collections; ``name`` is the one that they know it by (the customary one).
        """
        from fiducial.edm.batch import EventBatch

        name = name or self.schema.collection
        return EventBatch({name: self}).select_objects(name, mask, dangling).get(name, type(self))

    def replace(self, **members: Any) -> Self:
        """The same objects with some members given anew, as in ``build``; the rest is shared."""
        return self._trusted(*construct.construct(self.schema, None, self.offsets, members, self))

    def with_relations(self, relations: Mapping[str, Relation]) -> Self:
        """The same objects with some relations given anew; entries must fit (trusted)."""
        return self._trusted(
            self.offsets, self._columns, {**self._relations, **relations}, self._vectors
        )

    def same(self, other: object) -> bool:
        """Whether both are of one type and hold the same bits."""
        return (
            type(self) is type(other)
            and isinstance(other, Collection)
            and (
                same_bytes(self.offsets, other.offsets)
                and all(
                    same_bytes(col, other._columns[name]) for name, col in self._columns.items()
                )
                and all(rel.same(other._relations[name]) for name, rel in self._relations.items())
                and all(vec.same(other._vectors[name]) for name, vec in self._vectors.items())
            )
        )

    def __eq__(self, other: object) -> bool:
        return self.same(other) if isinstance(other, Collection) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_awkward(self) -> ak.Array:
        """The same memory as an awkward array of events of records (no copy)."""
        from fiducial.edm.awkward_bridge import to_awkward

        return to_awkward(self)

    @classmethod
    def from_awkward(cls, array: ak.Array) -> Self:
        """A collection from events of records, as :meth:`to_awkward` makes them."""
        from fiducial.edm.awkward_bridge import from_awkward

        return from_awkward(cls, array)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} objects in {self.n_events} events>"
