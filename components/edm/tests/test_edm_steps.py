"""Steps: frozen settings, and checks of what they read and write."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from pydantic import ConfigDict, ValidationError

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import Collection, EventBatch, EventHeaderCollection, MCParticleCollection, steps


class Numbers(steps.Producer):
    """Headers with the numbers asked for, or shifted."""

    shift: int = 0
    lost: int = 0

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"EventHeader": "edm4hep::EventHeader"}

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        numbers = np.arange(first, first + count - self.lost) + self.shift
        header = EventHeaderCollection.build(np.ones(len(numbers), int), eventNumber=numbers)
        return EventBatch({"EventHeader": header})


class Write(steps.Transformer):
    """Writes ``made`` where it declared Copy."""

    made: Mapping[str, Collection] = {}
    model_config = ConfigDict(arbitrary_types_allowed=True)

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("EventHeader",)

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"Copy": "edm4hep::MCParticle"}

    def transform(self, batch: EventBatch, seed: int) -> Mapping[str, Collection]:
        return self.made


class Choose(steps.Filter):
    given: object = None

    def select(self, batch: EventBatch):
        return batch.event_numbers % 2 == 0 if self.given is None else self.given


class Tell(steps.Consumer):
    columns: Mapping[str, object] = {}

    def consume(self, batch: EventBatch):
        return {"t": self.columns or {"number": batch.event_numbers}}


def test_settings_are_frozen_and_strange_ones_refused() -> None:
    step = Numbers(shift=1)
    with pytest.raises(ValidationError):
        step.shift = 2
    with pytest.raises(ValidationError):
        Numbers(shfit=1)
    assert Numbers(shift=1) == step and hash(Numbers(shift=1)) == hash(step)


def test_bases_cannot_be_made() -> None:
    for base in (steps.Producer, steps.Transformer, steps.Filter, steps.Consumer):
        with pytest.raises(TypeError):
            base()


def test_a_producer_makes_the_events_asked_for() -> None:
    assert steps.produce(Numbers(), 5, 3, seed=0).event_numbers.tolist() == [5, 6, 7]
    assert steps.produce(Numbers(), 5, 0, seed=0).n_events == 0
    with pytest.raises(InputError, match=r"numbered an event 6.*asked for event 5"):
        steps.produce(Numbers(shift=1), 5, 3, seed=0)
    with pytest.raises(InputError, match="made 2 events, asked for 3"):
        steps.produce(Numbers(lost=1), 5, 3, seed=0)


def test_a_transformer_adds_what_it_declared() -> None:
    batch = steps.produce(Numbers(), 0, 2, seed=0)
    copy = MCParticleCollection.empty(2)
    assert steps.transform(Write(made={"Copy": copy}), batch, 0).names == ("EventHeader", "Copy")


def test_undeclared_missing_mistyped_and_short_outputs_are_told_at_once() -> None:
    batch = steps.produce(Numbers(), 0, 2, seed=0)
    with pytest.raises(Mistakes) as caught:
        steps.transform(Write(made={"Cpoy": MCParticleCollection.empty(1)}), batch, 0)
    text = str(caught.value)
    assert len(caught.value.mistakes) == 3
    assert "declares Copy (edm4hep::MCParticle), but did not write it" in text
    assert "wrote Cpoy, which it did not declare: did you mean Copy?" in text
    assert "wrote 1 events of Cpoy, expected 2" in text
    with pytest.raises(Mistakes, match="but wrote edm4hep::EventHeader"):
        steps.transform(Write(made={"Copy": EventHeaderCollection.empty(2)}), batch, 0)


def test_a_missing_input_is_told_with_the_nearest_name() -> None:
    batch = EventBatch({"EventHeaders": EventHeaderCollection.empty(1)})
    with pytest.raises(Mistakes, match="did you mean EventHeaders"):
        steps.transform(Write(), batch, 0)


def test_a_filter_chooses_with_a_mask() -> None:
    batch = steps.produce(Numbers(), 0, 5, seed=0)
    assert steps.filter_events(Choose(), batch).event_numbers.tolist() == [0, 2, 4]
    for given in ([True] * 5, np.ones(4, bool), np.arange(5)):
        with pytest.raises(InputError, match=r"bool array \(5,\)"):
            steps.filter_events(Choose(given=given), batch)


def test_tables_have_columns_of_one_length() -> None:
    batch = steps.produce(Numbers(), 0, 3, seed=0)
    assert steps.consume(Tell(), batch)["t"]["number"].tolist() == [0, 1, 2]
    wrong = {"a": np.zeros(3), "b": np.zeros(2), "c": np.zeros((3, 1)), "d": [1, 2, 3]}
    with pytest.raises(Mistakes) as caught:
        steps.consume(Tell(columns=wrong), batch)
    assert [m.where for m in caught.value.mistakes] == ["Tell.t.b", "Tell.t.c", "Tell.t.d"]
    assert steps.check_table("t", {}) == 0
