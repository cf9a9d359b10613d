"""The measuring itself: the slower one is slower, memory is seen, records are whole."""

import time

import numpy as np

from fiducial.core.bench import Measured, Record, interleaved, machine, measure, peak_rss


def test_the_ratio_says_how_many_times_faster_ours_is():
    record = interleaved(lambda: time.sleep(0.002), lambda: time.sleep(0.02), repeats=5)
    assert record["ratio"] > 2
    assert record["ours"] < record["rival"]
    assert record["repeats"] == 5
    assert record["spread"] >= 0
    assert set(record) == set(Measured.__annotations__)


def test_an_amount_turns_seconds_into_rates():
    record = interleaved(lambda: time.sleep(0.01), lambda: time.sleep(0.01), 3, amount=1000)
    assert 1_000 < record["ours"] <= 100_000


def test_both_run_equally_often_and_in_turn():
    order = []
    interleaved(lambda: order.append("o"), lambda: order.append("r"), repeats=4)
    assert "".join(order) == "or" + "orro" * 2


def test_a_record_has_every_field_of_the_report():
    record = measure(
        name="n", input="i", ours=lambda: None, rival=lambda: None, rival_name="r",
        rival_version="1", repeats=2,
    )  # fmt: skip
    assert set(record) == set(Record.__annotations__)


def test_peak_memory_sees_what_is_freed_again():
    quiet = peak_rss(lambda: None)
    loud = peak_rss(lambda: np.ones(30_000_000).sum())
    assert loud - quiet > 200e6


def test_the_machine_is_described():
    assert machine()["cores"] >= 1
    assert machine()["memory_bytes"] > 1e8
