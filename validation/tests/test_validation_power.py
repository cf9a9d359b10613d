"""Power: what each comparison finds, at the level that a verdict of fifty observables leaves it."""

import numpy as np
import pytest
from scipy import special

from fiducial.validation import statistics as st
from fiducial.validation.fits import fit_peak

LEVEL = 1e-3 / 50


def found(outcomes):
    return np.mean([outcome.p_value <= LEVEL for outcome in outcomes])


def test_chi2_finds_a_shift_of_a_quarter_of_the_width():
    rng = np.random.default_rng(1)
    edges = np.linspace(-4, 4, 41)
    reference = np.histogram(rng.normal(size=20_000), edges)[0]
    outcomes = [
        st.shape_two_sample(np.histogram(rng.normal(0.25, 1, 1500), edges)[0], reference)
        for _ in range(200)
    ]
    assert found(outcomes) > 0.9


def test_chi2_does_not_see_a_change_of_rate_alone():
    rng = np.random.default_rng(2)
    shape = np.full(20, 0.05)
    outcomes = [
        st.shape_two_sample(rng.multinomial(n, shape), rng.multinomial(9000, shape))
        for n in (500, 5000)
    ]
    assert all(outcome.p_value > 1e-4 for outcome in outcomes)


def test_weighted_chi2_finds_a_wrong_slope():
    rng = np.random.default_rng(3)

    def weighted(n, slope):
        x = rng.uniform(size=n)
        w = 1 + slope * x
        bins = (x * 20).astype(int)
        return np.bincount(bins, w, 20), np.bincount(bins, w**2, 20)

    outcomes = [st.shape_weighted(*weighted(4000, 1.0), *weighted(20_000, 0.0)) for _ in range(50)]
    assert found(outcomes) > 0.9


def test_ks_finds_a_shift_of_a_quarter_of_the_width():
    rng = np.random.default_rng(4)
    outcomes = [
        st.ks_two_sample(rng.normal(0.25, 1, 1500), rng.normal(size=4000)) for _ in range(100)
    ]
    assert found(outcomes) > 0.9
    assert found([st.ks_against_model(rng.normal(0.3, 1, 500), special.ndtr)] * 1) == 1


def test_exact_tests_find_what_they_should():
    assert st.efficiency_against(450, 500, 0.96).p_value <= LEVEL
    assert st.efficiency_two_sample(1000, 1500, 14_500, 20_000).p_value <= LEVEL
    assert st.counts_two_sample(150, 1.0, 1000, 10.0).p_value <= LEVEL
    assert st.spread_against(1.15, 800, 1.0).p_value <= LEVEL
    assert st.welch(1.05, 0.01, 200, 1.0, 0.01, 5000).p_value <= LEVEL
    assert st.pull(1.6, 0.1, 1.0, 0.05, 0.05).p_value <= LEVEL
    points = [st.spread_against(1.0, 250, 1.0) for _ in range(11)]
    assert st.combine_points([*points, st.spread_against(1.35, 250, 1.0)]).p_value <= LEVEL


def test_one_percent_of_momentum_scale_is_found_in_a_z_peak_of_a_thousand_events():
    rng = np.random.default_rng(5)

    def masses(n):
        return 91.188 + 1.2477 * rng.standard_cauchy(n) + rng.normal(0, 0.3, n)

    reference = fit_peak(masses(50_000), 88, 94, "voigt", 2.4955)
    shifted = fit_peak(masses(1000) * 1.01, 88, 94, "voigt", 2.4955)
    outcome = st.pull(
        shifted.position, shifted.position_error, reference.position, reference.position_error
    )
    assert outcome.p_value <= LEVEL


def test_voigt_fit_recovers_the_mass_and_the_resolution():
    rng = np.random.default_rng(6)
    fit = fit_peak(91.188 + 1.2477 * rng.standard_cauchy(40_000) + rng.normal(0, 0.5, 40_000),
                   86, 96, "voigt", 2.4954)  # fmt: skip
    assert fit.position == pytest.approx(91.188, abs=5 * fit.position_error)
    assert fit.width == pytest.approx(0.5, abs=5 * fit.width_error)
    assert fit.position_error < 0.02


def test_a_window_without_entries_gives_no_peak():
    assert np.isnan(fit_peak(np.zeros(100), 1, 2).position)
