"""Small steps in pure Python, registered as the distribution ``framework-toys`` while tests run.

Every call is noted as a line in the file that FRAMEWORK_TOY_LOG names, so that tests can count
what was computed, in whatever process.
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from fiducial.core.errors import InputError, Mistake, Mistakes
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    MCParticleCollection,
    ReconstructedParticleCollection,
)
from fiducial.edm.steps import Consumer, Filter, Producer, Transformer

HEADER, MC, RECO = "edm4hep::EventHeader", "edm4hep::MCParticle", "edm4hep::ReconstructedParticle"


def note(what: str) -> None:
    """Append one line; lines of this length are appended in one piece."""
    log = os.environ.get("FRAMEWORK_TOY_LOG")
    if log:
        with Path(log).open("a") as stream:
            stream.write(f"{what} {os.getpid()}\n")


def draws(seed: int, event: int, n: int) -> np.ndarray:
    """(n, 4) uniform numbers that belong to one event."""
    bits = np.random.Philox(key=[seed, 0], counter=[0, 0, 0, event])
    return np.random.Generator(bits).random((n, 4))


def make_events(numbers: np.ndarray, keys: list[tuple[int, int]], seed: int, mean: float):
    """Events whose content depends on the seed and, per event, on (key, place in the stream)."""
    rows = [draws(seed, key, 64)[place * 8 : place * 8 + 8] for key, place in keys]
    counts = np.array([int(r[0, 0] * 2 * mean) for r in rows], dtype=np.int64)
    total = int(counts.sum())
    flat = np.concatenate([np.resize(r, (c, 4)) for r, c in zip(rows, counts, strict=True)])
    n = len(numbers)
    return EventBatch(
        {
            "EventHeader": EventHeaderCollection.build(
                counts=np.ones(n, dtype=np.int64), eventNumber=numbers.astype(np.uint64)
            ),
            "MCParticles": MCParticleCollection.build(
                counts=counts,
                PDG=np.full(total, 13, dtype=np.int32),
                generatorStatus=np.ones(total, dtype=np.int32),
                mass=np.full(total, 0.1056583755),
                momentum=(flat[:, 1] * 10, flat[:, 2] * 10, flat[:, 3] * 10),
            ),
        }
    )


class Source(Producer):
    """Muons; every event has a seed of its own."""

    summary: ClassVar[str] = "toy muons, one seed an event"
    mean: Annotated[float, Field(gt=0, le=100, description="mean number of muons")] = 5.0
    generator: Annotated[Literal["flat", "peaked"], Field(description="shape of the spectrum")] = (
        "flat"
    )
    pause: Annotated[float, Field(ge=0, description="seconds that a range takes [s]")] = 0.0

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"EventHeader": HEADER, "MCParticles": MC}

    def check(self) -> None:
        if self.mean == 13:
            raise Mistakes([Mistake("mean", "13 muons bring bad luck", "take 12")])

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        note(f"produce {first} {count}")
        time.sleep(self.pause)
        numbers = np.arange(first, first + count)
        return make_events(numbers, [(int(k), 0) for k in numbers], seed, self.mean)


class Blocks(Producer):
    """Muons; seven events share a seed, so a range must begin at a multiple of seven."""

    summary: ClassVar[str] = "toy muons, one seed for seven events"
    block: ClassVar[int] = 7

    @property
    def outputs(self) -> Mapping[str, str]:
        return {"EventHeader": HEADER, "MCParticles": MC}

    def produce(self, first: int, count: int, seed: int) -> EventBatch:
        note(f"produce {first} {count}")
        if first % self.block:
            raise InputError(f"event {first} is not at the begin of a block")
        numbers = np.arange(first, first + count)
        keys = [(int(k) // self.block, int(k) % self.block) for k in numbers]
        return make_events(numbers, keys, seed, 5.0)


class Smear(Transformer):
    """Reconstructed muons with a smeared energy."""

    summary: ClassVar[str] = "toy response"
    resolution: Annotated[float, Field(ge=0)] = 0.1
    output: str = "ReconstructedParticles"

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("EventHeader", "MCParticles")

    @property
    def outputs(self) -> Mapping[str, str]:
        return {self.output: RECO}

    def transform(self, batch: EventBatch, seed: int):
        note(f"transform {batch.n_events}")
        particles = batch["MCParticles"]
        p = particles.momentum
        energy = np.sqrt(p.x**2 + p.y**2 + p.z**2 + particles.mass**2)
        counts = np.diff(particles.offsets)
        noise = [
            np.resize(draws(seed, int(k), 16)[:, 0], c)
            for k, c in zip(batch.event_numbers, counts, strict=True)
        ]
        smeared = energy * (1 + self.resolution * (np.concatenate([*noise, []]) - 0.5))
        return {
            self.output: ReconstructedParticleCollection.build(
                counts=counts, energy=smeared.astype(np.float32), PDG=13
            )
        }


class AtLeast(Filter):
    """Events with at least so many muons."""

    summary: ClassVar[str] = "toy selection"
    muons: Annotated[int, Field(ge=0)] = 3

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("MCParticles",)

    def select(self, batch: EventBatch):
        return np.diff(batch["MCParticles"].offsets) >= self.muons


class Observe(Consumer):
    """A table of events and one of particles."""

    summary: ClassVar[str] = "toy observables"
    careless: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("EventHeader", "ReconstructedParticles")

    def consume(self, batch: EventBatch):
        reco = batch["ReconstructedParticles"]
        multiplicity = np.diff(reco.offsets)
        per_event = {"event": batch.event_numbers, "muons": multiplicity.astype(np.int32)}
        if self.careless and batch.n_events == 0:
            per_event["muons"] = np.array([])
        return {"events": per_event, "muons": {"energy": reco.energy}}


class Trouble(Filter):
    """Does harm at one event: dies, fails, or breaks its promise."""

    summary: ClassVar[str] = "toy trouble"
    at: int
    what: Literal["die", "die_once", "raise", "disk", "shape"] = "die"

    def select(self, batch: EventBatch):
        keep = np.ones(batch.n_events, dtype=bool)
        if not np.any(batch.event_numbers == self.at):
            return keep
        note("trouble")
        if self.what == "raise":
            raise ValueError("the muons are gone")
        if self.what == "disk":
            raise OSError(28, "No space left on device")
        if self.what == "shape":
            return keep[:-1]
        log = Path(os.environ["FRAMEWORK_TOY_LOG"])
        if self.what == "die" or log.read_text().count("trouble") == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return keep
