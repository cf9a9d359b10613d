"""Les Houches files hold the hard process, in balance, as pylhe reads it."""

import numpy as np
import pylhe
import pytest

from fiducial.core.errors import InputError
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    GeneratorTrialsCollection,
    MCParticleCollection,
)
from fiducial.io import DamagedFile, read_lhe, write_lhe


@pytest.fixture
def batch():
    """e+e- -> Z H at rest with beams, a shower photon, and decays, three times."""
    n_events, masses = 3, [0.000511, 0.000511, 0.0, 0.0, 91.2, 125.0, 0.1, 0.1]
    momenta = np.array(
        [[0, 0, 120.0], [0, 0, -120.0], [0, 0, 120.0], [0, 0, -120.0],
         [30, 40, 0], [-30, -40, 0], [1, 2, 3], [29, 38, -3]], dtype=float,
    )  # fmt: skip
    lists = [[], [], [0], [1], [2, 3], [2, 3], [4], [4]]
    particles = MCParticleCollection.build(
        counts=[8] * n_events,
        PDG=[11, -11, 11, -11, 23, 25, 13, -13] * n_events,
        generatorStatus=[4, 4, 21, 21, 22, 22, 1, 1] * n_events,
        mass=masses * n_events,
        momentum=tuple(np.tile(momenta.T, n_events)),
        helicity=9,
        parents=([len(p) for p in lists] * n_events, [k for p in lists for k in p] * n_events),
    )
    ones = np.ones(n_events, int)
    header = EventHeaderCollection.build(counts=ones, eventNumber=np.arange(n_events), weight=0.5)
    trials = GeneratorTrialsCollection.build(
        counts=ones, trials=2, weightSum=0.4, weightSquaredSum=0.1
    )
    return EventBatch({"EventHeader": header, "MCParticles": particles, "GeneratorTrials": trials})


def test_pylhe_reads_the_hard_process_with_beams_and_cross_section(tmp_path, batch):
    write_lhe(tmp_path / "x.lhe", batch)
    file = pylhe.LHEFile.fromfile(str(tmp_path / "x.lhe"))
    events = list(file.events)
    assert (file.init.initInfo.beamA, file.init.initInfo.beamB) == (11, -11)
    assert file.init.initInfo.energyA == pytest.approx(120.0)
    assert file.init.procInfo[0].xSection == pytest.approx(0.2)
    assert file.init.procInfo[0].error == pytest.approx(np.sqrt((0.05 - 0.04) / 6))
    assert len(events) == 3
    for event in events:
        assert [p.id for p in event.particles] == [11, -11, 23, 25]
        assert [p.status for p in event.particles] == [-1, -1, 1, 1]
        assert [(p.mother1, p.mother2) for p in event.particles[2:]] == [(1, 2), (1, 2)]
        assert all(p.color1 == p.color2 == 0 for p in event.particles)
        assert event.eventinfo.weight == 0.5
        assert sum(p.px for p in event.particles if p.status == 1) == pytest.approx(0.0)
        z = event.particles[2]
        assert z.e == pytest.approx(np.sqrt(50.0**2 + 91.2**2), rel=1e-15)


def test_what_was_read_is_written_and_read_unchanged(tmp_path, batch):
    write_lhe(tmp_path / "x.lhe", [batch, batch])
    first = read_lhe(tmp_path / "x.lhe")
    assert first.n_events == 6
    particles = first["MCParticles"]
    assert particles.generatorStatus.tolist() == [21, 21, 1, 1] * 6
    assert particles.momentum.y[2] == 40.0
    assert particles.charge.tolist() == [-1, 1, 0, 0] * 6
    assert particles.parents.of(2).tolist() == [0, 1]
    assert particles.daughters.of(0).tolist() == [2, 3]
    assert first["EventHeader"].weight.tolist() == [0.5] * 6
    write_lhe(tmp_path / "y.lhe", first)
    assert read_lhe(tmp_path / "y.lhe") == first


def test_a_window_is_read_with_the_numbers_of_the_file(tmp_path, batch):
    write_lhe(tmp_path / "x.lhe", [batch, batch])
    window = read_lhe(tmp_path / "x.lhe", 2, 5)
    assert window.event_numbers.tolist() == [2, 3, 4]
    assert window == read_lhe(tmp_path / "x.lhe").select_events(slice(2, 5))


def test_events_without_a_hard_process_are_refused_and_nothing_is_written(tmp_path, batch):
    gun = batch["MCParticles"].replace(generatorStatus=1)
    with pytest.raises(InputError, match="no hard process"):
        write_lhe(tmp_path / "x.lhe", batch.with_collections({"MCParticles": gun}))
    with pytest.raises(InputError, match="there is no event"):
        write_lhe(tmp_path / "x.lhe", [])
    assert not list(tmp_path.iterdir())


def test_a_file_cut_anywhere_is_refused_by_name(tmp_path, batch):
    write_lhe(tmp_path / "x.lhe", batch)
    content = (tmp_path / "x.lhe").read_bytes().rstrip()
    target = tmp_path / "cut.lhe"
    for size in [0, 5, *range(40, len(content), 61), len(content) - 1]:
        target.write_bytes(content[:size])
        with pytest.raises(DamagedFile, match=str(target)):
            read_lhe(target)


def test_mothers_that_do_not_exist_are_refused(tmp_path, batch):
    write_lhe(tmp_path / "x.lhe", batch)
    text = (tmp_path / "x.lhe").read_text().replace("25   1   1   2", "25   1   1   9")
    (tmp_path / "x.lhe").write_text(text)
    with pytest.raises(InputError, match="mothers 1, 9 among 4 particles"):
        read_lhe(tmp_path / "x.lhe")
