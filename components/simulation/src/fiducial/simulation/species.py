# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False
"""The classes of particles that a detector tells apart, and the class of each PDG code.

A card speaks of classes, never of single codes: what ionises like an electron, what showers
like a photon, what leaves nothing. Classification uses the PDG code and the charge of the
record. Neglects: stable charged particles beyond the Standard Model have no class of their own
and count as charged hadrons (as in Delphes' ParticlePropagator); neutral ones are invisible.
PDG numbering scheme: PDG 2024, section 45.
"""

from __future__ import annotations

from enum import IntEnum

from numba import njit

__all__ = ["MASS", "Species", "always_charged", "classify"]


class Species(IntEnum):
    """Index of a class in every table of a card. The names are the card's keys."""

    electron = 0
    muon = 1
    charged_hadron = 2
    photon = 3
    neutral_hadron = 4
    K0L = 5
    K0S = 6
    Lambda = 7
    invisible = 8


# plain integers: kernels take them as compile-time constants
_ELECTRON = int(Species.electron)
_MUON = int(Species.muon)
_CHARGED_HADRON = int(Species.charged_hadron)
_PHOTON = int(Species.photon)
_NEUTRAL_HADRON = int(Species.neutral_hadron)
_K0L = int(Species.K0L)
_K0S = int(Species.K0S)
_LAMBDA = int(Species.Lambda)
_INVISIBLE = int(Species.invisible)

# [GeV] mass hypothesis of a track identified as electron, muon, charged hadron (a pion): PDG 2024
MASS = (0.51099895e-3, 0.1056583755, 0.13957039)


@njit
def classify(pdg, charge):
    """Class of a particle: an index of `Species`.

    pdg     PDG code
    charge  [e]
    """
    code = abs(pdg)
    if code == 11:
        return _ELECTRON
    if code == 13:
        return _MUON
    if code == 22 or code == 111:
        return _PHOTON
    if charge != 0.0:
        return _CHARGED_HADRON
    if code == 130:
        return _K0L
    if code == 310:
        return _K0S
    if code == 3122:
        return _LAMBDA
    if 100 < code < 1_000_000 or code > 1_000_000_000:
        return _NEUTRAL_HADRON
    return _INVISIBLE


@njit
def always_charged(pdg):
    """Whether a PDG code is one of the common charged particles: e, mu, pi, K, p, deuteron."""
    code = abs(pdg)
    return (
        code == 11
        or code == 13
        or code == 211
        or code == 321
        or code == 2212
        or code == 1_000_010_020
    )
