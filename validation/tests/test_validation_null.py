"""Null ensembles: p-values are uniform, or stated conservative, down to where verdicts look.

Each test draws pseudo-experiments in which nothing has changed and counts p-values below several
thresholds. The count is compared with what a uniform (or conservative) law allows, at a
false-alarm rate of 1e-6 a threshold, seeds fixed.
"""

import numpy as np
import pytest
from scipy import special, stats

from fiducial.validation import statistics as st
from fiducial.validation.fits import fit_peak

ALARM = 1e-6
SHAPE = np.exp(-np.arange(40) / 8.0) / np.exp(-np.arange(40) / 8.0).sum()


def assert_holds(p_values, thresholds, inflation=1.0, uniform=True):
    """No more p-values below a threshold than inflation times it; if uniform, no fewer than 1/."""
    p_values = np.asarray(p_values)
    assert np.isfinite(p_values).all()
    n = len(p_values)
    for threshold in thresholds:
        count = int(np.count_nonzero(p_values <= threshold))
        assert stats.binom.sf(count - 1, n, min(1.0, inflation * threshold)) > ALARM, threshold
        if uniform:
            assert stats.binom.cdf(count, n, threshold / inflation) > ALARM, threshold


@pytest.mark.parametrize(("n", "m"), [(300, 6000), (1500, 20000), (2000, 2000)])
def test_chi2_of_two_histograms_is_uniform_down_to_1e_4(n, m):
    rng = np.random.default_rng(n)
    p_values = [
        st.shape_two_sample(rng.multinomial(n, SHAPE), rng.multinomial(m, SHAPE)).p_value
        for _ in range(12_000)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3, 1e-4), inflation=1.25)


def test_plain_chi2_law_would_reject_sparse_histograms_too_often():
    """Why the statistic's own moments are used: five expected entries a bin, tail at 1e-4."""
    rng = np.random.default_rng(5)
    spike = np.concatenate([np.full(3, 30.0), np.ones(40)]) / 130
    outcomes = [
        st.shape_two_sample(rng.multinomial(300, spike), rng.multinomial(6000, spike), 5.0)
        for _ in range(25_000)
    ]
    bins = np.array([int(o.detail.split()[0]) for o in outcomes])
    statistic = np.array([o.statistic for o in outcomes])
    plain = special.gammaincc(bins / 2, statistic / 2)
    assert np.count_nonzero(plain <= 1e-3) > 1.4 * 1e-3 * len(plain)
    assert_holds([o.p_value for o in outcomes], (0.1, 0.01, 1e-3, 1e-4), inflation=1.4)


def test_chi2_against_an_exact_model_is_uniform():
    rng = np.random.default_rng(2)
    p_values = [
        st.shape_against_model(rng.multinomial(800, SHAPE), SHAPE).p_value for _ in range(20_000)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3, 1e-4), inflation=1.35)


def test_chi2_of_weighted_histograms_is_near_uniform():
    rng = np.random.default_rng(3)

    def weighted(n):
        bins = rng.choice(40, size=n, p=SHAPE)
        weights = rng.uniform(0.5, 1.5, n) * (1 + bins / 20)
        return np.bincount(bins, weights, 40), np.bincount(bins, weights**2, 40)

    p_values = [
        st.shape_weighted(*weighted(1500), *weighted(8000), min_effective=25).p_value
        for _ in range(2500)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), inflation=1.5)


def test_weighted_chi2_with_unit_weights_agrees_with_the_unweighted_one():
    rng = np.random.default_rng(4)
    flat = np.full(20, 0.05)
    n, m = rng.multinomial(4000, flat), rng.multinomial(9000, flat)
    plain = st.shape_two_sample(n, m, 25.0)
    weighted = st.shape_weighted(n, n, m, m, 25.0)
    assert weighted.statistic == pytest.approx(plain.statistic, rel=0.02)


def test_merging_does_not_bias_where_most_bins_are_empty():
    rng = np.random.default_rng(6)
    shape = np.concatenate([SHAPE * 0.98, np.full(200, 0.02 / 200)])
    p_values = [
        st.shape_two_sample(rng.multinomial(500, shape), rng.multinomial(9000, shape)).p_value
        for _ in range(10_000)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), inflation=1.25)


def test_ks_of_two_samples_is_uniform_for_continuous_data():
    rng = np.random.default_rng(7)
    p_values = [
        st.ks_two_sample(rng.normal(size=600), rng.normal(size=4000)).p_value for _ in range(2500)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), inflation=1.25)


def test_ks_against_a_model_is_uniform_and_agrees_with_scipy():
    rng = np.random.default_rng(8)
    p_values = [
        st.ks_against_model(rng.normal(size=300), special.ndtr).p_value for _ in range(2500)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), inflation=1.2)
    sample = rng.normal(size=500)
    theirs = stats.kstest(sample, "norm")
    assert st.ks_against_model(sample, special.ndtr).p_value == pytest.approx(
        theirs.pvalue, rel=1e-6
    )


def test_ks_with_ties_is_conservative():
    rng = np.random.default_rng(9)
    p_values = [
        st.ks_two_sample(rng.poisson(5, 500), rng.poisson(5, 2000)).p_value for _ in range(1500)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), uniform=False)
    assert np.mean(np.array(p_values) <= 0.1) < 0.06


def test_ks_agrees_with_scipys_two_sample_distance():
    rng = np.random.default_rng(10)
    a, b = rng.normal(size=321), rng.normal(size=1234)
    assert st.ks_two_sample(a, b).statistic == pytest.approx(
        stats.ks_2samp(a, b).statistic, abs=1e-15
    )


def test_pull_is_uniform_without_tolerance_and_conservative_inside_it():
    rng = np.random.default_rng(11)
    x, y = rng.normal(10, 0.3, 40_000), rng.normal(10, 0.4, 40_000)
    thresholds = (0.5, 0.1, 0.01, 1e-3, 1e-4)
    assert_holds(
        [st.pull(a, 0.3, b, 0.4).p_value for a, b in zip(x, y, strict=True)], thresholds, 1.01
    )
    edge = [st.pull(a + 0.5, 0.3, b, 0.4, 0.5).p_value for a, b in zip(x, y, strict=True)]
    assert_holds(edge, thresholds, 1.01)
    inside = [st.pull(a + 0.2, 0.3, b, 0.4, 0.5).p_value for a, b in zip(x, y, strict=True)]
    assert_holds(inside, thresholds, uniform=False)


def test_welch_is_uniform_for_gaussian_samples_of_unequal_spread():
    rng = np.random.default_rng(12)
    a, b = rng.normal(0, 1, (8000, 20)), rng.normal(0, 3, (8000, 55))
    p_values = [
        st.welch(x.mean(), x.var(ddof=1), 20, y.mean(), y.var(ddof=1), 55).p_value
        for x, y in zip(a, b, strict=True)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), inflation=1.05)
    theirs = stats.ttest_ind(a[0], b[0], equal_var=False)
    assert p_values[0] == pytest.approx(theirs.pvalue, rel=1e-9)


def test_spread_of_a_gaussian_sample_is_exact():
    rng = np.random.default_rng(13)
    samples = rng.normal(0, 2, (20_000, 50))
    p_values = [st.spread_against(s, 50, 2.0).p_value for s in samples.std(axis=1, ddof=1)]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3, 1e-4), inflation=1.01)


@pytest.mark.parametrize("efficiency", [0.0, 0.02, 0.5, 0.97, 1.0])
def test_exact_efficiency_tests_are_conservative(efficiency):
    rng = np.random.default_rng(14)
    passed = rng.binomial(400, efficiency, 2000)
    thresholds = (0.5, 0.1, 0.01, 1e-3)
    known = [st.efficiency_against(int(k), 400, efficiency).p_value for k in passed]
    assert_holds(known, thresholds, uniform=False)
    other = rng.binomial(3000, efficiency, 4000)
    fisher = [
        st.efficiency_two_sample(int(k), 400, int(r), 3000).p_value
        for k, r in zip(passed[:1000], other, strict=False)
    ]
    assert_holds(fisher, thresholds, uniform=False)


def test_exact_efficiency_tests_agree_with_scipy():
    ours = st.efficiency_against(31, 400, 0.05)
    lower = stats.binomtest(31, 400, 0.05, alternative="less").pvalue
    upper = stats.binomtest(31, 400, 0.05, alternative="greater").pvalue
    assert ours.p_value == pytest.approx(2 * min(lower, upper), rel=1e-9)
    low, high = st.clopper_pearson(31, 400, 0.9)
    interval = stats.binomtest(31, 400).proportion_ci(0.9, "exact")
    assert (low, high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_poisson_comparison_of_rates_is_conservative():
    rng = np.random.default_rng(15)
    n, m = rng.poisson(9, 6000), rng.poisson(120, 6000)
    p_values = [
        st.counts_two_sample(int(a), 3.0, int(b), 40.0).p_value for a, b in zip(n, m, strict=True)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), uniform=False)


def test_smallest_of_many_points_is_uniform():
    rng = np.random.default_rng(16)
    p_values = [
        st.combine_points([st.Outcome(0, p, "") for p in rng.uniform(size=12)]).p_value
        for _ in range(20_000)
    ]
    assert_holds(p_values, (0.5, 0.1, 0.01, 1e-3), inflation=1.01)


def test_errors_of_a_fitted_peak_cover_also_where_the_shape_is_wrong():
    """A Gaussian fitted to a skewed peak: pulls of two samples have unit width."""
    rng = np.random.default_rng(17)

    def sample(n):
        return rng.normal(125, 0.3, n) + rng.exponential(0.15, n)

    pulls = []
    for _ in range(200):
        a, b = fit_peak(sample(900), 124.2, 126), fit_peak(sample(2500), 124.2, 126)
        pulls.append((a.position - b.position) / np.hypot(a.position_error, b.position_error))
    pulls = np.array(pulls)
    assert abs(pulls.mean()) < 5 / np.sqrt(200)
    assert st.spread_against(float(pulls.std(ddof=1)), 200, 1.0).p_value > 1e-5


def test_holm_agrees_with_its_definition_and_keeps_the_order():
    adjusted = st.holm([0.01, 0.04, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert st.holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert st.holm([]).tolist() == []
