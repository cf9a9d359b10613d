"""The verdict: its family-wise false-alarm rate, its power, and failures by their own names."""

import numpy as np
import pytest
from scipy import stats

from fiducial.validation.compare import Failure
from fiducial.validation.references import ReferenceStore
from fiducial.validation.verdict import examine, judge, missing

SEED = 5


def verdict(observables, table, store, alpha=1e-3, seed=SEED):
    return judge([examine("toy", o, {"events": table}, store, seed) for o in observables], alpha)


class MemoryStore(ReferenceStore):
    """References kept in memory, for many pseudo-experiments."""

    def __init__(self):
        self.entries, self.kept = {}, {}

    def with_references(self, changes, remove=()):
        for key, (entry, reference) in changes.items():
            self.entries[key], self.kept[key] = entry, reference

    def read(self, key):
        return self.kept[key]


def test_family_wise_false_alarm_rate_is_held_in_pseudo_experiments(toy):
    """400 null verdicts of ten correlated observables: at most 5 % fail at alpha = 5 %."""
    rng = np.random.default_rng(20260101)
    observables = toy.declared()
    smallest = []
    for _ in range(400):
        store = MemoryStore()
        toy.bless(store, observables, toy.table(rng, 4000))
        judged = verdict(observables, toy.table(rng, 700), store)
        assert {r.failure for r in judged} <= {None, Failure.DIFFERS}
        smallest.append(min(r.p_adjusted for r in judged))
    smallest = np.array(smallest)
    for alpha in (0.3, 0.1, 0.05, 0.01):
        alarms = int(np.count_nonzero(smallest <= alpha))
        assert stats.binom.sf(alarms - 1, len(smallest), alpha) > 1e-4, (alpha, alarms)
    assert np.count_nonzero(smallest <= 0.3) > 0.1 * len(smallest)  # and it is not blind


def test_one_percent_of_scale_is_always_found_at_the_default_rate(observables, store, toy):
    rng = np.random.default_rng(3)
    for _ in range(20):
        judged = verdict(observables, toy.table(rng, 700, scale=1.01), store)
        failed = {result.name for result in judged if result.failure is Failure.DIFFERS}
        assert "mass" in failed
        assert "mass_peak" in failed
        assert failed <= {"mass", "mass_unbinned", "mass_peak"}


def test_a_good_run_passes_and_every_p_value_is_adjusted(observables, store, toy):
    judged = verdict(observables, toy.table(np.random.default_rng(4), 700), store)
    assert all(result.passed for result in judged), [r for r in judged if not r.passed]
    assert all(r.p_adjusted >= r.outcome.p_value for r in judged)


def named(results, name):
    return next(result for result in results if result.name == name)


def test_missing_table_and_missing_column_are_missing_observables(observables, store, toy):
    table = toy.table(np.random.default_rng(4), 700)
    result = examine("toy", observables[0], {"tracks": table}, store, SEED)
    assert result.failure is Failure.MISSING_OBSERVABLE
    assert "no table 'events'" in result.detail
    renamed = {("mas" if name == "mass" else name): column for name, column in table.items()}
    judged = verdict(observables, renamed, store)
    assert named(judged, "mass").failure is Failure.MISSING_OBSERVABLE
    assert "did you mean mas" in named(judged, "mass").detail
    assert named(judged, "energy").passed


def test_dropped_observable_is_found_by_its_reference(observables, store):
    found = missing("toy", observables[1:], store)
    assert [(r.name, r.failure) for r in found] == [("mass", Failure.MISSING_OBSERVABLE)]
    assert missing("toy", observables, store) == []


def test_observable_without_entry_in_the_manifest_is_extra(observables, store, toy):
    del store.entries["toy.mass"]
    judged = verdict(observables, toy.table(np.random.default_rng(4), 700), store)
    assert named(judged, "mass").failure is Failure.EXTRA_OBSERVABLE


def test_lost_reference_file_is_a_missing_reference(observables, store, toy):
    (store.directory / f"{store.entries['toy.mass'].sha256}.json").unlink()
    judged = verdict(observables, toy.table(np.random.default_rng(4), 700), store)
    assert named(judged, "mass").failure is Failure.MISSING_REFERENCE
    assert named(judged, "mass_peak").passed


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_nan_or_infinity_is_a_failure_wherever_it_is_used(observables, store, value, toy):
    table = toy.table(np.random.default_rng(4), 700)
    table["mass"][17] = value
    judged = verdict(observables, table, store)
    for name in ("mass", "mass_unbinned", "mass_peak"):
        assert named(judged, name).failure is Failure.NOT_A_NUMBER
        assert "column 'mass' holds 1 NaN" in named(judged, name).detail
    assert named(judged, "energy").passed


def test_too_few_events_fail_instead_of_passing_for_lack_of_power(observables, store, toy):
    judged = verdict(observables, toy.table(np.random.default_rng(4), 20), store)
    assert {result.failure for result in judged} == {Failure.TOO_FEW_EVENTS}
    empty = verdict(observables, toy.table(np.random.default_rng(4), 0), store)
    assert {result.failure for result in empty} == {Failure.TOO_FEW_EVENTS}


def test_other_binning_is_incompatible_and_other_selection_another_declaration(store, toy):

    table = toy.table(np.random.default_rng(4), 700)
    coarse = toy.declared(toy.DECLARATION.replace("high: 97, bins: 30", "high: 97, bins: 29"))
    assert named(verdict(coarse, table, store), "mass").failure is Failure.INCOMPATIBLE_BINNING
    cut = "column: passed, equals: 1"
    other = toy.declared(toy.DECLARATION.replace(cut, "column: passed, equals: 0"))
    assert named(verdict(other, table, store), "efficiency").failure is Failure.CHANGED_DECLARATION
    worded = toy.declared(toy.DECLARATION.replace("title: Mass", "title: The mass"))
    assert named(verdict(worded, table, store), "mass").passed


def test_reference_with_the_seed_of_the_run_is_refused(observables, store, toy):
    judged = verdict(observables, toy.table(np.random.default_rng(4), 700), store, seed=99)
    assert named(judged, "mass").failure is Failure.NOT_INDEPENDENT
    assert named(judged, "charge").passed


def test_changed_formula_is_found(observables, store, monkeypatch, toy):
    from fiducial.validation import formulas

    monkeypatch.setitem(formulas.SCALARS, "constant", lambda *, value: value + 1e-6)
    judged = verdict(observables, toy.table(np.random.default_rng(4), 700), store)
    assert named(judged, "charge").failure is Failure.CHANGED_FORMULA
