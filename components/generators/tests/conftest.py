"""Configurations of Pythia that several tests share, small enough for a second each."""

import pytest

EE = {"Beams:idA": 11, "Beams:idB": -11}
TO_MUONS = {"23:onMode": "off", "23:onIfAny": 13}
PARTONS_ONLY = {
    "PartonLevel:ISR": False,
    "PartonLevel:FSR": False,
    "PartonLevel:MPI": False,
    "HadronLevel:all": False,
}
NO_ISR = {**PARTONS_ONLY, "PDF:lepton": False}

CONFIGURATIONS = {
    "zh": {**EE, **TO_MUONS, "HiggsSM:ffbar2HZ": True, "Beams:eCM": 240.0},
    "z_pole": {**EE, "WeakSingleBoson:ffbar2gmZ": True, "Beams:eCM": 91.188},
    "pp_soft": {"SoftQCD:nonDiffractive": True, "Beams:eCM": 13000.0},
    "pp_top": {"Top:gg2ttbar": True, "Top:qqbar2ttbar": True, "Beams:eCM": 13000.0},
}


@pytest.fixture(scope="session")
def configurations():
    return CONFIGURATIONS
