"""The content hash: the same for every split, another for every change."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError
from fiducial.edm import (
    ContentHasher,
    EventBatch,
    EventHeaderCollection,
    MCParticleCollection,
    VertexCollection,
    content_hash,
)
from fiducial.edm.testing import random_batch

TYPES = [
    "edm4hep::EventHeader",
    "edm4hep::MCParticle",
    "edm4hep::ReconstructedParticle",
    "edm4hep::Track",
    "edm4hep::RecoMCParticleLink",
]


def digest(*batches: EventBatch) -> str:
    hasher = ContentHasher()
    for batch in batches:
        hasher.update(batch)
    return hasher.hexdigest()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 9), max_size=6))
def test_any_split_gives_the_same_digest(seed: int, cuts: list[int]) -> None:
    batch = random_batch(seed, 9, types=TYPES)
    parts = [batch.select_events(slice(a, b)) for a, b in pairwise([0, *sorted(cuts), 9])]
    assert digest(*parts) == content_hash(batch)


def test_the_order_of_collections_does_not_count() -> None:
    batch = random_batch(0, types=TYPES)
    turned = batch.keep(reversed(batch.names))
    assert digest(batch, turned) == digest(turned, batch) == digest(batch, batch)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_any_single_changed_value_changes_the_digest(seed: int, data: st.DataObject) -> None:
    batch = random_batch(seed, 4, types=TYPES)
    before = content_hash(batch)
    arrays = [
        array
        for collection in batch.collections.values()
        for name, array in collection.arrays()
        if array.size and not name.endswith("offsets")
    ]
    raw = data.draw(st.sampled_from(arrays)).reshape(-1).view(np.uint8)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert content_hash(batch) != before


def test_every_boundary_counts() -> None:
    columns = {"PDG": [1, 2, 3]}
    of_events = {
        digest_of(MCParticleCollection.build(c, **columns)) for c in ([3, 0], [2, 1], [0, 3])
    }
    assert len(of_events) == 3
    of_lists = {
        digest_of(MCParticleCollection.build([3], parents=(c, [0, 0])))
        for c in ([2, 0, 0], [0, 2, 0], [1, 1, 0])
    }
    assert len(of_lists) == 3
    of_weights = {
        digest_of(EventHeaderCollection.build([1, 1], weights=(c, [1.0, 1.0])))
        for c in ([2, 0], [1, 1], [0, 2])
    }
    assert len(of_weights) == 3


def digest_of(collection, name: str = "C") -> str:
    return content_hash(EventBatch({name: collection}))


def test_names_types_and_numbers_of_events_count() -> None:
    empty = MCParticleCollection.empty(2)
    digests = [
        digest_of(empty, "A"),
        digest_of(empty, "B"),
        digest_of(VertexCollection.empty(2), "A"),
        digest_of(MCParticleCollection.empty(3), "A"),
        content_hash(EventBatch({"A": empty, "B": empty})),
        content_hash(EventBatch({}, 2)),
        content_hash(EventBatch({}, 3)),
        ContentHasher().hexdigest(),
    ]
    assert len(set(digests)) == len(digests)


def test_a_value_moved_to_the_next_column_changes_the_digest() -> None:
    one = MCParticleCollection.build([1], momentum=(1.0, 0.0, 0.0))
    other = MCParticleCollection.build([1], momentum=(0.0, 1.0, 0.0))
    assert digest_of(one) != digest_of(other)
    assert digest_of(MCParticleCollection.build([1], mass=0.0)) != digest_of(
        MCParticleCollection.build([1], mass=-0.0)
    )


def test_the_order_of_events_counts() -> None:
    batch = random_batch(1, 4, types=TYPES)
    assert content_hash(batch) != content_hash(batch.select_events([1, 0, 2, 3]))


def test_the_digest_may_be_asked_for_on_the_way() -> None:
    batch = random_batch(1, 6, types=TYPES)
    hasher = ContentHasher()
    hasher.update(batch.select_events(slice(0, 2)))
    assert hasher.hexdigest() == content_hash(batch.select_events(slice(0, 2)))
    hasher.update(batch.select_events(slice(2, 6)))
    assert hasher.hexdigest() == hasher.hexdigest() == content_hash(batch)


def test_batches_with_other_collections_are_refused() -> None:
    batch = random_batch(1, 2, types=TYPES)
    hasher = ContentHasher()
    hasher.update(batch)
    with pytest.raises(InputError, match="Tracks"):
        hasher.update(batch.keep([name for name in batch.names if name != "Tracks"]))


def test_the_digest_of_format_1_stays_what_it_is() -> None:
    """A digest written down once: files of references hold such digests."""
    batch = EventBatch(
        {
            "EventHeader": EventHeaderCollection.build(
                [1, 1], eventNumber=[0, 1], weight=[1.0, 0.5], weights=([0, 2], [0.25, 4.0])
            ),
            "MCParticles": MCParticleCollection.build(
                [2, 1],
                PDG=[11, -11, 22],
                momentum=(0.0, 0.0, [45.6, -45.6, 1.0]),
                parents=([0, 1, 0], [0]),
            ),
        }
    )
    assert content_hash(batch) == "fa22e8410cf2cff5bea7bf7e8cb59d10fb35e69336d5a019e6ae83308653dcd5"


def test_the_digest_is_the_one_that_the_format_page_describes() -> None:
    """The format's description, written anew without the library's offsets and streams."""
    batch = random_batch(8, 5, types=TYPES)
    lines = ["fiducial content 1", "events 5"]
    streams: dict[str, list] = {}
    for name in sorted(batch.names):
        collection = batch[name]
        lines.append(f"collection {name} {collection.type_name}")
        for event in range(5):
            one = collection.select_events([event])
            streams.setdefault(f"{name}:counts", []).append(np.array([len(one)]))
            for column, values in one.columns.items():
                streams.setdefault(f"{name}:{column}", []).append(values)
            for key, vector in one.vectors.items():
                streams.setdefault(f"{name}:{key}/counts", []).append(np.diff(vector.offsets))
                for column, values in vector.columns.items():
                    streams.setdefault(f"{name}:{key}/{column}", []).append(values)
            for key, relation in one.relations.items():
                if not relation.is_one_to_one:
                    streams.setdefault(f"{name}:{key}/counts", []).append(np.diff(relation.offsets))
                streams.setdefault(f"{name}:{key}/index", []).append(relation.index)
                streams.setdefault(f"{name}:{key}/collection", []).append(relation.collection)
    for name, pieces in sorted(streams.items()):
        kind = pieces[0].dtype.newbyteorder("<").str[1:] + str(list(pieces[0].shape[1:]))
        digest = hashlib.sha256(b"".join(piece.tobytes() for piece in pieces)).hexdigest()
        lines.append(f"{name} {kind} {sum(map(len, pieces))} {digest}")
    text = "".join(line + "\n" for line in lines)
    assert content_hash(batch) == hashlib.sha256(text.encode()).hexdigest()
