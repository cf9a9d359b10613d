# ruff: noqa: N816
"""Physical constants, in the units of :mod:`fiducial.core.units`.

Fundamental constants are CODATA 2022 (P. Mohr, D. Newell, B. Taylor, E. Tiesinga, "CODATA
recommended values of the fundamental physical constants: 2022", Rev. Mod. Phys. 97 (2025)
025002). Particle properties are PDG 2024 (S. Navas et al., Particle Data Group, "Review of
particle physics", Phys. Rev. D 110 (2024) 030001). Exact values are exact by the SI of 2019.

``UNCERTAINTIES`` holds the standard uncertainty of each that is not exact, in the same unit.

>>> momentum = 10.0  # GeV
>>> momentum / (curvature_constant * 2.0)  # radius in mm in 2 tesla
16678.2...
"""

from fiducial.core.units import MeV

__all__ = [
    "G_F",
    "N_A",
    "UNCERTAINTIES",
    "Gamma_W",
    "Gamma_Z",
    "alpha",
    "alpha_s_mZ",
    "c",
    "curvature_constant",
    "hbar",
    "hbarc",
    "hbarc_squared",
    "k_B",
    "m_H",
    "m_K0",
    "m_K_charged",
    "m_W",
    "m_Z",
    "m_e",
    "m_mu",
    "m_n",
    "m_p",
    "m_pi0",
    "m_pi_charged",
    "m_tau",
    "m_top",
    "r_e",
    "sin2_theta_W_mZ",
    "u",
]

# --- Fundamental (CODATA 2022) ---

c = 299.792458
"""Speed of light in vacuum [mm/ns]. Exact."""

hbar = 6.582119569509067e-16
"""Reduced Planck constant [GeV ns]. Exact (rounded to double precision)."""

hbarc = 1.973269804593025e-13
"""hbar c [GeV mm]. Exact (rounded to double precision)."""

hbarc_squared = 3.893793721718596e8
"""(hbar c)^2 [GeV^2 pb]: turns 1/GeV^2 into a cross-section. Exact (rounded)."""

curvature_constant = 2.99792458e-4
"""Transverse momentum / (charge x field x radius) [GeV / (e tesla mm)]. Exact: c in m/ns / 1e3."""

alpha = 7.2973525643e-3
"""Fine-structure constant at zero momentum transfer. CODATA 2022."""

G_F = 1.1663787e-5
"""Fermi coupling constant over (hbar c)^3 [1/GeV^2]. CODATA 2022."""

m_e = 0.51099895069 * MeV
"""Electron mass [GeV]. CODATA 2022."""

m_mu = 105.6583755 * MeV
"""Muon mass [GeV]. CODATA 2022."""

m_p = 938.27208943 * MeV
"""Proton mass [GeV]. CODATA 2022."""

m_n = 939.56542194 * MeV
"""Neutron mass [GeV]. CODATA 2022."""

u = 931.49410372 * MeV
"""Atomic mass constant [GeV]. CODATA 2022."""

r_e = 2.8179403205e-12
"""Classical electron radius [mm]. CODATA 2022."""

N_A = 6.02214076e23
"""Avogadro constant [1/mol]. Exact."""

k_B = 8.617333262145179e-14
"""Boltzmann constant [GeV/K]. Exact (rounded to double precision)."""

# --- Particles and couplings (PDG 2024) ---

m_tau = 1776.93 * MeV
"""Tau mass [GeV]. PDG 2024."""

m_Z = 91.1880
"""Z mass [GeV], in the running-width (s-dependent) scheme. PDG 2024."""

Gamma_Z = 2.4955
"""Z width [GeV]. PDG 2024."""

m_W = 80.3692
"""W mass [GeV]. PDG 2024 (without the CDF II measurement)."""

Gamma_W = 2.085
"""W width [GeV]. PDG 2024."""

m_H = 125.20
"""Higgs boson mass [GeV]. PDG 2024."""

m_top = 172.57
"""Top quark mass [GeV], direct measurements. PDG 2024."""

m_pi_charged = 139.57039 * MeV
"""Charged pion mass [GeV]. PDG 2024."""

m_pi0 = 134.9768 * MeV
"""Neutral pion mass [GeV]. PDG 2024."""

m_K_charged = 493.677 * MeV
"""Charged kaon mass [GeV]. PDG 2024."""

m_K0 = 497.611 * MeV
"""Neutral kaon mass [GeV]. PDG 2024."""

sin2_theta_W_mZ = 0.23129
"""Weak mixing angle in the MS-bar scheme at m_Z. PDG 2024, electroweak model review."""

alpha_s_mZ = 0.1180
"""Strong coupling in the MS-bar scheme at m_Z. PDG 2024, QCD review."""

UNCERTAINTIES = {
    "alpha": 1.1e-12,
    "G_F": 6e-12,
    "m_e": 1.6e-10 * MeV,
    "m_mu": 2.3e-6 * MeV,
    "m_p": 2.9e-7 * MeV,
    "m_n": 4.8e-7 * MeV,
    "u": 2.9e-7 * MeV,
    "r_e": 1.3e-21,
    "m_tau": 0.09 * MeV,
    "m_Z": 0.0020,
    "Gamma_Z": 0.0023,
    "m_W": 0.0133,
    "Gamma_W": 0.042,
    "m_H": 0.11,
    "m_top": 0.29,
    "m_pi_charged": 0.00018 * MeV,
    "m_pi0": 0.0005 * MeV,
    "m_K_charged": 0.015 * MeV,
    "m_K0": 0.013 * MeV,
    "sin2_theta_W_mZ": 0.00004,
    "alpha_s_mZ": 0.0009,
}
"""Standard uncertainties, in the units of the constants themselves."""
