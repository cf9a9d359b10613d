"""An event is the same whatever batch it is in, whoever computes it, and on any device."""

import numba
import numpy as np
import pytest

from fiducial.core.device import compile_ptx, to_host
from fiducial.edm import EventBatch
from fiducial.edm.content import content_hash
from fiducial.simulation import fastsim, load_card, simulate


def with_answer(batch, found):
    return batch.with_collections(found)


@pytest.mark.parametrize("name", ["idea", "lhc"])
def test_events_alone_equal_those_in_a_batch(jets, name) -> None:
    card, batch = load_card(name), jets(23, first=100)
    whole = with_answer(batch, simulate(batch, card, 77))
    pieces = [batch.select_events(slice(i, i + 1)) for i in range(23)]
    alone = EventBatch.concatenate([with_answer(b, simulate(b, card, 77)) for b in pieces])
    assert alone == whole
    assert content_hash(alone) == content_hash(whole)


def test_the_order_of_events_does_not_matter(jets) -> None:
    card, batch = load_card("idea"), jets(30)
    order = np.random.default_rng(0).permutation(30)
    shuffled = batch.select_events(order)
    found = with_answer(shuffled, simulate(shuffled, card, 5))
    expected = with_answer(batch, simulate(batch, card, 5)).select_events(order)
    assert found == expected


def test_the_number_of_threads_does_not_matter(jets) -> None:
    card, batch = load_card("lhc"), jets(300)
    one = simulate(batch, card, 9, threads=1)
    most = simulate(batch, card, 9, threads=numba.config.NUMBA_NUM_THREADS)
    assert with_answer(batch, one) == with_answer(batch, most)


def test_another_seed_or_event_number_gives_another_answer(jets) -> None:
    card = load_card("idea")
    base = simulate(jets(20), card, 1)["ReconstructedParticles"]
    for batch, seed in ((jets(20), 2), (jets(20, first=1000), 1)):
        other = simulate(batch, card, seed)["ReconstructedParticles"]
        same = np.isin(other.energy, base.energy)
        assert same.mean() < 0.01


@pytest.mark.parametrize("seed", [0, 2**63, 2**64 - 1])
def test_every_seed_of_64_bits_is_taken(jets, seed) -> None:
    found = simulate(jets(3), load_card("idea"), seed)
    assert np.isfinite(found["ReconstructedParticles"].energy).all()


def test_no_event_and_empty_events_give_empty_collections(make_batch) -> None:
    for counts in (np.zeros(0, dtype=int), np.zeros(3, dtype=int)):
        batch = make_batch(counts, 13, 10.0, 1.0, 0.0)
        found = simulate(batch, load_card("idea"), 1)
        for collection in found.values():
            assert collection.n_events == len(counts)
            assert len(collection) == 0
        assert with_answer(batch, found).n_events == len(counts)


def test_kernels_agree_on_every_device(jets, device) -> None:
    """The GPU's elementary functions may differ in the last bits; cells and counts may not."""
    card, batch = load_card("idea"), jets(4, per_event=8)
    expected = simulate(batch, card, 13)
    found = simulate(batch, card, 13, device=device)
    for name, collection in expected.items():
        other = found[name]
        assert (other.offsets == collection.offsets).all()
        for member, column in collection.columns.items():
            assert to_host(other.columns[member]) == pytest.approx(column, rel=2e-5, abs=1e-6), (
                name,
                member,
            )


def numba_name(column) -> str:
    """The type of a column as numba writes it in signatures."""
    if isinstance(column, np.ndarray):
        return f"{column.dtype}[{', '.join([':'] * (column.ndim - 1) + ['::1'])}]"
    return str(numba.typeof(column))


def test_every_kernel_compiles_for_a_gpu(jets, monkeypatch) -> None:
    launched = {}

    def record(kernel, n, *columns, **_):
        launched[kernel] = columns

    monkeypatch.setattr(fastsim, "launch", record)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "empty", np.zeros)  # nothing runs, so counts must be defined
        simulate(jets(2), load_card("idea"), 1)
    assert len(launched) == 5
    for kernel, columns in launched.items():
        signature = ", ".join(numba_name(column) for column in columns)
        ptx = compile_ptx(kernel, signature)
        assert ".target sm_90" in ptx and ".entry" in ptx
