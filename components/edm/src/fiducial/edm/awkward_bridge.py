"""To awkward and back, without a copy where the layouts agree.

A collection becomes events of records: ``array.momentum.x``, ``array.parents.index``,
``array.weights``. One-to-one relations are records, the others lists of records with the
fields ``index`` and ``collection``; fixed arrays are regular.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import awkward as ak
import numpy as np

from fiducial.core.errors import InputError
from fiducial.edm import jagged
from fiducial.edm.arrays import OFFSET, Array
from fiducial.edm.collection import Collection
from fiducial.edm.relation import Relation

if TYPE_CHECKING:
    from fiducial.edm.batch import EventBatch

__all__ = ["batch_to_awkward", "from_awkward", "to_awkward"]

C = TypeVar("C", bound=Collection)


def _lists(offsets: Array, content: Any) -> Any:
    return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)


def _record(fields: Mapping[str, Any], length: int) -> Any:
    return ak.contents.RecordArray(list(fields.values()), list(fields), length)


def _nested(columns: Mapping[str, Array], length: int) -> Any:
    """Records, with dotted names opened up into records within."""
    fields: dict[str, Any] = {}
    for name, column in columns.items():
        head, dot, _ = name.partition(".")
        if not dot:
            fields[head] = ak.contents.NumpyArray(column)
        elif head not in fields:
            inner = {
                k.removeprefix(f"{head}."): c
                for k, c in columns.items()
                if k.startswith(f"{head}.")
            }
            fields[head] = _nested(inner, length)
    return _record(fields, length)


def _relation(relation: Relation) -> Any:
    entries = {"index": relation.index, "collection": relation.collection}
    record = _nested(entries, len(relation))
    return record if relation.is_one_to_one else _lists(relation.offsets, record)


def _layout(collection: Collection) -> Any:
    objects = _nested(collection.columns, len(collection))
    fields = dict(zip(objects.fields, objects.contents, strict=True))
    for name, vector in collection.vectors.items():
        plain = "" in vector.columns
        content = (
            ak.contents.NumpyArray(vector.values) if plain else _nested(vector.columns, len(vector))
        )
        fields[name] = _lists(vector.offsets, content)
    for name, relation in collection.relations.items():
        fields[name] = _relation(relation)
    return _lists(collection.offsets, _record(fields, len(collection)))


def to_awkward(collection: Collection) -> ak.Array:
    """The collection's own memory as an array of events of records."""
    return ak.Array(_layout(collection))


def batch_to_awkward(batch: EventBatch) -> ak.Array:
    """The batch's own memory as an array of events, one field a collection."""
    layouts = {name: _layout(collection) for name, collection in batch.collections.items()}
    return ak.Array(_record(layouts, batch.n_events))


class _Reader:
    """Takes an awkward layout apart."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def wrong(self, where: str, layout: Any, expected: str) -> InputError:
        place = f"{self.type_name}.{where}".rstrip(".")
        return InputError(f"{place} is {type(layout).__name__}", f"expected {expected}")

    def lists(self, where: str, layout: Any) -> tuple[Array, Any]:
        if not layout.is_list or layout.is_option or layout.is_union:
            raise self.wrong(where, layout, "lists without missing values")
        layout = layout.to_ListOffsetArray64(True)
        offsets = np.asarray(layout.offsets).astype(OFFSET, copy=False)
        return offsets, layout.content[: int(offsets[-1])]

    def fields(self, where: str, layout: Any) -> dict[str, Any]:
        if not layout.is_record:
            raise self.wrong(where, layout, "records")
        layout = layout.to_packed() if layout.is_indexed else layout
        return {name: layout.content(name)[: layout.length] for name in layout.fields}

    def column(self, where: str, layout: Any) -> Array:
        if layout.is_option or layout.is_union or layout.is_record:
            raise self.wrong(where, layout, "numbers without missing values")
        return np.asarray(ak.to_numpy(layout, allow_missing=False))

    def columns(self, where: str, layout: Any) -> dict[str, Array]:
        """Dotted columns of nested records."""
        found: dict[str, Array] = {}
        for name, content in self.fields(where, layout).items():
            if content.is_record:
                inner = self.columns(f"{where}.{name}", content)
                found |= {f"{name}.{key}": column for key, column in inner.items()}
            else:
                found[name] = self.column(f"{where}.{name}", content)
        return found

    def member(self, where: str, layout: Any) -> Any:
        return self.columns(where, layout) if layout.is_record else self.column(where, layout)

    def pointers(self, where: str, layout: Any) -> tuple[Array, ...]:
        columns = self.columns(where, layout)
        if "index" not in columns or not columns.keys() <= {"index", "collection"}:
            raise self.wrong(where, layout, "records of index and collection")
        return tuple(columns[key] for key in ("index", "collection") if key in columns)


def from_awkward(cls: type[C], array: ak.Array) -> C:
    """A collection of the type ``cls`` from events of records; missing fields take the default.

    Relations may lack the field ``collection``, and then point where ``build`` lets them point.
    Raises InputError for a structure and Mistakes for values that do not fit.
    """
    schema, reader = cls.schema, _Reader(cls.type_name)
    layout = ak.to_layout(array)
    offsets, objects = reader.lists("", layout)
    objects = objects.to_packed() if objects.is_indexed else objects
    found = reader.fields("", objects)
    members: dict[str, Any] = {}
    many = {spec.name: spec.many for spec in schema.relations}
    vectors = {spec.name for spec in schema.vectors}
    for name, content in found.items():
        content = content.to_packed() if content.is_indexed else content
        if name in vectors:
            inner, values = reader.lists(name, content)
            members[name] = (jagged.counts(inner), reader.member(name, values))
        elif many.get(name):
            inner, entries = reader.lists(name, content)
            members[name] = (jagged.counts(inner), *reader.pointers(name, entries))
        elif name in many:
            members[name] = reader.pointers(name, content)
        else:
            members[name] = reader.member(name, content)
    return cls._build(None, offsets, members)
