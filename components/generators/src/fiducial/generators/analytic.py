"""Leading-order e+e- cross-sections in closed form: oracles for generators.

e+e- -> f fbar through photon and Z, and e+e- -> ZH through a Z (Bjorken's process), unpolarised,
without radiation, with massless external fermions. All couplings are given, so that they can be
those of the generator that is checked: alpha, sin^2 theta_W, masses and width in
:class:`Electroweak`; on-shell relations between them are not assumed.

J. Ellis, M. K. Gaillard, D. V. Nanopoulos, Nucl. Phys. B 106 (1976) 292. B. L. Ioffe and
V. A. Khoze, Sov. J. Part. Nucl. 9 (1978) 50. W. Kilian, M. Kramer, P. M. Zerwas, Phys. Lett. B
373 (1996) 135, eq. (1) and (3), for ZH. The ALEPH, DELPHI, L3, OPAL, SLD Collaborations, Phys. Rep.
427 (2006) 257, section 1.4, for f fbar.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from fiducial.core import constants
from fiducial.core.errors import InputError

__all__ = [
    "Electroweak",
    "Fermion",
    "fermion",
    "ff_asymmetry",
    "ff_cross_section",
    "ff_differential",
    "z_partial_width",
    "zh_cos_theta_cdf",
    "zh_cos_theta_density",
    "zh_cross_section",
]

Floats = npt.NDArray[np.float64]
Number = float | Floats


@dataclass(frozen=True)
class Electroweak:
    """Couplings and masses; the defaults are PDG 2024 at the scale of the Z.

    alpha            fine-structure constant at the scale of the process
    sin2_theta_w     sin^2 of the weak mixing angle, in the strength e / (sin cos) of the Z
    sin2_theta_eff   the same in the vector couplings; None: equal (Pythia has two)
    m_z, gamma_z     mass and width of the Z [GeV]
    m_h              mass of the Higgs boson [GeV]
    running_width    the Z propagator's width grows with s (s Gamma / m), as Pythia's does in
                     f fbar -> gamma*/Z
    """

    alpha: float = 1.0 / 127.930
    sin2_theta_w: float = constants.sin2_theta_W_mZ
    sin2_theta_eff: float | None = None
    m_z: float = constants.m_Z
    gamma_z: float = constants.Gamma_Z
    m_h: float = constants.m_H
    running_width: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.sin2_theta_w < 1.0:
            raise InputError(f"sin2_theta_w = {self.sin2_theta_w}", "it is not between 0 and 1")
        if min(self.alpha, self.m_z, self.gamma_z, self.m_h) <= 0.0:
            raise InputError("alpha, masses and width of an Electroweak must be above 0")

    @property
    def sin2_vector(self) -> float:
        """sin^2 of the angle in the vector couplings."""
        return self.sin2_theta_w if self.sin2_theta_eff is None else self.sin2_theta_eff

    @classmethod
    def from_fermi_constant(
        cls, g_f: float, sin2_theta_w: float, m_z: float = constants.m_Z, **others: float
    ) -> Electroweak:
        """Couplings in terms of G_F [1/GeV^2]: alpha = sqrt2 G_F m_Z^2 sin^2 cos^2 / pi."""
        alpha = sqrt(2.0) * g_f * m_z**2 * sin2_theta_w * (1.0 - sin2_theta_w) / pi
        return cls(alpha=alpha, sin2_theta_w=sin2_theta_w, m_z=m_z, **others)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Fermion:
    """Quantum numbers: electric charge [e], third component of weak isospin, colours."""

    charge: float
    isospin: float
    colours: int

    def vector(self, ew: Electroweak) -> float:
        """Vector coupling to the Z in units of e."""
        weak = self.isospin - 2.0 * self.charge * ew.sin2_vector
        return weak / (2.0 * sqrt(ew.sin2_theta_w * (1.0 - ew.sin2_theta_w)))

    def axial(self, ew: Electroweak) -> float:
        """Axial coupling to the Z in units of e."""
        return self.isospin / (2.0 * sqrt(ew.sin2_theta_w * (1.0 - ew.sin2_theta_w)))


def fermion(pdg: int) -> Fermion:
    """The quantum numbers of a quark (1-6) or lepton (11-16), by PDG code."""
    if 1 <= pdg <= 6:
        up = pdg % 2 == 0
        return Fermion(2 / 3 if up else -1 / 3, 0.5 if up else -0.5, 3)
    if 11 <= pdg <= 16:
        neutrino = pdg % 2 == 0
        return Fermion(0.0 if neutrino else -1.0, 0.5 if neutrino else -0.5, 1)
    raise InputError(f"{pdg} is no fermion", None, "give a PDG code of 1-6 or 11-16")


_ELECTRON = fermion(11)


def _ff_couplings(sqrt_s: Number, out: Fermion, ew: Electroweak) -> tuple[Number, Number]:
    """G1 and G3 of dsigma / dcos = pi alpha^2 N / (2 s) [(1 + cos^2) G1 + 2 cos G3]."""
    s = np.square(sqrt_s)
    width = s * ew.gamma_z / ew.m_z if ew.running_width else ew.m_z * ew.gamma_z
    propagator = s / (s - ew.m_z**2 + 1j * width)
    real, square = propagator.real, np.abs(propagator) ** 2
    charges = _ELECTRON.charge * out.charge
    ve, ae, vf, af = _ELECTRON.vector(ew), _ELECTRON.axial(ew), out.vector(ew), out.axial(ew)
    even = charges**2 + 2 * charges * ve * vf * real + (ve**2 + ae**2) * (vf**2 + af**2) * square
    odd = 2 * charges * ae * af * real + 4 * ve * ae * vf * af * square
    return even, odd


def ff_differential(sqrt_s: Number, cos_theta: Number, pdg: int, ew: Electroweak) -> Number:
    """dsigma / dcos(theta) of e+e- -> f fbar [pb]; theta between the incoming e- and the f.

    Not for f = e-, which has a t channel too.
    """
    even, odd = _ff_couplings(sqrt_s, _not_electron(pdg), ew)
    shape = (1 + np.square(cos_theta)) * even + 2 * np.asarray(cos_theta) * odd
    return _point_like(sqrt_s, ew) * fermion(pdg).colours * 3.0 / 8.0 * shape


def ff_cross_section(sqrt_s: Number, pdg: int, ew: Electroweak) -> Number:
    """Total cross-section of e+e- -> f fbar [pb], at ``sqrt_s`` [GeV]."""
    even, _ = _ff_couplings(sqrt_s, _not_electron(pdg), ew)
    return _point_like(sqrt_s, ew) * fermion(pdg).colours * even


def ff_asymmetry(sqrt_s: Number, pdg: int, ew: Electroweak) -> Number:
    """Forward-backward asymmetry of e+e- -> f fbar, (F - B) / (F + B)."""
    even, odd = _ff_couplings(sqrt_s, _not_electron(pdg), ew)
    return 0.75 * odd / even


def z_partial_width(pdg: int, ew: Electroweak) -> float:
    """Gamma(Z -> f fbar) [GeV] without masses and QCD corrections: N alpha m_Z (v^2 + a^2) / 3."""
    out = fermion(pdg)
    return out.colours * ew.alpha * ew.m_z / 3.0 * (out.vector(ew) ** 2 + out.axial(ew) ** 2)


def _point_like(sqrt_s: Number, ew: Electroweak) -> Number:
    """4 pi alpha^2 / (3 s) [pb]."""
    return 4 * pi * ew.alpha**2 / (3 * np.square(sqrt_s)) * constants.hbarc_squared


def _not_electron(pdg: int) -> Fermion:
    if pdg == 11:
        raise InputError("e+e- -> e+e- has a t channel", "these formulas have none", "take 13")
    return fermion(pdg)


# e+e- -> ZH


def _two_body(s: Number, m_z_squared: Number, m_h: float) -> Floats:
    """lambda = (1 - (m_H + m_Z)^2 / s) (1 - (m_H - m_Z)^2 / s); 0 below threshold."""
    m_z = np.sqrt(m_z_squared)
    above = np.maximum(1 - (m_h + m_z) ** 2 / np.asarray(s), 0.0)
    return np.asarray(above * (1 - (m_h - m_z) ** 2 / s))


def zh_cross_section(sqrt_s: Number, ew: Electroweak, z_width: bool = False) -> Floats:
    """Total cross-section of e+e- -> ZH [pb], at ``sqrt_s`` [GeV], any shape.

    G_F^2 m_Z^4 / (96 pi s) (v_e^2 + a_e^2) sqrt(lambda) (lambda + 12 m_Z^2 / s) / (1 - m_Z^2 / s)^2
    with v_e = -1 + 4 sin^2, a_e = -1 and G_F^2 m_Z^4 = (pi alpha)^2 / (2 sin^4 cos^4).

    z_width  the produced Z has a width: lambda and 12 m_Z^2 / s are averaged over its
             Breit-Wigner with a running width. The Higgs boson's width is neglected.
    """
    s = np.square(np.asarray(sqrt_s, dtype=np.float64))
    couplings = (-1 + 4 * ew.sin2_vector) ** 2 + 1
    fermi = (pi * ew.alpha / (ew.sin2_theta_w * (1 - ew.sin2_theta_w))) ** 2 / 2
    shape = np.vectorize(_zh_off_shell)(s, ew) if z_width else _zh_shape(s, ew.m_z**2, ew)
    factor = fermi / (96 * pi * s) * couplings / (1 - ew.m_z**2 / s) ** 2
    return np.asarray(factor * shape * constants.hbarc_squared)


def _zh_shape(s: Number, m_z_squared: Number, ew: Electroweak) -> Floats:
    lam = _two_body(s, m_z_squared, ew.m_h)
    return np.asarray(np.sqrt(lam) * (lam + 12 * m_z_squared / s))


def _zh_off_shell(s: float, ew: Electroweak) -> float:
    """The shape averaged over the Z's mass, by Gauss-Legendre in the angle that flattens the
    Breit-Wigner, in panels that end at its peak; relative error below 1e-6."""
    if s <= ew.m_h**2:
        return 0.0
    scale, square = ew.m_z * ew.gamma_z, ew.m_z**2
    ends = np.arctan((np.array([0.0, (sqrt(s) - ew.m_h) ** 2]) - square) / scale)
    cuts = np.unique(np.clip([ends[0], -1.5, -1.2, 0.0, 1.2, 1.5, ends[1]], *ends))
    nodes, weights = np.polynomial.legendre.leggauss(64)
    total = 0.0
    for low, high in pairwise(cuts):
        angle = 0.5 * (high - low) * nodes + 0.5 * (high + low)
        q2 = square + scale * np.tan(angle)
        width = q2 * ew.gamma_z / ew.m_z
        jacobian = scale * (1 + np.tan(angle) ** 2)
        density = width / ((q2 - square) ** 2 + width**2) / pi
        integrand = density * jacobian * _zh_shape(s, np.maximum(q2, 0.0), ew)
        total += 0.5 * (high - low) * float(np.sum(weights * integrand))
    return total


def zh_cos_theta_density(sqrt_s: float, cos_theta: Number, ew: Electroweak) -> Floats:
    """Normalised density of the Z's cos(theta): (3/4) (lambda sin^2 + 8 r) / (lambda + 12 r),
    r = m_Z^2 / s."""
    ratio, lam = ew.m_z**2 / sqrt_s**2, _two_body(sqrt_s**2, ew.m_z**2, ew.m_h)
    shape = lam * (1 - np.square(cos_theta)) + 8 * ratio
    return np.asarray(0.75 * shape / (lam + 12 * ratio))


def zh_cos_theta_cdf(sqrt_s: float, cos_theta: Number, ew: Electroweak) -> Floats:
    """Probability that the Z's cos(theta) lies below; the integral of the density."""
    ratio, lam = ew.m_z**2 / sqrt_s**2, _two_body(sqrt_s**2, ew.m_z**2, ew.m_h)
    c = np.asarray(cos_theta)
    integral = lam * (c - c**3 / 3 + 2 / 3) + 8 * ratio * (c + 1)
    return np.asarray(0.75 * integral / (lam + 12 * ratio))
