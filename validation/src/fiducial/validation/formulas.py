"""Closed formulas that analytic references are made of, by name.

A formula is evaluated when a reference is blessed and again when it is compared, so that a
reference whose formula has changed meanwhile is found out. Names come from YAML, the functions
from this table: nothing else can be called.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fiducial.core.errors import InputError, did_you_mean
from fiducial.generators import analytic
from fiducial.generators.analytic import Electroweak
from fiducial.simulation import response
from fiducial.simulation.card import load_card
from fiducial.validation.measure import setting
from fiducial.validation.observables import Analytic, Distribution, Observable, Profile

Floats = NDArray[np.float64]
Cdf = Callable[[Floats], Floats]


class FormulaError(InputError):
    """A formula that does not exist, or parameters that it does not take."""


@dataclass(frozen=True)
class Evaluated:
    """The value of a formula for an observable, as a reference keeps it."""

    estimate: float
    content: dict[str, Any] = field(default_factory=dict)


def _normal(mean: float = 0.0, sigma: float = 1.0) -> Cdf:
    """Gaussian distribution."""
    return lambda x: np.asarray(special.ndtr((x - mean) / sigma), dtype=np.float64)


def _uniform(low: float, high: float) -> Cdf:
    """Uniform distribution."""
    return lambda x: np.clip((x - low) / (high - low), 0.0, 1.0)


def _card_response(*, card: str, pdg: float, quantity: str, p: float, theta: float) -> float:
    """What a detector card promises for one particle of momentum ``p`` [GeV] at ``theta`` [rad].

    quantity  efficiency       probability that it is found
              identification   probability that it is found and called what it is
              log_pt_width, log_pt_mean            of ln(pt measured / true) of its track
              log_energy_width, log_energy_mean    of ln(E measured / true) of a photon
              theta_width, phi_width [rad]         of its track
    """
    detector, code = load_card(card), int(pdg)
    if code == 22:
        return _photon(detector, quantity, p, theta)
    if quantity in ("efficiency", "identification"):
        found = float(response.efficiency(detector, p, theta, code))
        if quantity == "efficiency":
            return found
        called = {11: "electron", 13: "muon"}.get(abs(code), "charged_hadron")
        return found * float(response.identification(detector, p, theta, code, called))
    if quantity in ("log_pt_width", "log_pt_mean"):
        sigma = float(response.sigma_pt(detector, p, theta, code))
        return _log_normal(p * math.sin(theta), sigma, quantity)
    if quantity == "theta_width":
        return float(response.sigma_theta(detector, p, theta))
    if quantity == "phi_width":
        return float(response.sigma_phi(detector, p, theta))
    raise FormulaError(f"no quantity {quantity!r} of a track", hint=did_you_mean(quantity, _TRACK))


def _photon(detector: Any, quantity: str, energy: float, theta: float) -> float:
    if quantity in ("efficiency", "identification"):
        abs_eta = abs(math.log(math.tan(theta / 2)))
        if abs_eta >= detector.ecal.regions[-1].eta_range[1]:
            return 0.0
        found = response.detection_probability(detector, "ecal", energy, theta)
        if quantity == "efficiency":
            return found
        return found * float(response.identification(detector, energy, theta, 22, "photon"))
    if quantity in ("log_energy_width", "log_energy_mean"):
        sigma = float(response.sigma_energy(detector, "ecal", energy, theta))
        return _log_normal(energy, sigma, quantity)
    raise FormulaError(
        f"no quantity {quantity!r} of a photon", hint=did_you_mean(quantity, _PHOTON)
    )


def _log_normal(true: float, sigma: float, quantity: str) -> float:
    mean, width = response.log_normal(true, sigma)
    return float(width) if quantity.endswith("width") else float(mean) - math.log(true)


_TRACK = ("efficiency", "identification", "log_pt_width", "log_pt_mean", "theta_width", "phi_width")
_PHOTON = ("efficiency", "identification", "log_energy_width", "log_energy_mean")


def _constant(*, value: float) -> float:
    """A number that the chain itself sets."""
    return value


# The couplings that Pythia 8.317 uses, since its events are what is compared.
PYTHIA = Electroweak(
    alpha=0.00781751, sin2_theta_w=0.2312, sin2_theta_eff=0.2315, m_z=91.1876, gamma_z=2.4952,
    m_h=125.0,
)  # fmt: skip


def _lepton_asymmetry(*, sqrt_s: float) -> float:
    """Forward-backward asymmetry of e+e- -> l+l-, s channel, leading order."""
    return float(analytic.ff_asymmetry(sqrt_s, 13, PYTHIA))


def _lepton_angle(*, sqrt_s: float) -> Cdf:
    """cos(theta) of the negative lepton: density 3/8 (1 + cos^2) + A_FB cos."""
    asymmetry = _lepton_asymmetry(sqrt_s=sqrt_s)

    def cdf(x: Floats) -> Floats:
        x = np.clip(x, -1.0, 1.0)
        return (4.0 + 3.0 * x + x**3) / 8.0 + asymmetry * (x**2 - 1.0) / 2.0

    return cdf


def _zh_cross_section(*, sqrt_s: float) -> float:
    """e+e- -> ZH [pb], both on their mass shells."""
    return float(analytic.zh_cross_section(sqrt_s, PYTHIA))


def _zh_angle(*, sqrt_s: float) -> Cdf:
    """cos(theta) of the Z in e+e- -> ZH, both on their mass shells."""
    return lambda x: analytic.zh_cos_theta_cdf(sqrt_s, np.clip(x, -1.0, 1.0), PYTHIA)


SCALARS: dict[str, Callable[..., float]] = {
    "constant": _constant,
    "lepton_asymmetry": _lepton_asymmetry,
    "zh_cross_section": _zh_cross_section,
}
DISTRIBUTIONS: dict[str, Callable[..., Cdf]] = {
    "normal": _normal,
    "uniform": _uniform,
    "lepton_angle": _lepton_angle,
    "zh_angle": _zh_angle,
}
POINTS: dict[str, Callable[..., float]] = {"card_response": _card_response}


def _call(table: dict[str, Any], reference: Analytic, **more: float) -> Any:
    if reference.formula not in table:
        raise FormulaError(
            f"no formula {reference.formula!r}", hint=did_you_mean(reference.formula, list(table))
        )
    try:
        return table[reference.formula](**reference.with_, **more)
    except TypeError as error:
        raise FormulaError(
            f"formula {reference.formula!r} refuses its parameters", str(error)
        ) from None


def _reference(observable: Observable) -> Analytic:
    assert isinstance(observable.reference, Analytic)
    return observable.reference


def distribution_of(observable: Observable) -> Cdf:
    """The cumulative distribution that an analytic observable is compared with."""
    cdf: Cdf = _call(DISTRIBUTIONS, _reference(observable))
    return cdf


def evaluate(observable: Observable) -> Evaluated:
    """The value of the formula of an observable with an analytic reference."""
    reference, spec = _reference(observable), observable.measure
    if isinstance(spec, Distribution):
        edges = np.linspace(spec.low, spec.high, spec.bins + 1)
        below = distribution_of(observable)(edges)
        probabilities = np.diff(np.concatenate([[0.0], below, [1.0]]))
        middle = np.concatenate([edges[:1], (edges[1:] + edges[:-1]) / 2, edges[-1:]])
        content = {
            "low": spec.low, "high": spec.high, "bins": spec.bins,
            "probabilities": probabilities.tolist(),
        }  # fmt: skip
        return Evaluated(float(probabilities @ middle), content)
    if isinstance(spec, Profile):
        return _grid(reference, spec)
    return Evaluated(float(_call(SCALARS, reference)))


def _grid(reference: Analytic, spec: Profile) -> Evaluated:
    if set(reference.grid) != set(spec.by):
        raise FormulaError(
            f"the grid has {', '.join(reference.grid) or 'nothing'}",
            f"the profile is by {', '.join(spec.by)}",
        )
    points = []
    for at in itertools.product(*(reference.grid[name] for name in spec.by)):
        value = float(_call(POINTS, reference, **dict(zip(spec.by, at, strict=True))))
        points.append({"at": setting(np.array(at)).tolist(), "estimate": value, "error": 0.0})
    middle = float(np.mean([point["estimate"] for point in points]))
    return Evaluated(middle, {"by": list(spec.by), "points": points})
