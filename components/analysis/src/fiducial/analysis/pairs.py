"""The opposite-charge muon pair nearest a mass, event by event."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fiducial.core import device

Floats = NDArray[np.float64]


@njit
def pair_kernel(
    i: int, offsets: Any, pdg: Any, energy: Any, px: Any, py: Any, pz: Any,
    target: float, least_momentum: float,
    muons: Any, pair_e: Any, pair_x: Any, pair_y: Any, pair_z: Any,
) -> None:  # fmt: skip
    """Best mu+ mu- pair of event ``i``.

    offsets (n_events + 1,) int64; pdg (n,) int32; energy, px, py, pz (n,) float [GeV]
    target [GeV] mass that the pair should have; least_momentum [GeV] of each muon
    muons   (n_events,) int64    out: muons above least_momentum
    pair_*  (n_events,) float64  out: four-momentum [GeV], zero where there is no pair
    """
    best = math.inf
    count = 0
    first, last = offsets[i], offsets[i + 1]
    for a in range(first, last):
        if abs(pdg[a]) != 13 or px[a] ** 2 + py[a] ** 2 + pz[a] ** 2 < least_momentum**2:
            continue
        count += 1
        for b in range(a + 1, last):
            if pdg[b] != -pdg[a] or px[b] ** 2 + py[b] ** 2 + pz[b] ** 2 < least_momentum**2:
                continue
            e = np.float64(energy[a]) + energy[b]
            x, y, z = (
                np.float64(px[a]) + px[b],
                np.float64(py[a]) + py[b],
                np.float64(pz[a]) + pz[b],
            )
            distance = abs(math.sqrt(max(e * e - x * x - y * y - z * z, 0.0)) - target)
            if distance < best:
                best = distance
                pair_e[i], pair_x[i], pair_y[i], pair_z[i] = e, x, y, z
    muons[i] = count


@dataclass(frozen=True)
class Pairs:
    """One pair an event: muons (n_events,) and the pair's four-momentum [GeV], zero for none."""

    muons: NDArray[np.int64]
    energy: Floats
    px: Floats
    py: Floats
    pz: Floats

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which events have a pair."""
        return self.energy > 0.0

    @property
    def mass(self) -> Floats:
        """Invariant mass [GeV], 0 where there is no pair."""
        square = self.energy**2 - self.px**2 - self.py**2 - self.pz**2
        return np.sqrt(np.maximum(square, 0.0))

    @property
    def pt(self) -> Floats:
        """Transverse momentum [GeV]."""
        return np.hypot(self.px, self.py)

    def recoil_mass(self, sqrt_s: float) -> Floats:
        """Mass [GeV] of what recoils against the pair at rest energy ``sqrt_s``; 0 if imaginary."""
        square = (sqrt_s - self.energy) ** 2 - self.px**2 - self.py**2 - self.pz**2
        recoil = np.sqrt(np.maximum(square, 0.0))
        return np.where(self.found, recoil, 0.0)


def best_pairs(particles: Any, target: float, least_momentum: float = 0.0) -> Pairs:
    """The opposite-charge muon pair of each event whose mass is nearest ``target`` [GeV].

    particles  a ReconstructedParticle collection
    """
    events = len(particles.offsets) - 1
    muons = np.zeros(events, np.int64)
    pair = [np.zeros(events) for _ in range(4)]
    momentum = particles.momentum
    device.launch(
        pair_kernel, events, particles.offsets, particles.PDG, particles.energy,
        momentum.x, momentum.y, momentum.z, float(target), float(least_momentum), muons, *pair,
    )  # fmt: skip
    return Pairs(muons, *pair)
