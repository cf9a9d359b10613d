"""The small parts: tables, clocks, ranges, the catalogue of versions."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiducial.core.errors import InputError, InternalError
from fiducial.framework.measure import Meter, peak_rss_bytes, reset_peak_rss
from fiducial.framework.progress import Bar, JsonLines
from fiducial.framework.ranges import aligned, split
from fiducial.framework.tables import TableWriter, load_tables, storable, tables_sha256

columns = st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5), min_size=1, max_size=6)


@given(columns)
@settings(max_examples=30, deadline=None)
def test_streamed_tables_are_those_of_one_piece(tmp_path_factory, pieces) -> None:
    tmp = tmp_path_factory.mktemp("tables")
    writer = TableWriter(tmp / "columns")
    for piece in pieces:
        column = np.array(piece, dtype=np.int32)
        writer.extend({"s/t": {"x": column, "half": column / 2}})
    digest = writer.close(tmp / "tables.npz")
    whole = np.array([x for piece in pieces for x in piece], dtype=np.int32)
    expected = {"s/t": {"x": whole, "half": whole / 2}}
    stored = load_tables(tmp / "tables.npz")
    for key, column in expected["s/t"].items():
        assert np.array_equal(stored["s/t"][key], column)
        assert stored["s/t"][key].dtype == column.dtype
    assert digest == tables_sha256(expected) == tables_sha256(stored)
    assert not (tmp / "columns").exists()


def test_the_same_tables_give_the_same_bytes_that_numpy_reads(tmp_path: Path) -> None:
    for name in ("a", "b"):
        writer = TableWriter(tmp_path / "columns")
        writer.extend({"z/t": {"x": np.arange(3.0)}, "a/t": {"flag": np.array([True, False])}})
        writer.close(tmp_path / f"{name}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert archive.namelist() == ["a/t/flag.npy", "z/t/x.npy"]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None


def test_no_tables_are_an_archive_too(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path / "columns")
    writer.extend({})
    writer.close(tmp_path / "tables.npz")
    assert load_tables(tmp_path / "tables.npz") == {}


def test_columns_that_cannot_be_stored_are_refused() -> None:
    with pytest.raises(InternalError, match="holds <U1"):
        storable("s", "t", {"x": np.array(["a"])})
    with pytest.raises(InternalError, match="cannot be stored"):
        storable("s", "t", {"x/y": np.arange(2)})


def test_ranges_that_differ_in_their_columns_are_refused(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path / "columns")
    writer.extend({"s/t": {"x": np.arange(3)}})
    with pytest.raises(InternalError, match="s/t/y"):
        writer.extend({"s/t": {"x": np.arange(3), "y": np.arange(3)}})
    writer.abandon()


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"not an archive"])
def test_tables_that_cannot_be_read_are_an_input_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "tables.npz").write_bytes(data)
    with pytest.raises(InputError, match="cannot read the tables"):
        load_tables(tmp_path / "tables.npz")


@given(events=st.integers(1, 500), size=st.integers(1, 100), block=st.integers(1, 30))
def test_ranges_cover_all_events_once_and_begin_at_blocks(events, size, block) -> None:
    ranges = list(split(events, size, block))
    assert [e for r in ranges for e in range(r.first, r.stop)] == list(range(events))
    assert all(r.first % block == 0 for r in ranges)
    assert all(r.count == aligned(size, block) for r in ranges[:-1])


def test_peak_memory_belongs_to_what_is_measured() -> None:
    if not reset_peak_rss():
        pytest.skip("this system cannot set the high-water mark back")
    meter, large = Meter(), 200_000_000
    with meter.measure("large"):
        bytearray(large)[::4096] = b"x" * len(range(0, large, 4096))
    with meter.measure("small"):
        pass
    assert meter.usage("large").peak_rss_bytes - meter.usage("small").peak_rss_bytes > 0.8 * large
    assert peak_rss_bytes() > 0


def test_time_adds_up_over_entries_and_is_kept_when_the_work_fails() -> None:
    meter = Meter()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), meter.measure("bad"):
            sum(range(100_000))
            1 / 0  # noqa: B018
    usage = meter.usage("bad")
    assert usage.seconds > 0 and usage.cpu_seconds > 0


def test_progress_as_lines_and_as_bar() -> None:
    stream = io.StringIO()
    lines = JsonLines(stream)
    lines.advance("toys", 1, 2)
    lines.notice("look")
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        {"phase": "toys", "done": 1, "total": 2},
        {"notice": "look"},
    ]
    from rich.console import Console

    drawn = io.StringIO()
    with Bar(Console(file=drawn, width=100, force_terminal=True)) as bar:
        bar.advance("toys", 1, 2)
        bar.advance("toys", 2, 2)
        bar.notice("look [here]")
    assert "toys" in drawn.getvalue() and "2/2" in drawn.getvalue()
    assert "look [here]" in drawn.getvalue()
