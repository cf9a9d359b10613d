"""The closed formulas: limits, integrals, published values."""

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from fiducial.core import constants
from fiducial.core.errors import InputError
from fiducial.generators.analytic import (
    Electroweak,
    fermion,
    ff_asymmetry,
    ff_cross_section,
    ff_differential,
    z_partial_width,
    zh_cos_theta_cdf,
    zh_cos_theta_density,
    zh_cross_section,
)

EW = Electroweak()
OUT = st.sampled_from([1, 2, 3, 4, 5, 12, 13, 14, 15, 16])


@given(OUT, st.floats(20, 1000))
def test_differential_cross_section_integrates_to_the_total(pdg, sqrt_s):
    total, _ = quad(lambda c: float(ff_differential(sqrt_s, c, pdg, EW)), -1, 1)
    assert total == pytest.approx(float(ff_cross_section(sqrt_s, pdg, EW)), rel=1e-9)


@given(OUT, st.floats(20, 1000))
def test_asymmetry_is_that_of_the_differential_cross_section(pdg, sqrt_s):
    forward, _ = quad(lambda c: float(ff_differential(sqrt_s, c, pdg, EW)), 0, 1)
    backward, _ = quad(lambda c: float(ff_differential(sqrt_s, c, pdg, EW)), -1, 0)
    expected = (forward - backward) / (forward + backward)
    assert float(ff_asymmetry(sqrt_s, pdg, EW)) == pytest.approx(expected, abs=1e-9)


def test_far_below_the_z_muon_pairs_come_from_a_photon():
    """4 pi alpha^2 / (3 s) = 86.8 nb / s[GeV^2] at alpha(0)."""
    low = Electroweak(alpha=constants.alpha)
    assert float(ff_cross_section(1.0, 13, low)) == pytest.approx(86.8e3, rel=1e-3)
    assert abs(float(ff_asymmetry(1.0, 13, low))) < 1e-3


def test_the_peak_is_that_of_a_resonance():
    """12 pi Gamma_e Gamma_f / (m^2 Gamma^2), the photon's part neglected (0.5 %)."""
    gamma_e, gamma_q = z_partial_width(11, EW), z_partial_width(1, EW)
    peak = 12 * pi * gamma_e * gamma_q / (EW.m_z * EW.gamma_z) ** 2 * constants.hbarc_squared
    assert float(ff_cross_section(EW.m_z, 1, EW)) == pytest.approx(peak, rel=0.005)


def test_leptonic_width_is_the_published_one():
    """83.984 +- 0.086 MeV (PDG 2024); tree level with alpha(m_Z) and the effective angle: 1 %."""
    ew = Electroweak(sin2_theta_w=0.23153)
    assert z_partial_width(13, ew) == pytest.approx(0.083984, rel=0.01)


def test_zh_cross_section_is_the_published_one():
    """About 0.240 pb at 240 GeV: the FCC-ee CDR gives 200 fb with radiation (-16 % to -18 %)."""
    assert float(zh_cross_section(240.0, EW)) == pytest.approx(0.240, rel=0.02)
    ratio = float(zh_cross_section(365.0, EW) / zh_cross_section(240.0, EW))
    assert 0.45 < ratio < 0.52


def test_fermi_constant_and_alpha_describe_the_same_coupling():
    ew = Electroweak.from_fermi_constant(constants.G_F, 0.2312)
    s = 240.0**2
    lam = (1 - (ew.m_h + ew.m_z) ** 2 / s) * (1 - (ew.m_h - ew.m_z) ** 2 / s)
    v = -1 + 4 * 0.2312
    expected = (
        constants.G_F**2 * ew.m_z**4 / (96 * pi * s) * (v * v + 1)
        * np.sqrt(lam) * (lam + 12 * ew.m_z**2 / s) / (1 - ew.m_z**2 / s) ** 2
        * constants.hbarc_squared
    )  # fmt: skip
    assert float(zh_cross_section(240.0, ew)) == pytest.approx(expected, rel=1e-12)


def test_nothing_is_made_below_threshold():
    assert float(zh_cross_section(215.0, EW)) == 0.0
    assert float(zh_cross_section(100.0, EW, z_width=True)) == 0.0
    assert float(zh_cross_section(215.0, EW, z_width=True)) > 0.0


def test_a_narrow_z_is_on_shell():
    narrow = Electroweak(gamma_z=1e-4)
    for sqrt_s in (230.0, 240.0, 500.0):
        on, off = (float(zh_cross_section(sqrt_s, narrow, z_width=w)) for w in (False, True))
        assert off == pytest.approx(on, rel=2e-4)


def test_the_average_over_the_zs_width_agrees_with_adaptive_quadrature():
    s, square, scale = 240.0**2, EW.m_z**2, EW.m_z * EW.gamma_z

    def integrand(y):
        q2 = square + scale * np.tan(y)
        width = q2 * EW.gamma_z / EW.m_z
        density = width / ((q2 - square) ** 2 + width**2) / pi
        lam = max(0.0, 1 - (EW.m_h + np.sqrt(q2)) ** 2 / s) * (1 - (EW.m_h - np.sqrt(q2)) ** 2 / s)
        return density * scale * (1 + np.tan(y) ** 2) * np.sqrt(lam) * (lam + 12 * q2 / s)

    low, high = (np.arctan((q2 - square) / scale) for q2 in (0.0, (240.0 - EW.m_h) ** 2))
    average, _ = quad(integrand, low, high, points=[0.0], limit=500, epsrel=1e-9)
    lam = (1 - (EW.m_h + EW.m_z) ** 2 / s) * (1 - (EW.m_h - EW.m_z) ** 2 / s)
    on_shell = np.sqrt(lam) * (lam + 12 * square / s)
    ratio = float(zh_cross_section(240.0, EW, z_width=True) / zh_cross_section(240.0, EW))
    assert ratio == pytest.approx(average / on_shell, rel=1e-5)


@given(st.floats(217, 2000))
def test_angular_density_is_normalised_and_its_integral_is_the_cdf(sqrt_s):
    total, _ = quad(lambda c: float(zh_cos_theta_density(sqrt_s, c, EW)), -1, 1)
    part, _ = quad(lambda c: float(zh_cos_theta_density(sqrt_s, c, EW)), -1, 0.3)
    assert total == pytest.approx(1.0, abs=1e-12)
    assert float(zh_cos_theta_cdf(sqrt_s, 0.3, EW)) == pytest.approx(part, abs=1e-12)


def test_the_angular_law_is_flat_at_threshold_and_sin_squared_far_above():
    assert float(zh_cos_theta_density(216.4, 0.9, EW)) == pytest.approx(0.5, rel=0.01)
    assert float(zh_cos_theta_density(1e5, 0.0, EW)) == pytest.approx(0.75, rel=1e-3)


def test_arrays_go_through():
    energies = np.array([230.0, 240.0, 250.0])
    assert np.shape(zh_cross_section(energies, EW, z_width=True)) == (3,)
    assert np.shape(ff_cross_section(energies, 13, EW)) == (3,)


@pytest.mark.parametrize("bad", [{"sin2_theta_w": 0.0}, {"sin2_theta_w": 1.2}, {"alpha": -1.0}])
def test_impossible_couplings_are_refused(bad):
    with pytest.raises(InputError):
        Electroweak(**bad)


def test_only_fermions_without_a_t_channel_are_taken():
    with pytest.raises(InputError, match="22 is no fermion"):
        fermion(22)
    with pytest.raises(InputError, match="t channel"):
        ff_cross_section(91.0, 11, EW)
