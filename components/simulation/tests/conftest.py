"""Batches of known particles for the tests of the fast simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fiducial.edm import EventBatch, EventHeaderCollection, MCParticleCollection

MASS = {11: 0.51099895e-3, 13: 0.1056583755, 22: 0.0, 211: 0.13957039, 130: 0.497611}
MASS |= {12: 0.0, 2112: 0.93956542, 2212: 0.93827209, 321: 0.493677, 310: 0.497611}
CHARGE = {11: -1, 13: -1, 211: 1, 2212: 1, 321: 1}


def build_batch(
    counts: Any, pdg: Any, p: Any, theta: Any, phi: Any, vertex: Any = None, first: int = 0
) -> EventBatch:
    """Final-state particles of given momentum [GeV] and direction [rad]; vertex (3, n) [mm]."""
    counts = np.asarray(counts)
    n = int(counts.sum())
    pdg, p, theta, phi = (np.broadcast_to(np.asarray(a), (n,)) for a in (pdg, p, theta, phi))
    mass = np.array([MASS[abs(int(code))] for code in pdg], dtype=np.float64)
    charge = [np.sign(code) * CHARGE.get(abs(int(code)), 0) for code in pdg]
    momentum = (
        p * np.sin(theta) * np.cos(phi),
        p * np.sin(theta) * np.sin(phi),
        p * np.cos(theta),
    )
    x, y, z = np.zeros((3, n)) if vertex is None else np.asarray(vertex, dtype=np.float64)
    header = EventHeaderCollection.build(
        counts=np.ones(len(counts), dtype=np.int64),
        eventNumber=np.arange(first, first + len(counts), dtype=np.uint64),
    )
    particles = MCParticleCollection.build(
        counts=counts,
        PDG=pdg.astype(np.int32),
        generatorStatus=1,
        charge=np.array(charge, dtype=np.float32),
        mass=mass,
        vertex=(x, y, z),
        momentum=momentum,
    )
    return EventBatch({"EventHeader": header, "MCParticles": particles})


@pytest.fixture(scope="session")
def gun() -> Callable[..., EventBatch]:
    """Particles of one kind, momentum and polar angle, all azimuths; one an event."""

    def shoot(pdg: int, p: float, theta: float, n: int, seed: int = 1) -> EventBatch:
        phi = np.random.default_rng(seed).uniform(-np.pi, np.pi, n)
        return build_batch(np.ones(n, dtype=np.int64), pdg, p, theta, phi)

    return shoot


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., EventBatch]:
    """`build_batch`, for tests that shape their own events."""
    return build_batch


@pytest.fixture(scope="session")
def jets() -> Callable[..., EventBatch]:
    """Events of many particles of all kinds, in a few narrow cones, some displaced."""

    def make(n_events: int, seed: int = 3, first: int = 0, per_event: int = 40) -> EventBatch:
        rng = np.random.default_rng(seed)
        counts = rng.integers(0, 2 * per_event, n_events)
        n = int(counts.sum())
        kinds = np.array([211, -211, 22, 22, 130, 11, -11, 13, -13, 321, -321, 2112, 12, 310])
        axis = np.repeat(rng.uniform(0.3, np.pi - 0.3, n_events), counts)
        turn = np.repeat(rng.uniform(-np.pi, np.pi, n_events), counts)
        theta = np.clip(axis + rng.normal(0, 0.15, n), 0.01, np.pi - 0.01)
        vertex = rng.normal(0, 1, (3, n)) * rng.exponential(0.05, n)
        vertex[:, rng.random(n) < 0.5] = 0.0
        return build_batch(
            counts,
            rng.choice(kinds, n),
            rng.exponential(4.0, n) + 0.02,
            theta,
            turn + rng.normal(0, 0.2, n),
            vertex,
            first,
        )

    return make
