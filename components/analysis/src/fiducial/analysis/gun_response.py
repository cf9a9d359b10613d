"""Step ``gun_response``: true against reconstructed, particle by particle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from fiducial.analysis.dimuon_recoil import residuals
from fiducial.analysis.matching import LINKS, RECO, TRUTH, best_reconstructed
from fiducial.edm import EventBatch
from fiducial.edm.steps import Consumer


class GunResponse(Consumer):
    """What the detector makes of each final particle of the generator.

    Table ``particles``, a row a final particle; what is measured is 0 where it was not found:
      pdg, energy, p, pt [GeV], theta, phi [rad]      true, at production
      found             it has a reconstructed particle of its kind of charge
      reco_pdg, reco_energy [GeV]                      as reconstructed
      same_pdg          found, and called what it is
      log_energy_ratio, log_pt_ratio                   ln(measured / true)
      delta_theta, delta_phi [rad]                     measured - true
    """

    summary: ClassVar[str] = "efficiency and resolution of single particles"

    @property
    def inputs(self) -> tuple[str, ...]:
        return (TRUTH, RECO, LINKS)

    def consume(self, batch: EventBatch) -> Mapping[str, Mapping[str, Any]]:
        truth, reco = batch[TRUTH], batch[RECO]
        rows = np.flatnonzero(np.asarray(truth.generatorStatus) == 1)
        partner = best_reconstructed(batch)[rows]
        true = truth.momentum
        x, y, z = (np.asarray(c)[rows] for c in (true.x, true.y, true.z))
        mass = np.asarray(truth.mass)[rows]
        energy = np.sqrt(x**2 + y**2 + z**2 + mass**2)
        found = partner >= 0
        charged = np.asarray(truth.charge)[rows] != 0
        found[found] = (np.asarray(reco.charge)[partner[found]] != 0) == charged[found]

        def measured(column: Any, missing: Any) -> Any:
            """The partner's value; where there is no partner, the one that gives no residual."""
            values = np.array(missing, dtype=np.float64)
            values[found] = np.asarray(column, dtype=np.float64)[partner[found]]
            return values

        momentum = reco.momentum
        table = residuals(
            x, y, z, measured(momentum.x, x), measured(momentum.y, y), measured(momentum.z, z)
        )
        reco_pdg = measured(reco.PDG, np.zeros(len(rows))).astype(np.int64)
        pdg = np.asarray(truth.PDG)[rows].astype(np.int64)
        return {
            "particles": {
                "pdg": pdg,
                "energy": energy,
                **table,
                "phi": np.arctan2(y, x),
                "found": found,
                "reco_pdg": reco_pdg,
                "same_pdg": found & (reco_pdg == pdg),
                "reco_energy": measured(reco.energy, np.zeros(len(rows))),
                "log_energy_ratio": np.log(measured(reco.energy, energy) / energy),
            }
        }
