"""Relations between objects, as columns of indices.

An entry is the pair (index of the object in its event, id of its collection), as in podio.
Since the index counts from the beginning of the event, cutting and joining batches by event
never rewrites it.
"""

from __future__ import annotations

from functools import cached_property

from fiducial.core.errors import InputError
from fiducial.edm import jagged
from fiducial.edm.arrays import OFFSET, Array, namespace, same_bytes
from fiducial.edm.identifiers import NO_COLLECTION, collection_id
from fiducial.edm.jagged import Rows

__all__ = ["Relation"]


class Relation:
    """The entries of one relation of all objects of a collection.

    offsets     (n + 1,) int64   entries of object i are offsets[i] … offsets[i + 1]; None for a
                                 one-to-one relation, which has one entry an object
    index       (m,) int32       place of the target in its event; -1 where unset
    collection  (m,) uint32      ``collection_id`` of the name of the target's collection; 0: unset
    objects     (n_events + 1,) int64  offsets of the objects in events; the collection sets it
    """

    def __init__(
        self,
        offsets: Array | None,
        index: Array,
        collection: Array,
        objects: Array | None = None,
    ) -> None:
        self.is_one_to_one = offsets is None
        self._offsets = offsets
        self.index = index
        self.collection = collection
        self.objects = objects

    @cached_property
    def offsets(self) -> Array:
        if self._offsets is not None:
            return self._offsets
        return namespace(self.index).arange(len(self.index) + 1, dtype=OFFSET)  # type: ignore[no-any-return]

    @property
    def counts(self) -> Array:
        """Entries of each object, (n,) int64."""
        return jagged.counts(self.offsets)

    def bound(self, objects: Array, one_to_one: bool) -> Relation:
        """The same entries, of the objects that lie in events as ``objects`` says."""
        if self.objects is objects and self.is_one_to_one == one_to_one:
            return self
        return Relation(None if one_to_one else self.offsets, self.index, self.collection, objects)

    @property
    def nbytes(self) -> int:
        own = 0 if self._offsets is None else self._offsets.nbytes
        return own + self.index.nbytes + self.collection.nbytes

    def __len__(self) -> int:
        """The number of entries of all objects together."""
        return len(self.index)

    @cached_property
    def event_offsets(self) -> Array:
        """Where the entries of each event begin, (n_events + 1,) int64."""
        if self.objects is None:
            raise InputError(
                "this relation belongs to no collection, so its entries to no event",
                hint="take it from a collection",
            )
        return self.objects if self.is_one_to_one else self.offsets[self.objects]

    @cached_property
    def targets(self) -> dict[int, int]:
        """How many entries point into each collection, by its id, without the unset ones."""
        xp = namespace(self.index)
        first = self.collection[:1]
        if len(first) and bool((self.collection == first).all()):
            ids, counts = first, [len(self)]
        else:
            ids, counts = xp.unique(self.collection, return_counts=True)
        pairs = {int(key): int(count) for key, count in zip(ids, counts, strict=True)}
        pairs.pop(NO_COLLECTION, None)
        return pairs

    def rows(self, target_offsets: Array, name: str | None = None) -> Array:
        """Rows of the targets in their flat columns, (m,) int64; -1 where there is none.

        target_offsets  ``offsets`` of the target collection in the same batch
        name            the target collection: entries that point elsewhere give -1. Without it
                        all entries must point into one collection, else InputError.
        """
        xp = namespace(self.index)
        n_events = len(self.event_offsets) - 1
        if len(target_offsets) != n_events + 1:
            raise InputError(
                f"the target has {len(target_offsets) - 1} events, the relation {n_events}",
                hint="take both collections from one batch",
            )
        set_ = self.index >= 0
        if name is not None:
            set_ &= self.collection == xp.uint32(collection_id(name))
        elif len(targets := self.targets) > 1:
            raise InputError(
                f"the relation points into {len(targets)} collections",
                f"ids {', '.join(map(str, targets))}",
                "give the name of the one that is meant",
            )
        rows = xp.repeat(target_offsets[:-1], jagged.counts(self.event_offsets))
        rows += self.index
        rows[~set_] = -1
        return rows  # type: ignore[no-any-return]

    def of(self, i: int) -> Array:
        """Indices of the targets of object ``i``, counted in its event."""
        return (
            self.index[i : i + 1]
            if self.is_one_to_one
            else self.index[slice(*self.offsets[i : i + 2])]
        )

    def take(self, rows: Rows, objects: Array | None = None) -> Relation:
        """The entries of the objects ``rows``, which lie in events as ``objects`` says."""
        if self._offsets is None:
            offsets, entries = None, rows
        else:
            offsets, entries = jagged.take(self._offsets, rows)
        index = jagged.gather(self.index, entries)
        return Relation(offsets, index, jagged.gather(self.collection, entries), objects)

    def keep_entries(self, mask: Array) -> Relation:
        """Only the entries where ``mask`` (m,) is true (one-to-many relations)."""
        xp = namespace(self.index)
        kept = xp.zeros(len(self) + 1, dtype=OFFSET)
        xp.cumsum(mask, out=kept[1:])
        return Relation(kept[self.offsets], self.index[mask], self.collection[mask], self.objects)

    @staticmethod
    def concatenate(parts: list[Relation], objects: Array) -> Relation:
        xp = namespace(parts[0].index)
        return Relation(
            None if parts[0].is_one_to_one else jagged.concatenate([p.offsets for p in parts]),
            xp.concatenate([p.index for p in parts]),
            xp.concatenate([p.collection for p in parts]),
            objects,
        )

    def same(self, other: Relation) -> bool:
        """Whether both hold the same bits."""
        if self.is_one_to_one != other.is_one_to_one:
            return False
        if not self.is_one_to_one and not same_bytes(self.offsets, other.offsets):
            return False
        return same_bytes(self.index, other.index) and same_bytes(self.collection, other.collection)

    def __repr__(self) -> str:
        kind = "one-to-one" if self.is_one_to_one else "one-to-many"
        return f"<{kind} Relation, {len(self)} entries>"
