"""Units and constants against independent tables."""

import doctest
import math

import pytest

from fiducial.core import constants, units

scipy_constants = pytest.importorskip("scipy.constants")

# our name, scipy's name, factor from scipy's unit to ours
CODATA = [
    ("c", "speed of light in vacuum", 1e3 / 1e9),
    ("hbar", "reduced Planck constant in eV s", 1e-9 * 1e9),
    ("hbarc", "reduced Planck constant times c in MeV fm", 1e-3 * 1e-12),
    ("alpha", "fine-structure constant", 1.0),
    ("G_F", "Fermi coupling constant", 1.0),
    ("m_e", "electron mass energy equivalent in MeV", 1e-3),
    ("m_mu", "muon mass energy equivalent in MeV", 1e-3),
    ("m_p", "proton mass energy equivalent in MeV", 1e-3),
    ("m_n", "neutron mass energy equivalent in MeV", 1e-3),
    ("u", "atomic mass constant energy equivalent in MeV", 1e-3),
    ("r_e", "classical electron radius", 1e3),
    ("N_A", "Avogadro constant", 1.0),
    ("k_B", "Boltzmann constant in eV/K", 1e-9),
]


def _scipy_edition():
    electron = scipy_constants.physical_constants["electron mass energy equivalent in MeV"][0]
    return {0.51099895069: 2022, 0.51099895000: 2018}.get(electron)


@pytest.mark.parametrize(("ours", "theirs", "factor"), CODATA)
def test_constants_are_codata_2022(ours, theirs, factor):
    if _scipy_edition() != 2022:
        pytest.skip("this scipy has another edition of CODATA")
    value, _, uncertainty = scipy_constants.physical_constants[theirs]
    assert getattr(constants, ours) == pytest.approx(value * factor, rel=1e-15)
    stated = constants.UNCERTAINTIES.get(ours, 0.0)
    assert stated == pytest.approx(uncertainty * factor, rel=1e-12)


PDG_IDS = {
    "m_e": 11, "m_mu": 13, "m_tau": 15, "m_Z": 23, "m_W": 24, "m_H": 25, "m_top": 6,
    "m_pi_charged": 211, "m_pi0": 111, "m_K_charged": 321, "m_K0": 311, "m_p": 2212, "m_n": 2112,
}  # fmt: skip


@pytest.mark.parametrize("name", PDG_IDS)
def test_masses_agree_with_a_later_edition_of_the_pdg_within_its_errors(name):
    particle = pytest.importorskip("particle")
    theirs = particle.Particle.from_pdgid(PDG_IDS[name])
    error = math.hypot(theirs.mass_lower * 1e-3, constants.UNCERTAINTIES[name])
    assert abs(getattr(constants, name) - theirs.mass * 1e-3) <= 2.0 * error


def test_every_constant_is_documented_and_either_exact_or_has_an_uncertainty():
    exact = {"c", "hbar", "hbarc", "hbarc_squared", "curvature_constant", "N_A", "k_B"}
    names = set(constants.__all__) - {"UNCERTAINTIES"}
    assert names == exact | set(constants.UNCERTAINTIES)


def test_derived_constants_follow_from_the_fundamental_ones():
    assert constants.hbar * constants.c == pytest.approx(constants.hbarc, rel=1e-15)
    barn_in_mm2 = 1e-22
    assert constants.hbarc**2 / barn_in_mm2 * units.barn == pytest.approx(
        constants.hbarc_squared, rel=1e-14
    )
    assert constants.r_e == pytest.approx(
        constants.alpha * constants.hbarc / constants.m_e, rel=1e-9
    )


def test_curvature_is_momentum_over_charge_and_field():
    p_si = 1e9 * scipy_constants.e / scipy_constants.c  # 1 GeV/c in kg m/s
    radius = p_si / (scipy_constants.e * 1.0)  # m, in 1 tesla
    assert 1.0 / (constants.curvature_constant * units.tesla) == pytest.approx(radius * units.m)


@pytest.mark.parametrize(
    ("bigger", "smaller", "factor"),
    [("TeV", "GeV", 1e3), ("GeV", "MeV", 1e3), ("MeV", "keV", 1e3), ("keV", "eV", 1e3),
     ("eV", "meV", 1e3), ("km", "m", 1e3), ("m", "cm", 1e2), ("cm", "mm", 10), ("mm", "um", 1e3),
     ("um", "nm", 1e3), ("s", "ms", 1e3), ("ms", "us", 1e3), ("us", "ns", 1e3), ("ns", "ps", 1e3),
     ("tesla", "gauss", 1e4), ("rad", "mrad", 1e3), ("mrad", "urad", 1e3),
     ("barn", "mb", 1e3), ("mb", "ub", 1e3), ("ub", "nb", 1e3), ("nb", "pb", 1e3),
     ("pb", "fb", 1e3), ("fb", "ab", 1e3)],
)  # fmt: skip
def test_prefixes_step_as_they_should(bigger, smaller, factor):
    assert getattr(units, bigger) / getattr(units, smaller) == pytest.approx(factor, rel=1e-14)


def test_the_base_units_are_those_of_edm4hep():
    assert units.GeV == units.mm == units.ns == units.tesla == units.radian == units.e == 1.0
    assert units.pb == 1.0
    assert 180 * units.deg == pytest.approx(math.pi)


@pytest.mark.parametrize("module", [units, constants])
def test_examples_in_the_docstrings_run(module):
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
