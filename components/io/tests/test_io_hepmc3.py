"""HepMC3 files keep the graph, the numbers and the weights; damage is refused by name."""

import numpy as np
import pyhepmc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.constants import c
from fiducial.core.errors import InputError
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    GeneratorTrialsCollection,
    MCParticleCollection,
)
from fiducial.io import DamagedFile, HepMC3File, HepMC3Writer, iterate_hepmc3, read_hepmc3


def events(parents_of_events, rng=None, trials=False, weights=0):
    """A batch with the given lists of parents; siblings share a vertex, so do their places."""
    rng = rng or np.random.default_rng(1)
    lists = [p for event in parents_of_events for p in event]
    counts = np.array([len(event) for event in parents_of_events], dtype=np.int64)
    n, n_events = len(lists), len(counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    places = {}
    vertex = np.zeros((n, 4))
    for i, parents in enumerate(lists):
        if parents:
            key = (first[i], tuple(sorted(parents)))
            vertex[i] = places.setdefault(key, rng.normal(size=4))
    particles = MCParticleCollection.build(
        counts=counts,
        PDG=rng.choice([11, -13, 22, 211, 2212, 23], n).astype(np.int32),
        generatorStatus=rng.integers(1, 100, n),
        mass=np.abs(rng.normal(size=n)),
        momentum=tuple(rng.normal(size=(3, n))),
        vertex=tuple(vertex[:, :3].T),
        time=vertex[:, 3].astype(np.float32),
        parents=(
            np.array([len(p) for p in lists], int),
            np.array([k for p in lists for k in p], int),
        ),
    )
    header = EventHeaderCollection.build(
        counts=np.ones(n_events, int),
        eventNumber=np.arange(n_events) * 3 + 5,
        weight=rng.normal(size=n_events),
        weights=(np.full(n_events, weights), rng.normal(size=n_events * weights)),
    )
    held = {"EventHeader": header, "MCParticles": particles}
    if trials:
        held["GeneratorTrials"] = GeneratorTrialsCollection.build(
            counts=np.ones(n_events, int), trials=4, weightSum=8.0, weightSquaredSum=20.0
        )
    return EventBatch(held, n_events)


def write(path, batch):
    with HepMC3Writer(path) as writer:
        writer.extend(batch)


# two beams, a decay, an orphan; then an event whose parents come after their children
GRAPHS = [
    [[], [], [0, 1], [0, 1], [2], [2], [3], []],
    [[3], [], [1, 4], [], []],
    [[], []],
]


def test_particles_vertices_weights_and_numbers_come_back(tmp_path):
    batch = events(GRAPHS[:1] * 3, weights=2)
    write(tmp_path / "x.hepmc", batch)
    again = read_hepmc3(tmp_path / "x.hepmc")
    a, b = batch["MCParticles"], again["MCParticles"]
    for name in ("PDG", "generatorStatus", "mass"):
        np.testing.assert_array_equal(a.columns[name], b.columns[name])
    for axis in "xyz":
        np.testing.assert_array_equal(a.columns[f"momentum.{axis}"], b.columns[f"momentum.{axis}"])
        np.testing.assert_array_equal(a.columns[f"vertex.{axis}"], b.columns[f"vertex.{axis}"])
    np.testing.assert_allclose(a.time, b.time, rtol=1e-6)
    np.testing.assert_array_equal(a.parents.index, b.parents.index)
    np.testing.assert_array_equal(a.parents.offsets, b.parents.offsets)
    assert b.daughters.of(0).tolist() == [2, 3]
    assert b.daughters.of(2).tolist() == [4, 5]
    np.testing.assert_array_equal(b.endpoint.x[0], b.vertex.x[2])
    np.testing.assert_array_equal(again.event_numbers, [5, 8, 11])
    np.testing.assert_array_equal(batch["EventHeader"].weight, again["EventHeader"].weight)
    assert batch["EventHeader"].vectors["weights"].same(again["EventHeader"].vectors["weights"])
    charges = {11: -1, -13: 1, 22: 0, 211: 1, 2212: 1, 23: 0}
    assert b.charge.tolist() == [charges[p] for p in b.PDG.tolist()]


def test_pyhepmc_sees_the_same_graph_units_and_energies(tmp_path):
    batch = events(GRAPHS)
    write(tmp_path / "x.hepmc", batch)
    particles = batch["MCParticles"]
    with pyhepmc.open(tmp_path / "x.hepmc") as file:
        for k, event in enumerate(file):
            assert event.momentum_unit == pyhepmc.Units.GEV
            assert event.length_unit == pyhepmc.Units.MM
            base = particles.offsets[k]
            row = {}  # by momentum, which is unique
            for i in range(particles.offsets[k + 1] - base):
                row[float(particles.momentum.x[base + i])] = int(i)
            for p in event.particles:
                i = row[p.momentum.px]
                assert p.pid == particles.PDG[base + i]
                parents = {row[q.momentum.px] for q in p.parents}
                assert parents == set(particles.parents.of(base + i).tolist())
                assert p.momentum.m() == pytest.approx(p.generated_mass, abs=1e-6)
                if p.parents:
                    place = p.production_vertex.position
                    assert place.x == particles.vertex.x[base + i]
                    assert place.t == pytest.approx(float(particles.time[base + i]) * c, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_forest_of_decays_comes_back_as_the_same_graph(tmp_path_factory, data):
    n = data.draw(st.integers(1, 12))
    groups, parents = [], [[] for _ in range(n)]
    free = list(range(n))
    for child in range(1, n):  # each particle ends in at most one vertex
        if groups and data.draw(st.booleans()):
            parents[child] = data.draw(st.sampled_from(groups))
            if max(parents[child]) >= child:
                parents[child] = []
        elif available := [k for k in free if k < child]:
            chosen = data.draw(st.lists(st.sampled_from(available), unique=True, max_size=3))
            parents[child] = sorted(chosen)
            free = [k for k in free if k not in chosen]
            if chosen:
                groups.append(parents[child])
    shuffle = data.draw(st.permutations(range(n)))  # shuffle[old] = new
    moved = [[] for _ in range(n)]
    for old, entry in enumerate(parents):
        moved[shuffle[old]] = sorted(shuffle[k] for k in entry)
    batch = events([moved])
    path = tmp_path_factory.mktemp("graph") / "x.hepmc"
    write(path, batch)
    again = read_hepmc3(path)["MCParticles"]
    before = batch["MCParticles"]
    row = {float(x): i for i, x in enumerate(before.momentum.x)}
    assert len(again) == n
    for i in range(n):
        old = row[float(again.momentum.x[i])]
        got = {row[float(again.momentum.x[k])] for k in again.parents.of(i)}
        assert got == set(before.parents.of(old).tolist())
        assert again.vertex.x[i] == before.vertex.x[old]
    second = read_hepmc3(path)
    write(path, second)
    assert read_hepmc3(path) == second, "what was read once is written and read unchanged"


def test_an_order_that_hepmc_can_write_is_kept(tmp_path):
    batch = events(GRAPHS[:1] * 5)
    write(tmp_path / "x.hepmc", batch)
    np.testing.assert_array_equal(
        read_hepmc3(tmp_path / "x.hepmc")["MCParticles"].PDG, batch["MCParticles"].PDG
    )


def test_siblings_with_different_parents_get_all_of_them(tmp_path):
    write(tmp_path / "x.hepmc", events([[[], [], [0, 1], [1]]]))
    parents = read_hepmc3(tmp_path / "x.hepmc")["MCParticles"].parents
    assert parents.of(2).tolist() == [0, 1]
    assert parents.of(3).tolist() == [0, 1]


def test_a_common_origin_of_the_event_is_kept_and_different_ones_are_refused(tmp_path):
    particles = MCParticleCollection.build(
        counts=[2],
        PDG=13,
        mass=0.1,
        momentum=([1.0, 2.0], 0.0, 0.0),
        vertex=(1.0, 2.0, 3.0),
        time=0.5,
    )
    header = EventHeaderCollection.build(counts=[1], weight=1.0)
    batch = EventBatch({"EventHeader": header, "MCParticles": particles})
    write(tmp_path / "x.hepmc", batch)
    again = read_hepmc3(tmp_path / "x.hepmc")["MCParticles"]
    assert again.vertex.z.tolist() == [3.0, 3.0]
    assert again.time.tolist() == [0.5, 0.5]
    bad = particles.replace(vertex=([1.0, 2.0], 0.0, 0.0))
    with pytest.raises(InputError, match="HepMC3 has one an event"):
        write(tmp_path / "y.hepmc", batch.with_collections({"MCParticles": bad}))
    assert [p.name for p in tmp_path.iterdir()] == ["x.hepmc"]


def test_a_particle_that_is_its_own_ancestor_is_refused(tmp_path):
    with pytest.raises(InputError, match="its own ancestor"):
        write(tmp_path / "x.hepmc", events([[[]], [[2], [0], [1]]]))


def test_the_cross_section_is_the_mean_so_far(tmp_path):
    write(tmp_path / "x.hepmc", events(GRAPHS, trials=True))
    with pyhepmc.open(tmp_path / "x.hepmc") as file:
        sections = [event.cross_section for event in file]
    assert [s.xsec() for s in sections] == pytest.approx([2.0] * 3)
    assert sections[2].xsec_err() == pytest.approx(np.sqrt((5.0 - 4.0) / 12), rel=1e-6)
    assert [s.attempted_events for s in sections] == [4, 8, 12]
    assert [s.accepted_events for s in sections] == [1, 2, 3]


def test_windows_and_iteration_give_the_same_events(tmp_path):
    write(tmp_path / "x.hepmc", events(GRAPHS * 4))
    whole = read_hepmc3(tmp_path / "x.hepmc")
    assert HepMC3File(tmp_path / "x.hepmc").n_events == 12
    assert read_hepmc3(tmp_path / "x.hepmc", 3, 7) == whole.select_events(slice(3, 7))
    assert read_hepmc3(tmp_path / "x.hepmc", 7, 7).n_events == 0
    assert EventBatch.concatenate(list(iterate_hepmc3(tmp_path / "x.hepmc", 5))) == whole


def test_a_file_without_events_can_be_written_and_read(tmp_path):
    with HepMC3Writer(tmp_path / "x.hepmc"):
        pass
    assert read_hepmc3(tmp_path / "x.hepmc").n_events == 0


def test_units_of_other_writers_are_converted(tmp_path):
    event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.CM)
    one = pyhepmc.GenParticle((0, 0, 3000, 3000), 22, 2)
    two = pyhepmc.GenParticle((0, 0, 3000, 3000), 22, 1)
    vertex = pyhepmc.GenVertex((1, 0, 0, 2))
    vertex.add_particle_in(one)
    vertex.add_particle_out(two)
    event.add_tree([one])
    with pyhepmc.io.WriterAscii(str(tmp_path / "x.hepmc")) as file:
        file.write(event)
    particles = read_hepmc3(tmp_path / "x.hepmc")["MCParticles"]
    assert particles.momentum.z.tolist() == [3.0, 3.0]
    assert particles.vertex.x[1] == 10.0
    assert particles.time[1] == pytest.approx(20.0 / c, rel=1e-6)


def test_hepmc2_files_are_read(tmp_path):
    write(tmp_path / "x.hepmc", events([GRAPHS[0][:-1]] * 2))  # its writer drops orphans
    with pyhepmc.open(tmp_path / "x.hepmc") as source:
        every = list(source)
    with pyhepmc.io.WriterAsciiHepMC2(str(tmp_path / "y.hepmc")) as file:
        for event in every:
            file.write(event)
    old, new = read_hepmc3(tmp_path / "y.hepmc"), read_hepmc3(tmp_path / "x.hepmc")
    assert old.n_events == 2
    assert sorted(old["MCParticles"].PDG.tolist()) == sorted(new["MCParticles"].PDG.tolist())


def test_a_file_cut_anywhere_is_refused_by_name(tmp_path):
    write(tmp_path / "x.hepmc", events(GRAPHS))
    content = (tmp_path / "x.hepmc").read_bytes().rstrip()
    target = tmp_path / "cut.hepmc"
    for size in [0, 5, 30, *range(60, len(content), 37), len(content) - 1]:
        target.write_bytes(content[:size])
        with pytest.raises(DamagedFile, match=str(target)):
            read_hepmc3(target)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"P 5 ", b"Q 5 "), (b"P 3 ", b"P x "), (b"V -", b"V +"), (b"U GEV", b"U gev")],
)
def test_a_damaged_line_is_refused_and_no_event_is_dropped(tmp_path, old, new):
    write(tmp_path / "x.hepmc", events(GRAPHS[:1] * 3))
    content = (tmp_path / "x.hepmc").read_bytes()
    assert old in content
    at = content.index(old, len(content) // 3)
    (tmp_path / "x.hepmc").write_bytes(content[:at] + new + content[at + len(old) :])
    with pytest.raises(InputError, match=r"x\.hepmc"):
        read_hepmc3(tmp_path / "x.hepmc")


def test_a_missing_line_is_refused(tmp_path):
    write(tmp_path / "x.hepmc", events(GRAPHS[:1] * 3))
    lines = (tmp_path / "x.hepmc").read_text().splitlines(keepends=True)
    last = max(k for k, line in enumerate(lines) if line.startswith("P "))
    (tmp_path / "x.hepmc").write_text("".join(lines[:last] + lines[last + 1 :]))
    with pytest.raises(DamagedFile, match="event 2 of the file"):
        read_hepmc3(tmp_path / "x.hepmc")


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x").write_text("root:x:0:0\n" * 50)
    with pytest.raises(DamagedFile, match="not a HepMC3 file"):
        read_hepmc3(tmp_path / "x")
    with pytest.raises(InputError, match="no such file"):
        read_hepmc3(tmp_path / "none")


def test_an_unfinished_file_is_an_environment_problem(tmp_path):
    from fiducial.core.errors import EnvironmentProblem

    writer = HepMC3Writer(tmp_path / "x.hepmc")
    writer.extend(events(GRAPHS))
    writer._writer.close()
    writer._staged.write_bytes(b"what a full disk leaves")
    with pytest.raises(EnvironmentProblem, match="the disk may be full"):
        writer._refuse_incomplete()
    writer.abort()
    assert not list(tmp_path.iterdir())
