"""Keeping some objects of a collection, and rewriting the relations that point to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.edm import jagged
from fiducial.edm.arrays import OFFSET, Array, namespace
from fiducial.edm.collection import Collection
from fiducial.edm.identifiers import NO_COLLECTION, collection_id
from fiducial.edm.relation import Relation

if TYPE_CHECKING:
    from fiducial.edm.batch import EventBatch

__all__ = ["select_objects"]


def _moved(mask: Array, offsets: Array) -> tuple[Array, Array]:
    """Offsets of the kept objects, and for every old row its new place in the event (-1: gone)."""
    xp = namespace(mask)
    before = xp.zeros(len(mask) + 1, dtype=OFFSET)
    xp.cumsum(mask, out=before[1:])
    new_offsets = before[offsets]
    place = before[:-1] - xp.repeat(new_offsets[:-1], jagged.counts(offsets))
    place[~mask] = -1
    return new_offsets, place


def _rewrite(
    relation: Relation, name: str, offsets: Array, place: Array, drop: bool
) -> tuple[Relation, int]:
    """The relation with its entries into ``name`` rewritten, and how many of them dangle."""
    key = collection_id(name)
    if key not in relation.targets:
        return relation, 0
    xp = namespace(place)
    rows = relation.rows(offsets, name)
    inside = rows >= 0
    index = relation.index.copy()
    index[inside] = place[rows[inside]]
    gone = inside & (index < 0)
    dangling = int(gone.sum())
    collection = relation.collection
    if dangling and relation.is_one_to_one:
        collection = xp.where(gone, xp.uint32(NO_COLLECTION), collection)
    many = None if relation.is_one_to_one else relation.offsets
    new = Relation(many, index, collection, relation.objects)
    if dangling and drop and many is not None:
        new = new.keep_entries(~gone)
    return new, dangling


def select_objects(
    batch: EventBatch, name: str, mask: Array, dangling: Literal["refuse", "drop"]
) -> dict[str, Collection]:
    """The collections of the batch with only the objects of ``name`` where ``mask`` is true."""
    chosen: Collection = batch[name]
    mask = np.asarray(mask) if not hasattr(mask, "dtype") else mask
    if mask.dtype != bool or mask.shape != (len(chosen),):
        raise InputError(
            f"a mask of objects is bool ({len(chosen)},), not {mask.dtype} {mask.shape}",
            f"{name} has {len(chosen)} objects",
        )
    offsets, place = _moved(mask, chosen.offsets)
    collections = dict(batch.collections)
    collections[name] = chosen.take(jagged.rows_of_selection(mask, len(mask)), offsets)
    mistakes = []
    for other, collection in collections.items():
        rewritten = {}
        for label, relation in collection.relations.items():
            # the chosen collection has lost objects, but the events of its entries are the same
            new, lost = _rewrite(relation, name, chosen.offsets, place, dangling == "drop")
            if lost and dangling == "refuse":
                mistakes.append(
                    Mistake(
                        f"{other}.{label}",
                        f"{lost} entries point to objects of {name} that are not selected",
                        'select these too, or give dangling="drop"',
                    )
                )
            if new is not relation:
                rewritten[label] = new
        if rewritten:
            collections[other] = collection.with_relations(rewritten)
    if mistakes:
        raise Mistakes(mistakes, f"the selection of {name}")
    return collections
