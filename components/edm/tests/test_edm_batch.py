"""Batches: collections of the same events, and relations between them that hold."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import (
    EventBatch,
    EventHeaderCollection,
    MCParticleCollection,
    RecoMCParticleLinkCollection,
    ReconstructedParticleCollection,
    TrackCollection,
    TrackerHitPlaneCollection,
    UnknownCollection,
    VertexCollection,
)
from fiducial.edm.testing import random_batch


def small_batch() -> EventBatch:
    """Three events with 3, 0 and 2 particles, of which 2, 0 and 1 are reconstructed."""
    return EventBatch(
        {
            "EventHeader": EventHeaderCollection.build([1, 1, 1], eventNumber=[7, 8, 9]),
            "MCParticles": MCParticleCollection.build(
                [3, 0, 2], PDG=[1, 2, 3, 4, 5], parents=([0, 1, 2, 0, 1], [0, 0, 1, 0])
            ),
            "ReconstructedParticles": ReconstructedParticleCollection.build([2, 0, 1]),
            "RecoMCLinks": RecoMCParticleLinkCollection.build(
                [2, 0, 1], from_=[0, 1, 0], to=[2, 1, 1]
            ),
        }
    )


def mistakes(call, *args, **kwargs) -> str:
    with pytest.raises(Mistakes) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_a_batch_is_a_mapping_of_collections() -> None:
    batch = small_batch()
    assert batch.n_events == 3
    assert list(batch) == list(batch.names) == list(batch.collections)
    assert "MCParticles" in batch and "Tracks" not in batch
    assert batch["MCParticles"] is batch.collections["MCParticles"]
    assert batch.get("MCParticles", MCParticleCollection).PDG[0] == 1
    assert batch.nbytes == sum(c.nbytes for c in batch.collections.values())


def test_an_unknown_collection_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownCollection, match="did you mean MCParticles") as caught:
        small_batch()["MCParticle"]
    assert isinstance(caught.value, KeyError) and caught.value.exit_code == 2
    with pytest.raises(InputError, match="holds edm4hep::MCParticle, not edm4hep::Track"):
        small_batch().get("MCParticles", TrackCollection)


def test_event_numbers_are_a_view_of_the_header() -> None:
    batch = small_batch()
    assert batch.event_numbers.tolist() == [7, 8, 9]
    assert batch.event_numbers.dtype == np.int64
    assert np.shares_memory(batch.event_numbers, batch["EventHeader"].eventNumber)
    with pytest.raises(InputError, match="one object an event"):
        _ = EventBatch({"EventHeader": EventHeaderCollection.build([2, 0])}).event_numbers
    with pytest.raises(UnknownCollection):
        _ = small_batch().keep(["MCParticles"]).event_numbers


def test_a_batch_without_collections_knows_its_number_of_events() -> None:
    empty = EventBatch({}, 4)
    assert empty.n_events == 4 and empty.select_events([0, 2]).n_events == 2
    assert EventBatch.concatenate([empty, empty]).n_events == 8
    assert small_batch().keep([]).n_events == 3
    assert "number of events" in mistakes(EventBatch, {})


def test_collections_of_different_events_are_no_batch() -> None:
    text = mistakes(
        EventBatch,
        {"a": MCParticleCollection.build([1, 1]), "b c": MCParticleCollection.build([1])},
    )
    assert "b c: 1 events, expected 2" in text and "not a name for a collection" in text


def test_two_names_with_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fiducial.edm.batch_checks.collection_id", lambda name: 5)
    particles = MCParticleCollection.build([1])
    assert "same 32-bit id as a" in mistakes(EventBatch, {"a": particles, "b": particles})


def test_a_relation_out_of_its_event_is_refused_with_its_place() -> None:
    batch = small_batch()
    links = RecoMCParticleLinkCollection.build([2, 0, 1], from_=[0, 1, 0], to=[2, 1, 2])
    text = mistakes(batch.with_collections, {"RecoMCLinks": links})
    assert "RecoMCLinks.to: 1 entries point outside of their event, as index 2 in event 2" in text
    assert "where MCParticles has 2 objects" in text


def test_shrinking_the_target_of_a_relation_is_refused() -> None:
    fewer = MCParticleCollection.build([1, 0, 2])
    text = mistakes(small_batch().with_collections, {"MCParticles": fewer})
    assert "RecoMCLinks.to" in text and "event 0" in text


def test_a_relation_into_a_collection_of_a_wrong_type_is_refused() -> None:
    batch = small_batch()
    text = mistakes(batch.with_collections, {"MCParticles": VertexCollection.build([3, 0, 2])})
    assert "holds edm4hep::Vertex" in text and "it may point to edm4hep::MCParticle" in text


def test_a_relation_may_point_into_a_collection_that_is_not_there() -> None:
    links = small_batch().keep(["RecoMCLinks"])
    assert EventBatch(links.collections) == links


def test_an_interface_is_a_target_of_each_of_its_types() -> None:
    tracks = TrackCollection.build([1], trackerHits=([2], [0, 1], "Hits"))
    EventBatch({"Tracks": tracks, "Hits": TrackerHitPlaneCollection.build([2])})
    text = mistakes(EventBatch, {"Tracks": tracks, "Hits": TrackerHitPlaneCollection.build([1])})
    assert "index 1 in event 0" in text
    assert "TrackerHit3D or" in mistakes(
        EventBatch, {"Tracks": tracks, "Hits": VertexCollection.build([2])}
    )


def test_with_collections_and_keep_share_columns() -> None:
    batch = small_batch()
    more = batch.with_collections({"Vertices": VertexCollection.build([0, 1, 0])})
    assert more["MCParticles"] is batch["MCParticles"] and "Vertices" not in batch
    assert more.keep(["Vertices", "EventHeader"]).names == ("Vertices", "EventHeader")
    assert "did you mean Vertices" in mistakes(more.keep, ["Vertex", "EventHeader"])


def test_rows_of_a_relation_are_rows_of_the_flat_columns() -> None:
    batch = small_batch()
    particles, links = batch["MCParticles"], batch["RecoMCLinks"]
    assert particles.PDG[links.to.rows(particles.offsets)].tolist() == [3, 2, 5]
    assert particles.parents.rows(particles.offsets).tolist() == [0, 0, 1, 3]
    assert links.to.rows(particles.offsets, "Elsewhere").tolist() == [-1, -1, -1]
    assert particles.parents.of(2).tolist() == [0, 1] and links.to.of(0).tolist() == [2]


def test_rows_of_a_relation_into_two_collections_need_a_name() -> None:
    ids = random_batch(0, types=["edm4hep::MCParticle"])["MCParticles"].parents.collection[:1]
    other = np.concatenate([ids, [np.uint32(5)]])
    particles = MCParticleCollection.build([2], parents=([1, 1], [0, 1], other))
    with pytest.raises(InputError, match="2 collections"):
        particles.parents.rows(particles.offsets)
    assert particles.parents.rows(particles.offsets, "MCParticles").tolist() == [0, -1]
    with pytest.raises(InputError, match="take both collections from one batch"):
        particles.parents.rows(np.array([0, 1, 2]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 8), max_size=5))
def test_any_split_of_a_batch_joins_to_the_batch(seed: int, cuts: list[int]) -> None:
    batch = random_batch(seed, 8)
    edges = [0, *sorted(cuts), 8]
    parts = [batch.select_events(slice(a, b)) for a, b in pairwise(edges)]
    assert EventBatch.concatenate(parts) == batch
    for part in parts:
        EventBatch(part.collections, part.n_events)  # every check holds for the part


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_relations_follow_their_events(seed: int, data: st.DataObject) -> None:
    """Whatever events are chosen, a link leads to the same particle as before."""
    batch = random_batch(seed, 6, types=["edm4hep::MCParticle", "edm4hep::SimTrackerHit"])
    chosen = data.draw(st.lists(st.integers(0, 5), max_size=8))
    part = batch.select_events(chosen)

    def pairs(b: EventBatch) -> list[list[tuple[int, int | None]]]:
        hits, particles = b["SimTrackerHits"], b["MCParticles"]
        rows = hits.particle.rows(particles.offsets)
        flat = [
            (int(cell), int(particles.PDG[row]) if row >= 0 else None)
            for cell, row in zip(hits.cellID, rows, strict=True)
        ]
        return [flat[a:z] for a, z in zip(hits.offsets, hits.offsets[1:], strict=False)]

    assert pairs(part) == [pairs(batch)[i] for i in chosen]


def test_batches_with_other_collections_are_not_joined() -> None:
    batch = small_batch()
    wrong = {"MCParticles": VertexCollection.build([0]), "Tracks": TrackCollection.build([0])}
    text = mistakes(EventBatch.concatenate, [batch, EventBatch(wrong)])
    assert "MCParticles: edm4hep::MCParticle in batch 0, edm4hep::Vertex in batch 1" in text
    assert "Tracks: batch 1 holds it, batch 0 does not" in text
    assert "RecoMCLinks: batch 0 holds it, batch 1 does not" in text


def test_equality_does_not_ask_for_the_order_of_collections() -> None:
    batch = small_batch()
    assert batch == batch.keep(reversed(batch.names))
    assert batch != batch.keep(batch.names[:-1])
    assert batch != batch.select_events([0, 1])
    assert pickle.loads(pickle.dumps(batch)) == batch


# choosing objects


def test_choosing_objects_rewrites_the_relations_to_them() -> None:
    batch = small_batch()
    chosen = batch.select_objects("MCParticles", np.array([True, True, True, False, True]), "drop")
    particles = chosen["MCParticles"]
    assert particles.PDG.tolist() == [1, 2, 3, 5] and particles.counts.tolist() == [3, 0, 1]
    assert particles.parents.counts.tolist() == [0, 1, 2, 0]
    rows = chosen["RecoMCLinks"].to.rows(particles.offsets)
    assert particles.PDG[rows].tolist() == [3, 2, 5]
    EventBatch(chosen.collections)


def test_dangling_relations_are_refused_all_at_once() -> None:
    mask = np.array([False, True, True, False, True])
    text = mistakes(small_batch().select_objects, "MCParticles", mask)
    assert "MCParticles.parents: 3 entries point to objects of MCParticles that are not" in text
    mask = np.array([False, True, False, False, False])
    text = mistakes(small_batch().select_objects, "MCParticles", mask)
    assert "RecoMCLinks.to: 2 entries" in text and "MCParticles.parents: 1 entries" in text


def test_dropped_one_to_one_relations_are_unset() -> None:
    mask = np.array([True, True, False, True, True])
    links = small_batch().select_objects("MCParticles", mask, "drop")["RecoMCLinks"]
    assert links.to.index.tolist() == [-1, 1, 1] and links.to.collection[0] == 0


def test_unset_relations_do_not_dangle() -> None:
    links = RecoMCParticleLinkCollection.build([2, 0, 1], to=[-1, 1, -1])
    batch = small_batch().keep(["MCParticles"]).with_collections({"RecoMCLinks": links})
    chosen = batch.select_objects("MCParticles", np.array([True, True, True, True, False]), "drop")
    assert chosen["RecoMCLinks"] == links
    without = MCParticleCollection.build([3, 0, 2])
    batch = batch.with_collections({"MCParticles": without})
    chosen = batch.select_objects("MCParticles", np.array([False, True, True, False, True]))
    assert chosen["RecoMCLinks"].to.index.tolist() == [-1, 0, -1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 1))
def test_choosing_objects_of_any_batch_keeps_what_relations_lead_to(
    seed: int, share: float
) -> None:
    batch = random_batch(seed, 5, types=["edm4hep::MCParticle", "edm4hep::SimTrackerHit"])
    particles = batch["MCParticles"]
    mask = np.random.default_rng(seed).random(len(particles)) < share
    chosen = batch.select_objects("MCParticles", mask, "drop")
    EventBatch(chosen.collections)
    label = np.arange(len(particles))  # each particle's name, through both batches
    for name in batch.names:
        for key, relation in batch[name].relations.items():
            owner = np.repeat(np.arange(len(batch[name])), relation.counts)
            rows = relation.rows(particles.offsets)
            before = [(int(o), int(label[r])) for o, r in zip(owner, rows, strict=True) if r >= 0]
            new = chosen[name].relations[key]
            kept_owner = label[mask] if name == "MCParticles" else np.arange(len(batch[name]))
            owner = kept_owner[np.repeat(np.arange(len(chosen[name])), new.counts)]
            rows = new.rows(chosen["MCParticles"].offsets)
            after = [
                (int(o), int(label[mask][r])) for o, r in zip(owner, rows, strict=True) if r >= 0
            ]
            alive = set(label[mask])
            expected = [
                (o, r) for o, r in before if r in alive and (name != "MCParticles" or o in alive)
            ]
            assert after == expected


def test_choosing_all_objects_changes_nothing() -> None:
    batch = small_batch()
    assert batch.select_objects("MCParticles", np.ones(5, bool)) == batch
    assert batch["MCParticles"].select(np.ones(5, bool)) == batch["MCParticles"]


def test_a_collection_alone_rewrites_its_relations_to_itself() -> None:
    particles = small_batch()["MCParticles"].select(np.array([True, False, False, True, True]))
    assert particles.parents.rows(particles.offsets).tolist() == [1]
    with pytest.raises(Mistakes, match="not selected"):
        small_batch()["MCParticles"].select(np.array([False, True, False, False, False]))


@pytest.mark.parametrize("mask", [np.ones(4, bool), np.ones(5), [0, 1]])
def test_a_mask_of_objects_must_fit(mask) -> None:
    with pytest.raises(InputError, match=r"bool \(5,\)"):
        small_batch().select_objects("MCParticles", mask)
