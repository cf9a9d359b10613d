"""Arbitrary events for tests: every column full of arbitrary values, relations that hold.

They are no physics. They are for what must work with any content: files, hashes, splits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fiducial.edm.arrays import Array
from fiducial.edm.batch import EventBatch
from fiducial.edm.collection import Collection
from fiducial.edm.generated import TYPES
from fiducial.edm.identifiers import NO_COLLECTION, collection_id
from fiducial.edm.jagged import owners
from fiducial.edm.schema import ColumnSpec, RelationSpec

__all__ = ["random_batch"]


def _values(rng: np.random.Generator, spec: ColumnSpec, n: int) -> Array:
    """Any bits of a whole number; finite floats, with some zeros of both signs."""
    dtype, shape = spec.numpy_dtype, (n, *spec.shape)
    if dtype.kind == "f":
        values = rng.standard_normal(shape) * 10.0 ** rng.integers(-20, 20, shape)
        values[rng.random(shape) < 0.05] *= 0.0
        return values.astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def _member(rng: np.random.Generator, name: str, specs: Iterable[ColumnSpec], n: int) -> Any:
    columns = {spec.name.removeprefix(f"{name}."): _values(rng, spec, n) for spec in specs}
    return columns[name] if list(columns) == [name] else columns.get("", columns)


def _pointers(
    rng: np.random.Generator, spec: RelationSpec, events: Array, counts: Mapping[str, Array]
) -> tuple[Array, Array]:
    """For entries in ``events``, targets in collections of the batch; -1 where there is none."""
    places = [
        name for target in spec.targets if (name := TYPES[target].schema.collection) in counts
    ]
    index = np.full(len(events), -1)
    ids = np.full(len(events), NO_COLLECTION, np.uint32)
    if places and len(events):
        which = rng.integers(0, len(places), len(events))
        for i, name in enumerate(places):
            here = (which == i) & (counts[name][events] > 0)
            index[here] = rng.integers(0, counts[name][events[here]])
            ids[here] = collection_id(name)
    return index, ids


def _relation(
    rng: np.random.Generator, spec: RelationSpec, events: Array, counts: Mapping[str, Array]
) -> Any:
    if not spec.many:
        index, ids = _pointers(rng, spec, events, counts)
        unset = rng.random(len(index)) < 0.2
        return np.where(unset, -1, index), np.where(unset, np.uint32(NO_COLLECTION), ids)
    n = len(events)
    entries = rng.integers(0, 4, n)
    index, ids = _pointers(rng, spec, np.repeat(events, entries), counts)
    found = index >= 0
    kept = np.bincount(np.repeat(np.arange(n), entries)[found], minlength=n)
    return kept, index[found], ids[found]


def random_batch(
    seed: int,
    n_events: int = 5,
    mean: float = 3.0,
    types: Iterable[str] | None = None,
) -> EventBatch:
    """A batch of arbitrary content: a collection of each type, under its customary name.

    mean   objects an event, on average; some events have none
    types  names of the types; all of the model by default
    The headers have one object an event and count from 0.
    """
    rng = np.random.default_rng(seed)
    chosen = [TYPES[name] for name in (TYPES if types is None else types)]
    counts = {
        cls.schema.collection: np.ones(n_events, np.int64)
        if cls.type_name == "edm4hep::EventHeader"
        else rng.poisson(mean, n_events)
        for cls in chosen
    }
    collections: dict[str, Collection] = {}
    for cls in chosen:
        schema, own = cls.schema, counts[cls.schema.collection]
        n, events = int(own.sum()), owners(np.concatenate([[0], np.cumsum(own)]))
        members: dict[str, Any] = {
            m.name: _member(rng, m.name, m.columns, n) for m in schema.members
        }
        for vector in schema.vectors:
            entries = rng.integers(0, 4, n)
            values = _member(rng, "", vector.columns, int(entries.sum()))
            members[vector.name] = (entries, values)
        for relation in schema.relations:
            members[relation.name] = _relation(rng, relation, events, counts)
        if cls.type_name == "edm4hep::EventHeader":
            members["eventNumber"] = np.arange(n_events)
        collections[schema.collection] = cls._build(own, None, members)
    return EventBatch(collections, n_events)
