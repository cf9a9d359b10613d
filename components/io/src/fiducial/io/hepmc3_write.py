"""Write MCParticles as HepMC3 ASCII, through pyhepmc's columnar HEPEVT entry.

Energies follow from momentum and mass (spacelike particles carry a negative mass); the time of
a vertex is written as c t in mm. Weights are the header's ``weight``, then its ``weights``. With
GeneratorTrials in the batch each event carries the cross-section as it is known up to it.

Neglected: what HepMC3 has no place for (helicity, simulatorStatus, endpoints without daughters)
and colour flow, which the data model lacks.
"""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
import pyhepmc
from pyhepmc.io import WriterAscii

from fiducial.core.constants import c
from fiducial.core.errors import EnvironmentProblem, InputError
from fiducial.edm.batch import EventBatch
from fiducial.edm.generated import (
    EventHeaderCollection,
    GeneratorTrialsCollection,
    MCParticleCollection,
)
from fiducial.io.hepmc3_graph import hepevt_order
from fiducial.io.staged_writer import StagedWriter

__all__ = ["FOOTER", "HepMC3Writer"]

FOOTER = b"HepMC::Asciiv3-END_EVENT_LISTING"


class HepMC3Writer(StagedWriter):
    """A growing HepMC3 file."""

    def __init__(self, path: str | os.PathLike[str], particles: str = "MCParticles") -> None:
        super().__init__(path)
        self._particles = particles
        self._run: Any = None
        self._writer: Any = None
        self._sums = np.zeros(3)  # trials, weight, weight squared

    def extend(self, batch: EventBatch) -> Self:
        """Append the events of a batch that holds EventHeader and MCParticles."""
        header = batch.get("EventHeader", EventHeaderCollection)
        particles = batch.get(self._particles, MCParticleCollection)
        columns = _columns(particles, self.path)
        origins = _origins(particles, self.path)
        objects = particles.offsets
        numbers = batch.event_numbers
        weights = header.vectors["weights"]
        sections = self._cross_sections(batch)
        for k in range(batch.n_events):
            values = [float(header.weight[k])]
            values += weights.values[weights.offsets[k] : weights.offsets[k + 1]].tolist()
            if self._writer is None:
                self._begin(len(values))
            elif len(values) != len(self._run.weight_names):
                raise InputError(
                    f"event {numbers[k]} has {len(values)} weights",
                    f"the events before it in {self.path} have {len(self._run.weight_names)}",
                )
            event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
            event.run_info = self._run
            rows = slice(objects[k], objects[k + 1])
            event.from_hepevt(
                int(numbers[k]), **{name: col[rows] for name, col in columns.items()}, fortran=False
            )
            if k in origins:
                event.particles[0].production_vertex.position = origins[k]
            event.weights = values
            if sections is not None:
                event.cross_section = _cross_section(*sections[k])
            self._writer.write_event(event)
        self.n_events += batch.n_events
        return self

    def _finish(self) -> None:
        if self._writer is None:
            self._begin(1)
        self._writer.close()
        self._refuse_incomplete()

    def _begin(self, n_weights: int) -> None:
        self._run = pyhepmc.GenRunInfo()
        self._run.weight_names = ["nominal", *(f"weight{k}" for k in range(1, n_weights))]
        self._writer = WriterAscii(str(self._staged), self._run)

    def _cross_sections(self, batch: EventBatch) -> Any:
        """Per event (value, error, accepted, attempted) in pb up to it; None without trials."""
        if "GeneratorTrials" not in batch:
            return None
        trials = batch.get("GeneratorTrials", GeneratorTrialsCollection)
        sums = np.stack([trials.trials, trials.weightSum, trials.weightSquaredSum], axis=1)
        running = self._sums + np.cumsum(sums.astype(np.float64), axis=0)
        if len(running):
            self._sums = running[-1]
        n, first, second = running.T
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = first / n
            error = np.sqrt(np.maximum(second / n - mean**2, 0.0) / n)
        accepted = self.n_events + 1 + np.arange(len(running))
        return list(zip(mean.tolist(), error.tolist(), accepted.tolist(), n.tolist(), strict=True))

    def _refuse_incomplete(self) -> None:
        """HepMC3 writes through a C++ stream that says nothing when the disk is full."""
        with self._staged.open("rb") as stream:
            stream.seek(-min(200, self._staged.stat().st_size), os.SEEK_END)
            tail = stream.read()
        if not tail.rstrip().endswith(FOOTER):
            raise EnvironmentProblem(
                f"cannot write {self.path}",
                "HepMC3 could not finish the file; the disk may be full",
                "free some space there, or choose another directory",
            )


def _columns(particles: MCParticleCollection, path: object) -> dict[str, Any]:
    """The arguments of ``from_hepevt`` for all events, in an order that HepMC3 can write."""
    parents = particles.parents
    order, ranges, cycle = hepevt_order(particles.offsets, parents.offsets, parents.index)
    if cycle >= 0:
        raise InputError(
            f"event {cycle} of the batch cannot be written to {path}",
            "a particle is its own ancestor",
            "check the parents of its particles",
        )
    rows = order + particles.offsets[particles.events]
    p, m = particles.momentum, particles.mass
    energy = np.sqrt(np.maximum(p.x**2 + p.y**2 + p.z**2 + m * np.abs(m), 0.0))
    vertex = particles.vertex
    columns = {
        "px": p.x, "py": p.y, "pz": p.z, "en": energy, "m": m,
        "pid": particles.PDG, "status": particles.generatorStatus,
        "vx": vertex.x, "vy": vertex.y, "vz": vertex.z,
        "vt": particles.time.astype(np.float64) * c,
    }  # fmt: skip
    return {name: column[rows] for name, column in columns.items()} | {"parents": ranges}


def _origins(particles: MCParticleCollection, path: object) -> dict[int, tuple[float, ...]]:
    """Where the particles without parents begin, (x, y, z, ct) by event, if not at the origin.

    HepMC3 has one such place an event.
    """
    rows = np.flatnonzero(particles.parents.counts == 0)
    vertex, time = particles.vertex, particles.time.astype(np.float64) * c
    places = np.stack([vertex.x[rows], vertex.y[rows], vertex.z[rows], time[rows]], axis=1)
    events, first = np.unique(particles.events[rows], return_index=True)
    of_event = np.searchsorted(events, particles.events[rows])
    differ = np.flatnonzero((places != places[first][of_event]).any(axis=1))
    if len(differ):
        raise InputError(
            f"event {particles.events[rows[differ[0]]]} of the batch cannot be written to {path}",
            "its particles without parents begin at different places; HepMC3 has one an event",
            "write an event file instead, or give them a common vertex",
        )
    return {
        int(event): tuple(place.tolist())
        for event, place in zip(events, places[first], strict=True)
        if place.any()
    }


def _cross_section(value: float, error: float, accepted: int, attempted: float) -> Any:
    section = pyhepmc.GenCrossSection()
    section.set_cross_section(value, error, int(accepted), int(attempted))
    return section
