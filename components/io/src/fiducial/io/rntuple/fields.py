"""Types: the awkward form of what is written as fields and columns ("Mapping of C++ Types").

| awkward | field |
|---|---|
| numbers, bool | leaf: std::int32_t, float, bool, … |
| list | collection: std::vector<T>, or without a type name where T has none |
| regular list | std::array<T,N> |
| string | std::string |
| record | record: the name under ``__record__``, or without a type name |
| tuple | std::tuple<T,…> |
| option | std::optional<T> |
| union | std::variant<T,…> |

Parameters of a form: ``__record__`` the C++ name of a record, ``type_version`` the version of that
class, ``enum`` the C++ name of the enumeration that a leaf of whole numbers holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import awkward as ak
import numpy as np

from fiducial.core.errors import Mistake, Mistakes
from fiducial.io.rntuple.envelopes import Schema
from fiducial.io.rntuple.records import (
    COLUMN_TYPES,
    ColumnRecord,
    ColumnType,
    FieldFlag,
    FieldRecord,
    Role,
)

__all__ = ["LEAVES", "Field", "describe", "schema_of"]

LEAVES = {
    "bool": ("bool", "Bit"), "int8": ("std::int8_t", "Int8"), "uint8": ("std::uint8_t", "UInt8"),
    "int16": ("std::int16_t", "SplitInt16"), "uint16": ("std::uint16_t", "SplitUInt16"),
    "int32": ("std::int32_t", "SplitInt32"), "uint32": ("std::uint32_t", "SplitUInt32"),
    "int64": ("std::int64_t", "SplitInt64"), "uint64": ("std::uint64_t", "SplitUInt64"),
    "float16": ("float", "SplitReal16"), "float32": ("float", "SplitReal32"),
    "float64": ("double", "SplitReal64"),
}  # fmt: skip
"""numpy's name of a number: its C++ type, and ROOT's default column ("Fundamental Types")."""

BY_NAME = {kind.name: kind for kind in COLUMN_TYPES.values()}


@dataclass
class Field:
    """A node of the tree of what is written; ``columns`` are in the order of its column records."""

    name: str
    type_name: str
    role: Role
    columns: list[ColumnType] = field(default_factory=list)
    children: list[Field] = field(default_factory=list)
    array_size: int | None = None
    type_version: int = 0
    index: int = -1

    def walk(self) -> Iterator[Field]:
        """This field and all below, each before what is below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def _column(name: str, split: bool) -> ColumnType:
    return BY_NAME[name if split else name.removeprefix("Split")]


def describe(names: list[str], forms: list[Any], split: bool = True) -> list[Field]:
    """The fields of an ntuple with these top-level forms; all that cannot be written at once.

    split  whether columns take ROOT's encodings; without compression they are of no use
    """
    mistakes: list[Mistake] = []
    fields = [
        _describe(name, form, split, name, mistakes)
        for name, form in zip(names, forms, strict=True)
    ]
    for name in names:
        if not name or any(c in "./\\ " or ord(c) < 32 for c in name):
            mistakes.append(Mistake(name or "a field", "this name cannot stand in an RNTuple"))
    for top in fields:
        for node in top.walk():
            if node.type_name and any(not child.type_name for child in node.children):
                problem = f"{node.type_name} holds a record without a name"
                mistakes.append(Mistake(top.name, problem, "name it by __record__"))
    if mistakes:
        raise Mistakes(mistakes, "the events")
    return fields


def _describe(name: str, form: Any, split: bool, path: str, mistakes: list[Mistake]) -> Field:
    def below(child: Any, child_name: str = "_0") -> Field:
        return _describe(child_name, child, split, f"{path}.{child_name}", mistakes)

    parameters = form.parameters
    array = parameters.get("__array__")
    if isinstance(form, ak.forms.NumpyForm) and not form.inner_shape:
        if form.primitive not in LEAVES:
            mistakes.append(Mistake(path, f"a column of {form.primitive} cannot be written"))
            return Field(name, "", Role.LEAF)
        type_name, column = LEAVES[form.primitive]
        leaf = Field(name, type_name, Role.LEAF, [_column(column, split)])
        if "enum" in parameters:
            leaf.name = "_0"
            return Field(name, parameters["enum"], Role.LEAF, children=[leaf])
        return leaf
    if isinstance(form, ak.forms.NumpyForm):
        return _describe(name, form.to_RegularForm(), split, path, mistakes)
    index = _column("SplitIndex64", split)
    if array == "string" and isinstance(form, ak.forms.ListOffsetForm | ak.forms.ListForm):
        return Field(name, "std::string", Role.LEAF, [index, BY_NAME["Char"]])
    if isinstance(form, ak.forms.ListOffsetForm | ak.forms.ListForm):
        child = below(form.content)
        of = f"std::vector<{child.type_name}>" if child.type_name else ""
        return Field(name, of, Role.COLLECTION, [index], [child])
    if isinstance(form, ak.forms.RegularForm):
        child = below(form.content)
        if form.size < 1:
            mistakes.append(Mistake(path, "a fixed array of nothing cannot be written"))
        of = f"std::array<{child.type_name},{form.size}>"
        return Field(name, of, Role.LEAF, [], [child], array_size=form.size)
    if isinstance(form, ak.forms.RecordForm) and form.is_tuple:
        children = [below(c, f"_{i}") for i, c in enumerate(form.contents)]
        of = f"std::tuple<{','.join(c.type_name for c in children)}>"
        return Field(name, of, Role.RECORD, [], children)
    if isinstance(form, ak.forms.RecordForm):
        children = [below(c, n) for n, c in zip(form.fields, form.contents, strict=True)]
        of = parameters.get("__record__", "")
        return Field(name, of, Role.RECORD, [], children,
                     type_version=parameters.get("type_version", 0))  # fmt: skip
    if isinstance(form, ak.forms.IndexedForm):
        return _describe(name, form.content, split, path, mistakes)
    if form.is_option:
        child = below(form.content)
        return Field(name, f"std::optional<{child.type_name}>", Role.COLLECTION, [index], [child])
    if form.is_union:
        children = [below(c, f"_{i}") for i, c in enumerate(form.contents)]
        of = f"std::variant<{','.join(c.type_name for c in children)}>"
        return Field(name, of, Role.VARIANT, [BY_NAME["Switch"]], children)
    mistakes.append(Mistake(path, f"{type(form).__name__} cannot be written"))
    return Field(name, "", Role.LEAF)


def schema_of(fields: list[Field]) -> tuple[Schema, list[Field]]:
    """The schema description; fields level by level as ROOT orders them, and in that order.

    Columns follow their fields in depth-first order, which is how the pages are written too.
    """
    order: list[tuple[Field, int | None]] = []

    def place(node: Field, parent: int | None) -> None:
        node.index = len(order)
        order.append((node, parent))
        for child in node.children:
            place(child, node.index)

    for top in fields:
        place(top, None)
    schema = Schema()
    for node, parent in order:
        repetitive = node.array_size is not None
        schema.fields.append(
            FieldRecord(
                node.name, node.type_name, node.index if parent is None else parent, node.role,
                FieldFlag.REPETITIVE if repetitive else 0, type_version=node.type_version,
                array_size=node.array_size or 0,
            )
        )  # fmt: skip
        schema.columns += [ColumnRecord(c.code, c.bits, node.index) for c in node.columns]
    return schema, [node for node, _ in order]


def numpy_of(kind: ColumnType) -> np.dtype[Any]:
    """The dtype of a column's elements in memory."""
    return np.dtype(kind.dtype)
