"""Calorimeters against the closed formulas: energies, thresholds, cells.

Statistical tests refuse at a probability of 1e-5 each; about 40 of them.
"""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from fiducial.core.errors import InputError
from fiducial.simulation import load_card, response, simulate
from fiducial.simulation.lookup import cell_polar, cell_region, find_cell
from fiducial.simulation.tables import Cell, Where, compile_card

ALPHA = 1e-5
N = 4000


def truncated_log_normal(energy: float, sigma: float, threshold: float):
    """Cumulative distribution of a measured energy above the threshold."""
    mu, width = response.log_normal(energy, sigma)
    low = stats.norm.cdf((math.log(threshold) - mu) / width) if threshold else 0.0
    return lambda x: (stats.norm.cdf((np.log(x) - mu) / width) - low) / (1 - low)


@pytest.mark.parametrize("name", ["idea", "lhc"])
@pytest.mark.parametrize(("pdg", "part"), [(22, "ecal"), (2112, "hcal")])
@pytest.mark.parametrize(
    ("energy", "theta"), [(40.0, 1.5), (12.0, 0.9), (60.0, 0.3), (5.0, 2.3), (1.0, 1.5)]
)
def test_energies_are_smeared_as_the_formulas_say(gun, name, pdg, part, energy, theta) -> None:
    card = load_card(name)
    mass = {22: 0.0, 2112: 0.93956542}[pdg]
    momentum = math.sqrt(max(energy**2 - mass**2, 0.01))
    true = math.hypot(momentum, mass)
    found = simulate(gun(pdg, momentum, theta, N, seed=pdg), card, 17)
    measured = found["Clusters"].energy.astype(np.float64)
    chance = response.detection_probability(card, part, true, theta)
    assert stats.binomtest(len(measured), N, chance).pvalue > ALPHA
    if len(measured) > 20:
        sigma = float(response.sigma_energy(card, part, true, theta))
        threshold = response.energy_threshold(card, part, theta)
        assert measured.min() >= threshold * (1 - 1e-6)
        assert stats.kstest(measured, truncated_log_normal(true, sigma, threshold)).pvalue > ALPHA
        assert (found["Clusters"].type == {"ecal": 1, "hcal": 2}[part]).all()


def test_noise_and_threshold_tests_see_both_outcomes() -> None:
    # the grid above reaches from never seen to always seen
    card = load_card("lhc")
    chances = [response.detection_probability(card, "hcal", e, 1.5) for e in (1.5, 5.0, 12.0, 60.0)]
    assert chances[0] < 0.05 < chances[1] < 0.4 < chances[2] < 1.0
    assert chances[3] > 0.999


@pytest.mark.parametrize("name", ["idea", "lhc"])
@pytest.mark.parametrize("theta", [1.5, 0.8, 0.3])
def test_a_neutral_direction_is_known_to_a_cell(gun, name, theta) -> None:
    card = load_card(name)
    batch = gun(22, 80.0, theta, N)
    found = simulate(batch, card, 3)
    clusters, truth = found["Clusters"], batch["MCParticles"].momentum
    rows = found["RecoMCLinks"].to.rows(batch["MCParticles"].offsets)
    phi = np.arctan2(truth.y, truth.x)[rows]
    measured = found["ReconstructedParticles"].momentum
    d_phi = np.mod(np.arctan2(measured.y, measured.x) - phi + np.pi, 2 * np.pi) - np.pi
    d_theta = np.arctan2(np.hypot(measured.x, measured.y), measured.z) - theta
    size_theta, size_phi = response.cell_size(card, "ecal", theta)
    assert np.abs(d_phi).max() <= size_phi * (1 + 1e-5)
    assert np.abs(d_theta).max() <= size_theta * 1.03
    # true phi is uniform in the cell and so is the place given: a triangle, variance w^2 / 6
    assert stats.kstest(d_phi / size_phi, stats.triang(0.5, -1, 2).cdf).pvalue > ALPHA
    # the place given is uniform over a cell that holds the photon
    eta = np.arctanh(measured.z / np.sqrt(measured.x**2 + measured.y**2 + measured.z**2))
    low, width = eta.min(), eta.max() - eta.min()
    assert stats.kstest((eta - low) / width, "uniform").pvalue > ALPHA
    # and the cluster lies on the face, in that direction
    position = clusters.position
    radius = np.hypot(position.x, position.y)
    on_barrel = np.isclose(radius, card.tracker.radius, rtol=1e-5)
    on_endcap = np.isclose(np.abs(position.z), card.tracker.half_length, rtol=1e-5)
    assert (on_barrel | on_endcap).all()
    assert position.z / radius == pytest.approx(np.sinh(eta), rel=1e-3)


@pytest.mark.parametrize("theta", [1.3, 0.4, 2.8])
def test_the_error_of_a_cluster_s_position_is_that_of_its_cell(gun, theta) -> None:
    card = load_card("idea")
    clusters = simulate(gun(22, 80.0, theta, 100), card, 3)["Clusters"]
    x, y, z = (getattr(clusters.position, axis).astype(np.float64) for axis in "xyz")
    radius, lower = np.hypot(x, y), clusters.positionError.astype(np.float64)
    matrix = np.zeros((len(x), 3, 3))
    rows, columns = np.tril_indices(3)
    matrix[:, rows, columns] = matrix[:, columns, rows] = lower

    def spread(direction):
        variance = np.einsum("ni,nij,nj->n", direction, matrix, direction)
        return np.sqrt(np.maximum(variance, 0.0))  # 0 in depth, up to float32

    zero, one = np.zeros_like(x), np.ones_like(x)
    size_theta, size_phi = response.cell_size(card, "ecal", theta)
    around = np.column_stack([-y / radius, x / radius, zero])
    assert spread(around) == pytest.approx(radius * size_phi / math.sqrt(6), rel=1e-4)
    # along the barrel, or outwards on the endcap: the shift of the place for a turn in theta
    outwards = np.column_stack([x / radius, y / radius, zero])
    forward = np.column_stack([zero, zero, one])
    seen = (radius**2 + z**2) * size_theta / math.sqrt(6)
    if abs(z[0]) < card.tracker.half_length - 1e-2:
        assert spread(forward) == pytest.approx(seen / radius, rel=0.03)
        assert (spread(outwards) < 1e-2).all()
    else:
        assert spread(outwards) == pytest.approx(seen / np.abs(z), rel=0.03)
        assert (spread(forward) < 1e-2).all()


def test_the_centre_of_the_cell_can_be_given_instead(gun) -> None:
    card = load_card("idea")
    card = card.model_copy(update={"ecal": card.ecal.model_copy(update={"position": "centre"})})
    found = simulate(gun(22, 80.0, 1.2, 500), card, 3)
    momentum = found["ReconstructedParticles"].momentum
    phi = np.arctan2(momentum.y, momentum.x)
    cells = phi / (2 * np.pi / 314) - 0.5
    assert cells == pytest.approx(np.round(cells), abs=1e-3)


@pytest.mark.parametrize(("name", "pdg"), [("idea", 310), ("lhc", 310), ("idea", 130)])
def test_energy_is_shared_between_the_calorimeters(gun, name, pdg) -> None:
    card = load_card(name)
    found = simulate(gun(pdg, 200.0, 1.4, N), card, 8)
    clusters = found["Clusters"]
    true = math.hypot(200.0, 0.497611)
    for part, number in (("ecal", 1), ("hcal", 2)):
        share = response.energy_fraction(card, part, pdg) * true
        assert share == pytest.approx({1: 0.3, 2: 0.7}[number] * true)
        energy = clusters.energy[clusters.type == number].astype(np.float64)
        assert len(energy) == N
        sigma = float(response.sigma_energy(card, part, share, 1.4))
        assert stats.kstest(energy, truncated_log_normal(share, sigma, 0.0)).pvalue > ALPHA


@pytest.mark.parametrize("pdg", [12, 13])
def test_neutrinos_and_muons_leave_nothing_in_the_calorimeters(gun, pdg) -> None:
    assert len(simulate(gun(pdg, 40.0, 1.2, 100), load_card("lhc"), 1)["Clusters"]) == 0


@pytest.mark.parametrize(("pdg", "energy"), [(22, 30.0), (22, 1.2), (130, 30.0)])
def test_photons_are_called_so_with_the_probability_of_the_card(gun, pdg, energy) -> None:
    card, theta = load_card("idea"), 1.2
    found = simulate(gun(pdg, energy, theta, 8000), card, 41)
    particles, clusters = found["ReconstructedParticles"], found["Clusters"]
    in_ecal = particles.PDG[clusters.type == 1]
    chance = float(response.identification(card, energy, theta, pdg, "photon"))
    assert stats.binomtest(int((in_ecal == 22).sum()), len(in_ecal), chance).pvalue > ALPHA
    assert (particles.PDG[clusters.type == 2] == 130).all()


@settings(deadline=None)
@given(eta=st.floats(-5.5, 5.5), phi=st.floats(-3.14159, 3.14159))
@example(eta=0.5, phi=0.0)
@example(eta=-3.0, phi=-3.0)
def test_a_direction_lies_in_the_cell_found_for_it(eta: float, phi: float) -> None:
    for name in ("idea", "lhc"):
        card = load_card(name)
        tables = compile_card(card)
        values = tables.values
        for part, where in (("ecal", Where.ECAL), ("hcal", Where.HCAL)):
            at = int(tables.where[where])
            cell = find_cell(values, at, eta, phi)
            theta = 2 * math.atan(math.exp(-eta))
            if cell < 0:
                end = card.calorimeter(part).regions[-1].eta_range[1]
                assert abs(eta) >= end
                continue
            assert 0 <= cell < values[at + 4]
            region = cell_region(values, at, cell)
            edges = sorted(abs(cell_polar(values, region, cell, f)) for f in (0.0, 1.0))
            assert edges[0] - 1e-9 <= abs(eta) <= edges[1] + 1e-9
            assert math.copysign(1, cell_polar(values, region, cell, 0.5)) == math.copysign(
                1, eta if eta != 0 else 1.0
            )
            if min(abs(abs(eta) - edge) for edge in edges) < 1e-9:
                continue  # on an edge, rounding of theta decides which cell the formula takes
            size = response.cell_size(card, part, theta)
            middle = abs(cell_polar(values, region, cell, 0.5))
            assert (edges[1] - edges[0]) / math.cosh(middle) == pytest.approx(size[0], rel=1e-6)


def test_every_cell_is_found_from_its_own_centre() -> None:
    card = load_card("lhc")
    tables = compile_card(card)
    at = int(tables.where[Where.HCAL])
    for cell in range(int(tables.values[at + 4])):
        region = cell_region(tables.values, at, cell)
        n_phi = int(tables.values[region + Cell.N_PHI])
        column = (cell - int(tables.values[region + Cell.FIRST])) % n_phi
        eta = cell_polar(tables.values, region, cell, 0.5)
        assert find_cell(tables.values, at, eta, (column + 0.5) * 2 * math.pi / n_phi) == cell


def test_cells_uniform_in_theta_are_equal_angles(gun) -> None:
    card = load_card("idea")
    regions = [{"theta_degrees": (10, 90), "cells": {"polar": 80, "phi": 360},
                "stochastic": 0.1, "constant": 0.01, "noise": 0.0}]  # fmt: skip
    ecal = type(card.ecal).model_validate(
        {"min_energy": 0.1, "min_significance": 0, "position": "centre", "regions": regions}
    )
    found = simulate(gun(22, 50.0, 0.7, 300), card.model_copy(update={"ecal": ecal}), 1)
    momentum = found["ReconstructedParticles"].momentum
    theta = np.degrees(np.arctan2(np.hypot(momentum.x, momentum.y), momentum.z))
    assert theta == pytest.approx(math.floor(math.degrees(0.7)) + 0.5, abs=1e-4)
    assert response.cell_size(card.model_copy(update={"ecal": ecal}), "ecal", 0.7) == pytest.approx(
        (math.radians(1), math.radians(1))
    )


def test_a_direction_outside_the_calorimeter_is_refused_by_the_formulas() -> None:
    with pytest.raises(InputError, match="misses the ecal"):
        response.sigma_energy(load_card("idea"), "ecal", 10.0, 0.01)
