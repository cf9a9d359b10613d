"""The checks that make collections a batch: the same events, and relations that hold."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from fiducial.core.errors import Mistake
from fiducial.edm import jagged
from fiducial.edm.arrays import Array
from fiducial.edm.collection import Collection
from fiducial.edm.identifiers import collection_id
from fiducial.edm.relation import Relation
from fiducial.edm.schema import RelationSpec

__all__ = ["check_batch"]

#: A collection's name becomes a field of a file.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def _outside(relation: Relation, key: int, target: Collection) -> Array:
    """Which entries that point into ``target`` lie beyond the objects of their event, (m,) bool."""
    limits = jagged.counts(target.offsets).repeat(jagged.counts(relation.event_offsets))
    outside = relation.index >= limits
    if len(relation.targets) > 1:
        outside &= relation.collection == key
    return outside


def _check_target(
    where: str, spec: RelationSpec, relation: Relation, key: int, name: str, target: Collection
) -> list[Mistake]:
    """Mistakes of the entries of one relation that point into one collection."""
    if target.type_name not in spec.targets:
        problem = f"points into {name}, which holds {target.type_name}"
        return [Mistake(where, problem, f"it may point to {' or '.join(spec.targets)}")]
    outside = _outside(relation, key, target)
    if not bool(outside.any()):
        return []
    at = int(outside.argmax())
    event = int(relation.event_offsets.searchsorted(at, side="right")) - 1
    return [
        Mistake(
            where,
            f"{int(outside.sum())} entries point outside of their event, as index "
            f"{relation.index[at]} in event {event}, where {name} has "
            f"{target.counts[event]} objects",
            "a relation's index counts from the beginning of the event",
        )
    ]


def _check_names(collections: Mapping[str, Collection], n_events: int | None) -> list[Mistake]:
    """Mistakes that can be seen without looking at a relation."""
    mistakes = []
    if not collections and n_events is None:
        mistakes.append(
            Mistake("n_events", "a batch without collections needs its number of events")
        )
    if n_events is None:
        n_events = next((c.n_events for c in collections.values()), 0)
    ids: dict[int, str] = {}
    for name, collection in collections.items():
        if not _NAME.fullmatch(name):
            problem = "not a name for a collection: a letter, then letters, digits and _"
            mistakes.append(Mistake(repr(name), problem))
        if (other := ids.setdefault(collection_id(name), name)) != name:
            problem = f"has the same 32-bit id as {other}"
            mistakes.append(Mistake(name, problem, "rename one of them"))
        if collection.n_events != n_events:
            mistakes.append(Mistake(name, f"{collection.n_events} events, expected {n_events}"))
    return mistakes


def check_batch(
    collections: Mapping[str, Collection],
    n_events: int | None,
    new: Container[str] | None = None,
) -> list[Mistake]:
    """Everything in which these collections are not one batch.

    new  names of the collections that are new since the others were checked; None: all are
    """
    if mistakes := _check_names(collections, n_events):
        return mistakes
    by_id = {collection_id(name): name for name in collections}
    for name, collection in collections.items():
        for spec in collection.schema.relations:
            relation = collection.relations[spec.name]
            for key in relation.targets:
                target = by_id.get(key)
                if target is None or not (new is None or name in new or target in new):
                    continue
                mistakes += _check_target(
                    f"{name}.{spec.name}", spec, relation, key, target, collections[target]
                )
    return mistakes
