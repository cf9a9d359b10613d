"""Step ``cross_section``: the generator's trials, from which the cross-section follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fiducial.edm import EventBatch
from fiducial.edm.steps import Consumer

TRIALS = "GeneratorTrials"


class CrossSection(Consumer):
    """Copies GeneratorTrials, a row an event: sigma = sum(weight_sum) / sum(trials) [pb].

    Must come before any filter: trials of events that are dropped belong to the denominator.
    Table ``trials``: trials, weight_sum [pb], weight_squared_sum [pb^2].
    """

    summary: ClassVar[str] = "the generator's cross-section"

    @property
    def inputs(self) -> tuple[str, ...]:
        return (TRIALS,)

    def consume(self, batch: EventBatch) -> Mapping[str, Mapping[str, Any]]:
        trials = batch[TRIALS]
        return {
            "trials": {
                "trials": np.asarray(trials.trials, dtype=np.int64),
                "weight_sum": np.asarray(trials.weightSum, dtype=np.float64),
                "weight_squared_sum": np.asarray(trials.weightSquaredSum, dtype=np.float64),
            }
        }
