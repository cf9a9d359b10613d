"""The fields of a file as a tree, with the columns of each ("Schema description")."""

from __future__ import annotations

from dataclasses import dataclass, field

from fiducial.core.errors import InputError
from fiducial.io.rntuple.envelopes import Schema
from fiducial.io.rntuple.records import FieldRecord

__all__ = ["Node", "Unsupported", "grow"]


class Unsupported(InputError):  # noqa: N818
    """A field that is well written but of a kind that is not read here."""


@dataclass
class Node:
    """A field, what is below it, and the ids of its columns in each of its representations."""

    record: FieldRecord
    path: str
    children: list[Node] = field(default_factory=list)
    columns: list[list[int]] = field(default_factory=list)


def grow(schema: Schema) -> dict[str, Node]:
    """The top-level fields by name; ValueError where the records do not make a tree."""
    nodes: list[Node] = []
    tops: dict[str, Node] = {}
    for index, record in enumerate(schema.fields):
        if record.parent > index:
            raise ValueError(f"field {record.name} stands before the one it belongs to")
        top = record.parent == index
        path = record.name if top else f"{nodes[record.parent].path}.{record.name}"
        node = Node(record, path)
        nodes.append(node)
        if top:
            tops[record.name] = node
        else:
            nodes[record.parent].children.append(node)
    for index, column in enumerate(schema.columns):
        _attach(nodes, column.field, index, column.representation)
    for alias in schema.aliases:
        if alias.physical >= len(schema.columns):
            raise ValueError(f"an alias of the column {alias.physical}, which is not there")
        representation = schema.columns[alias.physical].representation
        _attach(nodes, alias.field, alias.physical, representation)
    return tops


def _attach(nodes: list[Node], owner: int, column: int, representation: int) -> None:
    if owner >= len(nodes):
        raise ValueError(f"a column of the field {owner}, which is not there")
    columns = nodes[owner].columns
    if representation > len(columns):
        raise ValueError(f"representations of {nodes[owner].path} are out of order")
    if representation == len(columns):
        columns.append([])
    columns[representation].append(column)
