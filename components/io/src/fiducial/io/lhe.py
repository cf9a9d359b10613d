"""Les Houches event files: the hard process of generated events, through pylhe.

Written are the incoming particles of the hard process (generatorStatus 21, as Pythia numbers
it) and their direct daughters as outgoing: momenta balance, and a shower may begin there. Read
back, incoming particles have status 21, intermediate ones 22, outgoing ones 1.

The data model has no colour, so colour lines are written as 0: processes with coloured legs
can be read for kinematics, but not showered. Scale and couplings are 0 (unknown).

J. Alwall et al., "A standard format for Les Houches event files", Comput. Phys. Commun. 176
(2007) 300, hep-ph/0609017.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pylhe

from fiducial.core.errors import InputError
from fiducial.core.files import write_atomically
from fiducial.edm.batch import EventBatch
from fiducial.edm.generated import EventHeaderCollection, MCParticleCollection
from fiducial.io.charges import charges_of
from fiducial.io.damage import reading

__all__ = ["read_lhe", "write_lhe"]

KIND = "a Les Houches event file"
INCOMING, INTERMEDIATE, OUTGOING, BEAM = 21, 22, 1, 4
_STATUS = {-1: INCOMING, 1: OUTGOING, 2: INTERMEDIATE, 3: INTERMEDIATE, -2: INTERMEDIATE}

# 17 digits give doubles back exactly; pylhe's own formats keep 9.
_FORMAT = pylhe.LHEXMLFormat(
    particle="{id:5d} {status:3d} {mother1:3d} {mother2:3d} {color1:3d} {color2:3d} "
    "{px: 24.16e} {py: 24.16e} {pz: 24.16e} {e: 24.16e} {m: 24.16e} {lifetime: 10.4e} "
    "{spin: 10.4e}",
    eventinfo="{nparticles:3d} {pid:6d} {weight: 24.16e} {scale: 15.10e} {aqed: 15.10e} "
    "{aqcd: 15.10e}",
)


def write_lhe(
    path: str | os.PathLike[str], batches: EventBatch | Sequence[EventBatch], process: int = 1
) -> None:
    """Write the hard processes of all events.

    batches  events with EventHeader and MCParticles; GeneratorTrials gives the cross-section
    process  the number of the process in the file

    Raises InputError for an event without a hard process (status 21).
    """
    parts = [batches] if isinstance(batches, EventBatch) else list(batches)
    if not parts or not sum(part.n_events for part in parts):
        raise InputError(f"nothing to write to {path}", "there is no event")
    init = _init(parts, process)

    def write(stream: Any) -> None:
        events = (event for part in parts for event in _events(part, process, path))
        file = pylhe.LHEFile(init=init, events=events)
        file.write(_Encoded(stream), lheformat=_FORMAT)
        stream.write(b"\n")

    write_atomically(path, write)


def read_lhe(
    path: str | os.PathLike[str], start: int | None = None, stop: int | None = None
) -> EventBatch:
    """Events ``start`` … ``stop - 1`` of a file; they are numbered by their place in it."""
    with reading(path, KIND), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # pylhe warns where a file breaks off
        file = pylhe.LHEFile.fromfile(str(path), with_attributes=False)
        events = list(file.events)
        first, last, _ = slice(start, stop).indices(len(events))
        return _batch(events[first : max(first, last)], first)


class _Encoded:
    """A binary stream that takes text."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return int(self._stream.write(text.encode()))


def _energies(particles: MCParticleCollection) -> Any:
    p, m = particles.momentum, particles.mass
    return np.sqrt(np.maximum(p.x**2 + p.y**2 + p.z**2 + m * np.abs(m), 0.0))


def _init(parts: list[EventBatch], process: int) -> Any:
    particles = next(part for part in parts if part.n_events).get(
        "MCParticles", MCParticleCollection
    )
    first = slice(0, int(particles.offsets[1]))
    status = particles.generatorStatus[first]
    beams = np.flatnonzero(status == BEAM)
    if len(beams) != 2:
        beams = np.flatnonzero(status == INCOMING)
    energy = _energies(particles)
    pairs = [(int(particles.PDG[k]), float(energy[k])) for k in beams[:2]]
    pairs += [(0, 0.0)] * (2 - len(pairs))
    sigma, error = _cross_section(parts)
    return pylhe.LHEInit(
        initInfo=pylhe.LHEInitInfo(
            beamA=pairs[0][0], beamB=pairs[1][0], energyA=pairs[0][1], energyB=pairs[1][1],
            PDFgroupA=0, PDFgroupB=0, PDFsetA=0, PDFsetB=0, weightingStrategy=3, numProcesses=1,
        ),
        procInfo=[pylhe.LHEProcInfo(xSection=sigma, error=error, unitWeight=1.0, procId=process)],
        generators=[],
    )  # fmt: skip


def _cross_section(parts: list[EventBatch]) -> tuple[float, float]:
    """In pb with its error, from GeneratorTrials; 0 without."""
    if any("GeneratorTrials" not in part for part in parts):
        return 0.0, 0.0
    trials = [part["GeneratorTrials"] for part in parts]
    n = sum(float(t.trials.sum()) for t in trials)
    mean = sum(float(t.weightSum.sum()) for t in trials) / n if n else 0.0
    square = sum(float(t.weightSquaredSum.sum()) for t in trials) / n if n else 0.0
    return mean, (max(square - mean**2, 0.0) / n) ** 0.5 if n else 0.0


def _events(batch: EventBatch, process: int, path: object) -> Iterator[Any]:
    particles = batch.get("MCParticles", MCParticleCollection)
    header = batch.get("EventHeader", EventHeaderCollection)
    energy, parents, numbers = _energies(particles), particles.parents, batch.event_numbers
    for event in range(batch.n_events):
        base, end = int(particles.offsets[event]), int(particles.offsets[event + 1])
        status = particles.generatorStatus[base:end]
        incoming = np.flatnonzero(status == INCOMING)
        is_incoming = set(incoming.tolist())
        outgoing = [
            k
            for k in range(end - base)
            if is_incoming.intersection(parents.of(base + k).tolist()) and k not in is_incoming
        ]
        if not len(incoming) or not outgoing:
            raise InputError(
                f"event {numbers[event]} cannot be written to {path}",
                f"it has no hard process: no particle of status {INCOMING} with daughters",
                "only events of generators that mark their hard process have one",
            )
        lines = [(k, -1, 0, 0) for k in incoming] + [(k, 1, 1, len(incoming)) for k in outgoing]
        yield pylhe.LHEEvent(
            eventinfo=pylhe.LHEEventInfo(
                nparticles=len(lines), pid=process, weight=float(header.weight[event]),
                scale=0.0, aqed=0.0, aqcd=0.0,
            ),
            particles=[
                pylhe.LHEParticle(
                    id=int(particles.PDG[base + k]), status=sign, mother1=one, mother2=two,
                    color1=0, color2=0, px=float(particles.momentum.x[base + k]),
                    py=float(particles.momentum.y[base + k]),
                    pz=float(particles.momentum.z[base + k]), e=float(energy[base + k]),
                    m=float(particles.mass[base + k]), lifetime=0.0,
                    spin=float(particles.helicity[base + k]),
                )
                for k, sign, one, two in lines
            ],
        )  # fmt: skip


def _batch(events: list[Any], first: int) -> EventBatch:
    lines = [p for event in events for p in event.particles]
    mothers = [_mothers(p, len(event.particles)) for event in events for p in event.particles]
    counts = np.array([len(event.particles) for event in events], dtype=np.int64)
    daughters: list[list[int]] = []
    at = 0
    for n in counts.tolist():
        below: list[list[int]] = [[] for _ in range(n)]
        for k in range(n):
            for mother in mothers[at + k]:
                below[mother].append(k)
        daughters += below
        at += n
    pdg = np.array([p.id for p in lines], dtype=np.int32)
    particles = MCParticleCollection.build(
        counts=counts,
        PDG=pdg,
        generatorStatus=np.array([_STATUS[int(p.status)] for p in lines], dtype=np.int32),
        charge=charges_of(pdg),
        mass=_floats(p.m for p in lines),
        momentum=tuple(_floats(getattr(p, k) for p in lines) for k in ("px", "py", "pz")),
        helicity=np.array([round(p.spin) for p in lines], dtype=np.int32),
        parents=_jagged(mothers),
        daughters=_jagged(daughters),
    )
    header = EventHeaderCollection.build(
        counts=np.ones(len(events), dtype=np.int64),
        eventNumber=np.arange(first, first + len(events)),
        weight=_floats(event.eventinfo.weight for event in events),
    )
    return EventBatch({"EventHeader": header, "MCParticles": particles}, len(events))


def _mothers(line: Any, n: int) -> list[int]:
    """Places of the mothers in the event; the two numbers of the file count from 1, 0 is none."""
    one, two = int(line.mother1), int(line.mother2)
    if not (0 <= one <= n and 0 <= two <= n):
        raise ValueError(f"mothers {one}, {two} among {n} particles")
    return sorted({k - 1 for k in (one, two) if k > 0})


def _floats(values: Any) -> Any:
    return np.fromiter(values, dtype=np.float64)


def _jagged(lists: list[list[int]]) -> tuple[Any, Any]:
    counts = np.array([len(entry) for entry in lists], dtype=np.int64)
    return counts, np.array([k for entry in lists for k in entry], dtype=np.int64)
