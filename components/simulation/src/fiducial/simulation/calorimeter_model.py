"""The calorimeters of a card: cells, resolutions, thresholds, what each particle leaves there."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fiducial.simulation.probability_map import Probability
from fiducial.simulation.regions import NonNegative, Region, Tiling, refuse
from fiducial.simulation.species import Species

__all__ = ["Calorimeter", "CalorimeterRegion", "EnergyFractions"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cells(_Model):
    """Cells of a region on one side: along the region's own variable, and around the axis."""

    polar: Annotated[int, Field(ge=1, le=100_000)]
    phi: Annotated[int, Field(ge=1, le=100_000)]


class EtaShape(_Model):
    """Factor constant + quadratic (|eta| - centre)^2 on the energy resolution."""

    constant: NonNegative = 1.0
    quadratic: NonNegative = 0.0
    centre: NonNegative = 0.0


class CalorimeterRegion(Region):
    """sigma(E) = shape(|eta|) sqrt(stochastic^2 E + constant^2 E^2 + noise^2) [GeV]."""

    stochastic: NonNegative  # [GeV^1/2]
    constant: NonNegative  # [1]
    noise: NonNegative  # [GeV]
    cells: Cells
    eta_shape: EtaShape = EtaShape()


class Calorimeter(_Model):
    """A calorimeter: cells, resolution, and what an energy must pass to be seen.

    min_energy [GeV]; min_significance: energy over its sigma; position: where the centre of a
    tower is put, `centre` of its cell or `dithered` uniformly over it (as Delphes).
    """

    min_energy: NonNegative
    min_significance: NonNegative
    position: Literal["centre", "dithered"] = "dithered"
    regions: Tiling[CalorimeterRegion]

    @model_validator(mode="after")
    def _shape(self) -> Any:
        problems = []
        for region in self.regions:
            if not math.isfinite(region.eta_range[1]):
                problems.append("a calorimeter cannot reach |eta| = infinity")
            elif region.eta_shape.constant == 0 and region.eta_shape.quadratic == 0:
                problems.append("eta_shape is 0 everywhere: the resolution would vanish")
            if self.min_significance * region.constant * region.eta_shape.constant >= 1:
                problems.append(
                    f"min_significance {self.min_significance:g} with a constant term of "
                    f"{region.constant:g} refuses every energy"
                )
        if sum(2 * r.cells.polar * r.cells.phi for r in self.regions) >= 2**31:
            problems.append("more than 2^31 cells")
        refuse(problems)
        return self


class Fraction(_Model):
    """Share of a particle's energy that each calorimeter takes."""

    ecal: Probability = 0.0
    hcal: Probability = 0.0

    @model_validator(mode="after")
    def _at_most_all(self) -> Any:
        if self.ecal + self.hcal > 1 + 1e-12:
            raise ValueError(f"ecal {self.ecal:g} + hcal {self.hcal:g} is more than 1")
        return self


class EnergyFractions(_Model):
    electron: Fraction
    muon: Fraction
    charged_hadron: Fraction
    photon: Fraction
    neutral_hadron: Fraction
    K0L: Fraction
    K0S: Fraction
    Lambda: Fraction
    invisible: Fraction = Fraction()

    def of(self, species: Species) -> Fraction:
        fraction: Fraction = getattr(self, species.name)
        return fraction
