"""Step ``z_pole_observables``: what e+e- -> Z is measured by at the peak."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from fiducial.analysis.matching import RECO, TRUTH, count_by_event, sum_by_event
from fiducial.analysis.multiplicity import charged_multiplicity
from fiducial.analysis.pairs import best_pairs
from fiducial.analysis.thrust import thrust
from fiducial.core import device
from fiducial.edm import EventBatch
from fiducial.edm.steps import Consumer


class FinalState(IntEnum):
    """What the Z (or the photon that interferes with it) went to."""

    UNKNOWN = 0
    HADRONS = 1
    ELECTRONS = 2
    MUONS = 3
    TAUS = 4
    NEUTRINOS = 5


@njit
def final_state_kernel(
    i: int, offsets: Any, pdg: Any, px: Any, py: Any, pz: Any,
    parent_offsets: Any, parent_index: Any, final_state: Any, cos_theta: Any,
) -> None:  # fmt: skip
    """Class of event ``i`` and polar angle of the negative fermion.

    The fermion pair is the first that has a gamma*/Z (PDG 23) as its parent, before radiation.
    final_state  (n_events,) int64    out: a FinalState
    cos_theta    (n_events,) float64  out: cos(theta) of the fermion (not antifermion), else 0
    """
    first = offsets[i]
    final_state[i] = 0
    cos_theta[i] = 0.0
    for a in range(first, offsets[i + 1]):
        kind = abs(pdg[a])
        quark, lepton = 1 <= kind <= 6, 11 <= kind <= 16
        if not (quark or lepton) or parent_offsets[a + 1] == parent_offsets[a]:
            continue
        if pdg[first + parent_index[parent_offsets[a]]] != 23:
            continue
        if final_state[i] == 0:
            if quark:
                final_state[i] = 1
            elif kind % 2 == 0:
                final_state[i] = 5
            else:
                final_state[i] = 2 + (kind - 11) // 2
        if pdg[a] > 0:
            p = np.sqrt(px[a] ** 2 + py[a] ** 2 + pz[a] ** 2)
            cos_theta[i] = pz[a] / p if p > 0 else 0.0
            return


def final_states(particles: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """FinalState (n_events,) and cos(theta) of the fermion of an MCParticle collection."""
    events = len(particles.offsets) - 1
    state, cosine = np.zeros(events, np.int64), np.zeros(events)
    momentum, parents = particles.momentum, particles.parents
    device.launch(
        final_state_kernel, events, particles.offsets, particles.PDG,
        momentum.x, momentum.y, momentum.z, parents.offsets, parents.index, state, cosine,
    )  # fmt: skip
    return state, cosine


class ZPoleObservables(Consumer):
    """Event shapes, multiplicity, final state and di-muon mass.

    Table ``events``, a row an event:
      final_state      see FinalState (1 hadrons, 2 e, 3 mu, 4 tau, 5 neutrinos, 0 unknown)
      cos_theta        of the negative lepton or the quark, before radiation
      thrust, one_minus_thrust   of all generated final particles, neutrinos included
      n_charged        generated, by the LEP convention; n_charged_reco  reconstructed
      n_muons, has_pair, dimuon_mass [GeV]   reconstructed pair nearest ``mass``
      visible_energy [GeV]
    """

    summary: ClassVar[str] = "thrust, multiplicity, final state and di-muon mass at the Z peak"

    mass: float = Field(default=91.188, gt=0, description="mass that the pair should have [GeV]")
    min_muon_momentum: float = Field(default=20.0, ge=0)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (TRUTH, RECO)

    def consume(self, batch: EventBatch) -> Mapping[str, Mapping[str, Any]]:
        truth, reco = batch[TRUTH], batch[RECO]
        state, cosine = final_states(truth)
        final = np.asarray(truth.generatorStatus) == 1
        counts = count_by_event(truth.offsets, final)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        momentum = truth.momentum
        value, _ = thrust(offsets, momentum.x[final], momentum.y[final], momentum.z[final])
        pairs = best_pairs(reco, self.mass, self.min_muon_momentum)
        return {
            "events": {
                "final_state": state,
                "cos_theta": cosine,
                "thrust": value,
                "one_minus_thrust": 1.0 - value,
                "n_charged": charged_multiplicity(truth),
                "n_charged_reco": count_by_event(reco.offsets, np.asarray(reco.charge) != 0),
                "n_muons": pairs.muons,
                "has_pair": pairs.found,
                "dimuon_mass": pairs.mass,
                "visible_energy": sum_by_event(reco.offsets, reco.energy),
            }
        }
