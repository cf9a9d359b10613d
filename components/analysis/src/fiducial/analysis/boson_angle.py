"""Step ``boson_angle``: direction and mass of the first particle of a kind, before radiation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from fiducial.analysis.matching import TRUTH
from fiducial.edm import EventBatch
from fiducial.edm.steps import Consumer


class BosonAngle(Consumer):
    """The first particle with the code ``pdg`` in each event's generated record.

    Table ``bosons``, a row an event:
      found        whether there is one; the rest is 0 if not
      cos_theta    of its momentum
      mass [GeV]   as the record has it
    """

    summary: ClassVar[str] = "angle and mass of a generated boson"

    pdg: int = Field(default=23, description="PDG code")

    @property
    def inputs(self) -> tuple[str, ...]:
        return (TRUTH,)

    def consume(self, batch: EventBatch) -> Mapping[str, Mapping[str, Any]]:
        truth = batch[TRUTH]
        rows = np.flatnonzero(np.asarray(truth.PDG) == self.pdg)
        event = np.searchsorted(np.asarray(truth.offsets), rows, side="right") - 1
        events, first = np.unique(event, return_index=True)
        row = rows[first]
        x, y, z = (
            np.asarray(c)[row] for c in (truth.momentum.x, truth.momentum.y, truth.momentum.z)
        )
        length = np.sqrt(x**2 + y**2 + z**2)
        found = np.zeros(batch.n_events, dtype=bool)
        cosine, mass = np.zeros(batch.n_events), np.zeros(batch.n_events)
        found[events] = True
        cosine[events] = np.divide(z, length, out=np.zeros(len(row)), where=length > 0)
        mass[events] = np.asarray(truth.mass)[row]
        return {"bosons": {"found": found, "cos_theta": cosine, "mass": mass}}
