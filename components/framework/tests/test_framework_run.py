"""A run of a chain: what it writes, and that the answer does not depend on how it was run."""

import json
from pathlib import Path

import numpy as np
import pytest

from fiducial.core.errors import InputError, InternalError
from fiducial.edm import EventBatch, content_hash
from fiducial.framework import load_chain, open_run, parse_chain, run
from fiducial.framework.tables import tables_sha256


def test_a_run_writes_events_tables_and_its_record(tmp_path: Path, log) -> None:
    result = run("toys", 40, tmp_path / "out")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"events.root", "tables.npz", "run.json"}
    info = json.loads((tmp_path / "out/run.json").read_text())
    assert info == open_run(tmp_path / "out").info == dict(result.info)
    assert info["events"] == 40 and info["seed"] == 42 and info["ranges"] == 4
    by_name = {step["name"]: step for step in info["steps"]}
    assert list(by_name)[:4] == ["make", "smear", "select", "observe"]
    assert {"write:events", "write:tables"} <= set(by_name)
    assert by_name["make"]["events_in"] == by_name["make"]["events_out"] == 40
    passed = by_name["select"]["events_out"]
    assert 0 < passed < 40 and by_name["observe"]["events_in"] == passed
    assert by_name["write:events"]["events_out"] == passed
    assert by_name["make"]["distribution"] == "framework-toys"
    assert by_name["make"]["version"] == "1.2"
    assert all(step["peak_rss_bytes"] > 1_000_000 for step in info["steps"])
    assert 0 <= info["overhead_fraction"] <= 1


def test_the_answer_is_that_of_a_plain_loop_over_the_steps(tmp_path: Path, log) -> None:
    from fiducial.core.random import derive

    chain = load_chain("toys")
    steps = {s.name: s.step for s in chain.steps}
    batch = steps["make"].produce(0, 40, derive(42, "make"))
    batch = batch.with_collections(steps["smear"].transform(batch, derive(42, "smear")))
    batch = batch.select_events(steps["select"].select(batch))
    tables = {f"observe/{k}": dict(t) for k, t in steps["observe"].consume(batch).items()}
    result = run(chain, 40, tmp_path / "out", range_size=7)
    assert result.content_sha256 == content_hash(batch)
    assert result.tables_sha256 == tables_sha256(tables)
    stored = result.tables()
    assert stored.keys() == tables.keys()
    for name, table in tables.items():
        for key, column in table.items():
            assert stored[name][key].dtype == column.dtype
            assert np.array_equal(stored[name][key], column)


def test_the_head_is_the_content_of_the_first_ten_events(tmp_path: Path, log) -> None:
    long = run("toys", 40, tmp_path / "long", range_size=4)
    short = run("toys", 10, tmp_path / "short")
    assert long.info["head"]["content_sha256"] == short.content_sha256
    assert long.info["head"]["events"] == short.info["head"]["events"] > 0


@pytest.mark.parametrize("size", [1, 3, 10, 39, 40, 1000])
def test_the_answer_does_not_depend_on_the_size_of_a_range(
    tmp_path: Path, log, size, same_answer
) -> None:
    reference = run("toys", 40, tmp_path / "reference")
    other = run("toys", 40, tmp_path / "other", range_size=size)
    assert other.content_sha256 == reference.content_sha256
    assert other.info["head"] == reference.info["head"]
    assert other.tables_sha256 == reference.tables_sha256
    assert same_answer(tmp_path / "other", tmp_path / "reference")


def test_ranges_begin_at_multiples_of_the_producers_block(tmp_path: Path, log, chain_text) -> None:
    text = chain_text.replace("use: toy_source, with: {mean: 4}", "use: toy_blocks")
    chain = parse_chain(text)
    whole = run(chain, 40, tmp_path / "whole", range_size=40)
    log.clear()
    cut = run(chain, 40, tmp_path / "cut", range_size=8)
    assert log.lines("produce") == ["produce 0 14", "produce 14 14", "produce 28 12"]
    assert cut.content_sha256 == whole.content_sha256


def test_another_seed_gives_another_answer(tmp_path: Path, log) -> None:
    a = run("toys", 20, tmp_path / "a", seed=1)
    b = run("toys", 20, tmp_path / "b", seed=2)
    assert a.content_sha256 != b.content_sha256
    assert a.tables_sha256 != b.tables_sha256


def test_max_events_are_the_first_that_pass(tmp_path: Path, log, chain_text) -> None:
    text = chain_text + "  few: {format: rntuple, keep: [EventHeader], max_events: 7}\n"
    result = run(parse_chain(text), 40, tmp_path / "out", range_size=3)
    assert {"events.root", "few.root"} == {r["path"] for r in result.info["outputs"].values()}
    assert result.info["outputs"]["few"]["events"] == 7
    from fiducial.io import read_rntuple

    few, all_events = read_rntuple(result.path("few")), read_rntuple(result.path("events"))
    assert np.array_equal(few.event_numbers, all_events.event_numbers[:7])


def test_the_event_file_holds_the_content_that_was_hashed(tmp_path: Path, log) -> None:
    from fiducial.io import read_rntuple

    result = run("toys", 40, tmp_path / "out", range_size=9)
    batch = read_rntuple(result.path("events"))
    assert isinstance(batch, EventBatch)
    assert content_hash(batch) == result.content_sha256


def test_a_run_in_which_no_event_passes_is_still_a_run(tmp_path: Path, log, chain_text) -> None:
    text = chain_text.replace("muons: 2", "muons: 1000")
    result = run(parse_chain(text), 20, tmp_path / "out")
    assert result.info["outputs"]["events"]["events"] == 0
    assert len(result.tables()["observe/events"]["muons"]) == 0


def test_a_table_whose_type_depends_on_the_split_is_refused(
    tmp_path: Path, log, chain_text
) -> None:
    text = chain_text.replace("toy_observe", "toy_observe, with: {careless: true}")
    text = text.replace("muons: 2", "muons: 4")
    with pytest.raises(InternalError, match="observe/events/muons"):
        run(parse_chain(text), 40, tmp_path / "out", range_size=1)
    assert not (tmp_path / "out/run.json").exists()


def test_a_step_that_fails_is_named_with_its_events(tmp_path: Path, log, chain_text) -> None:
    text = chain_text.replace(
        "  - {name: observe",
        "  - {name: bad, use: toy_trouble, with: {at: 25, what: raise}}\n  - {name: observe",
    )
    chain = parse_chain(text)
    for executor in ("inprocess", "processes"):
        with pytest.raises(InternalError, match=r"'bad' \(toy_trouble\) failed on events 20-29"):
            run(chain, 40, tmp_path / executor, executor, 1)


def test_a_step_that_breaks_its_promise_is_refused(tmp_path: Path, log, chain_text) -> None:
    text = chain_text.replace(
        "  - {name: observe",
        "  - {name: bad, use: toy_trouble, with: {at: 25, what: shape}}\n  - {name: observe",
    )
    with pytest.raises(InputError, match="'bad'"):
        run(parse_chain(text), 40, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"events": 0}, "0 events"),
        ({"events": 10, "range_size": 0}, "a range of 0"),
        ({"events": 10, "seed": -1}, "seed -1"),
        ({"events": 10, "workers": 3}, "3 workers"),
        ({"events": 10, "executor": "proceses"}, "did you mean processes"),
        ({"events": 10, "executor": "jobqueue:slrum"}, "did you mean slurm"),
        ({"events": None, "scale": "smok"}, "did you mean smoke"),
        ({"events": 10, "scale": "smoke"}, "not both"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(
    tmp_path: Path, log, words, problem
) -> None:
    with pytest.raises(InputError, match=problem):
        run("toys", out=tmp_path / "out", **words)
    assert not (tmp_path / "out").exists()
    assert log.lines() == []
