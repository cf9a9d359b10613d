"""Read HepMC3 ASCII (and HepMC2) into EventHeader and MCParticles, by pyhepmc.

Units become GeV and mm, times ns. Charges follow from the PDG numbering scheme, 0 for numbers
outside it. ``weight`` is the first weight, ``weights`` are the others. A particle ends where
its end vertex lies. A file whose end is missing, or of which pyhepmc cannot read an event, is
refused as a whole: no event is dropped silently.

Neglected: cross-sections, PDF information, heavy ions, attributes of particles.
"""

from __future__ import annotations

import io
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyhepmc
from pyhepmc.io import ReaderAscii, ReaderAsciiHepMC2, pyiostream

from fiducial.core.constants import c
from fiducial.edm.batch import EventBatch
from fiducial.edm.generated import EventHeaderCollection, MCParticleCollection
from fiducial.io.charges import charges_of
from fiducial.io.damage import DamagedFile, reading

__all__ = ["HepMC3File", "iterate_hepmc3", "read_hepmc3"]

KIND = "a HepMC3 file"
HINT = "make it again from its source; HepMC writes its last line when the file is closed"
_STARTS = {
    b"HepMC::Asciiv3-START_EVENT_LISTING": (ReaderAscii, b"HepMC::Asciiv3-END_EVENT_LISTING"),
    b"HepMC::IO_GenEvent-START_EVENT_LISTING": (
        ReaderAsciiHepMC2,
        b"HepMC::IO_GenEvent-END_EVENT_LISTING",
    ),
}

_UNIT_LINE = re.compile(rb"^U (.*)$", re.MULTILINE)
_PARENT = re.compile(rb"^P \d+ (-?\d+) ", re.MULTILINE)
_UNITS = {b"GEV MM", b"GEV CM", b"MEV MM", b"MEV CM"}
_QUIET = {"print_errors": False, "print_warnings": False, "debug_level": 0}

Array = npt.NDArray[Any]


class HepMC3File:
    """A HepMC3 file with the places of its events, so that any window can be read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with reading(path, KIND, HINT):
            with self.path.open("rb") as stream:
                if not self.path.stat().st_size:
                    raise DamagedFile(f"cannot read {path}", "the file is empty", HINT)
                self._text = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            self._reader, footer = self._format()
            end = self._text.rfind(footer)
            if end < 0 or self._text[end + len(footer) :].strip():
                raise DamagedFile(
                    f"cannot read {path}", f"it is cut off: {footer.decode()} is missing", HINT
                )
            self._starts = [*self._find_events(end), end]
            self._head = self._text[: self._starts[0]]
            self._footer = footer + b"\n"

    @property
    def n_events(self) -> int:
        return len(self._starts) - 1

    def read(self, start: int | None = None, stop: int | None = None) -> EventBatch:
        """Events ``start`` … ``stop - 1`` (places in the file, as in a slice)."""
        first, last, _ = slice(start, stop).indices(self.n_events)
        last = max(first, last)
        with reading(self.path, KIND, HINT):
            text = self._text[self._starts[first] : self._starts[last]]
            return _batch(list(self._events(self._head + text + self._footer, first, last)))

    def _events(self, text: bytes, first: int, last: int) -> Iterator[Any]:
        before = {name: getattr(pyhepmc.Setup, name) for name in _QUIET}
        for name, value in _QUIET.items():
            setattr(pyhepmc.Setup, name, value)
        try:
            with self._reader(pyiostream(io.BytesIO(text))) as reader:
                for number in range(first, last):
                    event = pyhepmc.GenEvent()
                    if reader.failed() or not reader.read_event(event) or reader.failed():
                        raise DamagedFile(
                            f"cannot read {self.path}", f"event {number} of the file is damaged",
                            HINT,
                        )  # fmt: skip
                    event.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
                    content = pyhepmc.GenEventData()
                    event.write_data(content)
                    self._refuse_incomplete(content, number)
                    yield event, content
        finally:
            for name, value in before.items():
                setattr(pyhepmc.Setup, name, value)

    def _refuse_incomplete(self, content: Any, number: int) -> None:
        """What HepMC3 reads over without a word: units, and vertices that do not exist.

        An event's first line says how many vertices and particles follow.
        """
        text = self._text[self._starts[number] : self._starts[number + 1]]
        if any(units not in _UNITS for units in _UNIT_LINE.findall(text)):
            raise DamagedFile(
                f"cannot read {self.path}", f"event {number} of the file has unknown units", HINT
            )
        if self._reader is not ReaderAscii:
            return
        first = text.split(b"\n", 1)[0].split()
        one, two = np.asarray(content.links1), np.asarray(content.links2)
        found = {
            "vertices": (len(content.vertices), int(first[2])),
            "particles": (len(content.particles), int(first[3])),
            "particles with a vertex": (
                int(((one < 0) & (two > 0)).sum()),
                sum(parent != b"0" for parent in _PARENT.findall(text)),
            ),
        }
        for what, (n, stated) in found.items():
            if n != stated:
                raise DamagedFile(
                    f"cannot read {self.path}",
                    f"event {number} of the file has {n} {what}, expected {stated}",
                    HINT,
                )

    def _format(self) -> tuple[Any, bytes]:
        head = self._text[:2000]
        for start, found in _STARTS.items():
            if start in head:
                return found
        raise DamagedFile(
            f"cannot read {self.path}",
            f"it is not {KIND}: no HepMC::Asciiv3-START_EVENT_LISTING at its beginning",
            "check the path",
        )

    def _find_events(self, end: int) -> list[int]:
        places, at = [], self._text.find(b"\nE ")
        while 0 <= at < end:
            places.append(at + 1)
            at = self._text.find(b"\nE ", at + 1)
        return places


def read_hepmc3(
    path: str | os.PathLike[str], start: int | None = None, stop: int | None = None
) -> EventBatch:
    """Events of a HepMC3 file as a batch of EventHeader and MCParticles."""
    return HepMC3File(path).read(start, stop)


def iterate_hepmc3(path: str | os.PathLike[str], step: int = 1000) -> Iterator[EventBatch]:
    """Batches of ``step`` events of a HepMC3 file."""
    file = HepMC3File(path)
    for first in range(0, file.n_events, step):
        yield file.read(first, first + step)


def _batch(pairs: list[Any]) -> EventBatch:
    events, data = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ids = [np.asarray(event.numpy.vertices.id) for event in events]
    particles = _joined([d.particles for d in data], pyhepmc.GenEventData().particles.dtype)
    vertices = _joined([d.vertices for d in data], pyhepmc.GenEventData().vertices.dtype)
    objects = _offsets([len(d.particles) for d in data])
    n_vertices = _offsets([len(d.vertices) for d in data])
    begins, ends = _links(data, ids, objects, n_vertices, len(particles))
    origin = [_place(event) for event in events]
    of_event = np.repeat(np.arange(len(events)), np.diff(objects))
    places = np.concatenate([
        np.stack([vertices[k] for k in ("x", "y", "z", "t")], axis=1).reshape(-1, 4),
        np.array(origin, dtype=np.float64).reshape(-1, 4),
    ])  # fmt: skip
    start = places[np.where(begins >= 0, begins, len(vertices) + of_event)]
    stop = np.where((ends >= 0)[:, None], places[ends if len(places) else slice(0)], 0.0)
    incoming, outgoing = _members(ends, len(vertices)), _members(begins, len(vertices))
    first = objects[of_event]
    mc = MCParticleCollection.build(
        offsets=objects,
        PDG=np.ascontiguousarray(particles["pid"]),
        generatorStatus=np.ascontiguousarray(particles["status"]),
        charge=charges_of(particles["pid"]),
        time=(start[:, 3] / c).astype(np.float32),
        mass=np.ascontiguousarray(particles["mass"]),
        vertex=tuple(start[:, k] for k in range(3)),
        endpoint=tuple(stop[:, k] for k in range(3)),
        momentum=tuple(np.ascontiguousarray(particles[k]) for k in ("px", "py", "pz")),
        parents=_relation(begins, *incoming, first),
        daughters=_relation(ends, *outgoing, first),
    )
    weights = [np.asarray(d.weights, dtype=np.float64) for d in data]
    header = EventHeaderCollection.build(
        counts=np.ones(len(events), dtype=np.int64),
        eventNumber=np.array([event.event_number for event in events], dtype=np.int64),
        weight=np.array([w[0] if len(w) else 1.0 for w in weights], dtype=np.float64),
        weights=(
            np.array([max(len(w) - 1, 0) for w in weights], dtype=np.int64),
            np.concatenate([np.zeros(0), *(w[1:] for w in weights)]),
        ),
    )
    return EventBatch({"EventHeader": header, "MCParticles": mc}, len(events))


def _place(event: Any) -> tuple[float, float, float, float]:
    position = event.event_pos()
    return position.x, position.y, position.z, position.t


def _joined(arrays: list[Array], dtype: Any) -> Array:
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _offsets(counts: list[int]) -> Array:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _links(
    data: list[Any], ids: list[Array], objects: Array, vertices: Array, n: int
) -> tuple[Array, Array]:
    """The rows of the vertices in which each particle begins and ends; -1 without one.

    HepMC3 lists the vertices of an event in another order than that of their (negative) ids.
    """
    begins, ends = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    for k, event in enumerate(data):
        one, two = np.asarray(event.links1), np.asarray(event.links2)
        row = np.full(int(-ids[k].min(initial=0)) + 1, -1)
        row[-ids[k]] = vertices[k] + np.arange(len(ids[k]))
        enters = one > 0
        ends[objects[k] + one[enters] - 1] = row[-two[enters]]
        leaves = (one < 0) & (two > 0)
        begins[objects[k] + two[leaves] - 1] = row[-one[leaves]]
    return begins, ends


def _members(vertex: Array, n_vertices: int) -> tuple[Array, Array]:
    """Particles by vertex: offsets (n_vertices + 1,) and rows, in the order of the particles."""
    rows = np.flatnonzero(vertex >= 0)
    rows = rows[np.argsort(vertex[rows], kind="stable")]
    counts = np.bincount(vertex[rows], minlength=n_vertices)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows


def _relation(vertex: Array, offsets: Array, rows: Array, first: Array) -> tuple[Array, Array]:
    """Counts and indices of what stands at the other side of each particle's vertex."""
    has = vertex >= 0
    begin = offsets[np.where(has, vertex, 0)] if len(offsets) > 1 else np.zeros(len(vertex), int)
    end = offsets[np.where(has, vertex + 1, 0)] if len(offsets) > 1 else begin
    counts = np.where(has, end - begin, 0)
    ends = np.cumsum(counts)
    entry = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    found = rows[np.repeat(begin, counts) + entry]
    return counts, found - np.repeat(first, counts)
