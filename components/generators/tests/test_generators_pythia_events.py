"""Events from Pythia: each a function of seed and number alone, faithfully converted, physical."""

import numpy as np
import pytest
import pythia8mc

from fiducial.core.random import event_seed
from fiducial.edm import EventBatch, MCParticleCollection, content_hash
from fiducial.generators import Pythia8, pythia_engine
from fiducial.generators.pythia_record import mc_particles

COUNTS = {"zh": 24, "z_pole": 40, "pp_soft": 8, "pp_top": 5}


@pytest.fixture(scope="module", params=COUNTS)
def made(request, configurations):
    step = Pythia8(settings=configurations[request.param])
    return step, step.produce(0, COUNTS[request.param], 11)


def children_of(particles: MCParticleCollection, relation):
    """(row of the particle, row of its relative) pairs of a relation."""
    owner = np.repeat(np.arange(len(particles)), relation.counts)
    first = particles.offsets[particles.events]
    return owner, relation.index + first[owner]


def test_an_event_made_alone_by_a_fresh_pythia_equals_that_of_a_long_run(made):
    step, batch = made
    n = batch.n_events
    pythia_engine.engine.cache_clear()
    for k in (n - 1, n // 2):
        alone = step.produce(k, 1, 11)
        assert content_hash(alone) == content_hash(batch.select_events(slice(k, k + 1)))


def test_any_split_gives_the_same_events(made):
    step, batch = made
    n = batch.n_events
    parts = [step.produce(a, b - a, 11) for a, b in ((0, 1), (1, n // 2), (n // 2, n))]
    assert content_hash(EventBatch.concatenate(parts)) == content_hash(batch)


def test_chunks_do_not_show(configurations, monkeypatch):
    step = Pythia8(settings=configurations["zh"])
    whole = content_hash(step.produce(5, 10, 3))
    monkeypatch.setattr(pythia_engine, "CHUNK_LINES", 400)
    assert content_hash(step.produce(5, 10, 3)) == whole


def test_another_seed_gives_other_events(made):
    step, batch = made
    other = step.produce(0, 1, 12)
    assert content_hash(other) != content_hash(batch.select_events(slice(0, 1)))


def test_the_collections_say_what_pythia_says(made):
    """Particle by particle, against the accessors of Pythia's own event."""
    step, batch = made
    particles = batch["MCParticles"]
    pythia = pythia8mc.Pythia("", False)
    for line in (*step.settings, "Print:quiet = on"):
        assert pythia.readString(line)
    assert pythia.init()
    for event in range(2):
        pythia.rndm.init(event_seed(11, event))
        assert pythia.next()
        first, end = particles.offsets[event : event + 2]
        assert end - first == pythia.event.size() - 1
        for row in range(first, end):
            q = pythia.event[int(row - first) + 1]
            assert particles.PDG[row] == q.id()
            assert particles.generatorStatus[row] == q.statusHepMC()
            assert particles.charge[row] == np.float32(q.charge())
            assert particles.mass[row] == q.m()
            assert particles.helicity[row] == round(q.pol())
            assert particles.time[row] == pytest.approx(q.tProd() / 299.792458, rel=1e-6)
            found = tuple(
                particles.columns[f"{v}.{c}"][row] for v in ("momentum", "vertex") for c in "xyz"
            )
            assert found == (q.px(), q.py(), q.pz(), q.xProd(), q.yProd(), q.zProd())
            parents, daughters = (
                relation.index[relation.offsets[row] : relation.offsets[row + 1]].tolist()
                for relation in (particles.parents, particles.daughters)
            )
            assert parents == [m - 1 for m in q.motherList() if m > 0]
            assert daughters == sorted(d - 1 for d in q.daughterList())
            end_point = tuple(particles.columns[f"endpoint.{c}"][row] for c in "xyz")
            if daughters:
                child = pythia.event[daughters[0] + 1]
                assert end_point == (child.xProd(), child.yProd(), child.zProd())
            else:
                assert end_point == (0.0, 0.0, 0.0)


def test_parents_and_daughters_are_each_others_inverse(made):
    particles = made[1]["MCParticles"]
    child, parent = children_of(particles, particles.parents)
    mother, daughter = children_of(particles, particles.daughters)
    assert sorted(zip(child, parent, strict=True)) == sorted(zip(daughter, mother, strict=True))


def test_nobody_is_its_own_ancestor(made):
    particles = made[1]["MCParticles"]
    child, parent = children_of(particles, particles.parents)
    waiting = np.ones(len(particles), dtype=bool)
    while waiting.any():  # take away, generation by generation, who has no parent left
        has_parent = np.zeros(len(particles), dtype=bool)
        has_parent[child[waiting[parent]]] = True
        free = waiting & ~has_parent
        assert free.any()
        waiting &= ~free


def test_final_particles_carry_the_momentum_energy_and_charge_of_the_beams(made):
    particles = made[1]["MCParticles"]
    status, event = particles.generatorStatus, particles.events
    p = [particles.columns[f"momentum.{c}"] for c in "xyz"]
    energy = np.sqrt(sum(c * c for c in p) + particles.mass**2)
    total = {kind: status == code for kind, code in (("beam", 4), ("final", 1))}
    scale = energy[total["beam"]].max()
    for quantity, tolerance in ((energy, 1e-6), *((c, 1e-6) for c in p), (particles.charge, 1e-6)):
        sums = {
            kind: np.bincount(event[rows], weights=quantity[rows].astype(float))
            for kind, rows in total.items()
        }
        np.testing.assert_allclose(sums["final"], sums["beam"], atol=tolerance * max(scale, 1.0))


def test_charges_are_those_of_the_species(made):
    particles = made[1]["MCParticles"]
    known = {11: -1, -13: 1, 22: 0, 211: 1, -321: -1, 2212: 1, 2: 2 / 3, -5: 1 / 3, 24: 1}
    for pdg, charge in known.items():
        of_species = particles.charge[pdg == particles.PDG]
        np.testing.assert_allclose(of_species, charge, rtol=1e-6)


def test_no_event_gives_an_empty_batch(configurations):
    batch = Pythia8(settings=configurations["zh"]).produce(7, 0, 1)
    assert batch.n_events == 0
    assert set(batch.names) == {"EventHeader", "MCParticles", "GeneratorTrials"}


class _VetoThird(pythia_engine._Hooks):
    """Gives up every event whose record then has a length that three divides."""

    vetoes = 0

    def canVetoAfterHadronization(self):
        return True

    def doVetoAfterHadronization(self, event):
        veto = event.size() % 3 == 0
        self.vetoes += veto
        return veto


def test_an_event_that_fails_is_tried_again_by_a_rule_that_needs_no_other_event(
    configurations, monkeypatch
):
    monkeypatch.setattr(pythia_engine, "_Hooks", _VetoThird)
    lines = (*Pythia8(settings=configurations["z_pole"]).settings, "Check:abortIfVeto = on")
    engine = pythia_engine.Engine(lines)
    (run,) = engine.generate(0, 30, 4)
    assert len(run.trials) == len(run.record.offsets) - 1 == 30
    assert engine._hooks.vetoes > 3
    retried = 0
    for event in range(15, 20):
        other = pythia_engine.Engine(lines)
        before = other._hooks.vetoes
        (alone,) = other.generate(event, 1, 4)
        retried += other._hooks.vetoes - before
        assert alone.trials[0] == run.trials[event]
        first, end = run.record.offsets[event : event + 2]
        np.testing.assert_array_equal(alone.record.px, run.record.px[first:end])
    assert retried > 0


def test_an_event_that_always_fails_ends_in_an_error(configurations, monkeypatch):
    class Never(pythia_engine._Hooks):
        def canVetoAfterHadronization(self):
            return True

        def doVetoAfterHadronization(self, event):
            return self._active

    monkeypatch.setattr(pythia_engine, "_Hooks", Never)
    lines = (*Pythia8(settings=configurations["z_pole"]).settings, "Check:abortIfVeto = on")
    with pytest.raises(pythia_engine.InputError, match=r"cannot make event 2 \(100 attempts"):
        list(pythia_engine.Engine(lines).generate(2, 1, 4))


def test_a_mother_range_only_counts_for_products_of_hadronisation(configurations):
    """Status 83 with mothers 3-5 has three parents; status 23 with mothers 3, 5 has two."""
    n = 8
    zeros = np.zeros(n)
    record = pythia_engine.PythiaRecord(
        offsets=np.array([0, n]),
        pdg=np.array([90, 11, -11, 2, 21, -2, 211, 22], dtype=np.int32),
        status=np.array([-11, -12, -12, -71, -71, -71, 83, 23], dtype=np.int32),
        mother1=np.array([0, 0, 0, 1, 1, 1, 3, 3], dtype=np.int32),
        mother2=np.array([0, 0, 0, 2, 2, 2, 5, 5], dtype=np.int32),
        px=zeros, py=zeros, pz=zeros, mass=zeros, polarisation=zeros + 9,
        x=zeros, y=zeros, z=zeros, t=zeros,
        charge=zeros.astype(np.float32), is_hadron=np.zeros(n, dtype=bool),
    )  # fmt: skip
    relation = mc_particles(record).parents
    assert relation.index[relation.offsets[5] : relation.offsets[6]].tolist() == [2, 3, 4]
    assert relation.index[relation.offsets[6] : relation.offsets[7]].tolist() == [2, 4]
