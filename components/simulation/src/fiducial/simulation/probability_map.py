"""Probabilities as a function of |eta| and momentum, as a card gives them."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fiducial.simulation.regions import Positive, Region, Tiling

__all__ = ["Map", "NoChance", "Probability", "ProbabilityMap", "max_sum"]

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ProbabilityRegion(Region):
    """Probabilities in bins of p or pt [GeV]: values[k] holds in edges[k-1] <= x < edges[k]."""

    edges: tuple[Positive, ...] = ()
    values: tuple[Probability, ...]

    @model_validator(mode="after")
    def _bins(self) -> Any:
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"edges are unsorted or repeat: {list(self.edges)}")
        if len(self.values) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges bound {len(self.edges) + 1} bins, "
                f"but there are {len(self.values)} values"
            )
        return self


class ProbabilityMap(BaseModel):
    """A probability as a function of |eta| and of p or pt. In YAML a number is a constant map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variable: Literal["p", "pt"] = "pt"
    regions: Tiling[ProbabilityRegion]

    @property
    def max_abs_eta(self) -> float:
        return self.regions[-1].eta_range[1]


def _constant_map(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"regions": [{"abs_eta": [0, math.inf], "values": [value]}]}
    return value


Map = Annotated[ProbabilityMap, BeforeValidator(_constant_map)]
NoChance = ProbabilityMap.model_validate(_constant_map(0.0))


def max_sum(one: ProbabilityMap, two: ProbabilityMap) -> float:
    """Largest sum of two maps where their regions meet (their x bins where the variable is one)."""
    worst = 0.0
    for a in one.regions:
        for b in two.regions:
            if min(a.eta_range[1], b.eta_range[1]) <= max(a.eta_range[0], b.eta_range[0]):
                continue
            if one.variable != two.variable:
                worst = max(worst, max(a.values) + max(b.values))
                continue
            for x in (0.0, *a.edges, *b.edges):
                bin_a = sum(edge <= x for edge in a.edges)
                bin_b = sum(edge <= x for edge in b.edges)
                worst = max(worst, a.values[bin_a] + b.values[bin_b])
    return worst
