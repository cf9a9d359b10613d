"""Steps that read events from files: ``read_hepmc3`` and ``read_rntuple``.

Event k of the run is event ``skip`` + k of the file and gets the number k; the number that the
file gives is lost, as chains number their events from 0. Each process keeps its files open.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.edm.batch import EventBatch
from fiducial.edm.generated import EventHeaderCollection
from fiducial.edm.steps import Producer
from fiducial.io.hepmc3_read import HepMC3File
from fiducial.io.rntuple_read import EventFile

__all__ = ["ReadHepMC3", "ReadRNTuple"]


class ReadHepMC3(Producer):
    """Events of a HepMC3 file.

    path  the file
    skip  events of the file to leave out at its beginning
    """

    summary: ClassVar[str] = "read EventHeader and MCParticles from a HepMC3 file"

    path: Path
    skip: int = Field(default=0, ge=0)

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"EventHeader": "edm4hep::EventHeader", "MCParticles": "edm4hep::MCParticle"}

    def check(self) -> None:
        """Refuse a file that is missing, cut off, or has no event after ``skip``."""
        _refuse_skip(self.path, HepMC3File(self.path).n_events, self.skip)

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        file = _open_hepmc3(*_identity(self.path))
        _refuse_too_few(self.path, file.n_events, self.skip, first + count)
        start = self.skip + first
        return _numbered(file.read(start, start + count), first)


class ReadRNTuple(Producer):
    """Events of an event file.

    path         the file
    collections  those to read, by default all whose type is in the model
    skip         events of the file to leave out at its beginning
    """

    summary: ClassVar[str] = "read collections from an event file (RNTuple)"

    path: Path
    collections: tuple[str, ...] | None = None
    skip: int = Field(default=0, ge=0)

    @property
    def outputs(self) -> Mapping[str, str]:
        """What the file holds; the file is opened to find out."""
        types = _open_rntuple(*_identity(self.path)).collections
        names = types if self.collections is None else self.collections
        found = {name: types[name].type_name for name in names if name in types}
        return {"EventHeader": "edm4hep::EventHeader"} | found

    def check(self) -> None:
        """Refuse a file that is missing or damaged, or lacks a collection or an event."""
        with EventFile(self.path) as file:
            file.read(self.collections, 0, 0)
            _refuse_skip(self.path, file.n_events, self.skip)

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        file = _open_rntuple(*_identity(self.path))
        _refuse_too_few(self.path, file.n_events, self.skip, first + count)
        start = self.skip + first
        return _numbered(file.read(self.collections, start, start + count), first)


def _identity(path: Path) -> tuple[Path, Any, Any]:
    """A path, with what changes when the file is another one."""
    try:
        status = path.stat()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot read {path}", reason, "check the path") from None
    return path, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _open_hepmc3(path: Path, modified: int, size: int) -> HepMC3File:
    return HepMC3File(path)


@lru_cache(maxsize=4)
def _open_rntuple(path: Path, modified: int, size: int) -> EventFile:
    return EventFile(path)


def _refuse_skip(path: Path, n_events: int, skip: int) -> None:
    if skip >= n_events:
        raise Mistakes(
            [Mistake("skip", f"{skip} events cannot be skipped, {path} holds {n_events}")]
        )


def _refuse_too_few(path: Path, n_events: int, skip: int, last: int) -> None:
    if skip + last > n_events:
        raise InputError(
            f"{path} has too few events",
            f"{n_events - skip} after the {skip} skipped, the run needs {last}",
            "ask for fewer events",
        )


def _numbered(batch: EventBatch, first: int) -> EventBatch:
    """The same events with the run's numbers; with a header if the file has none."""
    numbers = np.arange(first, first + batch.n_events)
    if "EventHeader" in batch and bool((batch["EventHeader"].counts == 1).all()):
        header = batch["EventHeader"].replace(eventNumber=numbers)
    else:
        ones = np.ones(batch.n_events, dtype=np.int64)
        header = EventHeaderCollection.build(counts=ones, eventNumber=numbers, weight=1.0)
    return batch.with_collections({"EventHeader": header})
