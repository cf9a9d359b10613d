"""Regions of polar angle: how a card divides the detector, and what is refused.

A region is given by `abs_eta: [low, high]` or by `theta_degrees: [low, high]`, the polar angle
folded onto (0, 90]. A list of regions must tile |eta| from 0 outwards, in order, with neither
gap nor overlap, so that every direction has exactly one answer. Outside the last region there
is nothing: no efficiency, no cells.
"""

import math
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fiducial.core.errors import Mistake, Mistakes

__all__ = ["NonNegative", "Positive", "Region", "Tiling", "eta_of_theta", "refuse"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
SAME_EDGE = 1e-9  # two edges closer than this in |eta| are one edge


def refuse(problems: list[str]) -> None:
    """Raise all problems of one place of a card, if there is any."""
    if problems:
        raise Mistakes([Mistake("", problem) for problem in problems])


def eta_of_theta(theta: float) -> float:
    """Pseudorapidity [1] of a polar angle [rad]; exactly 0 at pi/2."""
    eta = -math.log(math.tan(0.5 * theta))
    return 0.0 if abs(eta) < 1e-12 else eta


class Region(BaseModel):
    """An interval of |eta|, or of the folded polar angle [degrees]; one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    abs_eta: tuple[float, float] | None = None
    theta_degrees: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _one_interval(self) -> Any:
        if (self.abs_eta is None) == (self.theta_degrees is None):
            raise ValueError("a region needs either abs_eta or theta_degrees, not both")
        name, (low, high) = self.interval
        if not low < high:
            raise ValueError(f"{name} [{low}, {high}] is empty: the low edge comes first")
        if name == "abs_eta" and low < 0:
            raise ValueError(f"abs_eta [{low}, {high}] has a negative edge: it is folded, |eta|")
        if name == "theta_degrees" and not (low > 0 and high <= 90):
            raise ValueError(f"theta_degrees [{low}, {high}] leaves (0, 90]: it is folded")
        return self

    @property
    def interval(self) -> tuple[str, tuple[float, float]]:
        """The variable's name and its edges, as written."""
        if self.abs_eta is not None:
            return "abs_eta", self.abs_eta
        assert self.theta_degrees is not None
        return "theta_degrees", self.theta_degrees

    @property
    def eta_range(self) -> tuple[float, float]:
        """The region's edges in |eta|, low first."""
        if self.abs_eta is not None:
            return self.abs_eta
        assert self.theta_degrees is not None
        low, high = self.theta_degrees
        return eta_of_theta(math.radians(high)), eta_of_theta(math.radians(low))


RegionT = TypeVar("RegionT", bound=Region)


def _tile(regions: tuple[RegionT, ...]) -> tuple[RegionT, ...]:
    """Refuse regions that do not tile |eta| from 0; return them in order of rising |eta|."""
    if not regions:
        raise ValueError("there is no region: at least one is needed")
    names = {region.interval[0] for region in regions}
    if len(names) > 1:
        raise ValueError("regions mix abs_eta and theta_degrees: use one of them in a list")
    rising = [region.interval[1][0] for region in regions]
    problems = []
    if rising != sorted(rising):
        problems.append(f"regions are unsorted: their low edges are {rising}")
    ordered = sorted(regions, key=lambda region: region.eta_range[0])
    if ordered[0].eta_range[0] > SAME_EDGE:
        name, edges = ordered[0].interval
        start = "abs_eta 0" if name == "abs_eta" else "theta_degrees 90"
        problems.append(f"uncovered: nothing between {start} and {name} {list(edges)}")
    for inner, outer in pairwise(ordered):
        step = outer.eta_range[0] - inner.eta_range[1]
        a, b = list(inner.interval[1]), list(outer.interval[1])
        if step < -SAME_EDGE:
            problems.append(f"regions {a} and {b} overlap")
        elif step > SAME_EDGE:
            problems.append(f"uncovered between regions {a} and {b}")
    refuse(problems)
    return tuple(ordered)


Tiling = Annotated[tuple[RegionT, ...], AfterValidator(_tile)]
