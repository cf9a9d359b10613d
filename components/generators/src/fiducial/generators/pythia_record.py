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
from fiducial.core.device import launch
from fiducial.core.errors import InternalError
from fiducial.edm import MCParticleCollection, collection_id
from fiducial.generators.pythia_family import count_parents, fill_family

__all__ = ["PythiaRecord", "mc_particles"]

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


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
    lines = record.offsets
    n_events = len(lines) - 1
    keep = np.ones(len(record.pdg), dtype=bool)
    keep[lines[:-1]] = False
    n = len(record.pdg) - n_events

    for mother in (record.mother1, record.mother2):
        if n_events and (np.maximum.reduceat(mother, lines[:-1]) >= np.diff(lines)).any():
            raise InternalError("Pythia's record names a mother beyond its last line")
    mothers = (record.status, record.mother1, record.mother2)
    counts = np.empty(n, dtype=np.int64)
    launch(count_parents, n_events, lines, *mothers, counts, threads=1)
    starts = np.concatenate(([0], np.cumsum(counts)))
    parents, daughters = np.empty((2, starts[-1]), dtype=np.int32)
    daughter_counts = np.zeros(n, dtype=np.int64)
    first_daughter, scratch = np.empty((2, n), dtype=np.int64)
    status = np.empty(n, dtype=np.int32)
    family = (starts, parents, daughter_counts, daughters, first_daughter, scratch, status)
    in_lines = (lines, record.pdg, *mothers, record.is_hadron)
    launch(fill_family, n_events, *in_lines, *family, threads=1)

    ended = np.flatnonzero(first_daughter >= 0)
    vertex = tuple(coordinate[keep] for coordinate in (record.x, record.y, record.z))
    identity = np.uint32(collection_id(name))
    return MCParticleCollection.build(
        offsets=lines - np.arange(n_events + 1),
        PDG=record.pdg[keep],
        generatorStatus=status,
        charge=record.charge[keep],
        time=(record.t[keep] / constants.c).astype(np.float32),
        mass=record.mass[keep],
        vertex=vertex,
        endpoint=tuple(_endpoint(v, ended, first_daughter[ended]) for v in vertex),
        momentum=(record.px[keep], record.py[keep], record.pz[keep]),
        helicity=np.rint(record.polarisation[keep]).astype(np.int32),
        parents=(counts, parents, identity),
        daughters=(daughter_counts, daughters, identity),
    )


def _endpoint(coordinate: Floats, ended: Ints, first_daughter: Ints) -> Floats:
    end = np.zeros_like(coordinate)
    end[ended] = coordinate[first_daughter]
    return end
