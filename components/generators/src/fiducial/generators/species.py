"""Particle species by PDG code: mass, charge and name, from the ``particle`` package.

Masses and charges are the PDG's (the edition that the installed ``particle`` carries); neutrinos
count as massless. Only particles that can fly freely are given: no quarks, gluons or diquarks.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from particle import InvalidParticle, Particle, ParticleNotFound

from fiducial.core.errors import InputError
from fiducial.core.units import MeV

__all__ = ["FreeParticle", "free_particle"]

_NEUTRINOS = (12, 14, 16)
_COLOURED = (1, 2, 3, 4, 5, 6, 7, 8, 9, 21)


@dataclass(frozen=True)
class FreeParticle:
    """One species: PDG code, name, mass [GeV], charge [e]."""

    pdg: int
    name: str
    mass: float
    charge: float


@cache
def free_particle(pdg: int) -> FreeParticle:
    """The species of a PDG code; raises InputError with the nearest codes if there is none."""
    try:
        found = Particle.from_pdgid(pdg)
    except (ParticleNotFound, InvalidParticle):
        raise InputError(f"no particle has the PDG code {pdg}", None, _nearest(pdg)) from None
    if abs(pdg) in _COLOURED or found.pdgid.is_diquark:
        raise InputError(
            f"{pdg} ({found.name}) is not a free particle", None, "take a hadron or lepton"
        )
    if abs(pdg) in _NEUTRINOS:
        return FreeParticle(pdg, found.name, 0.0, 0.0)
    if found.mass is None or found.charge is None:
        raise InputError(f"the mass of {pdg} ({found.name}) is not known", None, "take another one")
    return FreeParticle(pdg, found.name, found.mass * MeV, float(found.charge))


def _nearest(pdg: int) -> str:
    known = {str(int(p.pdgid)): p.name for p in Particle.all()}
    looks = difflib.get_close_matches(str(pdg), known, n=3, cutoff=0.5)
    near = looks or sorted(known, key=lambda code: abs(int(code) - pdg))[:3]
    return "did you mean " + " or ".join(f"{code} ({known[code]})" for code in near) + "?"
