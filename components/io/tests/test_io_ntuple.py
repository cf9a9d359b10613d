"""RNTuples of any types come back bit for bit, and are what uproot reads too."""

import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError, Mistakes
from fiducial.io.rntuple import Compression, RNTupleFile, RootFileWriter, Unsupported
from fiducial.io.rntuple.encoding import decode_page, encode_page
from fiducial.io.rntuple.fields import BY_NAME, LEAVES
from fiducial.io.rntuple.frames import Cursor
from fiducial.io.rntuple.records import ColumnRecord, Locator, Role
from fiducial.io.rntuple.testing import any_bits, bits, every_kind, read_events, write_events

CODECS = [
    Compression(), Compression("zstd", 1), Compression("lz4", 4), Compression("lzma", 6),
    Compression("none"),
]  # fmt: skip
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "rntuple"


@pytest.fixture(scope="module")
def kinds():
    return every_kind()


# --- Round trips ---


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: f"{c.algorithm}{c.level}")
def test_every_kind_comes_back_bit_for_bit(tmp_path, kinds, codec):
    write_events(tmp_path / "x.root", kinds, (13, 13, 29), codec)
    assert bits(read_events(tmp_path / "x.root")) == bits(kinds)


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: f"{c.algorithm}{c.level}")
def test_uproot_reads_every_kind_alike(tmp_path, kinds, codec):
    path = tmp_path / "x.root"
    write_events(path, kinds, (13, 29), codec)
    with uproot.open(path) as file:
        found = file["events"].arrays()
    for name, layout in kinds.items():
        if name != "variant":  # uproot 5.7 takes the places of a variant for those of the file
            assert repr(found[name].to_list()) == repr(ak.to_list(layout)), name
    write_events(path, {"variant": kinds["variant"]}, (), codec)
    with uproot.open(path) as file:
        found = file["events"].arrays()["variant"].to_list()
    assert found == ak.to_list(kinds["variant"])


@pytest.mark.parametrize("page_bytes", [1, 13, 64])
def test_pages_of_any_size_hold_the_same(tmp_path, kinds, page_bytes):
    write_events(tmp_path / "x.root", kinds, (7,), page_bytes=page_bytes)
    assert bits(read_events(tmp_path / "x.root")) == bits(kinds)
    with uproot.open(tmp_path / "x.root") as file:
        found = file["events"].arrays(filter_name=["nested", "bool", "float64"])
    for name in found.fields:
        assert repr(found[name].to_list()) == repr(ak.to_list(kinds[name])), name


NUMBERS = [name for name in LEAVES if name != "float16"]  # which comes back as float
TYPES = st.recursive(
    st.sampled_from([*NUMBERS, "string"]),
    lambda inner: st.one_of(
        st.tuples(st.just("list"), inner),
        st.tuples(st.just("array"), st.integers(1, 3), inner),
        st.tuples(st.just("option"), inner),
        st.tuples(st.just("record"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("tuple"), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=5,
)


def arbitrary(rng, kind, n):
    """A layout of n elements of a type."""
    index = ak.index.Index64
    if kind == "string":
        return ak.Array(["aé\0"[: int(k)] for k in rng.integers(0, 4, n)] + ["x"]).layout[:n]
    if isinstance(kind, str):
        return ak.contents.NumpyArray(any_bits(rng, kind, n))
    if kind[0] == "list":
        offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 4, n))]).astype(np.int64)
        return ak.contents.ListOffsetArray(index(offsets), arbitrary(rng, kind[1], offsets[-1]))
    if kind[0] == "array":
        return ak.contents.RegularArray(arbitrary(rng, kind[2], n * kind[1]), kind[1], n)
    if kind[0] == "option":
        held = rng.random(n) < 0.6
        where = np.where(held, np.cumsum(held) - 1, -1)
        content = arbitrary(rng, kind[1], int(held.sum()))
        if content.is_option:
            return content[:0] if n == 0 else arbitrary(rng, kind[1], n)
        return ak.contents.IndexedOptionArray(index(where), content)
    contents = [arbitrary(rng, inner, n) for inner in kind[1]]
    if kind[0] == "tuple":
        return ak.contents.RecordArray(contents, None, n)
    names = [f"m{i}" for i in range(len(contents))]
    return ak.contents.RecordArray(contents, names, n, parameters={"__record__": "any::Thing"})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(TYPES, min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 20), min_size=1, max_size=3),
    codec=st.sampled_from(CODECS),
    page_bytes=st.sampled_from([1, 50, 1 << 20]),
)
def test_anything_comes_back_bit_for_bit(tmp_path_factory, kinds, seed, sizes, codec, page_bytes):
    rng = np.random.default_rng(seed)
    layouts = {f"f{i}": arbitrary(rng, kind, sum(sizes)) for i, kind in enumerate(kinds)}
    path = tmp_path_factory.mktemp("any") / "x.root"
    cuts = list(itertools.accumulate(sizes))[:-1]
    write_events(path, layouts, cuts, codec, page_bytes=page_bytes)
    assert bits(read_events(path)) == bits(layouts)


@given(
    name=st.sampled_from([k.name for k in BY_NAME.values() if not k.name.startswith("Real32")]),
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 70),
)
def test_pages_decode_to_what_was_encoded(name, seed, n):
    kind = BY_NAME[name]
    width = 3 if name == "Switch" else 1
    array = any_bits(np.random.default_rng(seed), kind.dtype, n * width)
    array = array.reshape(n, 3) if width == 3 else array
    out = np.empty_like(array)
    decode_page(encode_page(array, kind), kind, ColumnRecord(kind.code, kind.bits, 0), out)
    assert out.tobytes() == array.tobytes()


def test_encodings_are_those_of_the_specification():
    zigzag = encode_page(np.array([0, -1, 1, -2, 2], np.int16), BY_NAME["SplitInt16"])
    assert zigzag.tolist() == [0, 1, 2, 3, 4, 0, 0, 0, 0, 0]
    delta = encode_page(np.array([1, 1, 259], np.uint32), BY_NAME["SplitIndex32"])
    assert delta.tolist() == [1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    split = encode_page(np.array([1.0, -2.0], np.float32), BY_NAME["SplitReal32"])
    assert split.tolist() == [0, 0, 0, 0, 0x80, 0, 0x3F, 0xC0]
    some = encode_page(np.array([1, 0, 0, 0, 0, 0, 0, 1, 1], bool), BY_NAME["Bit"])
    assert some.tolist() == [0x81, 1]


def test_a_locator_beyond_2_gib_comes_back():
    for locator in (Locator(5, 7), Locator(1 << 31, 1 << 40), Locator((1 << 31) - 1, 0)):
        assert Locator.parse(Cursor(memoryview(locator.pack()))) == locator


def test_half_floats_come_back_as_floats(tmp_path):
    values = np.array([0.5, -0.0, np.inf, 65504, 6e-8], np.float16)
    write_events(tmp_path / "x.root", {"half": ak.contents.NumpyArray(values)})
    found = np.asarray(read_events(tmp_path / "x.root")["half"].data)
    assert found.dtype == np.float32
    assert found.tobytes() == values.astype(np.float32).tobytes()


# --- Many workers, one file ---


def test_the_file_is_the_same_for_any_number_of_threads(tmp_path, kinds):
    for threads in (1, 2, 5):
        write_events(tmp_path / f"{threads}.root", kinds, (5, 11, 29), threads=threads)
    contents = {(tmp_path / f"{threads}.root").read_bytes() for threads in (1, 2, 5)}
    assert len(contents) == 1
    assert bits(read_events(tmp_path / "1.root", threads=3)) == bits(kinds)


def test_clusters_sealed_by_workers_in_any_order_make_the_same_file(tmp_path, kinds):
    write_events(tmp_path / "one.root", kinds, (10, 20, 30))
    file = RootFileWriter(tmp_path / "many.root")
    ntuple = file.ntuple("events", list(kinds), [a.form for a in kinds.values()])
    sealer = pickle.loads(pickle.dumps(ntuple.sealer))  # as another process gets it
    with ThreadPoolExecutor(4) as pool:
        jobs = {
            first: pool.submit(sealer.seal, [a[first : first + 10] for a in kinds.values()], 10)
            for first in (30, 10, 0, 20)
        }
        for first in (0, 10, 20, 30):
            ntuple.append(jobs[first].result())
    file.close()
    assert (tmp_path / "many.root").read_bytes() == (tmp_path / "one.root").read_bytes()


def test_columns_with_the_same_content_are_stored_once(tmp_path):
    values = ak.contents.NumpyArray(np.random.default_rng(1).normal(size=100_000))
    write_events(tmp_path / "one.root", {"a": values})
    write_events(tmp_path / "many.root", dict.fromkeys("abcdefgh", values))
    one, many = ((tmp_path / name).stat().st_size for name in ("one.root", "many.root"))
    assert many < one + 2000
    assert len(set(bits(read_events(tmp_path / "many.root")))) == 1


def test_noise_takes_the_quick_level_and_patterns_the_strong_one(tmp_path):
    rng = np.random.default_rng(1)
    words = rng.integers(0, 1 << 60, 500)
    pattern = np.concatenate([words[rng.integers(0, 480) :][:20] for _ in range(10_000)])
    found = {"noise": rng.normal(size=200_000), "pattern": pattern[:200_000]}
    layouts = {name: ak.contents.NumpyArray(a) for name, a in found.items()}
    with_level = {}
    for level in (1, 9):
        file = RootFileWriter(tmp_path / "x.root", Compression("zstd", level))
        ntuple = file.ntuple("events", list(layouts), [a.form for a in layouts.values()])
        ntuple.fill(list(layouts.values()), 200_000)
        with_level[level] = ntuple.sealer.fast
        file.close()
    assert with_level[9][0] is True
    assert bits(read_events(tmp_path / "x.root")) == bits(layouts)


# --- What is asked for, and what is refused ---


def test_some_fields_and_clusters_are_read_alone(tmp_path, kinds):
    write_events(tmp_path / "x.root", kinds, (10, 20, 30))
    with RNTupleFile(tmp_path / "x.root") as file:
        ntuple = file.ntuple("events")
        assert ntuple.clusters == [(0, 10), (10, 20), (20, 30), (30, 40)]
        some = ntuple.arrays(["nested", "typed"], 1, 3)
        with pytest.raises(KeyError):
            ntuple.arrays(["absent"])
    assert bits(some) == bits({name: kinds[name][10:30] for name in ("nested", "typed")})


def test_a_file_without_entries_is_read(tmp_path, kinds):
    file = RootFileWriter(tmp_path / "x.root")
    file.ntuple("events", list(kinds), [a.form for a in kinds.values()])
    file.string("note", "hé" * 300)
    file.close()
    with RNTupleFile(tmp_path / "x.root") as file:
        assert file.ntuple("events").n_entries == 0
        assert file.string("note") == "hé" * 300
        assert [len(a) for a in file.ntuple("events").arrays().values()] == [0] * len(kinds)
    with uproot.open(tmp_path / "x.root") as file:
        assert file["events"].num_entries == 0


def test_what_cannot_be_written_is_told_all_at_once(tmp_path):
    layouts = {
        "a b": ak.contents.NumpyArray(np.zeros(2)),
        "complex": ak.contents.NumpyArray(np.zeros(2, complex)),
        "array": ak.contents.RegularArray(ak.Array([{"x": 1}, {"x": 2}]).layout, 1),
    }
    with pytest.raises(Mistakes) as caught:
        write_events(tmp_path / "x.root", layouts)
    text = str(caught.value)
    assert "a b: this name cannot stand" in text
    assert "complex: a column of complex128 cannot be written" in text
    assert "std::array<,1> holds a record without a name" in text


def test_compressions_that_are_not_known_are_refused():
    with pytest.raises(InputError, match=r"unknown compression 'zstdd'.*did you mean zstd"):
        Compression("zstdd")
    with pytest.raises(InputError, match="levels go from 1 to 9"):
        Compression("lz4", 0)


def test_streamed_objects_and_later_columns_are_refused_by_name(tmp_path, kinds):
    write_events(tmp_path / "x.root", kinds)
    with RNTupleFile(tmp_path / "x.root") as file:
        ntuple = file.ntuple("events")
        node = ntuple._nodes["typed"]
        node.record = replace(node.record, role=Role.STREAMER)
        with pytest.raises(Unsupported, match=r"field typed cannot.*std::vector<sample::Point>"):
            ntuple.arrays(["typed"])
        column = ntuple._nodes["vector"].children[0].columns[0][0]
        ntuple.schema.columns[column] = replace(ntuple.schema.columns[column], type=0x55)
        with pytest.raises(Unsupported, match=r"field vector\._0 cannot.*0x55"):
            ntuple.arrays(["vector"])
        assert bits(ntuple.arrays(["int8"])) == bits({"int8": kinds["int8"]})


# --- Samples of others ---

samples = sorted(SHARED.glob("*.root")) if SHARED.exists() else [None]


@pytest.mark.parametrize("sample", samples, ids=lambda p: p.name[:30] if p else "absent")
@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is absent here")
def test_every_field_of_a_sample_that_root_wrote_is_what_uproot_reads(sample):
    with RNTupleFile(sample) as file, uproot.open(sample) as other:
        for name, kind in file.kinds.items():
            if kind != "ROOT::RNTuple":
                continue
            expected = other[name].arrays()
            for field, layout in file.ntuple(name).arrays().items():
                assert repr(ak.to_list(layout)) == repr(expected[field].to_list()), field
