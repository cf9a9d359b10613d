"""Batches of a million particles: against awkward doing the same, and against the memory's limit.

The rivals that awkward gives get the same columns and relations, as ``to_awkward`` makes
them (without a copy), and must end as packed arrays, as ours do. The limit is a copy of each
column, or a SHA-256 of as many bytes in one block.
"""

from __future__ import annotations

import hashlib

import awkward as ak
import numpy as np

from fiducial.core.bench import Record, measure
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    MCParticleCollection,
    RecoMCParticleLinkCollection,
    ReconstructedParticleCollection,
    content_hash,
)

EVENTS, PARTICLES = 20_000, 50


def million_particles() -> EventBatch:
    """20,000 events of 50 generated particles on average, half of which are reconstructed."""
    rng = np.random.default_rng(20260101)
    counts = rng.poisson(PARTICLES, EVENTS)
    n = int(counts.sum())
    seen = counts // 2
    m = int(seen.sum())
    local = np.arange(m) - np.repeat(np.cumsum(seen) - seen, seen)
    return EventBatch(
        {
            "EventHeader": EventHeaderCollection.build(
                np.ones(EVENTS, int), eventNumber=np.arange(EVENTS)
            ),
            "MCParticles": MCParticleCollection.build(
                counts,
                PDG=rng.integers(-20, 20, n),
                generatorStatus=1,
                mass=rng.random(n),
                momentum=rng.normal(0, 10, (n, 3)),
                vertex=rng.normal(0, 1, (n, 3)),
                parents=(np.ones(n, int), np.zeros(n, int)),
            ),
            "ReconstructedParticles": ReconstructedParticleCollection.build(
                seen, energy=rng.random(m), momentum=rng.normal(0, 10, (m, 3))
            ),
            "RecoMCLinks": RecoMCParticleLinkCollection.build(seen, from_=local, to=local),
        }
    )


def benchmarks() -> list[Record]:
    batch = million_particles()
    array = batch.to_awkward()
    rng = np.random.default_rng(1)
    events = rng.random(EVENTS) < 0.5
    objects = rng.random(len(batch["MCParticles"])) < 0.5
    jagged = ak.Array(
        ak.contents.ListOffsetArray(
            ak.index.Index64(batch["MCParticles"].offsets), ak.contents.NumpyArray(objects)
        )
    )
    ranges = [slice(at, at + 500) for at in range(0, EVENTS, 500)]
    parts = [batch.select_events(cut) for cut in ranges]
    raw = np.ones(batch.nbytes, np.uint8)
    columns = [column for c in batch.collections.values() for _, column in c.arrays()]
    size = f"{batch.nbytes / 1e6:.0f} MB: {len(batch['MCParticles'])} particles, {EVENTS} events"
    awkward = {"rival_name": "awkward", "rival_version": ak.__version__}
    numpy = {"rival_name": "numpy copy of each column", "rival_version": np.__version__}
    rate = {"unit": "B/s", "amount": float(batch.nbytes), "repeats": 5}
    return [
        measure(
            name="select half of the events",
            input=size,
            ours=lambda: batch.select_events(events),
            rival=lambda: ak.to_packed(array[events]),
            **rate,
            **awkward,
        ),
        measure(
            name="select half of the particles, relations rewritten (awkward: not rewritten)",
            input=size,
            ours=lambda: batch.select_objects("MCParticles", objects, "drop"),
            rival=lambda: ak.to_packed(array.MCParticles[jagged]),
            **rate,
            **awkward,
        ),
        measure(
            name="join 40 batches",
            input=size,
            ours=lambda: EventBatch.concatenate(parts),
            rival=lambda: ak.concatenate([array[cut] for cut in ranges]),
            **rate,
            **awkward,
        ),
        measure(
            name="join 40 batches",
            input=size,
            ours=lambda: EventBatch.concatenate(parts),
            rival=lambda: [column.copy() for column in columns],
            **rate,
            **numpy,
        ),
        measure(
            name="cut into 40 batches",
            input=size,
            ours=lambda: [batch.select_events(cut) for cut in ranges],
            rival=lambda: [array[cut] for cut in ranges],
            unit="batches/s",
            amount=40.0,
            **awkward,
        ),
        measure(
            name="content hash",
            input=size,
            ours=lambda: content_hash(batch),
            rival=lambda: hashlib.sha256(raw).hexdigest(),
            rival_name="hashlib.sha256 of one block of the bytes",
            rival_version="OpenSSL",
            **rate,
        ),
        measure(
            name="check a whole batch",
            input=size,
            ours=lambda: EventBatch(batch.collections),
            rival=lambda: ak.validity_error(array),
            **rate,
            **awkward,
        ),
    ]


if __name__ == "__main__":
    for record in benchmarks():
        print(
            f"{record['name']}: {record['ours']:.3g} {record['unit']}, "
            f"{record['ratio']:.2f} x {record['rival_name']} (spread {record['spread']:.0%}, "
            f"peak {record['peak_rss_bytes'] / 1e6:.0f} MB)"
        )
