"""Awkward arrays share the collection's memory, and come back as the collection."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import TYPES, MCParticleCollection
from fiducial.edm.testing import random_batch


def buffers(array: ak.Array) -> list[np.ndarray]:
    """The memory of every leaf and every offsets array."""
    found: list[np.ndarray] = []

    def visit(layout: ak.contents.Content, **_: object) -> None:
        if layout.is_numpy:
            found.append(layout.data)
        elif layout.is_list:
            found.append(np.asarray(layout.offsets))

    ak.transform(lambda layout, **kw: visit(layout, **kw), array)
    return found


def test_to_awkward_copies_no_column_and_no_offsets() -> None:
    for collection in random_batch(2, 10).collections.values():
        own = [array for _, array in collection.arrays() if array.size]
        for buffer in buffers(collection.to_awkward()):
            if buffer.size:
                assert any(np.shares_memory(buffer, array) for array in own)


def test_writing_through_the_column_shows_in_awkward() -> None:
    particles = MCParticleCollection.build([2, 1], mass=[1.0, 2.0, 3.0])
    array = particles.to_awkward()
    particles.mass[2] = 7.0
    assert array.mass.to_list() == [[1.0, 2.0], [7.0]]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 6))
def test_every_type_comes_back_from_awkward(seed: int, n_events: int) -> None:
    for collection in random_batch(seed, n_events).collections.values():
        assert type(collection).from_awkward(collection.to_awkward()) == collection


def test_from_awkward_copies_no_column_of_to_awkward() -> None:
    particles = random_batch(2, 10)["MCParticles"]
    again = MCParticleCollection.from_awkward(particles.to_awkward())
    for name, column in particles.columns.items():
        assert np.shares_memory(again.columns[name], column)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 7), max_size=8))
def test_events_that_awkward_chose_are_the_events_that_we_choose(
    seed: int, index: list[int]
) -> None:
    for name in ["edm4hep::MCParticle", "edm4hep::Track", "edm4hep::EventHeader"]:
        collection = random_batch(seed, 8, types=[name])[TYPES[name].schema.collection]
        theirs = collection.to_awkward()[np.array(index, dtype=np.int64)]
        assert type(collection).from_awkward(theirs) == collection.select_events(index)


def test_objects_that_awkward_chose_become_a_collection() -> None:
    particles = random_batch(5, 8, types=["edm4hep::MCParticle"])["MCParticles"]
    array = particles.to_awkward()
    chosen = array[array.PDG > 0][["PDG", "momentum"]]
    again = MCParticleCollection.from_awkward(chosen)
    assert again.PDG.tolist() == particles.PDG[particles.PDG > 0].tolist()
    assert again.momentum.x.tolist() == particles.momentum.x[particles.PDG > 0].tolist()
    assert (again.helicity == 9).all() and len(again.parents) == 0


def test_a_hand_made_array_becomes_a_collection() -> None:
    array = ak.Array(
        [
            [{"PDG": 1, "momentum": {"x": 1.0, "z": 2.0}, "parents": []}],
            [{"PDG": 2, "momentum": {"x": 3.0, "z": 4.0}, "parents": [{"index": 0}]}],
        ]
    )
    particles = MCParticleCollection.from_awkward(array)
    assert particles.PDG.dtype == np.int32 and particles.counts.tolist() == [1, 1]
    assert particles.momentum.y.tolist() == [0.0, 0.0]
    assert particles.parents.rows(particles.offsets).tolist() == [1]


@pytest.mark.parametrize(
    ("array", "error", "part"),
    [
        (ak.Array([{"PDG": 1}]), InputError, "expected lists"),
        (ak.Array([[1, 2]]), InputError, "expected records"),
        (ak.Array([[{"PDG": None}]]), InputError, "without missing values"),
        (ak.Array([[{"PDG": [1]}]]), InputError, "PDG"),
        (ak.Array([[{"parents": [{"row": 1}]}]]), InputError, "records of index and collection"),
        (ak.Array([[{"parents": 1}]]), InputError, "expected lists"),
        (ak.Array([[{"PGD": 1, "mas": 2.0}]]), Mistakes, "2 mistakes"),
        (ak.Array([[{"PDG": 1.5}]]), Mistakes, "float64 where int32"),
    ],
)
def test_an_array_of_another_shape_is_refused(array: ak.Array, error: type, part: str) -> None:
    with pytest.raises(error, match=part):
        MCParticleCollection.from_awkward(array)


def test_a_batch_becomes_one_array_of_events() -> None:
    batch = random_batch(4, 6)
    array = batch.to_awkward()
    assert len(array) == 6 and array.fields == list(batch.names)
    assert ak.num(array.MCParticles).to_list() == batch["MCParticles"].counts.tolist()
    assert np.shares_memory(
        ak.flatten(array.MCParticles.mass).layout.data, batch["MCParticles"].mass
    )
