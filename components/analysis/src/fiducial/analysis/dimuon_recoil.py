"""Step ``dimuon_recoil``: the di-muon pair of e+e- -> ZH and the mass that recoils against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from fiducial.analysis.matching import (
    LINKS,
    RECO,
    TRUTH,
    count_by_event,
    linked_truth,
    sum_by_event,
)
from fiducial.analysis.multiplicity import charged_multiplicity
from fiducial.analysis.pairs import best_pairs
from fiducial.edm import EventBatch
from fiducial.edm.steps import Consumer


class DimuonRecoil(Consumer):
    """Selects the mu+ mu- pair nearest the Z mass and computes the recoil mass at ``sqrt_s``.

    Table ``events``, a row an event; masses and momenta in GeV, 0 where there is no pair:
      n_muons, has_pair, pass_mass, pass_pt, pass_recoil, selected (all passed)
      dimuon_mass, dimuon_pt, recoil_mass
      visible_energy   sum of all reconstructed energies
      n_charged        generated, by the LEP convention; n_charged_reco  reconstructed
    Table ``muons``, a row a reconstructed muon that is linked to a generated one:
      p, pt, theta     of the generated muon
      log_pt_ratio     ln(pt measured / generated)
      delta_phi, delta_theta [rad]
    """

    summary: ClassVar[str] = "di-muon pair nearest the Z mass, recoil mass, muon resolution"

    sqrt_s: float = Field(gt=0, description="centre-of-mass energy [GeV]")
    mass: float = Field(default=91.188, gt=0, description="mass that the pair should have [GeV]")
    mass_window: tuple[float, float] = (86.0, 96.0)
    pt_window: tuple[float, float] = (20.0, 70.0)
    recoil_window: tuple[float, float] = (120.0, 140.0)
    min_muon_momentum: float = Field(default=10.0, ge=0)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (TRUTH, RECO, LINKS)

    def consume(self, batch: EventBatch) -> Mapping[str, Mapping[str, Any]]:
        return {"events": self._events(batch), "muons": _muons(batch)}

    def _events(self, batch: EventBatch) -> dict[str, Any]:
        reco = batch[RECO]
        pairs = best_pairs(reco, self.mass, self.min_muon_momentum)
        mass, pt, recoil = pairs.mass, pairs.pt, pairs.recoil_mass(self.sqrt_s)
        found = pairs.found
        pass_mass = found & _inside(mass, self.mass_window)
        pass_pt = found & _inside(pt, self.pt_window)
        pass_recoil = found & _inside(recoil, self.recoil_window)
        return {
            "n_muons": pairs.muons,
            "has_pair": found,
            "pass_mass": pass_mass,
            "pass_pt": pass_pt,
            "pass_recoil": pass_recoil,
            "selected": pass_mass & pass_pt & pass_recoil,
            "dimuon_mass": mass,
            "dimuon_pt": pt,
            "recoil_mass": recoil,
            "visible_energy": sum_by_event(reco.offsets, reco.energy),
            "n_charged": charged_multiplicity(batch[TRUTH]),
            "n_charged_reco": count_by_event(reco.offsets, np.asarray(reco.charge) != 0),
        }


def _inside(values: Any, window: tuple[float, float]) -> Any:
    return (values >= window[0]) & (values < window[1])


def _muons(batch: EventBatch) -> dict[str, Any]:
    reco, truth = batch[RECO], batch[TRUTH]
    partner = linked_truth(batch)
    chosen = (np.abs(reco.PDG) == 13) & (partner >= 0)
    chosen[chosen] = np.abs(truth.PDG[partner[chosen]]) == 13
    target = partner[chosen]
    x, y, z = (
        np.asarray(c)[target] for c in (truth.momentum.x, truth.momentum.y, truth.momentum.z)
    )
    rx, ry, rz = (
        np.asarray(c, dtype=np.float64)[chosen]
        for c in (reco.momentum.x, reco.momentum.y, reco.momentum.z)
    )
    return residuals(x, y, z, rx, ry, rz)


def residuals(x: Any, y: Any, z: Any, rx: Any, ry: Any, rz: Any) -> dict[str, Any]:
    """Measured minus true: ln(pt ratio), phi (wrapped) and theta, with the true p, pt, theta."""
    pt, measured_pt = np.hypot(x, y), np.hypot(rx, ry)
    turn = np.arctan2(ry, rx) - np.arctan2(y, x)
    return {
        "p": np.hypot(pt, z),
        "pt": pt,
        "theta": np.arctan2(pt, z),
        "log_pt_ratio": np.log(measured_pt / pt),
        "delta_phi": (turn + np.pi) % (2 * np.pi) - np.pi,
        "delta_theta": np.arctan2(measured_pt, rz) - np.arctan2(pt, z),
    }
