"""The step ``pythia8``: events from Pythia 8.

Event k of a seed is the same bits however a run is split, since every event is seeded by
itself (``block`` is 1). The whole of Pythia's record is kept, intermediate partons and copies
included, as an EDM4hep user expects; ``generatorStatus`` tells them apart.

Not offered: Les Houches files as input, heavy ions (Angantyr), a second hard process, user
hooks and merging; their settings are refused with the reason.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, field_validator

from fiducial.core.errors import InputError, MissingExtra, Mistake, Mistakes
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    GeneratorTrialsCollection,
    MCParticleCollection,
)
from fiducial.edm.steps import Producer
from fiducial.generators.pythia_database import Database
from fiducial.generators.pythia_record import mc_particles
from fiducial.generators.pythia_settings import LineChecker, as_line, split_line
from fiducial.generators.pythia_trials import Trials

__all__ = ["Pythia8"]

_check_line: ContextVar[LineChecker | None] = ContextVar("_check_line", default=None)


def _database() -> Database | None:
    """Pythia's database; None where Pythia is not installed (``check`` tells that then)."""
    try:
        from fiducial.generators import pythia_engine
    except MissingExtra:
        return None
    return pythia_engine.database()


def _validated(line: str) -> str:
    checker = _check_line.get()
    if checker is not None:
        return checker(line)
    key, value = split_line(line)
    return f"{key} = {value}"


class Pythia8(Producer):
    """Events of Pythia 8.

    settings  Pythia's own lines, ``Beams:eCM = 240``, in their order; or a mapping from names to
              values. Every line is checked against Pythia's database before the run.
    """

    summary: ClassVar[str] = "events from Pythia 8, one seed an event"

    settings: tuple[Annotated[str, AfterValidator(_validated)], ...] = Field(min_length=1)

    @field_validator("settings", mode="wrap")
    @classmethod
    def _all_lines(cls, value: Any, validate: ValidatorFunctionWrapHandler) -> tuple[str, ...]:
        if isinstance(value, Mapping):
            value = [as_line(str(key), setting) for key, setting in value.items()]
        elif isinstance(value, list | tuple):
            value = [_from_item(item) for item in value]
        database = _database()
        token = _check_line.set(None if database is None else LineChecker(database))
        try:
            lines: tuple[str, ...] = validate(value)
        finally:
            _check_line.reset(token)
        return lines

    @property
    def outputs(self) -> Mapping[str, str]:
        return {
            "EventHeader": EventHeaderCollection.type_name,
            "MCParticles": MCParticleCollection.type_name,
            "GeneratorTrials": GeneratorTrialsCollection.type_name,
        }

    def check(self) -> None:
        """Initialise Pythia with the settings; what it says against them is an InputError.

        Raises MissingExtra where pythia8mc is not installed.
        """
        from fiducial.generators import pythia_engine

        checker, mistakes = LineChecker(pythia_engine.database()), []
        for i, line in enumerate(self.settings):
            try:
                checker(line)
            except InputError as error:
                text = f"{error.problem} ({error.why})" if error.why else error.problem
                mistakes.append(Mistake(f"settings[{i}]", text, error.hint))
        if mistakes:
            raise Mistakes(mistakes, "the settings of pythia8")
        pythia_engine.engine(self.settings)

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        """Events ``first`` … ``first + count - 1``: EventHeader, MCParticles, GeneratorTrials."""
        from fiducial.generators import pythia_engine

        if count == 0:
            return _batch(first, MCParticleCollection.empty(0), [], np.zeros((0, 1)))
        batches = []
        for events in pythia_engine.engine(self.settings).generate(first, count, seed):
            particles = mc_particles(events.record)
            batches.append(_batch(first, particles, events.trials, events.weights))
            first += len(events.trials)
        return batches[0] if len(batches) == 1 else EventBatch.concatenate(batches)


def _from_item(item: Any) -> Any:
    """A list item may be a line, or one key and its value."""
    if isinstance(item, Mapping) and len(item) == 1:
        ((key, value),) = item.items()
        return as_line(str(key), value)
    return item


def _batch(
    first: int, particles: MCParticleCollection, trials: Sequence[Trials], weights: Any
) -> EventBatch:
    n, n_weights = weights.shape
    one = np.ones(n, dtype=np.int64)
    header = EventHeaderCollection.build(
        counts=one,
        eventNumber=np.arange(first, first + n, dtype=np.uint64),
        weight=np.array([t.event_weight for t in trials], dtype=np.float64),
        weights=(one * n_weights, weights.ravel()),
    )
    accounts = GeneratorTrialsCollection.build(
        counts=one,
        trials=np.array([t.trials for t in trials], dtype=np.int64),
        weightSum=np.array([t.weight_sum for t in trials], dtype=np.float64),
        weightSquaredSum=np.array([t.weight_squared_sum for t in trials], dtype=np.float64),
    )
    return EventBatch(
        {"EventHeader": header, "MCParticles": particles, "GeneratorTrials": accounts}
    )
