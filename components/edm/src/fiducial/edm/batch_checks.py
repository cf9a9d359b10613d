"""The checks that make collections a batch: the same events, and relations that hold."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fiducial.core.errors import Mistake
from fiducial.edm import jagged
from fiducial.edm.collection import Collection
from fiducial.edm.identifiers import collection_id
from fiducial.edm.relation import Relation
from fiducial.edm.schema import RelationSpec

__all__ = ["check_batch", "check_relation_targets"]

#: A collection's name becomes a field of a file.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def check_relation_targets(
    where: str,
    spec: RelationSpec,
    relation: Relation,
    targets: Mapping[int, tuple[str, Collection]],
) -> list[Mistake]:
    """Mistakes of one relation against the collections that are there, by id."""
    mistakes = []
    for key in relation.targets:
        if key not in targets:
            continue
        name, target = targets[key]
        if target.type_name not in spec.targets:
            allowed = " or ".join(spec.targets)
            mistakes.append(
                Mistake(
                    where,
                    f"points into {name}, which holds {target.type_name}",
                    f"it may point to {allowed}",
                )
            )
            continue
        limits = jagged.counts(target.offsets).repeat(jagged.counts(relation.event_offsets))
        outside = relation.index >= limits
        outside &= relation.collection == key
        if bool(outside.any()):
            at = int(outside.argmax())
            event = int(relation.event_offsets.searchsorted(at, side="right")) - 1
            mistakes.append(
                Mistake(
                    where,
                    f"{int(outside.sum())} entries point outside of their event: index "
                    f"{relation.index[at]} in event {event}, where {name} has {limits[at]} objects",
                    "a relation's index counts from the beginning of the event",
                )
            )
    return mistakes


def check_batch(collections: Mapping[str, Collection], n_events: int | None) -> list[Mistake]:
    """Everything in which these collections are not one batch."""
    mistakes = []
    if not collections and n_events is None:
        mistakes.append(
            Mistake("n_events", "a batch without collections must be told its number of events")
        )
    expected = (
        n_events if n_events is not None else next((c.n_events for c in collections.values()), 0)
    )
    ids: dict[int, str] = {}
    for name, collection in collections.items():
        if not _NAME.fullmatch(name):
            mistakes.append(
                Mistake(repr(name), "a collection's name is a letter, then letters, digits and _")
            )
        if (other := ids.setdefault(collection_id(name), name)) != name:
            mistakes.append(
                Mistake(name, f"has the same 32-bit id as {other}", "rename one of them")
            )
        if collection.n_events != expected:
            mistakes.append(Mistake(name, f"{collection.n_events} events, expected {expected}"))
    if mistakes:
        return mistakes
    targets = {collection_id(name): (name, c) for name, c in collections.items()}
    for name, collection in collections.items():
        for spec in collection.schema.relations:
            relation = collection.relations[spec.name]
            mistakes += check_relation_targets(f"{name}.{spec.name}", spec, relation, targets)
    return mistakes
