"""Tracks against the closed formulas of the response.

Every statistical test here refuses at a probability of 1e-5 (two-sided where it applies); with
about 120 of them the file fails a right program once in 800 changes of the random stream. The
seeds are fixed, so a given program always gives the same answer.
"""

import numpy as np
import pytest
from scipy import stats

from fiducial.simulation import load_card, response, simulate

ALPHA = 1e-5
N = 4000


def by_particle(batch, found):
    """Rows of tracks, and of the particles they came from."""
    particles, links = found["ReconstructedParticles"], found["RecoMCLinks"]
    truth = links.to.rows(batch["MCParticles"].offsets)
    reco = links.from_.rows(particles.offsets)
    charged = particles.charge[reco] != 0
    return reco[charged], truth[charged]


def state_of(found):
    return found["Tracks"].trackStates


@pytest.mark.parametrize("name", ["idea", "lhc"])
@pytest.mark.parametrize("pdg", [13, 11, 211])
@pytest.mark.parametrize(("p", "theta"), [(1.5, 1.45), (45.0, 1.2), (20.0, 0.6), (8.0, 2.75)])
def test_a_track_is_smeared_as_the_formulas_say(gun, name, pdg, p, theta) -> None:
    card = load_card(name)
    batch = gun(pdg, p, theta, N)
    found = simulate(batch, card, 11)
    _, truth = by_particle(batch, found)
    chance = float(response.efficiency(card, p, theta, pdg))
    assert stats.binomtest(len(truth), N, chance).pvalue > ALPHA

    pt = p * np.sin(theta)
    state, momentum = state_of(found), batch["MCParticles"].momentum
    measured_pt = 2.99792458e-4 * card.tracker.magnetic_field / np.abs(state.omega)
    mu, width = response.log_normal(pt, response.sigma_pt(card, p, theta, pdg))
    phi = np.arctan2(momentum.y, momentum.x)[truth]
    residuals = {
        "pt": (np.log(measured_pt.astype(np.float64)) - mu) / width,
        "d0": state.D0 / response.sigma_d0(card, p, theta),
        "z0": state.Z0 / response.sigma_z0(card, p, theta),
        "phi": (np.mod(state.phi - phi + np.pi, 2 * np.pi) - np.pi)
        / response.sigma_phi(card, p, theta),
        "theta": (np.arctan2(1.0, state.tanLambda) - theta) / response.sigma_theta(card, p, theta),
    }
    for quantity, pull in residuals.items():
        assert stats.kstest(pull, "norm").pvalue > ALPHA, quantity
        # the width itself, sharper than KS: (n - 1) s^2 is chi-squared
        chi2 = np.sum((pull - pull.mean()) ** 2)
        assert 2 * min(stats.chi2.cdf(chi2, len(pull) - 1), stats.chi2.sf(chi2, len(pull) - 1)) > (
            ALPHA
        ), quantity


def test_the_log_normal_keeps_mean_and_spread_at_poor_resolution(gun) -> None:
    # electrons of the lhc card forward: 15 % and more, where a Gaussian would reach 0
    card, p, theta = load_card("lhc"), 300.0, 0.25
    found = simulate(gun(11, p, theta, 20_000), card, 5)
    pt = 2.99792458e-4 * 3.8 / np.abs(state_of(found).omega).astype(np.float64)
    sigma, mean = float(response.sigma_pt(card, p, theta, 11)), p * np.sin(theta)
    assert sigma / mean > 0.2
    assert (pt > 0).all()
    n = len(pt)
    assert abs(pt.mean() - mean) / (sigma / np.sqrt(n)) < 4.5
    # excess kurtosis of a log-normal is above 0: the spread of s^2 accordingly
    w = 1 + (sigma / mean) ** 2
    kurtosis = w**4 + 2 * w**3 + 3 * w**2 - 3
    assert abs(pt.var() / sigma**2 - 1) / np.sqrt((kurtosis - 1) / n) < 4.5


@pytest.mark.parametrize("name", ["idea", "lhc"])
def test_there_is_no_track_outside_the_acceptance(gun, name) -> None:
    card = load_card(name)
    beyond = 2 * np.arctan(np.exp(-card.tracker.max_abs_eta - 1e-3))
    for p, theta in ((10.0, beyond), (10.0, np.pi - beyond), (0.0999, np.pi / 2)):
        found = simulate(gun(211, p, theta, 50), card, 1)
        assert len(found["Tracks"]) == 0
        assert response.efficiency(card, p, theta, 211) == 0.0


@pytest.mark.parametrize(("pdg", "called", "code"), [
    (11, "electron", 11), (13, "muon", 13), (211, "charged_hadron", 211),
    (211, "electron", -11), (211, "muon", -13), (11, "charged_hadron", -211),
])  # fmt: skip
@pytest.mark.parametrize("name", ["idea", "lhc"])
def test_identities_come_with_the_probabilities_of_the_card(gun, name, pdg, called, code) -> None:
    card, p, theta = load_card(name), 30.0, 1.3
    found = simulate(gun(pdg, p, theta, 20_000, seed=pdg), card, 23)
    particles = found["ReconstructedParticles"]
    tracks = particles.charge != 0
    chance = float(response.identification(card, p, theta, pdg, called))
    counted = int((particles.PDG[tracks] == code).sum())
    assert stats.binomtest(counted, int(tracks.sum()), chance).pvalue > ALPHA


def test_a_track_has_the_energy_of_its_mass_hypothesis(gun) -> None:
    batch = gun(211, 3.0, 1.0, 3000)
    particles = simulate(batch, load_card("idea"), 2)["ReconstructedParticles"]
    tracks = particles.charge != 0
    hypotheses = {11: 0.51099895e-3, 13: 0.1056583755, 211: 0.13957039}
    expected = np.array([hypotheses[abs(code)] for code in particles.PDG[tracks]])
    assert particles.mass[tracks] == pytest.approx(expected, rel=1e-6)
    momentum = particles.momentum
    p2 = sum(np.square(a[tracks].astype(np.float64)) for a in (momentum.x, momentum.y, momentum.z))
    assert particles.energy[tracks] == pytest.approx(np.sqrt(p2 + expected**2), rel=1e-6)


@pytest.mark.parametrize("pdg", [13, -13, 211, -211, 11])
def test_charge_and_curvature_keep_the_sign_of_the_particle(gun, pdg) -> None:
    batch = gun(pdg, 20.0, 1.1, 200)
    found = simulate(batch, load_card("idea"), 3)
    particles = found["ReconstructedParticles"]
    charge = batch["MCParticles"].charge[0]
    tracks = particles.charge != 0
    assert (particles.charge[tracks] == charge).all()
    assert (np.sign(state_of(found).omega) == charge).all()
    same_kind = np.abs(particles.PDG[tracks]) == abs(pdg)
    assert same_kind.sum() > 180
    assert (particles.PDG[tracks][same_kind] == pdg).all()


def test_the_covariance_of_the_momentum_is_that_of_the_smearing(gun) -> None:
    card, p, theta, n = load_card("idea"), 10.0, 0.7, 6000
    batch = gun(13, p, theta, n)
    found = simulate(batch, card, 31)
    reco, truth = by_particle(batch, found)
    particles, momentum = found["ReconstructedParticles"], batch["MCParticles"].momentum
    difference = np.column_stack(
        [
            getattr(particles.momentum, axis)[reco].astype(np.float64)
            - getattr(momentum, axis)[truth]
            for axis in "xyz"
        ]
    )
    lower = particles.covMatrix[reco].astype(np.float64)
    matrix = np.zeros((len(reco), 4, 4))
    rows, columns = np.tril_indices(4)
    matrix[:, rows, columns] = lower
    matrix[:, columns, rows] = lower
    # chi-squared of three components with the matrix given
    chi2 = np.einsum(
        "ni,nij,nj->n", difference, np.linalg.inv(matrix[:, :3, :3] + 1e-18), difference
    )
    assert stats.kstest(chi2, "chi2", args=(3,)).pvalue > ALPHA
    # the energy's error is that of |p|: E dE = p . dp
    gradient = np.column_stack(
        [getattr(particles.momentum, axis)[reco] / particles.energy[reco] for axis in "xyz"]
    )
    propagated = np.einsum("ni,nij,nj->n", gradient, matrix[:, :3, :3], gradient)
    assert matrix[:, 3, 3] == pytest.approx(propagated, rel=1e-3)
    assert np.sqrt(matrix[:, 3, 3]).mean() == pytest.approx(
        float(response.sigma_p(card, p, theta)), rel=1e-2
    )


def test_the_covariance_of_a_track_state_is_that_of_the_formulas(gun) -> None:
    card, p, theta = load_card("idea"), 10.0, 0.7
    state = state_of(simulate(gun(13, p, theta, 50), card, 31))
    covariance = state.covMatrix.astype(np.float64)
    relative = float(response.sigma_pt(card, p, theta)) / (p * np.sin(theta))
    expected = {
        0: float(response.sigma_d0(card, p, theta)),
        2: float(response.sigma_phi(card, p, theta)),
        5: np.abs(state.omega) * relative,
        9: float(response.sigma_z0(card, p, theta)),
        14: float(response.sigma_theta(card, p, theta)) * (1 + state.tanLambda**2.0),
    }
    for place, sigma in expected.items():
        assert np.sqrt(covariance[:, place]) == pytest.approx(sigma, rel=1e-5), place
    rest = [k for k in range(21) if k not in expected]
    assert (covariance[:, rest] == 0).all()


def test_a_displaced_particle_has_its_impact_parameters(make_batch) -> None:
    # 5 mm from the beam spot in the transverse plane, perpendicular to the momentum
    card, n, p, theta = load_card("idea"), 2000, 20.0, 1.2
    phi = np.random.default_rng(1).uniform(-np.pi, np.pi, n)
    vertex = np.array([-5 * np.sin(phi), 5 * np.cos(phi), np.full(n, 3.0)])
    batch = make_batch(np.ones(n, dtype=int), -13, p, theta, phi, vertex)
    found = simulate(batch, card, 4)
    state = state_of(found)
    pulls = (state.D0 - 5.0) / response.sigma_d0(card, p, theta)
    assert stats.kstest(pulls, "norm").pvalue > ALPHA
    pulls = (state.Z0 - 3.0) / response.sigma_z0(card, p, theta)
    assert stats.kstest(pulls, "norm").pvalue > ALPHA
    # the reference point of the particle is its perigee, here the vertex
    point = found["ReconstructedParticles"].referencePoint
    reach = 6 * float(response.sigma_d0(card, p, theta)) + 5 * 6e-4  # and the error of phi
    assert np.abs(point.x - vertex[0]).max() < reach
    assert np.abs(point.y - vertex[1]).max() < reach
    assert np.hypot(point.x, point.y) == pytest.approx(np.abs(state.D0), rel=1e-5)


def test_impact_parameters_are_relative_to_the_beam_spot(make_batch) -> None:
    card = load_card("idea").model_copy(update={"beam_spot": (1.0, -2.0, 7.0)})
    n = 2000
    phi = np.random.default_rng(2).uniform(-np.pi, np.pi, n)
    vertex = np.tile(np.array([[1.0], [-2.0], [7.0]]), n)
    batch = make_batch(np.ones(n, dtype=int), 13, 5.0, 1.0, phi, vertex)
    state = state_of(simulate(batch, card, 4))
    assert stats.kstest(state.D0 / response.sigma_d0(card, 5.0, 1.0), "norm").pvalue > ALPHA
    assert stats.kstest(state.Z0 / response.sigma_z0(card, 5.0, 1.0), "norm").pvalue > ALPHA


@pytest.mark.parametrize(
    ("x", "z", "tracks"),
    [(1499, 0, 1), (1501, 0, 0), (3000, 0, 0), (0, -1799, 1), (0, 1801, 0), (0, -2600, 0)],
)
def test_a_particle_born_too_far_out_leaves_no_track(make_batch, x, z, tracks) -> None:
    batch = make_batch([1], 211, 10.0, 1.5, 0.0, [[x], [0.0], [z]])
    assert len(simulate(batch, load_card("idea"), 1)["Tracks"]) == tracks


def test_particles_that_are_not_final_are_ignored(gun) -> None:
    batch = gun(13, 20.0, 1.0, 20)
    status = np.where(np.arange(20) % 2, 1, 2).astype(np.int32)
    particles = batch["MCParticles"].replace(generatorStatus=status)
    found = simulate(batch.with_collections({"MCParticles": particles}), load_card("idea"), 1)
    assert found["Tracks"].counts.tolist() == [0, 1] * 10
