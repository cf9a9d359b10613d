"""The layout of event files: one table for the writer and the reader (layout version 1).

As podio's RNTuple backend: the RNTuple ``events`` has one field a collection, a vector of
records with the members of EDM4hep's data struct, where a vector member or a one-to-many
relation ``x`` is the pair ``x_begin``, ``x_end`` of places in the event's field
``_<collection>_x``. Relations hold ``{index, collectionID}``. ``podio_metadata`` names the types.
docs/formats/event-file.md tells the whole, and what differs from podio's own files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from fiducial.core.device import to_host
from fiducial.edm.collection import Collection
from fiducial.edm.generated import TYPES
from fiducial.edm.generated.components import COMPONENTS
from fiducial.edm.identifiers import collection_id
from fiducial.edm.jagged import owners
from fiducial.edm.relation import Relation
from fiducial.edm.schema import ColumnSpec, TypeSchema, VectorSpec
from fiducial.edm.vector_member import VectorMember

__all__ = [
    "EVENTS",
    "LAYOUT",
    "METADATA",
    "RECORD",
    "data_type",
    "decode",
    "encode",
    "fields_of",
    "metadata",
    "seal",
    "storage_type",
    "type_of",
    "unseal",
]

LAYOUT = 1
"""Version of the layout; a reader refuses versions that it does not know."""

EVENTS = "events"
METADATA = "podio_metadata"
RECORD = "fiducial_record"
"""Key of the TObjString that holds, as JSON, layout, content hash and provenance."""

PODIO_VERSION = (1, 7, 0)
"""The version of podio whose layout this is."""

Array = npt.NDArray[Any]


# --- Names ---


def data_type(schema: TypeSchema) -> str:
    """podio's name of the collection class of a type."""
    if schema.is_link:
        of, to = (relation.target for relation in schema.relations)
        return f"podio::LinkCollection<{of},{to}>"
    return f"{schema.name}Collection"


def storage_type(schema: TypeSchema) -> str:
    """podio's name of the field of a collection."""
    return f"std::vector<{'podio::LinkData' if schema.is_link else schema.name + 'Data'}>"


_BY_DATA_TYPE = {data_type(cls.schema): cls for cls in TYPES.values()}


def type_of(data_type_name: str) -> type[Collection] | None:
    """The collection class for a name that stands in a file; None if the model has none."""
    return _BY_DATA_TYPE.get(data_type_name)


def fields_of(name: str, schema: TypeSchema) -> list[str]:
    """The top-level fields that hold a collection."""
    jagged = [vector.name for vector in schema.vectors] + [r.label for r in schema.relations]
    return [name, *(f"_{name}_{part}" for part in jagged)]


# --- The record ---


def seal(record: Mapping[str, Any]) -> str:
    """The record as JSON, with the SHA-256 of the rest under ``record_sha256``."""
    return json.dumps({**record, "record_sha256": _digest(record)})


def unseal(text: str) -> dict[str, Any]:
    """The record in a text; raises ValueError where its hash does not fit."""
    record: dict[str, Any] = json.loads(text)
    if record.pop("record_sha256", None) != _digest(record):
        raise ValueError(f"the hash of {RECORD} is wrong")
    return record


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


# --- Writing ---


UNVERSIONED = 0xFFFF_FFFF
"""What ROOT stores as the version of a class that declares none, as podio's own do."""


def encode(collections: Mapping[str, Collection], n_events: int) -> Any:
    """The events as the layout of records that is written; shares the columns' memory.

    Records bear the names and versions of podio's data structs.
    """
    fields: dict[str, Any] = {}
    for name, collection in collections.items():
        fields.update(_encode_collection(name, collection))
    return _record(fields, n_events)


def _encode_collection(name: str, collection: Collection) -> dict[str, Any]:
    schema, events = collection.schema, to_host(collection.offsets)
    types = {member.name: member.type for member in schema.members}
    members = _nested(list(schema.columns.values()), collection.columns, types, schema.version)
    below: dict[str, Any] = {}
    for spec in schema.vectors:
        vector = collection.vectors[spec.name]
        offsets = to_host(vector.offsets)
        members |= _begin_end(spec.name, offsets, events)
        below[spec.name] = _lists(offsets[events], _elements(spec, vector.columns, schema.version))
    for link in schema.relations:
        relation = collection.relations[link.name]
        offsets = to_host(relation.offsets)
        if link.many:
            members |= _begin_end(link.label, offsets, events)
        entries = {"index": relation.index, "collectionID": relation.collection}
        leaves = {k: _leaf(v) for k, v in entries.items()}
        record = _record(leaves, len(relation.index), "podio::ObjectID")
        below[link.label] = _lists(offsets[events], record)
    struct = "podio::LinkData" if schema.is_link else schema.name + "Data"
    version = UNVERSIONED if schema.is_link else schema.version
    fields = {name: _lists(events, _record(members, len(collection), struct, version))}
    return fields | {f"_{name}_{part}": content for part, content in below.items()}


def _begin_end(name: str, offsets: Array, events: Array) -> dict[str, Any]:
    first = offsets[events[:-1]].repeat(np.diff(events))  # of the object's event
    return {
        f"{name}_begin": _leaf((offsets[:-1] - first).astype(np.uint32)),
        f"{name}_end": _leaf((offsets[1:] - first).astype(np.uint32)),
    }


def _elements(spec: VectorSpec, columns: Mapping[str, Array], version: int) -> Any:
    if "" in columns:
        return _leaf(columns[""])
    length = len(next(iter(columns.values())))
    members = _nested(list(spec.columns), columns, COMPONENTS[spec.type], version)
    return _record(members, length, spec.type, version)


def _nested(
    specs: list[ColumnSpec],
    columns: Mapping[str, Array],
    types: Mapping[str, str],
    version: int,
    depth: int = 0,
) -> dict[str, Any]:
    """Leaves and records by name, with the paths of the columns opened up.

    types  of the members at this depth
    """
    fields: dict[str, Any] = {}
    for spec in specs:
        head = spec.path[depth]
        if head in fields:
            continue
        if len(spec.path) == depth + 1:
            fields[head] = _leaf(columns[spec.name])
        else:
            inner = [s for s in specs if s.path[depth] == head]
            members = _nested(inner, columns, COMPONENTS[types[head]], version, depth + 1)
            fields[head] = _record(members, len(columns[spec.name]), types[head], version)
    return fields


def _leaf(column: Any) -> Any:
    return ak.contents.NumpyArray(to_host(column))


def _record(
    fields: Mapping[str, Any], length: int, name: str = "", version: int = UNVERSIONED
) -> Any:
    parameters = {"__record__": name, "type_version": version} if name else None
    return ak.contents.RecordArray(
        list(fields.values()), list(fields), length, parameters=parameters
    )


def _lists(offsets: Array, content: Any) -> Any:
    return ak.contents.ListOffsetArray(ak.index.Index64(offsets), content)


def metadata(schemas: Mapping[str, TypeSchema]) -> Any:
    """The one entry of ``podio_metadata`` for collections of these types."""
    info = [
        {
            "collectionID": collection_id(name),
            "dataType": data_type(schema),
            "isSubset": False,
            "schemaVersion": 1 if schema.is_link else schema.version,
            "name": name,
            "storageType": storage_type(schema),
        }
        for name, schema in schemas.items()
    ]
    entry = {
        "PodioBuildVersion": list(PODIO_VERSION),
        "availableCategories": [EVENTS],
        "events___CollectionTypeInfo": info,
    }
    kind = ak.types.from_datashape(
        "{PodioBuildVersion: var * uint16, availableCategories: var * string, "
        "events___CollectionTypeInfo: var * {collectionID: uint32, dataType: string, "
        "isSubset: bool, schemaVersion: uint32, name: string, storageType: string}}",
        highlevel=False,
    )
    layout = ak.enforce_type(ak.Array([entry]), kind).layout
    collections = layout.content("events___CollectionTypeInfo")
    named = ak.contents.RecordArray(
        collections.content.contents, collections.content.fields, collections.content.length,
        parameters={"__record__": "podio::root_utils::CollectionWriteInfo",
                    "type_version": UNVERSIONED},
    )  # fmt: skip
    contents = [*layout.contents[:2], ak.contents.ListOffsetArray(collections.offsets, named)]
    return ak.contents.RecordArray(contents, layout.fields, 1)


# --- Reading ---


def decode(name: str, cls: type[Collection], field: Callable[[str], Any]) -> Collection:
    """A collection from the layouts of its fields; checked as any collection is.

    field  gives the awkward layout of a top-level field for a run of events
    Raises KeyError for a member that the file lacks, ValueError for one of another type.
    """
    schema = cls.schema
    events, objects = _open_lists(field(name))
    columns = {spec.name: _column(objects, spec) for spec in schema.columns.values()}
    vectors, relations = {}, {}
    for vector in schema.vectors:
        lists, content = _open_lists(field(f"_{name}_{vector.name}"))
        offsets, rows = _offsets(objects, vector.name, events, lists)
        vectors[vector.name] = VectorMember(
            offsets, {spec.name: _column(content, spec)[rows] for spec in vector.columns}
        )
    for spec in schema.relations:
        lists, content = _open_lists(field(f"_{name}_{spec.label}"))
        index = _numpy(content["index"], np.dtype(np.int32), ())
        target = _numpy(content["collectionID"], np.dtype(np.uint32), ())
        if spec.many:
            many, rows = _offsets(objects, spec.label, events, lists)
            relations[spec.name] = Relation(many, index[rows], target[rows])
        else:
            if not np.array_equal(lists, events):
                raise ValueError(f"{spec.label} of {name} has not one entry an object")
            relations[spec.name] = Relation(None, index, target)
    return cls(events, columns, relations, vectors)


def _open_lists(layout: Any) -> tuple[Array, Any]:
    """Offsets that begin at 0, and the content that they cover."""
    if not isinstance(layout, ak.contents.ListOffsetArray):
        raise ValueError(f"a list was expected, found {type(layout).__name__}")
    offsets = np.asarray(layout.offsets.data).astype(np.int64, copy=False)
    if len(offsets) == 0 or bool((np.diff(offsets) < 0).any()):
        raise ValueError("the ends of lists fall")
    first, last = int(offsets[0]), int(offsets[-1])
    if first < 0 or last > len(layout.content):
        raise ValueError("lists reach beyond their content")
    return offsets - first if first else offsets, layout.content[first:last]


def _column(record: Any, spec: ColumnSpec) -> Array:
    layout = record
    for part in spec.path:
        layout = layout[part]
    return _numpy(layout, spec.numpy_dtype, spec.shape)


def _numpy(layout: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    length = len(layout)
    if isinstance(layout, ak.contents.RegularArray):
        layout = layout.content[: length * layout.size]
    if not isinstance(layout, ak.contents.NumpyArray):
        raise ValueError(f"numbers were expected, found {type(layout).__name__}")
    column = np.asarray(layout.data)
    if column.dtype != dtype:
        raise ValueError(f"{column.dtype} was found where {dtype} is expected")
    return np.ascontiguousarray(column).reshape(length, *shape)


def _offsets(objects: Any, label: str, events: Array, lists: Array) -> tuple[Array, slice | Array]:
    """Offsets of the entries of each object, and the rows of the content in that order."""
    uint32 = np.dtype(np.uint32)
    begin = _numpy(objects[f"{label}_begin"], uint32, ()).astype(np.int64)
    end = _numpy(objects[f"{label}_end"], uint32, ()).astype(np.int64)
    counts = end - begin
    of_event = owners(events)
    if bool((counts < 0).any()) or bool((end > np.diff(lists)[of_event]).any()):
        raise ValueError(f"{label}_begin and {label}_end do not fit the entries")
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:])
    start = begin + lists[:-1][of_event]
    if np.array_equal(start, offsets[:-1]) and offsets[-1] == lists[-1]:
        return offsets, slice(None)
    rows = np.arange(offsets[-1]) + (start - offsets[:-1]).repeat(counts)
    return offsets, rows
