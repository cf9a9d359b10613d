"""The reference chains through every executor: the same physics content, bit for bit."""

from pathlib import Path

import pytest

from fiducial.framework import installed_chains, load_chain, run

pytest.importorskip("pythia8mc", reason="the reference chains need Pythia 8")
CHAINS = sorted(
    chain.name for chain in installed_chains() if chain.distribution == "fiducial-validation"
)
EVENTS = {"zh_recoil": 20, "z_pole": 40, "particle_gun": 100}


def test_the_reference_chains_are_installed() -> None:
    assert set(EVENTS) <= set(CHAINS)


@pytest.mark.parametrize("name", EVENTS)
def test_a_reference_chain_gives_the_same_answer_for_any_split(tmp_path: Path, name) -> None:
    chain, events = load_chain(name), EVENTS[name]
    whole = run(chain, events, tmp_path / "whole", range_size=events)
    cut = run(chain, events, tmp_path / "cut", range_size=7)
    assert cut.content_sha256 == whole.content_sha256
    assert cut.tables_sha256 == whole.tables_sha256
    head = run(chain, 10, tmp_path / "head")
    assert whole.info["head"]["content_sha256"] == head.content_sha256


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "workers"), [("processes", 2), ("dask", 2)])
def test_a_reference_chain_gives_the_same_answer_on_any_executor(
    tmp_path: Path, executor, workers
) -> None:
    reference = run("zh_recoil", 24, tmp_path / "reference")
    other = run("zh_recoil", 24, tmp_path / "other", executor, workers, range_size=6)
    assert other.content_sha256 == reference.content_sha256
    assert other.tables_sha256 == reference.tables_sha256
    assert other.info["head"] == reference.info["head"]
