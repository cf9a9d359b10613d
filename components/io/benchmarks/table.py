"""A table of events as analyses have them: 9 flat and 11 jagged columns, nanoAOD-like values."""

from typing import Any

import numpy as np


def _rounded(values: Any) -> Any:
    """float32 with few bits behind the point, as analysis formats store them."""
    return (np.round(values * 1024) / 1024).astype(np.float32)


def columns(n: int) -> dict[str, tuple[Any, Any]]:
    """Values of ``n`` events by name, with the number of entries an event; None if flat."""
    rng = np.random.default_rng(1)
    pi = np.pi
    flat = {
        "run": np.full(n, 362439, np.uint32),
        "luminosityBlock": (np.arange(n) // 500).astype(np.uint32),
        "event": np.cumsum(rng.integers(1, 9, n)).astype(np.uint64),
        "PV_npvs": rng.poisson(35, n).astype(np.int32),
        "MET_pt": _rounded(rng.exponential(30, n)),
        "MET_phi": _rounded(rng.uniform(-pi, pi, n)),
        "genWeight": _rounded(rng.normal(1, 0.1, n)),
        "HLT_IsoMu24": rng.random(n) < 0.3,
        "HLT_Ele32": rng.random(n) < 0.2,
    }
    muons, jets = rng.poisson(1.2, n), rng.poisson(5, n)
    m, j = int(muons.sum()), int(jets.sum())
    of_muons = {
        "Muon_pt": _rounded(5 + rng.exponential(20, m)),
        "Muon_eta": _rounded(rng.uniform(-2.4, 2.4, m)),
        "Muon_phi": _rounded(rng.uniform(-pi, pi, m)),
        "Muon_charge": (2 * rng.integers(0, 2, m) - 1).astype(np.int32),
        "Muon_iso": _rounded(rng.exponential(0.1, m)),
    }
    of_jets = {
        "Jet_pt": _rounded(15 + rng.exponential(30, j)),
        "Jet_eta": _rounded(rng.normal(0, 2, j)),
        "Jet_phi": _rounded(rng.uniform(-pi, pi, j)),
        "Jet_mass": _rounded(rng.exponential(8, j)),
        "Jet_btag": _rounded(rng.random(j)),
        "Jet_jetId": rng.integers(0, 7, j).astype(np.int32),
    }
    return (
        {name: (column, None) for name, column in flat.items()}
        | {name: (column, muons) for name, column in of_muons.items()}
        | {name: (column, jets) for name, column in of_jets.items()}
    )
