"""A batch: many events, each with the same named collections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar

import numpy as np

from fiducial.core.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.edm import jagged
from fiducial.edm.arrays import Array
from fiducial.edm.batch_checks import check_batch
from fiducial.edm.collection import Collection

__all__ = ["EventBatch", "UnknownCollection"]

C = TypeVar("C", bound=Collection)


class UnknownCollection(InputError, KeyError):  # noqa: N818
    """A collection that the batch does not hold."""


class EventBatch:
    """Collections of the same ``n_events`` events, by name.

    A batch never changes; :meth:`with_collections`, :meth:`keep` and a slice of events share
    columns with it. The constructor raises Mistakes with everything that does not fit: numbers
    of events that differ, relations that point to an object that its event does not have, or
    into a collection of a wrong type. A relation may point into a collection that the batch
    does not hold (it was not read, or not kept).
    """

    __slots__ = ("_collections", "n_events")

    def __init__(self, collections: Mapping[str, Collection], n_events: int | None = None) -> None:
        if mistakes := check_batch(collections, n_events):
            raise Mistakes(mistakes, "the batch")
        self.n_events: int = next((c.n_events for c in collections.values()), n_events or 0)
        self._collections: dict[str, Collection] = dict(collections)

    @classmethod
    def _trusted(cls, collections: dict[str, Collection], n_events: int) -> Self:
        new = cls.__new__(cls)
        new.n_events = n_events
        new._collections = collections
        return new

    # What it holds

    @property
    def collections(self) -> Mapping[str, Collection]:
        return MappingProxyType(self._collections)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._collections)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns and offsets; a column that two collections share counts twice."""
        return sum(collection.nbytes for collection in self._collections.values())

    def __getitem__(self, name: str) -> Any:
        """A collection by name, with its members as attributes; see :meth:`get` for a typed one."""
        try:
            return self._collections[name]
        except KeyError:
            raise UnknownCollection(
                f"no collection {name!r} in the batch", hint=did_you_mean(name, self.names)
            ) from None

    def get(self, name: str, type_: type[C]) -> C:
        """A collection by name, which must be of the type ``type_``."""
        collection = self[name]
        if not isinstance(collection, type_):
            raise InputError(f"{name} holds {collection.type_name}, not {type_.type_name}")
        return collection

    def __contains__(self, name: object) -> bool:
        return name in self._collections

    def __iter__(self) -> Iterator[str]:
        return iter(self._collections)

    @property
    def event_numbers(self) -> Array:
        """EventHeader.eventNumber, (n_events,) int64, a view."""
        header = self["EventHeader"]
        if len(header) != self.n_events or bool((header.counts != 1).any()):
            raise InputError("the events have no number", "EventHeader needs one object an event")
        return header.eventNumber.view(np.int64)  # type: ignore[no-any-return]

    # What can be made of it

    def with_collections(self, collections: Mapping[str, Collection]) -> EventBatch:
        """The same events with more collections; one of the same name is replaced."""
        together = {**self._collections, **collections}
        if mistakes := check_batch(together, self.n_events, new=collections.keys()):
            raise Mistakes(mistakes, "the batch")
        return self._trusted(together, self.n_events)

    def keep(self, names: Iterable[str]) -> EventBatch:
        """Only the collections ``names``, in that order."""
        wanted = list(names)
        mistakes = [
            Mistake(name, "no such collection", did_you_mean(name, self.names))
            for name in wanted
            if name not in self
        ]
        if mistakes:
            raise Mistakes(mistakes, "the collections to keep")
        return self._trusted({name: self._collections[name] for name in wanted}, self.n_events)

    def select_events(
        self, selection: slice | Array | Sequence[int] | Sequence[bool]
    ) -> EventBatch:
        """The events of a slice (views), a mask (n_events,) or an array of indices (copies)."""
        try:
            events = jagged.rows_of_selection(selection, self.n_events)
        except (IndexError, ValueError) as error:
            raise InputError("these events cannot be selected", str(error)) from error
        chosen = {}
        for name, collection in self._collections.items():
            offsets, rows = jagged.take(collection.offsets, events)
            chosen[name] = collection.take(rows, offsets)
        n = events.stop - events.start if isinstance(events, slice) else len(events)
        return self._trusted(chosen, n)

    def select_objects(
        self, name: str, mask: Array, dangling: Literal["refuse", "drop"] = "refuse"
    ) -> EventBatch:
        """Only the objects of one collection where ``mask`` (n,) is true.

        Relations into it, its own included, are rewritten. Entries whose target is gone are
        refused, or with ``dangling="drop"`` removed (one-to-one: unset).
        """
        from fiducial.edm.select import select_objects

        return self._trusted(select_objects(self, name, mask, dangling), self.n_events)

    @staticmethod
    def concatenate(batches: Sequence[EventBatch]) -> EventBatch:
        """The events of all batches, one batch behind another; all hold the same collections."""
        if not batches:
            raise InputError("there is no batch to concatenate", hint="give at least one")
        first = batches[0]
        mistakes = []
        for i, batch in enumerate(batches):
            for name in dict.fromkeys([*first.names, *batch.names]):
                if name not in batch or name not in first:
                    have, lack = (0, i) if name in first else (i, 0)
                    mistakes.append(Mistake(name, f"batch {have} holds it, batch {lack} does not"))
                elif (a := first[name].type_name) != (b := batch[name].type_name):
                    mistakes.append(Mistake(name, f"{a} in batch 0, {b} in batch {i}"))
        if mistakes:
            raise Mistakes(mistakes, "the batches to concatenate")
        return EventBatch._trusted(
            {
                name: type(collection).concatenate([batch[name] for batch in batches])
                for name, collection in first.collections.items()
            },
            sum(batch.n_events for batch in batches),
        )

    def to_awkward(self) -> Any:
        """An awkward array of events, one field a collection (no copy)."""
        from fiducial.edm.awkward_bridge import batch_to_awkward

        return batch_to_awkward(self)

    def same(self, other: object) -> bool:
        """Whether both hold the same collections with the same bits, in whatever order."""
        return (
            isinstance(other, EventBatch)
            and self.n_events == other.n_events
            and self._collections.keys() == other._collections.keys()
            and all(col.same(other._collections[name]) for name, col in self._collections.items())
        )

    def __eq__(self, other: object) -> bool:
        return self.same(other) if isinstance(other, EventBatch) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        held = ", ".join(f"{name} ({len(c)})" for name, c in self._collections.items())
        return f"<EventBatch: {self.n_events} events; {held or 'no collections'}>"
