"""Observables, tables and stores for the tests of the verdict."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fiducial.core import config
from fiducial.validation.blessing import Blessing, Sample, propose
from fiducial.validation.observables import ChainObservables
from fiducial.validation.references import ReferenceStore

DECLARATION = """
chain: toy
observables:
  - {name: mass, title: Mass, axis: m, guards: shape, table: events,
     measure: {kind: distribution, column: mass, low: 85, high: 97, bins: 30},
     comparison: chi2, reference: {kind: blessed}}
  - {name: mass_unbinned, title: Mass, axis: m, guards: shape, table: events,
     measure: {kind: distribution, column: mass, low: 85, high: 97, bins: 30},
     comparison: ks, reference: {kind: blessed}}
  - {name: mass_peak, title: Mass, axis: m, guards: scale, table: events,
     measure: {kind: peak, column: mass, low: 88, high: 94},
     comparison: pull, reference: {kind: blessed}}
  - {name: energy, title: Energy, axis: E, guards: scale, table: events,
     measure: {kind: mean, column: energy}, comparison: welch, reference: {kind: blessed}}
  - {name: energy_published, title: Energy, axis: E, guards: scale, table: events,
     measure: {kind: mean, column: energy}, comparison: pull,
     reference: {kind: published, value: 50.0, error: 0.0, source: a book, doi: 10.1000/1}}
  - {name: multiplicity, title: Multiplicity, axis: n, guards: decays, table: events,
     measure: {kind: distribution, column: n, low: -0.5, high: 30.5, bins: 31},
     comparison: chi2, reference: {kind: blessed}}
  - {name: efficiency, title: Efficiency, axis: e, guards: selection, table: events,
     measure: {kind: fraction, passing: [{column: passed, equals: 1}]},
     comparison: efficiency, reference: {kind: blessed}}
  - {name: charge, title: Asymmetry, axis: A, guards: charge, table: events,
     measure: {kind: asymmetry, column: charge}, comparison: pull,
     reference: {kind: analytic, formula: constant, with: {value: 0.0}, source: symmetry}}
  - {name: classes, title: Ratio, axis: R, guards: classes, table: events,
     measure: {kind: ratio, numerator: [{column: passed, equals: 1}],
               denominator: [{column: passed, equals: 0}]},
     comparison: pull, reference: {kind: blessed}}
  - {name: angle, title: Angle, axis: cos, guards: spin, table: events,
     measure: {kind: distribution, column: cosine, low: -1, high: 1, bins: 20},
     comparison: ks,
     reference: {kind: analytic, formula: uniform, with: {low: -1, high: 1}, source: isotropy}}
"""


def toy_table(rng, n, scale=1.0):
    """Events whose columns are correlated, as in a real run; ``scale`` shifts the mass."""
    energy = rng.normal(50.0, 4.0, n)
    return {
        "mass": (91.0 + rng.normal(0, 1.2, n) + 0.05 * (energy - 50)) * scale,
        "energy": energy,
        "n": rng.poisson(np.clip(12 + 0.2 * (energy - 50), 1, None)).astype(np.float64),
        "passed": (rng.uniform(size=n) < 0.7).astype(np.float64),
        "charge": np.where(rng.uniform(size=n) < 0.5, 1.0, -1.0),
        "cosine": rng.uniform(-1, 1, n),
    }


def declared(text=DECLARATION):
    return config.parse(text, ChainObservables).observables


def bless_into(store, observables, table, events=4000, seed=99, chain="toy"):
    sample = Sample({"events": table}, seed, events)
    blessing = Blessing("tester", "2026-01-01T00:00:00+00:00", "made for a test")
    proposals = [propose(chain, o, sample, store, blessing) for o in observables]
    store.with_references({p.key: (p.entry, p.new) for p in proposals})
    return proposals


@pytest.fixture(scope="session")
def toy():
    """The helpers above, for tests (test modules cannot import this file)."""
    return SimpleNamespace(
        DECLARATION=DECLARATION, table=toy_table, declared=declared, bless=bless_into
    )


@pytest.fixture
def observables():
    return declared()


@pytest.fixture
def store(tmp_path: Path, observables):
    directory = tmp_path / "references"
    directory.mkdir()
    made = ReferenceStore(directory)
    bless_into(made, observables, toy_table(np.random.default_rng(1), 4000))
    return made
