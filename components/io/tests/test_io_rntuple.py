"""Event files give back every bit, or say what is wrong with them."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiducial.core.errors import EnvironmentProblem, FiducialError, InputError, Mistakes
from fiducial.edm import EventBatch, MCParticleCollection, collection_id
from fiducial.edm.generated import TYPES
from fiducial.edm.testing import random_batch
from fiducial.io import (
    Compression,
    DamagedFile,
    EventFile,
    RNTupleWriter,
    iterate_rntuple,
    read_provenance,
    read_rntuple,
    verify,
    write_rntuple,
)
from fiducial.io import rntuple_layout as layout

SMALL = ["edm4hep::EventHeader", "edm4hep::MCParticle", "edm4hep::RecoMCParticleLink"]
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "edm4hep"


SOME = [*SMALL, "edm4hep::Track", "fiducial::GeneratorTrials"]


@pytest.fixture(scope="module")
def batch():
    return random_batch(1, 40, types=SOME)


@pytest.fixture(scope="module")
def path(tmp_path_factory, batch):
    path = tmp_path_factory.mktemp("io") / "events.root"
    write_rntuple(path, batch, {"chain": "tést", "seed": 2**63, "nested": [1, None]})
    return path


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


# --- Round trip ---


def test_every_type_of_the_model_comes_back_bit_for_bit(tmp_path):
    batch = random_batch(1, 10)
    assert len(batch.names) == len(TYPES)
    write_rntuple(tmp_path / "x.root", batch)
    assert read_rntuple(tmp_path / "x.root") == batch


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    n_events=st.integers(0, 12),
    mean=st.sampled_from([0.0, 0.3, 4.0]),
    types=st.lists(st.sampled_from(sorted(TYPES)), unique=True, min_size=1, max_size=4),
    cut=st.integers(0, 12),
)
def test_arbitrary_events_come_back_bit_for_bit(tmp_path_factory, seed, n_events, mean, types, cut):
    batch = random_batch(seed, n_events, mean, types)
    path = tmp_path_factory.mktemp("hypothesis") / "events.root"
    cut = min(cut, n_events)
    parts = [batch.select_events(slice(0, cut)), batch.select_events(slice(cut, None))]
    with RNTupleWriter(path, cluster_bytes=1) as writer:  # a cluster an event
        for part in parts:
            writer.extend(part)
    assert read_rntuple(path) == batch
    verify(path)


def test_a_file_without_events_is_read_as_a_batch_without_events(tmp_path, batch):
    write_rntuple(tmp_path / "x.root", batch.select_events(slice(0, 0)))
    empty = read_rntuple(tmp_path / "x.root")
    assert empty.n_events == 0
    assert set(empty.names) == set(batch.names)
    verify(tmp_path / "x.root")


def test_nan_and_negative_zero_come_back(tmp_path):
    particles = MCParticleCollection.build(counts=[3], mass=[np.nan, -0.0, np.inf])
    write_rntuple(tmp_path / "x.root", EventBatch({"MCParticles": particles}))
    mass = read_rntuple(tmp_path / "x.root")["MCParticles"].mass
    assert np.array_equal(mass.view(np.uint64), particles.mass.view(np.uint64))


def test_the_content_does_not_depend_on_clusters_or_batches(tmp_path, batch):
    with RNTupleWriter(tmp_path / "x.root", cluster_bytes=8_000) as writer:
        for first in range(0, 40, 7):
            writer.extend(batch.select_events(slice(first, first + 7)))
    write_rntuple(tmp_path / "y.root", batch)
    assert verify(tmp_path / "x.root") == verify(tmp_path / "y.root")
    with uproot.open(tmp_path / "x.root") as file:
        assert len(file["events"].cluster_summaries) > 3
    assert read_rntuple(tmp_path / "x.root") == batch


def test_small_batches_share_a_cluster_and_a_big_one_is_cut(tmp_path, batch):
    with RNTupleWriter(tmp_path / "x.root") as writer:
        for first in range(40):
            writer.extend(batch.select_events(slice(first, first + 1)))
    write_rntuple(tmp_path / "y.root", batch)
    with uproot.open(tmp_path / "x.root") as file:
        assert len(file["events"].cluster_summaries) == 1
    with RNTupleWriter(tmp_path / "z.root", cluster_bytes=batch.nbytes // 4) as writer:
        writer.extend(batch)
    with uproot.open(tmp_path / "z.root") as file:
        assert len(file["events"].cluster_summaries) == 4


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 5), (13, 30), (35, None), (-3, None), (50, 60), (9, 3)]
)
def test_windows_of_events_and_chosen_collections_are_read(tmp_path, batch, start, stop):
    with RNTupleWriter(tmp_path / "x.root", cluster_bytes=8_000) as writer:
        writer.extend(batch)
    chosen = ["MCParticles", "Tracks"]
    got = read_rntuple(tmp_path / "x.root", chosen, start, stop)
    assert got == batch.keep(chosen).select_events(slice(start, stop))


def test_iterating_gives_all_events_in_order(path, batch):
    parts = list(iterate_rntuple(path, 7))
    assert [part.n_events for part in parts] == [7] * 5 + [5]
    assert EventBatch.concatenate(parts) == batch
    with pytest.raises(InputError, match="at least 1"):
        list(iterate_rntuple(path, 0))


def test_provenance_comes_back_and_any_reader_of_root_files_finds_it(path):
    expected = {"chain": "tést", "seed": 2**63, "nested": [1, None]}
    assert read_provenance(path) == expected
    with uproot.open(path) as file:
        assert file.classname_of(layout.RECORD) == "TObjString"
        assert "tést" in layout.unseal(str(file[layout.RECORD]))["provenance"]["chain"]


def test_a_file_of_layout_1_as_uproot_wrote_it_still_opens():
    path = Path(__file__).parent / "data" / "events_written_by_uproot.root"
    with EventFile(path) as file:
        assert "uproot" in file.record["writer"]
        assert file.provenance == {"chain": "old", "seed": 7}
        assert len(file.verify()) == 64
        assert file.read() == random_batch(1, 3, mean=1.5)
        assert set(file.read().names) == {cls.schema.collection for cls in TYPES.values()}


@pytest.mark.parametrize(
    "compression",
    [Compression("zstd", 1), Compression("lz4", 4), Compression("lzma", 6), Compression("none")],
    ids=lambda c: c.algorithm,
)
def test_any_compression_and_number_of_threads_holds_the_same_events(tmp_path, batch, compression):
    for threads in (1, 2):
        with RNTupleWriter(tmp_path / f"{threads}.root", {}, 8_000, compression, threads) as writer:
            writer.extend(batch)
    assert read_rntuple(tmp_path / "1.root") == batch
    assert (tmp_path / "1.root").read_bytes() == (tmp_path / "2.root").read_bytes()


# --- The layout, seen with uproot alone ---


def test_an_independent_reader_sees_the_values_under_the_names_of_podio(path, batch):
    with uproot.open(path) as file:
        events = file["events"].arrays(
            filter_name=["MCParticles", "_MCParticles_parents", "_EventHeader_weights", "Tracks",
                         "_Tracks_trackStates", "RecoMCLinks", "_RecoMCLinks_from"]
        )  # fmt: skip
        info = file["podio_metadata"].arrays()["events___CollectionTypeInfo"][0].to_list()
    particles = batch["MCParticles"]
    k = int(np.flatnonzero(particles.counts)[0])
    rows = slice(*particles.offsets[k : k + 2])
    assert events["MCParticles"][k]["PDG"].to_list() == particles.PDG[rows].tolist()
    assert (
        events["MCParticles"][k]["momentum"]["y"].to_list() == particles.momentum.y[rows].tolist()
    )
    for i, row in enumerate(range(rows.start, rows.stop)):
        begin, end = (int(events["MCParticles"][k][f"parents_{x}"][i]) for x in ("begin", "end"))
        entries = events["_MCParticles_parents"][k][begin:end]
        assert entries["index"].to_list() == particles.parents.of(row).tolist()
        assert set(entries["collectionID"].to_list()) <= {collection_id("MCParticles")}
    assert "covMatrix" in events["_Tracks_trackStates"].fields
    assert len(events["_RecoMCLinks_from"][k]) == len(events["RecoMCLinks"][k])
    types = {entry["name"]: entry for entry in info}
    assert types["MCParticles"]["dataType"] == "edm4hep::MCParticleCollection"
    assert types["MCParticles"]["collectionID"] == collection_id("MCParticles")
    assert types["RecoMCLinks"]["dataType"] == (
        "podio::LinkCollection<edm4hep::ReconstructedParticle,edm4hep::MCParticle>"
    )


needs_podio_sample = pytest.mark.skipif(
    not (SHARED / "edm4hep_example_rntuple.root").exists(),
    reason="podio's sample file lies in ../shared/data/edm4hep, which is absent here",
)


@needs_podio_sample
def test_podios_own_file_is_read():
    with EventFile(SHARED / "edm4hep_example_rntuple.root") as file:
        batch = file.read()
        assert set(file.types) - set(file.collections) == {
            "UserDataCollectionInt", "UserDataCollectionFloat",
        }  # fmt: skip
        assert file.provenance == {}
        with pytest.raises(InputError, match="no content hash"):
            file.verify()
    assert batch.n_events == 3
    assert len(batch.names) == 26
    particles = batch["MCParticleCollection"]
    assert particles.PDG.tolist() == [42, 61, 80] * 3
    assert particles.momentum.x.tolist() == [54.0, 73.0, 92.0] * 3
    assert particles.parents.of(0).tolist() == [2]
    assert batch["EventHeader"].vectors["weights"].counts.tolist() == [5] * 3
    assert batch["RecoMCParticleLinkCollection"].weight.tolist() == [42.0] * 3


@needs_podio_sample
def test_podios_own_file_survives_our_writer(tmp_path):
    batch = read_rntuple(SHARED / "edm4hep_example_rntuple.root")
    write_rntuple(tmp_path / "x.root", batch)
    assert read_rntuple(tmp_path / "x.root") == batch


@needs_podio_sample
def test_our_fields_are_those_of_podio_member_by_member(tmp_path):
    batch = read_rntuple(SHARED / "edm4hep_example_rntuple.root")
    write_rntuple(tmp_path / "x.root", batch)
    with (
        uproot.open(tmp_path / "x.root") as ours,
        uproot.open(SHARED / "edm4hep_example_rntuple.root") as theirs,
    ):
        held = [f for n, c in batch.collections.items() for f in layout.fields_of(n, c.schema)]
        for field in held:
            a = ours["events"].arrays(filter_name=[field])[field]
            b = theirs["events"].arrays(filter_name=[field])[field]
            assert str(a.type) == str(b.type), field
            assert a.to_list() == b.to_list(), field


# --- Refusals ---


def test_wrong_names_are_refused_all_at_once(path):
    with pytest.raises(Mistakes) as caught:
        read_rntuple(path, ["MCParticle", "Trakcs", "MCParticles"])
    text = str(caught.value)
    assert "no collection 'MCParticle': did you mean MCParticles" in text
    assert "no collection 'Trakcs': did you mean Tracks" in text


def test_batches_that_differ_are_refused_and_leave_the_old_file(tmp_path, batch):
    target = tmp_path / "x.root"
    target.write_text("old")
    with (
        pytest.raises(InputError, match="the same collections"),
        RNTupleWriter(target) as writer,
    ):
        writer.extend(batch)
        writer.extend(batch.keep(["MCParticles"]))
    assert target.read_text() == "old"
    assert names(tmp_path) == ["x.root"]


def test_an_aborted_writer_leaves_the_old_file_and_no_litter(tmp_path, batch):
    target = tmp_path / "x.root"
    target.write_text("old")
    writer = RNTupleWriter(target)
    writer.extend(batch)
    writer.abort()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["x.root"]


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(InputError, match="no batch was given"):
        write_rntuple(tmp_path / "x.root", [])
    assert names(tmp_path) == []


def test_provenance_that_json_cannot_hold_is_refused_before_anything_is_written(tmp_path, batch):
    with pytest.raises(TypeError):
        write_rntuple(tmp_path / "x.root", batch, {"a": object()})
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_is_one_clear_error_and_the_old_file_stays(tmp_path, batch):
    target = tmp_path / "x.root"
    target.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises(EnvironmentProblem, match=f"cannot write {target}"):
            write_rntuple(target, batch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["x.root"]


def test_a_file_that_is_missing_or_of_another_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        EventFile(tmp_path / "none.root")
    for content in (b"", b"root", b"root:x:0:0:root:/root:/bin/bash\n" * 10, os.urandom(1000)):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(DamagedFile, match="not an event file"):
            EventFile(tmp_path / "x")
    with uproot.recreate(tmp_path / "tree.root") as file:
        file.mktree("tree", {"x": np.int64})
    with pytest.raises(DamagedFile, match=r"no RNTuple events; it holds tree \(TTree\)"):
        EventFile(tmp_path / "tree.root")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    batch = random_batch(3, 10, types=SMALL)
    path = tmp_path_factory.mktemp("small") / "events.root"
    write_rntuple(path, batch, {"a": 1})
    return batch, path.read_bytes()


def test_a_file_cut_anywhere_is_refused_by_name(tmp_path, small):
    _, content = small
    target = tmp_path / "cut.root"
    rng = np.random.default_rng(5)
    for size in {0, 3, 23, 24, 100, len(content) - 1, *rng.integers(0, len(content), 60).tolist()}:
        target.write_bytes(content[:size])
        with pytest.raises(DamagedFile, match=str(target)):
            read_rntuple(target)


def test_a_flipped_bit_is_noticed_by_verify_or_changes_nothing(tmp_path, small):
    batch, content = small
    target = tmp_path / "flipped.root"
    rng = np.random.default_rng(6)
    noticed = 0
    for position in rng.integers(0, len(content), 60).tolist():
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        target.write_bytes(damaged)
        try:
            with EventFile(target) as file:
                file.verify()
                assert file.read() == batch
        except FiducialError as error:
            assert str(target) in str(error)
            noticed += 1
    assert noticed > 20


def test_a_newer_layout_is_refused(tmp_path, batch, monkeypatch):
    monkeypatch.setattr(layout, "LAYOUT", 99)
    write_rntuple(tmp_path / "x.root", batch)
    monkeypatch.undo()
    with pytest.raises(InputError, match="layout 99, this release reads up to 1"):
        EventFile(tmp_path / "x.root")


KILLED = """
import sys, time
from fiducial.edm.testing import random_batch
from fiducial.io import RNTupleWriter
writer = RNTupleWriter(sys.argv[1], cluster_bytes=1000)
writer.extend(random_batch(1, 5, types=['edm4hep::Track']))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_kill_9_while_writing_leaves_the_old_file_and_the_next_write_tidies_up(tmp_path, batch):
    target = tmp_path / "x.root"
    write_rntuple(target, batch)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()
    assert read_rntuple(target) == batch
    assert len(names(tmp_path)) == 2
    write_rntuple(target, batch)
    assert names(tmp_path) == ["x.root"]
