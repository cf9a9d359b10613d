"""Pythia's random numbers by the quick way are those that it would have made itself."""

import numpy as np
import pytest
import pythia8mc
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fiducial.core.random import event_seed
from fiducial.edm import content_hash
from fiducial.generators import Pythia8, pythia_engine, pythia_seeding
from fiducial.generators.pythia_seeding import PlainSeeder, QuickSeeder, seeder
from fiducial.generators.ranmar import initial_states


@pytest.fixture(scope="module")
def pythia():
    return pythia8mc.Pythia("", False)


def test_divisions_by_multiplication_are_exact():
    x = np.arange(179 * 179, dtype=np.uint32)
    np.testing.assert_array_equal(x * np.uint32(93728) >> np.uint32(24), x // 179)
    x = np.arange(53 * 168 + 2, dtype=np.uint32)
    np.testing.assert_array_equal(x * np.uint32(24819) >> np.uint32(22), x // 169)


def test_the_quick_way_is_taken_with_the_pinned_pythia(pythia):
    assert isinstance(seeder(pythia.rndm), QuickSeeder)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 900_000_000), min_size=1, max_size=70))
def test_quick_seeds_give_pythias_own_numbers(pythia, seeds):
    quick = seeder(pythia.rndm)
    quick.prepare(seeds)
    nth = len(seeds) - 1
    pythia.rndm.init(seeds[nth])
    own = [pythia.rndm.flat() for _ in range(200)]
    quick.seed(nth)
    assert [pythia.rndm.flat() for _ in range(200)] == own


def test_states_are_48_bit_numbers_and_all_different():
    states = initial_states(np.arange(1, 1001))
    assert ((states >= 0) & (states < 1)).all()
    assert (np.mod(states * 2.0**48, 1) == 0).all()
    assert len(np.unique(states, axis=0)) == 1000


def test_the_first_numbers_of_many_events_are_uniform_and_independent():
    """One seed an event takes only the first numbers of each seed, so these must be random too.

    60,000 events; 40 numbers each against 64 bins, and 39 neighbouring pairs against 8 x 8: the
    least of 79 p-values lies below 1e-6 once in 12,000.
    """
    seeds = np.array([event_seed(5, event) for event in range(60_000)])
    draws = first_draws(initial_states(seeds), 40)
    cells = (draws * 64).astype(int)
    p_values = [stats.chisquare(np.bincount(column, minlength=64)).pvalue for column in cells.T]
    coarse = cells // 8
    for k in range(39):
        pair = np.bincount(coarse[:, k] * 8 + coarse[:, k + 1], minlength=64)
        p_values.append(stats.chisquare(pair).pvalue)
    assert min(p_values) > 1e-6
    neighbours = [np.corrcoef(draws[:-1, k], draws[1:, k])[0, 1] for k in range(40)]
    assert np.abs(neighbours).max() < 5 / np.sqrt(60_000)


def first_draws(states, n):
    """RANMAR's first numbers of each state: its lagged subtraction, then its decreasing one."""
    u, draws, c = states.copy(), np.empty((len(states), n)), 362436 / 2**24
    for k in range(n):
        i, j = 96 - k, (32 - k) % 97
        u[:, i] = np.mod(u[:, i] - u[:, j], 1.0)
        c = c - 7654321 / 2**24 if c >= 7654321 / 2**24 else c + (16777213 - 7654321) / 2**24
        draws[:, k] = np.mod(u[:, i] - c, 1.0)
    return draws


def test_the_numbers_tested_above_are_those_that_pythia_draws(pythia):
    pythia.rndm.init(12345)
    own = [pythia.rndm.flat() for _ in range(40)]
    assert first_draws(initial_states(np.array([12345])), 40)[0].tolist() == own


@pytest.mark.parametrize("doubt", ["another version", "another layout"])
def test_where_the_layout_is_in_doubt_pythia_seeds_itself_to_the_same_events(
    doubt, monkeypatch, configurations
):
    step = Pythia8(settings=configurations["z_pole"])
    quick = content_hash(step.produce(3, 5, 2))
    if doubt == "another version":
        monkeypatch.setattr(pythia_seeding, "version", lambda name: "8.999")
    else:
        monkeypatch.setattr(
            pythia_seeding, "initial_states", lambda s: initial_states(s) + 2.0**-48
        )
    pythia_engine.engine.cache_clear()
    hooks = pythia_engine.engine(step.settings)._hooks
    assert isinstance(hooks._seeder, PlainSeeder)
    assert content_hash(step.produce(3, 5, 2)) == quick
    pythia_engine.engine.cache_clear()
