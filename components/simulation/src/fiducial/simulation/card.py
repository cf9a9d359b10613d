"""A detector card: the parametrised response of a detector, validated before anything runs.

The YAML keys are the fields below; docs/physics/fast-simulation.md has the table of them.
Units: GeV, mm, tesla, radian unless a key says otherwise. Every mistake of a card is reported
at once with its file and line. A card is pure data: `tables.compile_card` turns it into the flat
columns that the kernels read, `response` evaluates it in closed form.
"""

import math
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fiducial.core import config
from fiducial.core.errors import InputError, nearest
from fiducial.simulation.regions import NonNegative, Positive, Region, Tiling, refuse
from fiducial.simulation.species import Species

__all__ = [
    "Calorimeter",
    "CalorimeterRegion",
    "Card",
    "ProbabilityMap",
    "ResolutionRegion",
    "card_names",
    "load_card",
]

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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


class ProbabilityMap(_Model):
    """A probability as a function of |eta| and of p or pt. In YAML a number is a constant map."""

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


class TrackIdentity(_Model):
    """Probabilities that a track is called electron or muon; else it is a charged hadron."""

    electron: Map = NoChance
    muon: Map = NoChance

    @model_validator(mode="after")
    def _at_most_one(self) -> Any:
        worst = max_sum(self.electron, self.muon)
        if worst > 1 + 1e-12:
            raise ValueError(f"electron and muon probabilities add up to {worst:g} somewhere")
        return self


class ClusterIdentity(_Model):
    """Probability that an electromagnetic object is called photon; else neutral hadron."""

    photon: Map


class Identification(_Model):
    electron: TrackIdentity
    muon: TrackIdentity
    charged_hadron: TrackIdentity
    photon: ClusterIdentity
    neutral_hadron: ClusterIdentity


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


class Card(_Model):
    """A whole detector. `sources` names where each group of figures was published."""

    format_version: ClassVar[int] = 1

    card: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    title: str
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    beam_spot: tuple[float, float, float] = (0.0, 0.0, 0.0)  # [mm] d0 and z0 are relative to it
    tracker: Tracker
    ecal: Calorimeter
    hcal: Calorimeter
    energy_fractions: EnergyFractions
    identification: Identification

    @model_validator(mode="after")
    def _inside(self) -> Any:
        x, y, z = self.beam_spot
        if math.hypot(x, y) >= self.tracker.radius or abs(z) >= self.tracker.half_length:
            raise ValueError(f"beam_spot {list(self.beam_spot)} lies outside the tracker")
        return self

    def calorimeter(self, name: str) -> Calorimeter:
        """`ecal` or `hcal` by name."""
        if name not in ("ecal", "hcal"):
            raise InputError(f"no calorimeter {name!r}", "a card has ecal and hcal")
        calorimeter: Calorimeter = getattr(self, name)
        return calorimeter


def card_names() -> list[str]:
    """Names of the cards that come with the package."""
    folder = resources.files("fiducial.simulation") / "cards"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_card(name_or_path: str | Path) -> Card:
    """A card by the name of a shipped one (`idea`, `lhc`) or by a path to a YAML file.

    Raises Mistakes with every mistake of the file, InputError where there is no such card.
    """
    text = str(name_or_path)
    if "/" in text or text.endswith((".yaml", ".yml")):
        return config.load(Path(text), Card)
    if text in card_names():
        with resources.as_file(resources.files("fiducial.simulation") / "cards") as folder:
            return config.load(folder / f"{text}.yaml", Card)
    known = card_names()
    close = nearest(text, known)
    raise InputError(
        f"no card {text!r}",
        f"this package has {', '.join(known)}",
        f"did you mean {close[0]!r}? A path to a card ends in .yaml"
        if close
        else "a path to a card ends in .yaml",
    )
