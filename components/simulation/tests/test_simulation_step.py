"""The step fastsim: found by name, true to its declaration, refusing what it cannot do."""

from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fiducial.core.device import available
from fiducial.core.errors import EnvironmentProblem, InputError, Mistakes
from fiducial.edm.steps import transform
from fiducial.simulation import FastSim, card_names


def test_the_step_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="fiducial.steps", name="fastsim")
    assert found.load() is FastSim


@pytest.mark.parametrize("card", card_names())
def test_the_step_writes_what_it_declares(jets, card) -> None:
    step = FastSim(card=card)
    step.check()
    batch = jets(10)
    after = transform(step, batch, 4)
    assert set(after.names) == {*batch.names, *step.outputs}
    assert {n: after[n].type_name for n in step.outputs} == dict(step.outputs)


def test_written_numbers_are_finite_and_physical(jets) -> None:
    after = transform(FastSim(card="lhc"), jets(300), 4)
    particles, clusters, tracks = (
        after[n] for n in ("ReconstructedParticles", "Clusters", "Tracks")
    )
    for collection in (particles, clusters, tracks):
        for name, column in collection.columns.items():
            assert np.isfinite(column).all(), name
    assert (particles.energy > 0).all() and (clusters.energyError > 0).all()
    assert ((particles.goodnessOfPID >= 0) & (particles.goodnessOfPID <= 1)).all()
    assert set(np.unique(np.abs(particles.PDG))) <= {11, 13, 22, 130, 211}
    diagonal = particles.covMatrix[:, [0, 2, 5, 9]]
    assert (diagonal >= 0).all()
    state = tracks.trackStates
    assert (state.location == 1).all() and (state.counts == 1).all()
    assert (np.abs(state.phi) <= np.pi + 1e-6).all()


def test_a_card_that_is_not_there_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match="idea, lhc"):
        FastSim(card="atlas").check()


def test_a_bad_card_is_refused_before_the_run(tmp_path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("card: bad\ntitle: bad\n")
    with pytest.raises(Mistakes) as caught:
        FastSim(card=str(path)).check()
    assert len(caught.value.mistakes) >= 5


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(ValidationError, match="'cpu' or 'cuda'"):
        FastSim(device="gpu")


@pytest.mark.skipif(available("cuda"), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused_before_the_run() -> None:
    with pytest.raises(EnvironmentProblem, match="use device: cpu"):
        FastSim(device="cuda").check()


def test_a_batch_without_particles_is_refused(jets) -> None:
    with pytest.raises(Mistakes, match="MCParticles"):
        transform(FastSim(), jets(2).keep(["EventHeader"]), 1)


@pytest.mark.parametrize("member", ["momentum", "vertex"])
def test_a_particle_with_a_number_that_is_not_finite_is_refused_by_name(gun, member) -> None:
    batch = gun(13, 20.0, 1.0, 5)
    particles = batch["MCParticles"]
    view = getattr(particles, member)
    spoilt = view.y.copy()
    spoilt[3] = np.nan
    particles = particles.replace(**{member: (view.x, spoilt, view.z)})
    with pytest.raises(InputError, match=r"particle 0 of event 3 \(PDG 13\).*not finite"):
        FastSim().transform(batch.with_collections({"MCParticles": particles}), 1)


def test_a_charged_particle_without_charge_is_refused(gun) -> None:
    batch = gun(211, 20.0, 1.0, 5)
    particles = batch["MCParticles"].replace(charge=np.zeros(5, dtype=np.float32))
    with pytest.raises(InputError, match=r"has no charge.*5 such particles"):
        FastSim().transform(batch.with_collections({"MCParticles": particles}), 1)


def test_the_example_of_the_readme_runs(capsys) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    code = readme.split("```python\n")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), {})
    simulated, formula = map(float, capsys.readouterr().out.split())
    # 1000 muons: the spread of a standard deviation is 2.2 %
    assert simulated == pytest.approx(formula, rel=0.11)
