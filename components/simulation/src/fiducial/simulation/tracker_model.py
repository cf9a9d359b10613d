"""The tracker of a card: acceptance, efficiencies, resolutions. Units: GeV, mm, tesla, radian."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fiducial.simulation.probability_map import Map
from fiducial.simulation.regions import NonNegative, Positive, Region, Tiling, refuse

__all__ = ["ResolutionRegion", "Tracker"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _half_integer(power: float) -> float:
    if not (0 <= power <= 6 and float(2 * power).is_integer()):
        raise ValueError(f"{power} is not a half-integer between 0 and 6")
    return power


Power = Annotated[float, AfterValidator(_half_integer)]


class ResolutionRegion(Region):
    """sigma = a / sin^power_a(theta)  (+)  b x / sin^power_b(theta), added in quadrature."""

    a: NonNegative
    b: NonNegative
    power_a: Power = 0.0
    power_b: Power = 0.0


class PtResolution(ResolutionRegion):
    """sigma(pT)/pT with x = pT [GeV]: a [1] multiple scattering, b [1/GeV] measurement."""


class D0Resolution(ResolutionRegion):
    """sigma(d0) [mm] with x = 1/p: a [mm], b [mm GeV]."""

    power_b: Power = 1.5


class Z0Resolution(ResolutionRegion):
    """sigma(z0) [mm] with x = 1/p: a [mm], b [mm GeV]."""

    power_b: Power = 2.5


class PhiResolution(ResolutionRegion):
    """sigma(phi) [rad] with x = 1/p: a [rad], b [rad GeV]."""

    power_b: Power = 1.5


class ThetaResolution(ResolutionRegion):
    """sigma(theta) [rad] with x = 1/p: a [rad], b [rad GeV]."""

    power_b: Power = 0.5


class TrackEfficiency(_Model):
    charged_hadron: Map
    electron: Map
    muon: Map


class PtResolutions(_Model):
    charged_hadron: Tiling[PtResolution]
    electron: Tiling[PtResolution]
    muon: Tiling[PtResolution]


class TrackResolution(_Model):
    pt: PtResolutions
    d0: Tiling[D0Resolution]
    z0: Tiling[Z0Resolution]
    phi: Tiling[PhiResolution]
    theta: Tiling[ThetaResolution]

    def tilings(self) -> dict[str, tuple[ResolutionRegion, ...]]:
        """Every list of regions, by its key."""
        return {
            "pt.electron": self.pt.electron,
            "pt.muon": self.pt.muon,
            "pt.charged_hadron": self.pt.charged_hadron,
            "d0": self.d0,
            "z0": self.z0,
            "phi": self.phi,
            "theta": self.theta,
        }


class Tracker(_Model):
    """The field and the cylinder that tracks fill; its surface is the calorimeters' face.

    magnetic_field         [T]  along +z
    radius, half_length    [mm]
    min_pt, max_abs_eta         acceptance of a track, at production
    max_production_radius, max_production_z  [mm]  a particle born beyond them leaves no track
    """

    magnetic_field: Annotated[float, Field(allow_inf_nan=False)]
    radius: Positive
    half_length: Positive
    min_pt: NonNegative
    max_abs_eta: Positive
    max_production_radius: Positive
    max_production_z: Positive
    efficiency: TrackEfficiency
    resolution: TrackResolution

    @model_validator(mode="after")
    def _covered(self) -> Any:
        problems = []
        for name, tiling in self.resolution.tilings().items():
            end = tiling[-1].eta_range[1]
            if end < self.max_abs_eta - 1e-9:
                problems.append(
                    f"resolution.{name} is uncovered between |eta| {end:g} and "
                    f"max_abs_eta {self.max_abs_eta:g}"
                )
        for name in ("charged_hadron", "electron", "muon"):
            end = getattr(self.efficiency, name).max_abs_eta
            if end < self.max_abs_eta - 1e-9:
                problems.append(
                    f"efficiency.{name} is uncovered between |eta| {end:g} and "
                    f"max_abs_eta {self.max_abs_eta:g}"
                )
        if self.max_production_radius > self.radius:
            problems.append(
                f"max_production_radius {self.max_production_radius:g} mm lies outside "
                f"the tracker of radius {self.radius:g} mm"
            )
        if self.max_production_z > self.half_length:
            problems.append(
                f"max_production_z {self.max_production_z:g} mm lies outside "
                f"the tracker of half length {self.half_length:g} mm"
            )
        refuse(problems)
        return self
