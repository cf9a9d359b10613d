"""Thrust against brute force over all partitions, and against events whose thrust is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.analysis.thrust import thrust, thrust_kernel
from fiducial.core.device import launch, to_device, to_host

RNG = np.random.default_rng(20260101)


def brute_force(p: np.ndarray) -> float:
    """Largest |sum of +-p| / sum |p| over all sign assignments."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(p))))
    sums = signs @ p
    return float(np.linalg.norm(sums, axis=1).max() / np.linalg.norm(p, axis=1).sum())


def one(p: np.ndarray) -> tuple[float, np.ndarray]:
    value, axis = thrust(np.array([0, len(p)]), *p.T)
    return float(value[0]), axis[0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 9, 12])
def test_thrust_is_the_best_of_all_partitions(n):
    for _ in range(20):
        p = RNG.normal(size=(n, 3)) * RNG.exponential(size=(n, 1))
        assert one(p)[0] == pytest.approx(brute_force(p), abs=1e-13)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 3).filter(any), min_size=1, max_size=8))
def test_thrust_is_exact_for_momenta_that_share_lines_and_planes(momenta):
    p = np.array(momenta, dtype=np.float64)
    assert one(p)[0] == pytest.approx(brute_force(p), abs=1e-13)


def test_axis_gives_the_thrust_and_points_up():
    for n in (3, 20, 60):
        p = RNG.normal(size=(n, 3))
        value, axis = one(p)
        assert np.linalg.norm(axis) == pytest.approx(1, abs=1e-14)
        assert axis[2] >= 0
        assert np.abs(p @ axis).sum() / np.linalg.norm(p, axis=1).sum() == pytest.approx(
            value, abs=1e-13
        )


def test_back_to_back_particles_have_thrust_one():
    assert one(np.array([[0, 3.0, 4.0], [0, -3.0, -4.0]]))[0] == pytest.approx(1, abs=1e-15)


def test_three_equal_momenta_at_120_degrees_have_thrust_two_thirds():
    angles = np.array([0, 2, 4]) * np.pi / 3
    p = np.stack([np.cos(angles), np.sin(angles), np.zeros(3)], axis=1)
    assert one(p)[0] == pytest.approx(2 / 3, abs=1e-14)


def test_uniform_sphere_approaches_one_half():
    p = RNG.normal(size=(1500, 3))
    p /= np.linalg.norm(p, axis=1)[:, None]
    assert 0.5 < one(p)[0] < 0.55


def test_event_without_momentum_has_thrust_zero_and_its_neighbours_do_not_notice():
    p = RNG.normal(size=(10, 3))
    value, _ = thrust(np.array([0, 5, 5, 10]), *p.T)
    assert value[1] == 0
    assert value[0] == one(p[:5])[0]
    assert value[2] == one(p[5:])[0]


def test_rotation_and_scale_change_nothing():
    p = RNG.normal(size=(30, 3))
    rotation, _ = np.linalg.qr(RNG.normal(size=(3, 3)))
    assert one(7.5 * p @ rotation)[0] == pytest.approx(one(p)[0], abs=1e-13)


def test_kernel_gives_the_same_on_every_device(device):
    sizes = np.array([1, 2, 5, 9])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    p = RNG.normal(size=(offsets[-1], 3))
    n, events = len(p), len(sizes)
    outputs = [to_device(np.zeros(events), device) for _ in range(4)]
    columns = [np.ascontiguousarray(c) for c in p.T]
    scratch = [np.zeros(n), np.zeros(n, np.int64)]
    arrays = [to_device(a, device) for a in (offsets, *columns, *scratch)]
    launch(thrust_kernel, events, *arrays, *outputs, device=device)
    expected, _ = thrust(offsets, *p.T)
    assert np.allclose(to_host(outputs[0]), expected, rtol=0, atol=1e-12)
