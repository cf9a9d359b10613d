"""The checks that a collection's columns must pass: the shape of its schema, no more.

Each function adds to a list of mistakes instead of raising, so that all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fiducial.core.errors import Mistake, did_you_mean
from fiducial.edm.arrays import OFFSET, Array
from fiducial.edm.relation import Relation
from fiducial.edm.schema import ColumnSpec, RelationSpec, TypeSchema, VectorSpec
from fiducial.edm.vector_member import VectorMember

__all__ = ["check_collection", "check_names", "check_offsets"]


def check_names(
    mistakes: list[Mistake], where: str, given: Iterable[str], known: Iterable[str], kind: str
) -> None:
    """Refuse the names that the schema does not know."""
    choices = list(known)
    for name in given:
        if name not in choices:
            mistakes.append(Mistake(where, f"no {kind} {name!r}", did_you_mean(name, choices)))


def check_offsets(
    mistakes: list[Mistake], where: str, offsets: Any, lists: int | None, end: int | None
) -> bool:
    """Offsets are int64, begin at 0, never fall, cover ``lists`` lists and stop at ``end``."""
    before = len(mistakes)
    if getattr(offsets, "dtype", None) != OFFSET or offsets.ndim != 1 or len(offsets) == 0:
        mistakes.append(
            Mistake(where, "offsets must be a one-dimensional int64 array, at least [0]")
        )
        return False
    if lists is not None and len(offsets) != lists + 1:
        mistakes.append(
            Mistake(where, f"{len(offsets)} offsets for {lists} lists, expected {lists + 1}")
        )
    if offsets[0] != 0:
        mistakes.append(Mistake(where, f"offsets begin at {offsets[0]}, expected 0"))
    if bool((offsets[1:] < offsets[:-1]).any()):
        at = int((offsets[1:] < offsets[:-1]).argmax())
        mistakes.append(
            Mistake(where, f"offsets fall from {offsets[at]} to {offsets[at + 1]} at {at}")
        )
    if end is not None and offsets[-1] != end:
        mistakes.append(
            Mistake(where, f"offsets end at {offsets[-1]}, but there are {end} entries")
        )
    return len(mistakes) == before


def _check_column(
    mistakes: list[Mistake], where: str, spec: ColumnSpec, column: Any, n: int | None
) -> None:
    if not hasattr(column, "dtype"):
        mistakes.append(Mistake(where, f"a column is an array, not {type(column).__name__}"))
        return
    if column.dtype != spec.numpy_dtype:
        mistakes.append(Mistake(where, f"dtype {column.dtype}, expected {spec.dtype}"))
    rows = column.shape[0] if n is None and column.ndim else n
    if column.shape != (rows, *spec.shape):
        expected = ", ".join(map(str, (rows, *spec.shape)))
        mistakes.append(Mistake(where, f"shape {column.shape}, expected ({expected})"))
    elif not column.flags.c_contiguous:
        mistakes.append(Mistake(where, "the column is not contiguous", "numpy.ascontiguousarray"))


def _check_vector(
    mistakes: list[Mistake], where: str, spec: VectorSpec, vector: VectorMember, n: int
) -> None:
    names = [column.name for column in spec.columns]
    check_names(mistakes, where, vector.columns, names, "column")
    end = None
    for column in spec.columns:
        if column.name not in vector.columns:
            mistakes.append(Mistake(where, f"column {column.name!r} is missing"))
            continue
        _check_column(
            mistakes, f"{where}.{column.name}".rstrip("."), column, vector.columns[column.name], end
        )
        end = len(vector.columns[column.name])
    check_offsets(mistakes, where, vector.offsets, n, end)


def _check_relation(
    mistakes: list[Mistake], where: str, spec: RelationSpec, relation: Relation, n: int
) -> None:
    if relation.is_one_to_one and spec.many:
        mistakes.append(Mistake(where, "a one-to-many relation needs offsets"))
        return
    if not relation.is_one_to_one and not spec.many and (relation.counts != 1).any():
        mistakes.append(Mistake(where, "a one-to-one relation has one entry an object"))
        return
    m = n if not spec.many else len(relation.index)
    _check_column(mistakes, f"{where}.index", ColumnSpec("index", "int32"), relation.index, m)
    _check_column(
        mistakes, f"{where}.collection", ColumnSpec("collection", "uint32"), relation.collection, m
    )
    if spec.many:
        check_offsets(mistakes, where, relation.offsets, n, m)
    lowest = 0 if spec.many else -1
    if relation.index.size and (least := int(relation.index.min())) < lowest:
        mistakes.append(Mistake(f"{where}.index", f"index {least}, expected {lowest} or more"))


def check_collection(
    schema: TypeSchema,
    offsets: Array,
    columns: Mapping[str, Array],
    relations: Mapping[str, Relation],
    vectors: Mapping[str, VectorMember],
) -> list[Mistake]:
    """Everything in which these columns are not a collection of the type ``schema``."""
    mistakes: list[Mistake] = []
    check_names(mistakes, schema.name, columns, schema.columns, "column")
    check_names(mistakes, schema.name, relations, [r.name for r in schema.relations], "relation")
    check_names(mistakes, schema.name, vectors, [v.name for v in schema.vectors], "vector member")
    if not check_offsets(mistakes, f"{schema.name}.offsets", offsets, None, None):
        return mistakes
    n = int(offsets[-1])
    for name, column in schema.columns.items():
        where = f"{schema.name}.{name}"
        if name in columns:
            _check_column(mistakes, where, column, columns[name], n)
        else:
            mistakes.append(Mistake(where, "the column is missing"))
    for relation in schema.relations:
        where = f"{schema.name}.{relation.name}"
        if relation.name in relations:
            _check_relation(mistakes, where, relation, relations[relation.name], n)
        else:
            mistakes.append(Mistake(where, "the relation is missing"))
    for vector in schema.vectors:
        where = f"{schema.name}.{vector.name}"
        if vector.name in vectors:
            _check_vector(mistakes, where, vector, vectors[vector.name], n)
        else:
            mistakes.append(Mistake(where, "the vector member is missing"))
    return mistakes
