"""Steps: frozen settings and a pure function from events to events.

A step's settings are a pydantic model, validated when it is made. What a step computes
depends on nothing but its settings, its input and the seed, and random numbers are keyed
by (seed, event number, item), so that the answer does not depend on how the events were
split. Steps are found by entry points of the group ``fiducial.steps``.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from fiducial.core.errors import InputError, Mistake, Mistakes, did_you_mean
from fiducial.edm.arrays import Array
from fiducial.edm.batch import EventBatch
from fiducial.edm.collection import Collection

__all__ = [
    "Consumer",
    "Filter",
    "Producer",
    "Step",
    "Table",
    "Transformer",
    "check_inputs",
    "check_outputs",
    "check_table",
    "consume",
    "filter_events",
    "produce",
    "transform",
]

#: Columns of equal length by name: one row an entry (an event, a particle, a pair).
Table: TypeAlias = Mapping[str, Array]


class Step(BaseModel, ABC):
    """Settings of a step; subclasses add fields, and one of the four roles below.

    summary  one line for lists of steps
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: ClassVar[str] = ""

    def check(self) -> None:
        """Refuse bad settings before the run, where that takes more than validation.

        Raises Mistakes or InputError. Called once, in the main process.
        """

    @property
    def inputs(self) -> Sequence[str]:
        """Names of the collections that are read."""
        return ()

    @property
    def outputs(self) -> Mapping[str, str]:
        """Collections that are written: name to type name."""
        return {}


class Producer(Step):
    """Makes events from nothing but a seed.

    block  events that share one seed: ``produce`` of a range must equal the concatenation of
           any split of it at multiples of ``block``
    """

    block: ClassVar[int] = 1

    @abstractmethod
    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        """Events ``first`` … ``first + count - 1``."""


class Transformer(Step):
    """Adds collections to events."""

    @abstractmethod
    def transform(self, batch: EventBatch, seed: int) -> Mapping[str, Collection]:
        """The collections named by ``outputs``, for the events of ``batch``."""


class Filter(Step):
    """Chooses events."""

    @abstractmethod
    def select(self, batch: EventBatch) -> Array:
        """True for the events to keep, (n_events,) bool."""


class Consumer(Step):
    """Makes tables, from which histograms are filled when all events are there."""

    @abstractmethod
    def consume(self, batch: EventBatch) -> Mapping[str, Table]:
        """Tables by name; a run appends them in the order of the events."""


def check_inputs(step: Step, batch: EventBatch) -> None:
    """Raise Mistakes with every input that the batch lacks."""
    mistakes = [
        Mistake(
            type(step).__name__,
            f"reads {name}, which no step before it writes",
            did_you_mean(name, batch.names),
        )
        for name in step.inputs
        if name not in batch
    ]
    if mistakes:
        raise Mistakes(mistakes, type(step).__name__)


def check_outputs(step: Step, collections: Mapping[str, Collection], n_events: int) -> None:
    """Raise Mistakes with everything in which the collections are not what the step declared."""
    where, mistakes = type(step).__name__, []
    for name, type_name in step.outputs.items():
        if name not in collections:
            mistakes.append(Mistake(where, f"declares {name} ({type_name}), but did not write it"))
        elif (found := collections[name].type_name) != type_name:
            mistakes.append(Mistake(where, f"declares {name} as {type_name}, but wrote {found}"))
    for name, collection in collections.items():
        if name not in step.outputs:
            mistakes.append(
                Mistake(
                    where,
                    f"wrote {name}, which it did not declare",
                    did_you_mean(name, list(step.outputs)),
                )
            )
        if collection.n_events != n_events:
            mistakes.append(
                Mistake(where, f"wrote {collection.n_events} events of {name}, expected {n_events}")
            )
    if mistakes:
        raise Mistakes(mistakes, where)


def check_table(where: str, table: Table) -> int:
    """The number of rows of a table; raises Mistakes if its columns are not equally long arrays."""
    mistakes = []
    rows: int | None = None
    for name, column in table.items():
        shape = getattr(column, "shape", None)
        if shape is None or len(shape) != 1:
            mistakes.append(
                Mistake(f"{where}.{name}", "a column of a table is a one-dimensional array")
            )
            continue
        rows = shape[0] if rows is None else rows
        if shape[0] != rows:
            mistakes.append(
                Mistake(f"{where}.{name}", f"{shape[0]} rows, the columns before have {rows}")
            )
    if mistakes:
        raise Mistakes(mistakes, where)
    return rows or 0


def produce(step: Producer, first: int, count: int, seed: int) -> EventBatch:
    """Run a producer and check what it made: the events asked for, with their numbers."""
    batch = step.produce(first, count, seed)
    if batch.n_events != count:
        raise InputError(f"{type(step).__name__} made {batch.n_events} events, asked for {count}")
    check_outputs(step, batch.collections, count)
    if "EventHeader" in batch:
        wrong = batch.event_numbers != np.arange(first, first + count)
        if bool(wrong.any()):
            at = int(wrong.argmax())
            raise InputError(
                f"{type(step).__name__} numbered an event {batch.event_numbers[at]}",
                f"it was asked for event {first + at}",
            )
    return batch


def transform(step: Transformer, batch: EventBatch, seed: int) -> EventBatch:
    """Run a transformer and add what it made to the batch, after checking it."""
    check_inputs(step, batch)
    collections = step.transform(batch, seed)
    check_outputs(step, collections, batch.n_events)
    return batch.with_collections(collections)


def filter_events(step: Filter, batch: EventBatch) -> EventBatch:
    """Run a filter and keep the events that it chose."""
    check_inputs(step, batch)
    mask = step.select(batch)
    if getattr(mask, "dtype", None) != np.bool_ or mask.shape != (batch.n_events,):
        shape = getattr(mask, "shape", type(mask).__name__)
        raise InputError(
            f"{type(step).__name__} must choose with a bool array ({batch.n_events},)",
            f"it gave {getattr(mask, 'dtype', '')} {shape}".strip(),
        )
    return batch.select_events(mask)


def consume(step: Consumer, batch: EventBatch) -> Mapping[str, Table]:
    """Run a consumer and check its tables."""
    check_inputs(step, batch)
    tables = step.consume(batch)
    for name, table in tables.items():
        check_table(f"{type(step).__name__}.{name}", table)
    return tables
