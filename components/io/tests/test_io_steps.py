"""The reading steps give the same events for every split, and refuse bad files beforehand."""

from importlib.metadata import entry_points

import numpy as np
import pytest

from fiducial.core import config
from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection
from fiducial.edm.steps import Producer, produce
from fiducial.edm.testing import random_batch
from fiducial.io import HepMC3Writer, write_rntuple
from fiducial.io.steps import ReadHepMC3, ReadRNTuple


@pytest.fixture(params=["hepmc3", "rntuple"])
def step(request, tmp_path):
    if request.param == "rntuple":
        batch = random_batch(1, 20, types=["edm4hep::EventHeader", "edm4hep::MCParticle"])
        write_rntuple(tmp_path / "x.root", batch)
        return ReadRNTuple(path=tmp_path / "x.root", skip=3)
    counts = np.arange(1, 21)
    particles = MCParticleCollection.build(
        counts=counts, PDG=13, mass=np.arange(counts.sum()) * 1.0
    )
    header = EventHeaderCollection.build(counts=np.ones(20, int), eventNumber=99, weight=1.0)
    with HepMC3Writer(tmp_path / "x.hepmc") as writer:
        writer.extend(EventBatch({"EventHeader": header, "MCParticles": particles}))
    return ReadHepMC3(path=tmp_path / "x.hepmc", skip=3)


def test_any_split_gives_the_same_events_with_the_numbers_of_the_run(step):
    step.check()
    whole = produce(step, 0, 17, seed=1)
    assert whole.event_numbers.tolist() == list(range(17))
    parts = [produce(step, 0, 5, 1), produce(step, 5, 1, 2), produce(step, 6, 11, 3)]
    assert EventBatch.concatenate(parts) == whole
    assert {n: c.type_name for n, c in whole.collections.items()} == dict(step.outputs)


def test_too_few_events_are_refused(step):
    with pytest.raises(InputError, match="17 after the 3 skipped, the run needs 18"):
        produce(step, 10, 8, 1)
    with pytest.raises(Mistakes, match="cannot be skipped"):
        step.model_copy(update={"skip": 20}).check()


def test_a_file_that_changed_is_read_anew(step):
    before = produce(step, 0, 2, 1)
    content = step.path.read_bytes()
    if step.path.suffix == ".hepmc":
        step.path.write_bytes(content.replace(b" 13 ", b" 11 "))
        assert produce(step, 0, 2, 1)["MCParticles"].PDG[0] == 11
    else:
        write_rntuple(step.path, random_batch(9, 20, types=["edm4hep::EventHeader"]))
        assert produce(step, 0, 2, 1).names != before.names


def test_missing_and_damaged_files_are_refused_before_the_run(step):
    content = step.path.read_bytes()
    step.path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cut off"):
        step.check()
    step.path.unlink()
    with pytest.raises(InputError, match="no such file"):
        step.check()


def test_collections_that_are_not_there_are_refused_before_the_run(tmp_path):
    write_rntuple(tmp_path / "x.root", random_batch(1, 2, types=["edm4hep::MCParticle"]))
    with pytest.raises(Mistakes, match="did you mean MCParticles"):
        ReadRNTuple(path=tmp_path / "x.root", collections=["MCParticle"]).check()


def test_a_file_without_headers_gets_them(tmp_path):
    write_rntuple(tmp_path / "x.root", random_batch(1, 4, types=["edm4hep::MCParticle"]))
    step = ReadRNTuple(path=tmp_path / "x.root")
    assert produce(step, 1, 2, 0).event_numbers.tolist() == [1, 2]


def test_settings_are_checked_like_any_configuration():
    with pytest.raises(Mistakes) as caught:
        config.validate({"pth": "x", "skip": -1}, ReadHepMC3)
    text = str(caught.value)
    assert "pth: unknown key ('x'): did you mean path?" in text
    assert "path: this key is required" in text
    assert "skip: input should be greater than or equal to 0" in text


def test_the_steps_are_found_by_their_entry_points():
    found = {e.name: e for e in entry_points(group="fiducial.steps")}
    assert found["read_hepmc3"].load() is ReadHepMC3
    assert found["read_rntuple"].load() is ReadRNTuple
    assert issubclass(ReadRNTuple, Producer)
