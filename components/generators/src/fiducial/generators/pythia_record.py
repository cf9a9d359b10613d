"""From Pythia's event records to MCParticles, many events at once.

The first line of a Pythia record stands for the system as a whole; it is dropped, and all
places move down by one. Parents follow from Pythia's mother pair by its own rule; daughters are
the inverse, so that the two agree by construction. Statuses are HepMC's: 1 final, 2 decayed
hadron, muon or tau, 4 beam, else the size of Pythia's. The end of a particle is where its first
daughter begins, the origin for a particle without daughters. Times go from mm/c to ns.

Neglected: colours, scales and proper lifetimes. Pythia 8.3 manual, "Particle Properties",
"Event Record"; HepMC status as Pythia's ``Particle::statusHepMC``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fiducial.core import constants
from fiducial.edm import MCParticleCollection, collection_id

__all__ = ["PythiaRecord", "mc_particles"]

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

_BEAM = 12
_MUON, _TAU = 13, 15


@dataclass(frozen=True)
class PythiaRecord:
    """Records of n_events events with n lines together, the system lines included.

    offsets                    (n_events + 1,) int64  the lines of each event
    pdg, status                (n,)  PDG code, Pythia's status
    mother1, mother2           (n,)  places in the event
    px, py, pz, mass           (n,)  [GeV]
    polarisation               (n,)  9 where unknown
    x, y, z, t                 (n,)  [mm, mm/c] production, 0 where not set
    charge                     (n,)  [e]
    is_hadron                  (n,)  bool
    """

    offsets: Ints
    pdg: Ints
    status: Ints
    mother1: Ints
    mother2: Ints
    px: Floats
    py: Floats
    pz: Floats
    mass: Floats
    polarisation: Floats
    x: Floats
    y: Floats
    z: Floats
    t: Floats
    charge: npt.NDArray[np.float32]
    is_hadron: npt.NDArray[np.bool_]


def mc_particles(record: PythiaRecord, name: str = "MCParticles") -> MCParticleCollection:
    """The record as a collection that its relations call ``name``."""
    n_events = len(record.offsets) - 1
    keep = np.ones(len(record.pdg), dtype=bool)
    keep[record.offsets[:-1]] = False
    offsets = record.offsets - np.arange(n_events + 1)
    first = np.repeat(offsets[:-1], np.diff(offsets))  # row of the event's first particle

    status = record.status[keep]
    counts, parents, children = _parents(status, record.mother1[keep], record.mother2[keep])
    parent_rows = parents + first[children]
    daughter_counts = np.bincount(parent_rows, minlength=len(status))
    daughter_rows = children[np.argsort(parent_rows, kind="stable")]
    has_daughters = daughter_counts > 0
    first_daughter = daughter_rows[(np.cumsum(daughter_counts) - daughter_counts)[has_daughters]]

    pdg, is_hadron = record.pdg[keep], record.is_hadron[keep]
    x, y, z = record.x[keep], record.y[keep], record.z[keep]
    identity = np.uint32(collection_id(name))
    return MCParticleCollection.build(
        offsets=offsets,
        PDG=pdg,
        generatorStatus=_hepmc_status(pdg, status, is_hadron, has_daughters, first_daughter),
        charge=record.charge[keep],
        time=(record.t[keep] / constants.c).astype(np.float32),
        mass=record.mass[keep],
        vertex=(x, y, z),
        endpoint=tuple(_endpoint(v, has_daughters, first_daughter) for v in (x, y, z)),
        momentum=(record.px[keep], record.py[keep], record.pz[keep]),
        helicity=np.rint(record.polarisation[keep]).astype(np.int32),
        parents=(counts, parents, identity),
        daughters=(daughter_counts, daughter_rows - first[daughter_rows], identity),
    )


def _parents(status: Ints, mother1: Ints, mother2: Ints) -> tuple[Ints, Ints, Ints]:
    """Number of parents of each particle (n,); the parents' places in their event and the rows of
    their children (m,). The arguments count the system line, the results do not.

    Pythia's rule: a mother pair (i, 0) or (i, i) is one mother; for products of hadronisation
    (status 81-89 and 101-106) it is a range; else two mothers. The system is no parent.
    """
    size = np.abs(status)
    is_range = ((size > 80) & (size < 90)) | ((size > 100) & (size < 107))
    one = (mother2 == 0) | (mother2 == mother1)
    low = np.where(is_range & ~one, mother1, np.minimum(mother1, mother2))
    low = np.where(one, mother1, low)
    counts = np.where(one, 1, np.where(is_range, mother2 - mother1 + 1, 2))
    step = np.where(one | is_range, 1, np.abs(mother2 - mother1))
    counts = np.where((mother1 > 0) & (low > 0), np.maximum(counts, 0), 0).astype(np.int64)
    children = np.repeat(np.arange(len(status)), counts)
    nth = np.arange(len(children)) - np.repeat(np.cumsum(counts) - counts, counts)
    parents = (low - 1)[children] + nth * step[children]
    return counts, parents, children


def _hepmc_status(
    pdg: Ints,
    status: Ints,
    is_hadron: npt.NDArray[np.bool_],
    has: npt.NDArray[np.bool_],
    daughter: Ints,
) -> Ints:
    """HepMC's generator status; ``daughter`` is the first daughter's row where ``has``."""
    result = np.where((status <= -11) & (status >= -200), -status, 0)
    decays = np.zeros(len(status), dtype=bool)
    how = np.abs(status[daughter])
    decays[has] = (how > 90) & (how < 95) & (pdg[daughter] != pdg[has])
    size = np.abs(pdg)
    decays &= is_hadron | (size == _MUON) | (size == _TAU)
    result[decays] = 2
    result[status == -_BEAM] = 4
    result[status > 0] = 1
    return result


def _endpoint(coordinate: Floats, has: npt.NDArray[np.bool_], first_daughter: Ints) -> Floats:
    end = np.zeros_like(coordinate)
    end[has] = coordinate[first_daughter]
    return end
