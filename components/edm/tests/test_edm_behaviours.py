"""What particles can do, against formulas worked out another way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fiducial.core.errors import InputError
from fiducial.edm import (
    FourVectors,
    MCParticleCollection,
    ReconstructedParticleCollection,
    covariance,
)
from fiducial.edm.behaviours.mc_particle import GeneratorStatus, SimulatorBit
from fiducial.edm.covariance import FourMomentumIndex

RNG = np.random.default_rng(11)
N = 200
MOMENTUM = tuple(RNG.normal(0, 20, (3, N)))
MASS = RNG.uniform(0, 5, N)


def particles() -> MCParticleCollection:
    return MCParticleCollection.build([N // 2, 0, N - N // 2], momentum=MOMENTUM, mass=MASS)


def test_kinematics_are_those_of_scalar_formulas() -> None:
    p = particles()
    for i in range(N):
        x, y, z = (float(c[i]) for c in MOMENTUM)
        r = math.sqrt(x * x + y * y + z * z)
        assert p.p[i] == pytest.approx(r, rel=1e-14)
        assert p.pt[i] == pytest.approx(math.hypot(x, y), rel=1e-14)
        assert p.theta[i] == pytest.approx(math.acos(z / r), rel=1e-9)
        assert p.phi[i] == pytest.approx(math.atan2(y, x), rel=1e-14)
        assert p.energy[i] == pytest.approx(math.sqrt(r * r + MASS[i] ** 2), rel=1e-14)
        assert p.p4.eta[i] == pytest.approx(-math.log(math.tan(math.acos(z / r) / 2)), rel=1e-9)


def test_the_mass_of_a_four_momentum_is_the_particles_mass() -> None:
    p4 = particles().p4
    np.testing.assert_allclose(p4.mass, MASS, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(p4.pt, particles().pt)
    np.testing.assert_allclose(p4.theta, particles().theta)
    np.testing.assert_allclose(p4.phi, particles().phi)


def test_a_light_fast_particle_keeps_its_mass() -> None:
    """Double precision keeps the muon's mass at 1 TeV."""
    muon = MCParticleCollection.build([1], momentum=(0, 0, 1e3), mass=0.1056583755).p4
    assert muon.mass[0] == pytest.approx(0.1056583755, rel=1e-4)


def test_spacelike_masses_are_negative() -> None:
    p4 = FourVectors(np.array([3.0]), np.array([0.0]), np.array([4.0]), np.array([4.0]))
    assert p4.mass.tolist() == [-3.0] and p4.mass_squared.tolist() == [-9.0]


def test_four_momenta_add_and_subtract() -> None:
    """A recoil: the beams' momentum less a pair's is the rest's."""
    p4 = particles().p4
    a, b = p4[: N // 2], p4[N // 2 :]
    both = a + b
    np.testing.assert_allclose(both.energy, a.energy + b.energy)
    back = both - b
    for name in ("px", "py", "pz", "energy"):
        np.testing.assert_allclose(getattr(back, name), getattr(a, name), atol=1e-9)
    assert len(both) == N // 2 and (both.mass >= a.mass + b.mass - 1e-6).all()


def test_reconstructed_four_momenta_are_the_measured_ones() -> None:
    reco = ReconstructedParticleCollection.build(
        [2],
        momentum=(np.array([3, 0]), np.array([0, 1]), np.array([4, 0])),
        energy=[6.0, 1.0],
        mass=9.0,
    )
    p4 = reco.p4
    assert p4.px.dtype == p4.energy.dtype == np.float64
    assert p4.mass.tolist() == pytest.approx([math.sqrt(11), 0.0])


def test_sums_of_an_event_do_not_depend_on_the_batch() -> None:
    p = particles()
    values = RNG.normal(0, 1e8, N) + RNG.normal(0, 1e-8, N)
    sums = p.sum_by_event(values)
    assert sums.shape == (3,) and sums[1] == 0.0
    for i in range(3):
        part = slice(p.offsets[i], p.offsets[i + 1])
        total = 0.0
        for value in values[part]:
            total += value
        assert sums[i] == total  # bit for bit: added in order
        assert p.select_events([i]).sum_by_event(values[part])[0] == total
    with pytest.raises(InputError, match="2 values"):
        p.sum_by_event(np.zeros(2))


def test_charges_add_up() -> None:
    p = MCParticleCollection.build(
        [3, 0, 2], charge=[1, -1, 1, 2, 2], generatorStatus=[1, 1, 2, 1, 1]
    )
    assert p.total_charge().tolist() == [1.0, 0.0, 4.0]
    assert p.is_final.tolist() == [True, True, False, True, True]
    assert p.total_charge(p.is_final).tolist() == [0.0, 0.0, 4.0]
    assert GeneratorStatus.FINAL == 1


def test_simulator_bits_are_read() -> None:
    status = (1 << SimulatorBit.STOPPED) | (1 << SimulatorBit.CREATED_IN_SIMULATION)
    p = MCParticleCollection.build([2], simulatorStatus=[status, -(2**31)])
    assert p.has_bit(SimulatorBit.STOPPED).tolist() == [True, False]
    assert p.has_bit(SimulatorBit.CREATED_IN_SIMULATION).tolist() == [True, False]
    assert p.has_bit(SimulatorBit.OVERLAY).tolist() == [False, False]


@pytest.mark.parametrize("d", [1, 2, 3, 4, 6])
def test_covariances_pack_and_unpack(d: int) -> None:
    root = RNG.normal(size=(7, d, d))
    matrices = root @ root.transpose(0, 2, 1)
    packed = covariance.pack(matrices)
    assert packed.shape == (7, d * (d + 1) // 2) and covariance.dimension(packed.shape[1]) == d
    np.testing.assert_array_equal(covariance.unpack(packed), matrices)
    for i in range(d):
        for j in range(d):
            np.testing.assert_array_equal(covariance.element(packed, i, j), matrices[:, i, j])


def test_a_covariance_element_is_a_view() -> None:
    reco = ReconstructedParticleCollection.build(
        [1], covMatrix=np.arange(10, dtype=np.float32)[None]
    )
    energy = FourMomentumIndex.ENERGY
    assert reco.covariance(energy, energy).tolist() == [9.0]
    assert reco.covariance(FourMomentumIndex.PX, FourMomentumIndex.PZ).tolist() == [3.0]
    assert np.shares_memory(reco.covariance(1, 0), reco.covMatrix)
    assert reco.covariance_matrix()[0].tolist() == [
        [0, 1, 3, 6], [1, 2, 4, 7], [3, 4, 5, 8], [6, 7, 8, 9],
    ]  # fmt: skip


def test_elements_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"no element \(4, 0\) in a 4 x 4"):
        covariance.element(np.zeros((1, 10)), 4, 0)
    with pytest.raises(InputError, match="no triangle"):
        covariance.unpack(np.zeros((1, 9)))
