"""The events that the benchmarks write and read: e+e- -> ZH at 240 GeV from Pythia 8."""

from functools import cache

import numpy as np

from fiducial.edm import EventBatch
from fiducial.generators.pythia import Pythia8

SETTINGS = [
    "Beams:idA = 11", "Beams:idB = -11", "Beams:eCM = 240.", "HiggsSM:ffbar2HZ = on",
    "23:onMode = off", "23:onIfAny = 13",
]  # fmt: skip


@cache
def zh_events(n: int, copies: int = 1) -> EventBatch:
    """``n`` different events, each ``copies`` times, with a little noise on the momenta.

    The noise keeps the compressor from seeing the copies.
    """
    batch = Pythia8(settings=SETTINGS).produce(0, n, seed=1)
    rng = np.random.default_rng(1)
    parts = []
    for _ in range(copies):
        particles = batch["MCParticles"]
        factor = 1 + 1e-6 * rng.standard_normal(len(particles))
        momentum = tuple(getattr(particles.momentum, axis) * factor for axis in "xyz")
        parts.append(batch.with_collections({"MCParticles": particles.replace(momentum=momentum)}))
    return EventBatch.concatenate(parts)
