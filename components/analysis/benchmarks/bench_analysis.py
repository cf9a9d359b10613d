"""Thrust and charged multiplicity of hadronic Z decays, against numpy and plain Python.

Both rivals give the same answers, which is checked first. The rival of thrust is the exact sum
over all pairs that span a plane, vectorised: what one writes with numpy.
"""

import itertools
import platform

import numpy as np

from fiducial.analysis.pairs import best_pairs
from fiducial.analysis.thrust import thrust
from fiducial.core.bench import Record, measure
from fiducial.edm import ReconstructedParticleCollection

RNG = np.random.default_rng(7)


def jet_events(events, mean=42.0):
    """Momenta of two back-to-back jets, the multiplicity of hadronic Z decays."""
    counts = RNG.poisson(mean, events)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    n = offsets[-1]
    along = RNG.exponential(2.0, n) * RNG.choice([-1.0, 1.0], n)
    return offsets, RNG.normal(0, 0.35, n), RNG.normal(0, 0.35, n), along


def thrust_of_pairs(p):
    """Exact thrust of one event (n, 3): every plane through two momenta, O(n^3)."""
    i, j = np.triu_indices(len(p), 1)
    normal = np.cross(p[i], p[j])
    sign = np.sign(p @ normal.T)
    sign[i, np.arange(len(i))] = 0
    sign[j, np.arange(len(i))] = 0
    rest = sign.T @ p
    best = 0.0
    for a in (1.0, -1.0):
        for b in (1.0, -1.0):
            best = max(best, ((rest + a * p[i] + b * p[j]) ** 2).sum(axis=1).max())
    return np.sqrt(best) / np.sqrt((p**2).sum(axis=1)).sum()


def muons(events):
    """Reconstructed events with two to four muons among other particles."""
    counts = RNG.integers(10, 40, events)
    n = int(counts.sum())
    pdg = RNG.choice([211, -211, 22, 13, -13], n, p=[0.35, 0.35, 0.2, 0.05, 0.05])
    p = RNG.normal(0, 20, (3, n)).astype(np.float32)
    energy = np.sqrt((p.astype(np.float64) ** 2).sum(axis=0) + 0.0112).astype(np.float32)
    return ReconstructedParticleCollection.build(
        counts=counts, PDG=pdg.astype(np.int32), energy=energy, momentum=tuple(p)
    )


def pair_masses_python(c, target):
    """The di-muon pair nearest the target, a plain loop over numpy scalars."""
    masses = np.zeros(len(c.offsets) - 1)
    x, y, z = c.momentum.x, c.momentum.y, c.momentum.z
    for k, (first, last) in enumerate(itertools.pairwise(c.offsets)):
        rows = [r for r in range(first, last) if abs(c.PDG[r]) == 13]
        best = np.inf
        for a, r in enumerate(rows):
            for s in rows[a + 1 :]:
                if c.PDG[r] != -c.PDG[s]:
                    continue
                e, px = float(c.energy[r]) + c.energy[s], float(x[r]) + x[s]
                py, pz = float(y[r]) + y[s], float(z[r]) + z[s]
                mass = np.sqrt(max(e * e - px * px - py * py - pz * pz, 0.0))
                if abs(mass - target) < best:
                    best, masses[k] = abs(mass - target), mass
    return masses


def benchmarks() -> list[Record]:
    """Events a second, on one thread."""
    events = 300
    offsets, px, py, pz = jet_events(events)
    p = np.stack([px, py, pz], axis=1)

    def naive():
        return [thrust_of_pairs(p[a:b]) for a, b in itertools.pairwise(offsets)]

    assert np.allclose(thrust(offsets, px, py, pz)[0], naive(), rtol=0, atol=1e-12)
    reco = muons(5000)
    assert np.allclose(
        best_pairs(reco, 91.2).mass, pair_masses_python(reco, 91.2), rtol=1e-5, atol=1e-4
    )
    return [
        measure(
            name="thrust", input=f"{events} events of 42 particles", unit="events/s",
            amount=events, ours=lambda: thrust(offsets, px, py, pz, threads=1), rival=naive,
            rival_name="exact O(n^3) in vectorised numpy", rival_version=np.__version__, repeats=5,
        ),
        measure(
            name="di-muon pairs", input="5000 events", unit="events/s", amount=5000,
            ours=lambda: best_pairs(reco, 91.2), rival=lambda: pair_masses_python(reco, 91.2),
            rival_name="plain Python loop", rival_version=platform.python_version(), repeats=5,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    for r in benchmarks():
        print(f"{r['name']:26} {r['ours']:12.4g} {r['unit']}, {r['ratio']:.2f} x {r['rival_name']}")
