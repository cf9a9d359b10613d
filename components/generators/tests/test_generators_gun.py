"""The particle gun: set values evenly, ranges with the right law, the same event in any split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fiducial.core import config
from fiducial.core.errors import Mistakes
from fiducial.edm import EventBatch, content_hash
from fiducial.generators import Gun


def momenta(batch):
    particles = batch["MCParticles"]
    return np.stack([particles.columns[f"momentum.{c}"] for c in "xyz"], axis=1)


def test_a_grid_populates_every_combination_evenly_and_in_order():
    gun = Gun(particles=[13, 11], momentum=[1, 10, 100], cos_theta=[-0.5, 0.5], phi=[0, 1, 2, 3])
    assert gun.n_combinations == 48
    batch = gun.produce(0, 96, 1)
    p = momenta(batch)
    size = np.linalg.norm(p, axis=1)
    rows = np.stack(
        [
            batch["MCParticles"].PDG,
            np.rint(size),
            np.rint(p[:, 2] / size * 2),
            np.arctan2(p[:, 1], p[:, 0]).round(6),
        ]
    )
    combos, counts = np.unique(rows, axis=1, return_counts=True)
    assert combos.shape[1] == 48
    assert (counts == 2).all()
    np.testing.assert_array_equal(rows[:, :48], rows[:, 48:])
    assert batch["MCParticles"].PDG[:4].tolist() == [13, 11, 13, 11]


def test_particles_of_one_event_go_on_through_the_grid():
    gun = Gun(particles=[13, 11, 22], momentum=5, theta=1, per_event=2)
    assert gun.produce(1, 2, 0)["MCParticles"].PDG.tolist() == [22, 13, 11, 22]


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 50),
    st.integers(1, 20),
    st.integers(1, 3),
    st.integers(0, 2**64 - 1),
    st.booleans(),
)
def test_any_split_gives_the_same_events(first, count, per_event, seed, grid):
    gun = Gun(
        particles=[13, 22], momentum=[1, 2], eta={"min": -2, "max": 2}, per_event=per_event,
        mode="grid" if grid else "random",
    )  # fmt: skip
    parts = [gun.produce(first + k, 1, seed) for k in range(count)]
    whole = gun.produce(first, count, seed)
    assert content_hash(EventBatch.concatenate(parts)) == content_hash(whole)


def test_mass_charge_and_energy_are_those_of_the_species():
    gun = Gun(particles=[2212, -11, 22, 12], energy=5.0, theta=0.3, vertex=(1, 2, 3), time=4)
    particles = gun.produce(0, 4, 1)["MCParticles"]
    np.testing.assert_allclose(particles.mass, [0.93827208943, 0.51099895e-3, 0, 0], rtol=1e-8)
    np.testing.assert_allclose(particles.charge, [1, 1, 0, 0])
    energy = np.sqrt((momenta({"MCParticles": particles}) ** 2).sum(axis=1) + particles.mass**2)
    np.testing.assert_allclose(energy, 5.0, rtol=1e-13)
    assert (particles.generatorStatus == 1).all()
    assert (particles.helicity == 9).all()
    np.testing.assert_allclose(particles.columns["vertex.z"], 3.0)
    np.testing.assert_allclose(particles.time, 4.0)
    assert len(particles.parents) == len(particles.daughters) == 0


@pytest.mark.parametrize(
    "angle", [{"theta": 0.7}, {"cos_theta": np.cos(0.7)}, {"eta": -np.log(np.tan(0.35))}]
)
@pytest.mark.parametrize("size", [{"momentum": 3.0}, {"pt": 3.0 * np.sin(0.7)}])
def test_one_direction_in_three_notations(angle, size):
    gun = Gun(particles=[13], phi=0.4, **angle, **size)
    expected = 3 * np.array([np.sin(0.7) * np.cos(0.4), np.sin(0.7) * np.sin(0.4), np.cos(0.7)])
    np.testing.assert_allclose(momenta(gun.produce(0, 1, 9))[0], expected, rtol=1e-13)


def test_along_the_beam_there_is_no_transverse_momentum():
    for angle in ({"cos_theta": 1}, {"theta": 0}):
        assert momenta(Gun(particles=[13], momentum=2, **angle).produce(0, 1, 1))[0].tolist() == [
            0,
            0,
            2,
        ]


def test_ranges_follow_their_law():
    """Kolmogorov-Smirnov at 1e-4 each: p flat in the logarithm, cos(theta), phi and species."""
    gun = Gun(
        particles=[13, -13], momentum={"min": 1, "max": 100, "log": True},
        cos_theta={"min": -0.9, "max": 0.9}, mode="random",
    )  # fmt: skip
    batch = gun.produce(0, 20000, 3)
    p = momenta(batch)
    size = np.linalg.norm(p, axis=1)
    laws = [
        (np.log(size) / np.log(100), 0.0, 1.0),
        (p[:, 2] / size, -0.9, 1.8),
        (np.arctan2(p[:, 1], p[:, 0]), -np.pi, 2 * np.pi),
    ]
    for values, low, width in laws:
        assert stats.kstest(values, "uniform", (low, width)).pvalue > 1e-4
    positive = (batch["MCParticles"].PDG == -13).sum()
    assert stats.binomtest(int(positive), 20000, 0.5).pvalue > 1e-4
    correlation = np.corrcoef([values for values, _, _ in laws])
    assert np.abs(correlation - np.eye(3)).max() < 4.5 / np.sqrt(20000)


def test_all_mistakes_come_at_once():
    text = """\
particles: [13, 9999999, 1]
energy: [0.00001, -2]
theta: [4]
mode: gird
per_event: 0
colour: red
"""
    with pytest.raises(Mistakes) as caught:
        config.parse(text, Gun, "gun.yaml")
    message = str(caught.value)
    for expected in (
        "no particle has the PDG code 9999999: did you mean", "not a free particle", "-2",
        "theta lies in 0 to pi", "did you mean grid?", "per_event", "unknown key",
    ):  # fmt: skip
        assert expected in message


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"energy": 0.1, "momentum": None}, "not above the mass of mu"),
        ({"energy": 5}, "momentum and energy is given"),
        ({"momentum": None}, "none is given"),
        ({"momentum": -1}, "above 0"),
        ({"momentum": {"min": 3, "max": 2}}, "an empty range"),
        ({"momentum": {"min": 0, "max": 2, "log": True}}, "above 0"),
        ({"momentum": float("inf")}, "finite"),
        ({"theta": None}, "one of theta, cos_theta, eta is needed, none"),
        ({"eta": 1}, "theta and eta is given"),
        ({"theta": None, "cos_theta": 1.1}, "cos_theta lies in"),
        ({"theta": None, "eta": 90}, "eta lies in"),
        ({"momentum": None, "pt": 1, "theta": 0}, "along the beam"),
        ({"particles": []}, "at least 1"),
        ({"theta": []}, "at least 1"),
        ({"phi": 10}, "phi lies in"),
    ],
)
def test_bad_input_is_refused_when_the_gun_is_made(wrong, problem):
    given_settings = {"particles": [13], "momentum": 3, "theta": 1, **wrong}
    with pytest.raises(ValueError, match=problem):
        Gun(**{k: v for k, v in given_settings.items() if v is not None})


def test_settings_survive_a_file():
    gun = Gun(particles=[13], momentum={"min": 1, "max": 2}, cos_theta=[0.1, 0.2])
    assert config.parse(config.to_yaml(gun), Gun) == gun
