"""The work on one range: run the steps, check what they give, keep the result.

`Setup` is what every process that computes is given: the steps, the seed, and where checkpoints
go.  Each step draws from its own stream, ``derive(run seed, step name)``.  What a step returns is
held to what it declared (fiducial.edm.steps): an answer that silently depends on the split is
worse than none.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from fiducial.core.errors import EnvironmentProblem, FiducialError, InputError, InternalError
from fiducial.edm import EventBatch
from fiducial.edm.steps import (
    Consumer,
    Filter,
    Producer,
    Transformer,
    consume,
    filter_events,
    produce,
    transform,
)
from fiducial.framework.chain import NamedStep
from fiducial.framework.checkpoint import Checkpoints
from fiducial.framework.measure import Meter, Usage
from fiducial.framework.ranges import EventRange
from fiducial.framework.tables import Tables, storable


@dataclass(frozen=True)
class Done:
    """A finished range.

    usages   what each step took
    seconds  wall time of the whole range where it was computed; 0 for one found finished
    content  the events and tables, where they were handed over; else they are read from the part
    """

    work: EventRange
    usages: Mapping[str, Usage]
    seconds: float
    content: tuple[EventBatch, Tables] | None = None


@dataclass(frozen=True)
class Setup:
    """Everything that a process needs to compute ranges of one run."""

    steps: tuple[NamedStep, ...]
    seed: int
    keep: tuple[str, ...]
    checkpoints: Checkpoints

    def compute(self, work: EventRange) -> Done:
        """Compute and keep one range; the content stays on the disk."""
        started = time.perf_counter()
        done = self.run_steps(work)
        self.keep_range(done)
        return Done(work, done.usages, time.perf_counter() - started)

    def keep_range(self, done: Done) -> None:
        """Write the checkpoint of a range whose content is at hand."""
        assert done.content is not None
        self.checkpoints.save(done.work, *done.content, done.usages)

    def run_steps(self, work: EventRange) -> Done:
        """Compute one range, and hand its content over without keeping it."""
        started = time.perf_counter()
        meter = Meter()
        content = self._run_steps(work, meter)
        return Done(work, meter.usages, time.perf_counter() - started, content)

    def _run_steps(self, work: EventRange, meter: Meter) -> tuple[EventBatch, Tables]:
        from fiducial.core.random import derive  # brings numba: only who computes pays for it

        batch: EventBatch | None = None
        tables: Tables = {}
        for named in self.steps:
            before = work.count if batch is None else batch.n_events
            try:
                with meter.measure(named.name) as usage:
                    batch = _take(named, batch, work, derive(self.seed, named.name), tables)
            except Exception as error:
                raise _failure(named, work, error) from error
            usage.events_in += before
            usage.events_out += batch.n_events
        assert batch is not None
        return batch.keep(self.keep), tables


def _take(
    named: NamedStep, batch: EventBatch | None, work: EventRange, seed: int, tables: Tables
) -> EventBatch:
    """One step further."""
    step = named.step
    if isinstance(step, Producer):
        return produce(step, work.first, work.count, seed)
    assert batch is not None
    if isinstance(step, Transformer):
        return transform(step, batch, seed)
    if isinstance(step, Filter):
        return filter_events(step, batch)
    assert isinstance(step, Consumer)
    for name, table in consume(step, batch).items():
        tables[f"{named.name}/{name}"] = storable(named.name, name, table)
    return batch


def _failure(named: NamedStep, work: EventRange, error: Exception) -> FiducialError:
    """The error of a step, with the step and the events named and the kind kept."""
    problem = f"the step '{named.name}' ({named.use}) failed on events {work}"
    if isinstance(error, InputError):
        return InputError(problem, str(error))
    if isinstance(error, EnvironmentProblem | OSError):
        return EnvironmentProblem(problem, str(error))
    if isinstance(error, MemoryError):
        return EnvironmentProblem(problem, "out of memory", "give a smaller --range")
    if isinstance(error, FiducialError):
        return InternalError(problem, str(error))
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {last.name}, line {last.lineno} of {last.filename}: {error}"
    return InternalError(problem, place, f"report it to the developers of {named.distribution}")
