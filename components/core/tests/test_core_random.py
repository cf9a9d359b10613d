"""Random numbers: distribution, independence, addresses. (Known answers: test_core_device.)

Each statistical test is one chi-square or Kolmogorov-Smirnov test, or a set of z-scores with
Bonferroni's correction, at a false-alarm rate of 1e-6 a test. The seeds are fixed, so a test
that passes once passes always; the rate says what a pass is worth.
"""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from fiducial.core import random
from fiducial.core.device import launch
from fiducial.core.inverse_normal import normal_from_uniform
from fiducial.core.random import derive, event_seed

ALPHA = 1e-6
N = 400_000


@njit
def draws(i, seed, event, draw, u, g):
    u[i] = random.uniform(seed, event, i, draw)
    g[i] = random.normal(seed, event, i, draw)


@njit
def pairs(i, seed, event, pair, u, g):
    u[i, 0], u[i, 1] = random.uniform_pair(seed, event, i, pair)
    g[i, 0], g[i, 1] = random.normal_pair(seed, event, i, pair)


@njit
def inverse(i, u, x):
    x[i] = normal_from_uniform(u[i])


@njit
def open_unit(i, bits, u):
    u[i] = random._open_unit(bits[i])


def sample(seed=1, event=0, draw=0, n=N):
    u, g = np.empty(n), np.empty(n)
    launch(draws, n, seed, event, draw, u, g, threads=1)
    return u, g


def test_uniforms_are_uniform():
    u, _ = sample()
    assert stats.kstest(u, "uniform").pvalue > ALPHA
    counts = np.bincount((u * 1000).astype(int), minlength=1000)
    assert stats.chisquare(counts).pvalue > ALPHA
    low_bits = (u * 2.0**53).astype(np.uint64) & np.uint64(1023)
    assert stats.chisquare(np.bincount(low_bits.astype(int), minlength=1024)).pvalue > ALPHA


def test_normals_are_normal():
    _, g = sample()
    assert stats.kstest(g, "norm").pvalue > ALPHA
    edges = stats.norm.ppf(np.linspace(0, 1, 201))
    assert stats.chisquare(np.histogram(g, edges)[0]).pvalue > ALPHA
    moments = np.array([g.mean(), (g**2).mean() - 1, (g**3).mean(), (g**4).mean() - 3])
    z = moments / np.sqrt(np.array([1, 2, 15, 96]) / N)
    assert np.all(np.abs(z) < stats.norm.isf(ALPHA / 2 / len(z)))


@pytest.mark.parametrize(
    "other",
    [{"draw": 1}, {"draw": 2}, {"event": 1}, {"event": 2**32}, {"seed": 2}, {"seed": 2**32 + 1}],
)
def test_neighbours_in_each_direction_are_independent(other):
    a, _ = sample()
    b, _ = sample(**other)
    table = np.histogram2d(a, b, bins=20, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(table.ravel()).pvalue > ALPHA
    c = np.roll(a, 1)[1:]  # the next item
    table = np.histogram2d(a[1:], c, bins=20, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(table.ravel()).pvalue > ALPHA


def test_serial_correlations_vanish_at_all_short_lags():
    u, _ = sample()
    x = (u - 0.5) * np.sqrt(12)
    z = np.array([(x[:-lag] * x[lag:]).sum() / np.sqrt(N - lag) for lag in range(1, 65)])
    assert np.all(np.abs(z) < stats.norm.isf(ALPHA / 2 / len(z)))


def test_no_two_addresses_give_the_same_number():
    values = np.concatenate([
        sample(seed, event, draw, 1000)[0]
        for seed in (0, 1, 2**32, 2**63) for event in (0, 1, 2**32) for draw in (0, 1, 2, 2**31)
    ])  # fmt: skip
    # 48 000 values of 53 bits: a chance repetition has probability 1.3e-7
    assert len(np.unique(values)) == len(values)


def test_a_pair_is_the_two_draws_of_its_block():
    n = 500
    u, g = np.empty((n, 2)), np.empty((n, 2))
    launch(pairs, n, 5, 6, 7, u, g, threads=1)
    for half in (0, 1):
        expected_u, expected_g = sample(5, 6, 14 + half, n)
        np.testing.assert_array_equal(u[:, half], expected_u)
        np.testing.assert_array_equal(g[:, half], expected_g)


def test_uniforms_never_reach_0_or_1():
    bits = np.array([0, 2047, 2048, 2**64 - 1], dtype=np.uint64)
    u = np.empty(4)
    launch(open_unit, 4, bits, u, threads=1)
    np.testing.assert_array_equal(u, [2.0**-54, 2.0**-54, 2.0**-53, 1.0 - 2.0**-53])
    assert np.all((u > 0) & (u < 1))


def test_the_inverse_normal_agrees_with_scipy_to_a_few_units_in_the_last_place():
    u = np.concatenate([
        np.logspace(-300, -1, 2000), 1 - np.logspace(-16, -1, 2000), np.linspace(0.05, 0.95, 2001),
        [2.0**-54, 0.075, np.nextafter(0.075, 0), 1 - 2.0**-53],
    ])  # fmt: skip
    x = np.empty(len(u))
    launch(inverse, len(u), u, x, threads=1)
    from scipy.special import ndtri

    np.testing.assert_allclose(x, ndtri(u), rtol=5e-15, atol=1e-17)


def test_the_inverse_normal_increases_across_its_seams():
    for seam in (0.075, 0.925, np.exp(-25.0)):
        u = seam * (1 + np.arange(-50, 50) * 1e-13)
        x = np.empty(len(u))
        launch(inverse, len(u), u, x, threads=1)
        assert np.all(np.diff(x) > -1e-14)


def test_derived_seeds_are_fixed_distinct_and_fit_an_int64():
    assert derive(1, "simulate") == derive(1, "simulate") == 1373622880818341743
    seeds = {derive(s, label) for s in range(100) for label in ("a", "b", "generate", "simulate")}
    assert len(seeds) == 400
    assert all(0 <= s < 2**63 for s in seeds)


def test_event_seeds_are_all_different_and_in_the_engines_range():
    seeds = np.array([event_seed(42, k) for k in range(100_000)])
    assert seeds.min() >= 1
    assert seeds.max() <= random.EVENT_SEEDS
    assert len(np.unique(seeds)) == len(seeds)
    assert stats.kstest(seeds / random.EVENT_SEEDS, "uniform").pvalue > ALPHA


def test_event_seeds_of_different_streams_and_epochs_are_unrelated():
    a = np.array([event_seed(1, k) for k in range(20_000)])
    b = np.array([event_seed(2, k) for k in range(20_000)])
    c = np.array([event_seed(1, k + random.EVENT_SEEDS) for k in range(20_000)])
    for other in (b, c):
        bins = [[0, random.EVENT_SEEDS]] * 2
        table = np.histogram2d(a, other, bins=10, range=bins)[0]
        assert stats.chisquare(table.ravel()).pvalue > ALPHA
        assert np.mean(a == other) < 1e-3


def test_event_seeds_permute_even_the_last_events_of_the_range():
    last = [event_seed(9, random.EVENT_SEEDS - 1 - k) for k in range(1000)]
    first = [event_seed(9, k) for k in range(1000)]
    assert len({*last, *first}) == 2000
