"""Collections: what build takes and refuses, views that copy nothing, selecting and joining."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError, Mistakes
from fiducial.edm import (
    Collection,
    EventHeaderCollection,
    MCParticleCollection,
    RecoMCParticleLinkCollection,
    ReconstructedParticleCollection,
    Relation,
    TrackCollection,
    VectorMember,
    collection_id,
)
from fiducial.edm.testing import random_batch


def three_particles(**members) -> MCParticleCollection:
    return MCParticleCollection.build([2, 0, 1], PDG=[11, -11, 22], **members)


def mistakes(call, *args, **kwargs) -> dict[str, str]:
    with pytest.raises(Mistakes) as caught:
        call(*args, **kwargs)
    return {m.where: f"{m.problem}|{m.hint}" for m in caught.value.mistakes}


# build


def test_members_that_are_not_given_take_the_models_default() -> None:
    particles = three_particles()
    assert particles.PDG.tolist() == [11, -11, 22]
    assert particles.helicity.tolist() == [9, 9, 9]
    assert particles.momentum.x.tolist() == [0.0, 0.0, 0.0]
    assert particles.parents.counts.tolist() == [0, 0, 0]
    links = RecoMCParticleLinkCollection.build([1])
    assert links.weight.tolist() == [1.0]
    assert links.to.index.tolist() == [-1] and links.to.collection.tolist() == [0]


def test_columns_have_the_models_dtypes_and_are_contiguous() -> None:
    for cls in {type(c) for c in random_batch(0).collections.values()}:
        empty = cls.empty(3)
        assert empty.n_events == 3 and len(empty) == 0
        for name, spec in cls.schema.columns.items():
            assert empty.columns[name].dtype == spec.numpy_dtype
            assert empty.columns[name].shape == (0, *spec.shape)


def test_an_array_that_fits_is_taken_without_a_copy() -> None:
    pdg, pz = np.array([1, 2, 3], np.int32), np.zeros(3)
    offsets = np.array([0, 2, 2, 3])
    particles = MCParticleCollection.build(offsets=offsets, PDG=pdg, momentum=(0, 0, pz))
    assert particles.PDG is pdg and particles.momentum.z is pz and particles.offsets is offsets


def test_a_number_serves_all_objects() -> None:
    particles = three_particles(mass=0.5, momentum=(1, 2, np.arange(3)))
    assert particles.mass.tolist() == [0.5] * 3
    assert particles.momentum.y.tolist() == [2.0] * 3
    reco = ReconstructedParticleCollection.build([2], covMatrix=0.25)
    assert reco.covMatrix.shape == (2, 10) and (reco.covMatrix == 0.25).all()


def test_a_component_is_given_as_tuple_mapping_view_or_matrix() -> None:
    matrix = np.arange(9.0).reshape(3, 3)
    by_tuple = three_particles(momentum=tuple(matrix.T))
    assert three_particles(momentum=matrix) == by_tuple
    assert three_particles(momentum=by_tuple.momentum) == by_tuple
    assert three_particles(momentum=dict(zip("xyz", matrix.T, strict=True))) == by_tuple
    assert three_particles(momentum={"z": matrix[:, 2]}).momentum.x.tolist() == [0, 0, 0]


def test_lists_of_components_are_given_as_columns() -> None:
    tracks = TrackCollection.build(
        [1, 1],
        trackStates=([2, 1], {"D0": [1, 2, 3], "referencePoint.x": [4, 5, 6], "covMatrix": 1.0}),
        subdetectorHitNumbers=([0, 2], [7, 8]),
    )
    states = tracks.trackStates
    assert states.counts.tolist() == [2, 1] and len(states) == 3
    assert states.D0.tolist() == [1, 2, 3]
    assert states.referencePoint.x.tolist() == [4, 5, 6]
    assert states.covMatrix.shape == (3, 21)
    assert tracks.subdetectorHitNumbers.values.tolist() == [7, 8]
    with pytest.raises(InputError, match="by name"):
        _ = states.values
    with pytest.raises(AttributeError, match="did you mean tanLambda"):
        _ = states.tanLamda


def test_all_mistakes_come_at_once_with_the_nearest_names() -> None:
    found = mistakes(
        MCParticleCollection.build,
        [2, 1],
        PGD=1,
        charge=["a", "b", "c"],
        time=[1, 2],
        helicity=[0.5, 1, 2],
        PDG=2**40,
        momentum=(1, 2),
        vertex={"u": 1},
        endpoint=[1, 2, 3],
        parents=([1, 1], [0, 0]),
        daughters=([1, 0, -1], [0]),
    )
    where = "edm4hep::MCParticle"
    assert "PDG" in found.pop(where)
    assert {
        key.removeprefix(where + "."): text.partition("|")[0] for key, text in found.items()
    } == {
        "charge": "list where float32 is expected",
        "time": "shape (2,), expected (3,)",
        "helicity": "float64 where int32 is expected",
        "PDG": f"values {2**40} to {2**40} do not fit int32",
        "momentum": "2 columns, expected 3 (x, y, z)",
        "vertex": "no column 'u'",
        "endpoint": "list where columns are expected",
        "parents": "2 counts for 3 objects",
        "daughters": "a count is negative: -1",
    }


@pytest.mark.parametrize(
    ("counts", "offsets", "problem"),
    [
        (None, None, "give either counts or offsets"),
        ([1], [0, 1], "give either counts or offsets"),
        ([1.5], None, "whole numbers"),
        ([[1]], None, "whole numbers"),
        ([-1], None, "negative"),
        (None, [1, 2], "begin at 1"),
        (None, [0, 2, 1], "fall from 2 to 1 at 1"),
        (None, [], "at least [0]"),
        (None, 3, "one-dimensional"),
        (None, [0.0, 1.0], "int64"),
    ],
)
def test_wrong_counts_and_offsets_are_refused(counts, offsets, problem: str) -> None:
    with pytest.raises(Mistakes) as caught:
        MCParticleCollection.build(counts, offsets=offsets, PGD=1)
    unknown, wrong = caught.value.mistakes  # the unknown name is told too
    assert "'PGD'" in unknown.problem and problem in wrong.problem


def test_values_are_never_wrapped_or_made_infinite() -> None:
    assert three_particles(charge=np.array([1e38, -1e38, 0])).charge.dtype == np.float32
    assert "do not fit float32" in str(mistakes(three_particles, charge=np.array([1e39, 0, 0])))
    assert "do not fit int32" in str(mistakes(three_particles, helicity=np.array([2**31, 0, 0])))
    headers = EventHeaderCollection.build([1], eventNumber=2**63)
    assert headers.eventNumber.tolist() == [2**63]
    assert "do not fit uint64" in str(mistakes(EventHeaderCollection.build, [1], eventNumber=-1))


def test_missing_values_are_refused() -> None:
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    assert "1 values are missing" in str(mistakes(three_particles, mass=masked))
    assert three_particles(mass=np.ma.array([1.0, 2.0, 3.0])).mass.tolist() == [1.0, 2.0, 3.0]
    assert "NoneType where float64" in str(mistakes(three_particles, mass=None))


def test_big_endian_and_strided_columns_are_copied_into_place() -> None:
    strided = np.arange(6, dtype=">f8")[::2]
    column = three_particles(mass=strided).mass
    assert column.flags.c_contiguous and column.dtype == np.dtype("<f8")
    assert column.tolist() == [0.0, 2.0, 4.0]


def test_relations_name_their_collection() -> None:
    by_custom = three_particles(parents=([0, 1, 0], [0]))
    assert by_custom.parents.collection.tolist() == [collection_id("MCParticles")]
    named = three_particles(parents=([0, 1, 0], [0], "Signal"))
    assert named.parents.collection.tolist() == [collection_id("Signal")]
    by_id = three_particles(parents=([0, 1, 0], [0], np.array([5], np.uint32)))
    assert by_id.parents.collection.tolist() == [5]


def test_a_relation_to_an_interface_must_name_its_collection() -> None:
    found = mistakes(TrackCollection.build, [1], trackerHits=([1], [0]))
    assert "TrackerHitPlane" in found["edm4hep::Track.trackerHits"]
    hits = TrackCollection.build([1], trackerHits=([1], [0], "PlaneHits")).trackerHits
    assert hits.collection.tolist() == [collection_id("PlaneHits")]


def test_negative_indices_mean_unset_only_in_one_to_one_relations() -> None:
    links = RecoMCParticleLinkCollection.build([2], to=[-1, 0])
    assert links.to.collection.tolist() == [0, collection_id("MCParticles")]
    found = mistakes(three_particles, parents=([1, 0, 0], [-1]))
    assert "index -1, expected 0 or more" in found["edm4hep::MCParticle.parents.index"]
    found = mistakes(RecoMCParticleLinkCollection.build, [1], to=[-2])
    assert "expected -1 or more" in found["edm4hep::RecoMCParticleLink.to.index"]


# the strict constructor


def test_the_constructor_takes_complete_columns_and_copies_nothing() -> None:
    a = three_particles(parents=([0, 1, 0], [0]))
    b = MCParticleCollection(a.offsets, a.columns, a.relations, a.vectors)
    assert a == b and b.PDG is a.PDG and b.parents.index is a.parents.index


def test_the_constructor_lists_everything_that_is_missing_or_misshapen() -> None:
    a = three_particles()
    columns = {**a.columns, "mass": a.mass.astype("f4"), "time": a.time[:2], "extra": a.PDG}
    del columns["PDG"]
    found = mistakes(MCParticleCollection, a.offsets, columns, {"parents": a.parents})
    text = str(found)
    for part in ["no column 'extra'", "the column is missing", "dtype float32, expected float64",
                 "shape (2,), expected (3)", "the relation is missing"]:  # fmt: skip
        assert part in text


def test_one_to_one_offsets_may_be_given_if_they_count_one_by_one() -> None:
    links = RecoMCParticleLinkCollection.build([2], to=[0, 1])
    to = Relation(np.arange(3), links.to.index, links.to.collection)
    new = RecoMCParticleLinkCollection(
        links.offsets, links.columns, {"from_": links.from_, "to": to}
    )
    assert new == links and new.to.is_one_to_one
    bad = Relation(np.array([0, 2, 2]), links.to.index, links.to.collection)
    found = mistakes(
        RecoMCParticleLinkCollection,
        links.offsets,
        links.columns,
        {"from_": links.from_, "to": bad},
    )
    assert "one entry an object" in str(found)


def test_vector_members_are_checked() -> None:
    h = EventHeaderCollection.build([1], weights=([2], [1.0, 2.0]))
    for vector, part in [
        (VectorMember(np.array([0, 1]), {"": np.zeros(2)}), "offsets end at 1, but there are 2"),
        (VectorMember(np.array([0, 2]), {"": np.zeros(2, int)}), "dtype int64, expected float64"),
        (VectorMember(np.array([0, 1, 2]), {"": np.zeros(2)}), "3 offsets for 1 lists"),
        (VectorMember(np.array([0, 2]), {"x": np.zeros(2)}), "no column 'x'"),
    ]:
        with pytest.raises(Mistakes, match=re.escape(part)):
            EventHeaderCollection(h.offsets, h.columns, {}, {"weights": vector})


# views


def test_attributes_are_views_of_the_columns() -> None:
    particles = three_particles()
    assert particles.PDG is particles.columns["PDG"]
    assert particles.momentum.z is particles.columns["momentum.z"]
    x, y, z = particles.momentum
    assert (x is particles.momentum.x) and (z is particles.columns["momentum.z"]) and y is not x
    assert particles.momentum.names == ("x", "y", "z")
    with pytest.raises(AttributeError):
        _ = particles.momentum.w
    assert isinstance(particles.columns, Mapping)
    with pytest.raises(TypeError):
        particles.columns["PDG"] = 1  # type: ignore[index]


def test_a_slice_of_events_shares_memory_and_a_mask_does_not() -> None:
    batch = random_batch(3, 20)
    for collection in batch.collections.values():
        part = collection.select_events(slice(4, 12))
        for (_, mine), (name, theirs) in zip(part.arrays(), collection.arrays(), strict=True):
            if not name.endswith("offsets") and mine.size:
                assert np.shares_memory(mine, theirs), name


def test_a_mask_of_neighbouring_events_is_as_good_as_a_slice() -> None:
    particles = random_batch(3, 20)["MCParticles"]
    mask = np.zeros(20, bool)
    mask[4:12] = True
    part = particles.select_events(mask)
    assert np.shares_memory(part.PDG, particles.PDG)
    assert part == particles.select_events(slice(4, 12)) == particles.select_events(range(4, 12))


# selecting and joining, against plain lists


def as_lists(collection: Collection) -> list:
    """The collection event by event, as plain Python."""
    return collection.to_awkward().to_list()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.data())
def test_selected_events_are_those_of_plain_lists(seed: int, data: st.DataObject) -> None:
    n = 6
    batch = random_batch(
        seed, n, types=["edm4hep::EventHeader", "edm4hep::MCParticle", "edm4hep::Track"]
    )
    index = data.draw(st.lists(st.integers(-n, n - 1), max_size=8))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    cut = slice(*(data.draw(st.one_of(st.none(), st.integers(-8, 8))) for _ in "ab"),
                data.draw(st.sampled_from([None, 1, 2, -1])))  # fmt: skip
    for collection in batch.collections.values():
        rows = as_lists(collection)
        assert as_lists(collection.select_events(index)) == [rows[i] for i in index]
        assert as_lists(collection.select_events(mask)) == [
            r for r, m in zip(rows, mask, strict=True) if m
        ]
        assert as_lists(collection.select_events(cut)) == rows[cut]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_concatenation_is_that_of_plain_lists(seed: int, sizes: list[int]) -> None:
    names = ["edm4hep::MCParticle", "edm4hep::ReconstructedParticle", "edm4hep::Track"]
    batches = [random_batch(seed + i, n, types=names) for i, n in enumerate(sizes)]
    for name in batches[0].names:
        parts = [batch[name] for batch in batches]
        joined = type(parts[0]).concatenate(parts)
        assert as_lists(joined) == [row for part in parts for row in as_lists(part)]
        MCParticleCollection.build(offsets=joined.offsets)  # begins at 0, never falls


@pytest.mark.parametrize("selection", [[9], [0.5], np.ones(2, bool), [[0]], [-9]])
def test_a_selection_that_cannot_be_is_refused(selection) -> None:
    with pytest.raises(InputError, match="cannot be selected"):
        three_particles().select_events(selection)


def test_different_types_are_not_joined() -> None:
    with pytest.raises(InputError, match="EventHeader cannot be appended to edm4hep::MCParticle"):
        MCParticleCollection.concatenate([three_particles(), EventHeaderCollection.build([1])])
    with pytest.raises(InputError, match="at least one"):
        MCParticleCollection.concatenate([])


def test_replace_gives_some_members_anew_and_shares_the_rest() -> None:
    a = three_particles(mass=1.0)
    b = a.replace(PDG=[1, 2, 3], momentum=(1, 2, 3))
    assert b.PDG.tolist() == [1, 2, 3] and b.momentum.z.tolist() == [3.0] * 3
    assert b.mass is a.mass and b.vertex.x is a.vertex.x and a.PDG.tolist() == [11, -11, 22]
    assert "expected (3,)" in str(mistakes(a.replace, PDG=[1]))


def test_equality_is_of_bits() -> None:
    a = three_particles(mass=[0.0, np.nan, 1.0])
    assert a == three_particles(mass=[0.0, np.nan, 1.0])
    assert a != three_particles(mass=[-0.0, np.nan, 1.0])
    assert a != three_particles(mass=[0.0, np.nan, np.nextafter(1.0, 2)])
    assert a != MCParticleCollection.build([0, 2, 1], PDG=a.PDG, mass=a.mass)
    assert a != three_particles(mass=a.mass, parents=([0, 1, 0], [0]))
    assert a != "particles"
    with pytest.raises(TypeError):
        hash(a)


def test_nbytes_is_the_bytes_of_the_data() -> None:
    for collection in random_batch(0, 10).collections.values():
        arrays = [array for _, array in collection.arrays()]
        assert collection.nbytes == sum(array.nbytes for array in arrays)
    one = ReconstructedParticleCollection.build(np.full(1000, 10))
    # 84 bytes of columns; a one-to-one relation (8) and offsets of three one-to-many (8 each)
    assert one.nbytes == 10_000 * (84 + 8 + 3 * 8) + 3 * 8 + 1001 * 8


def test_collections_survive_pickling() -> None:
    for collection in random_batch(1, 4).collections.values():
        again = pickle.loads(pickle.dumps(collection))
        assert again == collection and type(again) is type(collection)
        assert all(r.event_offsets is not None for r in again.relations.values())
