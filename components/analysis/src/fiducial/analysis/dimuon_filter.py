"""Filter ``require_dimuon``: keep events with a reconstructed mu+ mu- pair."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fiducial.analysis.matching import RECO
from fiducial.analysis.pairs import best_pairs
from fiducial.edm import EventBatch
from fiducial.edm.steps import Filter


class RequireDimuon(Filter):
    """Keeps events with a mu+ mu- pair in a window of mass."""

    summary: ClassVar[str] = "keep events with a reconstructed mu+ mu- pair"

    mass: float = Field(default=91.188, gt=0, description="mass that the pair should have [GeV]")
    mass_window: tuple[float, float] = (86.0, 96.0)
    min_muon_momentum: float = Field(default=10.0, ge=0)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (RECO,)

    def select(self, batch: EventBatch) -> NDArray[np.bool_]:
        pairs = best_pairs(batch[RECO], self.mass, self.min_muon_momentum)
        low, high = self.mass_window
        return pairs.found & (pairs.mass >= low) & (pairs.mass < high)
