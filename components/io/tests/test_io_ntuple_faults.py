"""Damaged RNTuples: one clear error or the same content, never a crash, never other data."""

import resource
import struct

import awkward as ak
import numpy as np
import pytest

from fiducial.core.errors import FiducialError
from fiducial.edm.testing import random_batch
from fiducial.io import DamagedFile, EventFile, read_rntuple, write_rntuple
from fiducial.io.rntuple import RootFileWriter
from fiducial.io.rntuple.blocks import Compression, compress, decompress
from fiducial.io.rntuple.envelopes import Footer, Header, PageList, Schema
from fiducial.io.rntuple.frames import Cursor, list_frame
from fiducial.io.rntuple.testing import every_kind, read_events, write_events

TYPES = ["edm4hep::EventHeader", "edm4hep::MCParticle", "edm4hep::RecoMCParticleLink"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    batch = random_batch(3, 10, types=TYPES)
    path = tmp_path_factory.mktemp("small") / "events.root"
    write_rntuple(path, batch, {"a": 1})
    return batch, path.read_bytes()


def test_a_file_cut_at_any_percent_is_refused_by_name(tmp_path, small):
    _, content = small
    target = tmp_path / "cut.root"
    for percent in range(100):
        target.write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(DamagedFile, match=str(target)):
            read_rntuple(target)


def test_a_thousand_flipped_bytes_are_errors_or_change_nothing(tmp_path, small):
    batch, content = small
    target = tmp_path / "flipped.root"
    rng = np.random.default_rng(6)
    noticed = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for position in rng.integers(0, len(content), 1000).tolist():
        damaged = bytearray(content)
        damaged[position] ^= int(rng.integers(1, 256))
        target.write_bytes(damaged)
        try:
            assert read_rntuple(target) == batch  # without the content hash: checksums alone
        except FiducialError as error:
            assert str(target) in str(error)
            noticed += 1
    assert noticed > 700
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kB: no length was believed


@pytest.mark.parametrize("codec", ["zstd", "lz4", "lzma", "none"])
def test_flipped_bytes_in_any_compression_change_no_value(tmp_path, codec):
    kinds = every_kind(20)
    path = tmp_path / "x.root"
    write_events(path, kinds, (9,), Compression(codec))
    content = path.read_bytes()
    expected = {name: repr(ak.to_list(a)) for name, a in kinds.items()}
    rng = np.random.default_rng(7)
    for position in rng.integers(0, len(content), 60).tolist():
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = read_events(path)
        except (ValueError, FiducialError, KeyError, UnicodeDecodeError):
            continue
        assert {name: repr(ak.to_list(a)) for name, a in found.items()} == expected


def test_counts_and_lengths_that_do_not_fit_are_refused_before_memory_is_asked_for():
    many = struct.pack("<qI", -12, 0xFFFF_FFFF)
    with pytest.raises(ValueError, match="4294967295 items in 0 bytes"):
        Cursor(memoryview(many)).list(1)
    with pytest.raises(ValueError, match="bytes are needed"):
        Cursor(memoryview(struct.pack("<q", 1 << 62))).record()
    with pytest.raises(ValueError, match="bytes are needed"):
        Cursor(memoryview(b"\xff\xff\xff\xffabc")).string()
    chunk = bytes(compress(np.zeros(100, np.uint8), Compression()))
    with pytest.raises(ValueError, match="hold 100 bytes where 1099511627776 are expected"):
        decompress(memoryview(chunk), 1 << 40)
    larger = chunk[:6] + b"\xff\xff\xff" + chunk[9:]
    with pytest.raises(ValueError, match="gave 100 bytes where 16777215"):
        decompress(memoryview(larger), 0xFF_FFFF)


@pytest.mark.parametrize("parse", [Header.parse, Footer.parse, PageList.parse])
def test_envelopes_of_another_kind_or_with_a_wrong_checksum_are_refused(parse):
    kinds = {
        Header.parse: Header("events", "", "test", Schema()),
        Footer.parse: Footer(1, []),
        PageList.parse: PageList(1, [], []),
    }
    for other, envelope in kinds.items():
        data = envelope.pack()
        if other == parse:
            parse(data)
            with pytest.raises(ValueError, match="checksum"):
                parse(data[:-1] + bytes([data[-1] ^ 1]))
        else:
            with pytest.raises(ValueError, match="this is no"):
                parse(data)
    with pytest.raises(ValueError):
        parse(b"")


def test_features_of_a_later_format_are_refused():
    import xxhash

    data = bytearray(Header("events", "", "test", Schema()).pack())
    data[8] = 1
    data[-8:] = xxhash.xxh3_64_intdigest(bytes(data[:-8])).to_bytes(8, "little")
    with pytest.raises(ValueError, match="features that are unknown"):
        Header.parse(bytes(data))


def test_an_unfinished_file_opens_nowhere(tmp_path):
    kinds = every_kind(20)
    file = RootFileWriter(tmp_path / "x.root")
    ntuple = file.ntuple("events", list(kinds), [a.form for a in kinds.values()])
    ntuple.fill(list(kinds.values()), 20)
    file.abandon()
    assert (tmp_path / "x.root").stat().st_size > 1000
    with pytest.raises(DamagedFile, match="not an event file"):
        EventFile(tmp_path / "x.root")
    with pytest.raises(ValueError, match="no ROOT file"):
        read_events(tmp_path / "x.root")


def test_lists_of_items_count_themselves():
    assert Cursor(memoryview(list_frame([b"ab", b"cd"]))).list(2)[0] == 2
