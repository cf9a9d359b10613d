"""Executors: the same answer from all of them, and workers that may die."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiducial.core.errors import EnvironmentProblem, InputError
from fiducial.framework import parse_chain, run
from fiducial.framework.compute import Setup
from fiducial.framework.executors.processes import Processes
from fiducial.framework.progress import Quiet
from fiducial.framework.ranges import split


class Heard(Quiet):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def advance(self, phase: str, done: int, total: int) -> None:
        self.steps.append((done, total))


def with_trouble(text: str, what: str, at: int = 25) -> str:
    trouble = f"  - {{name: trouble, use: toy_trouble, with: {{at: {at}, what: {what}}}}}\n"
    return text.replace("  - {name: observe", trouble + "  - {name: observe")


@given(events=st.integers(1, 60), size=st.integers(1, 70), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_split_of_any_run_gives_the_same_answer(tmp_path_factory, events, size, seed) -> None:
    out = tmp_path_factory.mktemp("split")
    whole = run("toys", events, out / "whole", seed=seed, range_size=events)
    cut = run("toys", events, out / "cut", seed=seed, range_size=size)
    assert whole.content_sha256 == cut.content_sha256
    assert whole.tables_sha256 == cut.tables_sha256


@pytest.mark.parametrize(("executor", "workers"), [("processes", 2)])
def test_every_executor_gives_the_same_answer(
    tmp_path: Path, log, executor, workers, same_answer
) -> None:
    reference = run("toys", 200, tmp_path / "reference")
    log.clear()
    other = run("toys", 200, tmp_path / "other", executor, workers, range_size=20)
    assert other.content_sha256 == reference.content_sha256
    assert other.tables_sha256 == reference.tables_sha256
    assert other.info["head"] == reference.info["head"]
    assert same_answer(tmp_path / "other", tmp_path / "reference")
    assert other.info["workers"] == workers
    assert len(log.lines("produce")) == 10
    assert str(os.getpid()) not in log.processes("produce")


def test_progress_tells_every_range_once_and_ends_at_the_total(tmp_path: Path, log) -> None:
    heard = Heard()
    run("toys", 45, tmp_path / "out", progress=heard)
    assert heard.steps == [(10, 45), (20, 45), (30, 45), (40, 45), (45, 45)]


def test_a_worker_that_dies_costs_only_its_range(tmp_path: Path, log, chain_text) -> None:
    reference = run(parse_chain(with_trouble(chain_text, "die_once", at=999)), 60, tmp_path / "a")
    log.clear()
    heard = Heard()
    chain = parse_chain(with_trouble(chain_text, "die_once"))
    result = run(chain, 60, tmp_path / "b", "processes", 2, progress=heard)
    assert result.content_sha256 == reference.content_sha256
    assert sorted(log.lines("produce")) == sorted(
        [f"produce {k} 10" for k in range(0, 60, 10)] + ["produce 20 10"]
    )
    assert len(heard.notices) == 1 and "20-29" in heard.notices[0]
    assert "SIGKILL" in heard.notices[0]


def test_a_range_that_always_kills_its_worker_ends_the_run_and_keeps_the_others(
    tmp_path: Path, log, chain_text, monkeypatch
) -> None:
    monkeypatch.setattr("fiducial.framework.executors.processes.ATTEMPTS", 2)
    chain = parse_chain(with_trouble(chain_text, "die"))
    with pytest.raises(EnvironmentProblem, match="events 20-29 ended their worker 2 times"):
        run(chain, 60, tmp_path / "out", "processes", 1)
    assert log.lines("produce").count("produce 20 10") == 2
    parts = sorted(p.name for p in (tmp_path / "out/.parts").glob("*.part"))
    assert "000000000000-000000000010.part" in parts
    assert not any(name.startswith("000000000020") for name in parts)


def test_no_more_ranges_than_two_a_worker_are_in_flight(tmp_path: Path, log, chain_text) -> None:
    """After one is done and nobody asks for more, only what is in flight gets done."""
    from fiducial.framework.plan import plan_run

    plan = plan_run(parse_chain(chain_text), 200, tmp_path / "out")
    plan.checkpoints.directory.mkdir(parents=True)
    setup = Setup(plan.chain.steps, plan.seed, plan.chain.keep, plan.checkpoints)
    done = Processes(2).run(setup, split(200, 10), Quiet())
    next(done)
    time.sleep(1.0)  # what is in flight gets done, and nothing more
    assert len(log.lines("produce")) <= 1 + 2 * 2
    done.close()


def test_a_dask_scheduler_that_is_not_there_is_an_environment_problem(tmp_path: Path, log) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot reach the Dask scheduler"):
        from fiducial.framework.executors import dask

        dask.CONNECT_TIMEOUT = 1
        run("toys", 20, tmp_path / "out", "dask:tcp://127.0.0.1:9")


def test_workers_that_do_not_see_the_output_directory_say_so(tmp_path: Path, log) -> None:
    from fiducial.framework.executors.dask import compute_there
    from fiducial.framework.plan import plan_run

    plan = plan_run("toys", 20, tmp_path / "elsewhere")
    setup = Setup(plan.chain.steps, plan.seed, plan.chain.keep, plan.checkpoints)
    with pytest.raises(EnvironmentProblem, match="does not see"):
        compute_there(setup, plan.ranges[0])


def test_a_running_dask_scheduler_is_used_by_its_address(tmp_path: Path, log) -> None:
    import distributed

    reference = run("toys", 40, tmp_path / "reference")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address=None, silence_logs=50
    ) as cluster:
        result = run("toys", 40, tmp_path / "out", f"dask:{cluster.scheduler_address}")
    assert result.content_sha256 == reference.content_sha256
    assert result.info["workers"] == 1
    with pytest.raises(InputError, match="leave --workers out"):
        run("toys", 40, tmp_path / "out", "dask:tcp://127.0.0.1:9", 2)


SBATCH = """\
#!/bin/sh
# a batch system of one machine: keep the script, start the job and print its number
job="$1.job"
cp "$1" "$job"
sh "$job" >/dev/null 2>&1 &
echo $! >> "{ids}"
echo "Submitted batch job $!"
"""


def test_a_batch_system_runs_the_ranges_as_jobs(tmp_path: Path, log, monkeypatch) -> None:
    import dask
    import dask_jobqueue  # noqa: F401  (its defaults enter dask.config for good)

    reference = run("toys", 40, tmp_path / "reference")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sbatch").write_text(SBATCH.format(ids=tmp_path / "ids"))
    (tools / "scancel").write_text('#!/bin/sh\nkill "$@" 2>/dev/null\nexit 0\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    resources = {"jobqueue.slurm.cores": 1, "jobqueue.slurm.memory": "2GB"}
    resources |= {"jobqueue.slurm.local-directory": str(tmp_path)}
    with dask.config.set({**resources, "jobqueue.slurm.interface": "lo"}):
        result = run("toys", 40, tmp_path / "out", "jobqueue:slurm", 1)
    assert result.content_sha256 == reference.content_sha256
    assert result.info["executor"] == "jobqueue:slurm"
    assert len((tmp_path / "ids").read_text().split()) == 1
    with pytest.raises(InputError, match=r"jobqueue\.slurm\.cores"):
        run("toys", 40, tmp_path / "unconfigured", "jobqueue:slurm")
