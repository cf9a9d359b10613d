"""The response of a card in closed form: plain numpy, written apart from the kernels.

Validation and tests compare simulated distributions with these, as an exact oracle::

    card = load_card("idea")
    sigma_pt(card, p=45.0, theta=1.57, pdg=13)         # 0.072 GeV

Directions are polar angles [rad] at production. Everything broadcasts as numpy does and comes
back as float64. The formulas:

sigma(pT)/pT        a / sin^m(theta) (+) b pT / sin^n(theta)
sigma(d0, z0, phi, theta)  a / sin^m(theta) (+) b / (p sin^n(theta))
sigma(E)            shape(|eta|) (stochastic sqrt(E) (+) constant E (+) noise)

with the coefficients of the region of |eta|; (+) is addition in quadrature. pT and energies are
distributed log-normally with mean and standard deviation of these values (`log_normal`), the
rest normally.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fiducial.core.errors import InputError
from fiducial.simulation.calorimeter_model import CalorimeterRegion
from fiducial.simulation.card import Card
from fiducial.simulation.probability_map import ProbabilityMap
from fiducial.simulation.regions import Region
from fiducial.simulation.tracker_model import ResolutionRegion

__all__ = [
    "cell_size",
    "detection_probability",
    "efficiency",
    "energy_fraction",
    "energy_threshold",
    "identification",
    "log_normal",
    "sigma_d0",
    "sigma_energy",
    "sigma_p",
    "sigma_phi",
    "sigma_pt",
    "sigma_theta",
    "sigma_z0",
]

Floats = NDArray[np.float64]

_TRACKS = {11: "electron", 13: "muon"}
_NEUTRAL = {22: "photon", 111: "photon", 130: "K0L", 310: "K0S", 3122: "Lambda"}
# |PDG| of neutral hadrons that may reach a calorimeter and of leptons that do not
_NEUTRAL_HADRONS = (2112, 3212, 3322)
_NEUTRINOS = (12, 14, 16)


def _tracked(pdg: int) -> str:
    """Class of a charged particle by its PDG code."""
    code = abs(pdg)
    if code in _NEUTRAL or code in _NEUTRAL_HADRONS or code in _NEUTRINOS:
        raise InputError(f"PDG {pdg} is neutral", "it leaves no track")
    return _TRACKS.get(code, "charged_hadron")


def _eta(theta: ArrayLike) -> Floats:
    return np.abs(np.log(np.tan(0.5 * np.asarray(theta, dtype=np.float64))))


def _select(regions: Sequence[Region], eta: Floats) -> NDArray[np.int64]:
    """Index of each direction's region; len(regions) beyond the last."""
    ends = np.array([region.eta_range[1] for region in regions])
    return np.searchsorted(ends, eta, side="right").astype(np.int64)


def _quadrature(regions: tuple[ResolutionRegion, ...], x: ArrayLike, theta: ArrayLike) -> Floats:
    x, theta = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(theta, np.float64))
    chosen = np.minimum(_select(regions, _eta(theta)), len(regions) - 1)

    def of(name: str) -> Floats:
        return np.array([getattr(region, name) for region in regions], dtype=np.float64)[chosen]

    sin = np.sin(theta)
    combined: Floats = np.hypot(
        of("a") * sin ** -of("power_a"), of("b") * x * sin ** -of("power_b")
    )
    return combined


def sigma_pt(card: Card, p: ArrayLike, theta: ArrayLike, pdg: int = 13) -> Floats:
    """Standard deviation [GeV] of the measured pT of a track of momentum p [GeV]."""
    regions: tuple[ResolutionRegion, ...] = getattr(card.tracker.resolution.pt, _tracked(pdg))
    pt = np.asarray(p, dtype=np.float64) * np.sin(theta)
    return pt * _quadrature(regions, pt, theta)


def sigma_p(card: Card, p: ArrayLike, theta: ArrayLike, pdg: int = 13) -> Floats:
    """Standard deviation [GeV] of the measured momentum, from pT and theta, to first order."""
    p, theta = np.asarray(p, dtype=np.float64), np.asarray(theta, dtype=np.float64)
    relative = sigma_pt(card, p, theta, pdg) / (p * np.sin(theta))
    spread: Floats = p * np.hypot(relative, sigma_theta(card, p, theta) / np.tan(theta))
    return spread


def sigma_d0(card: Card, p: ArrayLike, theta: ArrayLike) -> Floats:
    """Standard deviation [mm] of the transverse impact parameter."""
    return _quadrature(card.tracker.resolution.d0, 1.0 / np.asarray(p, dtype=np.float64), theta)


def sigma_z0(card: Card, p: ArrayLike, theta: ArrayLike) -> Floats:
    """Standard deviation [mm] of the longitudinal impact parameter."""
    return _quadrature(card.tracker.resolution.z0, 1.0 / np.asarray(p, dtype=np.float64), theta)


def sigma_phi(card: Card, p: ArrayLike, theta: ArrayLike) -> Floats:
    """Standard deviation [rad] of a track's azimuth at the perigee."""
    return _quadrature(card.tracker.resolution.phi, 1.0 / np.asarray(p, dtype=np.float64), theta)


def sigma_theta(card: Card, p: ArrayLike, theta: ArrayLike) -> Floats:
    """Standard deviation [rad] of a track's polar angle."""
    return _quadrature(card.tracker.resolution.theta, 1.0 / np.asarray(p, dtype=np.float64), theta)


def _evaluate(chart: ProbabilityMap, p: ArrayLike, theta: ArrayLike) -> Floats:
    p, theta = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(theta, np.float64))
    x = p if chart.variable == "p" else p * np.sin(theta)
    chosen = _select(chart.regions, _eta(theta))
    result = np.zeros(x.shape)
    for index, region in enumerate(chart.regions):
        values = np.array(region.values)[np.searchsorted(region.edges, x, side="right")]
        result = np.where(chosen == index, values, result)
    return result


def efficiency(card: Card, p: ArrayLike, theta: ArrayLike, pdg: int = 13) -> Floats:
    """Probability that a charged particle from the beam spot leaves a track."""
    tracker = card.tracker
    chart: ProbabilityMap = getattr(tracker.efficiency, _tracked(pdg))
    accepted = (np.asarray(p) * np.sin(theta) >= tracker.min_pt) & (
        _eta(theta) < tracker.max_abs_eta
    )
    return np.where(accepted, _evaluate(chart, p, theta), 0.0)


def identification(card: Card, p: ArrayLike, theta: ArrayLike, pdg: int, called: str) -> Floats:
    """Probability that a found object of true code pdg is called so.

    called  "electron", "muon" or "charged_hadron" for a track; "photon" or "neutral_hadron"
            for an ECAL object, at its measured energy p
    """
    identity = card.identification
    if called in ("photon", "neutral_hadron"):
        photon = identity.photon if abs(pdg) in (11, 22, 111) else identity.neutral_hadron
        chance = _evaluate(photon.photon, p, theta)
        return chance if called == "photon" else 1.0 - chance
    maps = getattr(identity, _tracked(pdg))
    if called in ("electron", "muon"):
        return _evaluate(getattr(maps, called), p, theta)
    if called == "charged_hadron":
        return 1.0 - _evaluate(maps.electron, p, theta) - _evaluate(maps.muon, p, theta)
    raise InputError(
        f"nothing is called {called!r}",
        None,
        "one of electron, muon, charged_hadron, photon, neutral_hadron",
    )


def energy_fraction(card: Card, calorimeter: str, pdg: int) -> float:
    """Share of a particle's energy that a calorimeter ("ecal" or "hcal") takes."""
    card.calorimeter(calorimeter)
    code = abs(pdg)
    if code in _NEUTRAL:
        name = _NEUTRAL[code]
    elif code in _NEUTRINOS:
        name = "invisible"
    else:
        name = "neutral_hadron" if code in _NEUTRAL_HADRONS else _tracked(pdg)
    share: float = getattr(getattr(card.energy_fractions, name), calorimeter)
    return share


def _region_and_centre(
    card: Card, calorimeter: str, theta: float
) -> tuple[CalorimeterRegion, float]:
    """Region of a direction from the centre, and |eta| of the middle of its cell."""
    eta = float(_eta(theta))
    for region in card.calorimeter(calorimeter).regions:
        low, high = region.eta_range
        if low <= eta < high:
            n = region.cells.polar
            if region.theta_degrees is None:
                width = (high - low) / n
                return region, low + (math.floor((eta - low) / width) + 0.5) * width
            near, far = (math.radians(edge) for edge in reversed(region.theta_degrees))
            folded = math.asin(math.sin(theta))
            width = (near - far) / n
            middle = near - (math.floor((near - folded) / width) + 0.5) * width
            return region, float(_eta(middle))
    raise InputError(f"theta = {theta:g} misses the {calorimeter}", "no region covers it")


def sigma_energy(card: Card, calorimeter: str, energy: ArrayLike, theta: float) -> Floats:
    """Standard deviation [GeV] of a tower's energy [GeV] in the direction theta."""
    region, eta = _region_and_centre(card, calorimeter, theta)
    energy = np.asarray(energy, dtype=np.float64)
    shape = region.eta_shape
    factor = shape.constant + shape.quadratic * (eta - shape.centre) ** 2
    return factor * np.sqrt(
        region.stochastic**2 * energy + (region.constant * energy) ** 2 + region.noise**2
    )


def energy_threshold(card: Card, calorimeter: str, theta: float) -> float:
    """Least measured energy [GeV] that a tower without tracks shows: both thresholds of the card.

    E > S sigma(E) is (1 - S^2 C^2) E^2 - S^2 A^2 E - S^2 N^2 > 0, a quadratic in E.
    """
    detector = card.calorimeter(calorimeter)
    region, eta = _region_and_centre(card, calorimeter, theta)
    shape = region.eta_shape
    s = detector.min_significance * (shape.constant + shape.quadratic * (eta - shape.centre) ** 2)
    a = 1.0 - (s * region.constant) ** 2
    if a <= 0:
        return math.inf
    b, c = (s * region.stochastic) ** 2, (s * region.noise) ** 2
    return max(detector.min_energy, (b + math.sqrt(b * b + 4 * a * c)) / (2 * a))


def detection_probability(card: Card, calorimeter: str, energy: float, theta: float) -> float:
    """Probability that a deposit [GeV] alone in its cell is seen."""
    threshold = energy_threshold(card, calorimeter, theta)
    if threshold == 0.0:
        return 1.0
    if math.isinf(threshold):
        return 0.0
    mu, width = log_normal(energy, float(sigma_energy(card, calorimeter, energy, theta)))
    return 0.5 * math.erfc((math.log(threshold) - float(mu)) / (float(width) * math.sqrt(2.0)))


def cell_size(card: Card, calorimeter: str, theta: float) -> tuple[float, float]:
    """Polar angle [rad] at the centre, and azimuth [rad], that a cell covers."""
    region, eta = _region_and_centre(card, calorimeter, theta)
    n = region.cells.polar
    if region.theta_degrees is not None:
        low, high = region.theta_degrees
        return math.radians(high - low) / n, 2 * math.pi / region.cells.phi
    low, high = region.abs_eta or (0.0, 0.0)
    return (high - low) / n / math.cosh(eta), 2 * math.pi / region.cells.phi


def log_normal(mean: ArrayLike, sigma: ArrayLike) -> tuple[Floats, Floats]:
    """Mean and standard deviation of log(x) for a log-normal x of given mean and sigma."""
    mean, sigma = np.asarray(mean, dtype=np.float64), np.asarray(sigma, dtype=np.float64)
    variance = np.log1p((sigma / mean) ** 2)
    return np.log(mean) - 0.5 * variance, np.sqrt(variance)
