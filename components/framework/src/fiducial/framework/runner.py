"""Run a chain: ranges are computed by an executor, kept, merged in event order, put in place.

The answer (``content_sha256`` and the tables) is the same, bit for bit on CPU, for any size of
range, executor and number of workers, and whether or not the run was interrupted.  OUT keeps its
last good content until a run is complete.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.core.errors import InputError
from fiducial.core.files import environment_problem, write_atomically
from fiducial.framework.chain import Chain
from fiducial.framework.checkpoint import (
    PARTS,
    DamagedPart,
    discard,
    exclusive,
    write_fingerprint,
)
from fiducial.framework.commit import RUN_JSON, commit, final_directory, roll_forward
from fiducial.framework.compute import Done, Setup
from fiducial.framework.executors import Executor, make_executor
from fiducial.framework.measure import Meter, Usage
from fiducial.framework.merge import Merger
from fiducial.framework.plan import (
    TABLES,
    Action,
    RunPlan,
    decide,
    examine,
    plan_run,
    read_info,
)
from fiducial.framework.progress import Progress, Quiet
from fiducial.framework.tables import Tables, load_tables


@dataclass(frozen=True)
class RunResult:
    """A finished run: its directory and what its run.json says."""

    directory: Path
    info: Mapping[str, Any]

    @property
    def content_sha256(self) -> str:
        """Digest of the events' content, independent of how the run was split."""
        return str(self.info["content_sha256"])

    @property
    def tables_sha256(self) -> str:
        """Digest of the tables' content."""
        return str(self.info["tables_sha256"])

    def path(self, output: str) -> Path:
        """The file of an output."""
        return self.directory / str(self.info["outputs"][output]["path"])

    def tables(self) -> Tables:
        """All tables: {"step/table": {column: (rows,)}}."""
        return load_tables(self.directory / TABLES)


def open_run(directory: str | Path) -> RunResult:
    """A finished run on the disk."""
    out = Path(directory)
    info = read_info(out)
    if info is None:
        raise InputError(
            f"{out} holds no finished run", "no run.json of format 1", "check the path"
        )
    return RunResult(out, info)


def run(
    chain: Chain | str | Path,
    events: int | None,
    out: str | Path,
    executor: str | Executor = "inprocess",
    workers: int | None = None,
    seed: int | None = None,
    *,
    scale: str | None = None,
    range_size: int | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Run a chain (a name, a path, or loaded) for `events` events and keep the answer in `out`.

    events      how many; None with `scale`, the name of one of the chain's scales
    executor    see `make_executor`
    seed        the chain's own where it is None
    range_size  events a unit of work; the chain's own where it is None
    resume      reuse what is valid of `out`, finished or not, and compute the rest
    force       replace what `out` holds, once the new run is complete
    Raises `Mistakes` or `InputError` for what can be refused before the run, `EnvironmentProblem`
    where the machine fails (no space, a worker that dies again and again).
    """
    started = time.perf_counter()
    workplace = make_executor(executor, workers) if isinstance(executor, str) else executor
    plan = plan_run(chain, events, out, scale=scale, seed=seed, range_size=range_size)
    return execute(plan, workplace, resume=resume, force=force, progress=progress, started=started)


def execute(
    plan: RunPlan,
    executor: Executor,
    *,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    started: float | None = None,
) -> RunResult:
    """Carry out a plan."""
    began = time.perf_counter() if started is None else started
    listener = progress if progress is not None else Quiet()
    examine(plan)  # refuses a file in the place of OUT before anything is touched
    with exclusive(plan.out):
        roll_forward(plan.out)
        situation = examine(plan)
        action, notice = decide(plan, situation, resume=resume, force=force)
        if notice:
            listener.notice(notice)
        if action is Action.REUSE:
            listener.advance(plan.chain.name, plan.events, plan.events)
            return RunResult(plan.out, situation.info or {})
        if action is Action.START:
            discard(plan.out / PARTS)
        _prepare(plan)
        return _Run(plan, executor, listener, began).carry_out(situation.info)


def _prepare(plan: RunPlan) -> None:
    final = final_directory(plan.out)
    try:
        shutil.rmtree(final, ignore_errors=True)
        final.mkdir(parents=True)
    except OSError as error:
        raise environment_problem(f"cannot write to {plan.out}", error) from error
    write_fingerprint(plan.out / PARTS, plan.fingerprint)


class _Run:
    """One run from its first range to its commit, with its clocks."""

    def __init__(self, plan: RunPlan, executor: Executor, progress: Progress, began: float) -> None:
        self._plan, self._executor, self._progress = plan, executor, progress
        self._began = began
        self._setup = Setup(plan.chain.steps, plan.seed, plan.chain.keep, plan.checkpoints)
        self._meter = Meter()  # the steps, and the writing of the outputs
        self._useful = 0.0  # seconds in steps, of the ranges computed now
        self._computing = 0.0  # seconds in ranges computed now, wherever
        self._merging = 0.0  # seconds of this process in merging
        self._computed = 0

    def carry_out(self, before: Mapping[str, Any] | None) -> RunResult:
        plan, final = self._plan, final_directory(self._plan.out)
        begun = time.perf_counter()
        merger = Merger(plan, final, self._meter)
        self._merging += time.perf_counter() - begun
        try:
            self._merge_all(merger)
            begun = time.perf_counter()
            written = merger.close()
        except BaseException:
            merger.abandon()
            raise
        self._merging += time.perf_counter() - begun
        info = self._info(written, merger.provenance)
        write_atomically(final / RUN_JSON, json.dumps(info, indent=1) + "\n")
        commit(plan.out, [*plan.files.values(), TABLES, RUN_JSON], _files_of(before))
        return RunResult(plan.out, info)

    def _merge_all(self, merger: Merger) -> None:
        ranges = self._plan.ranges
        waiting: dict[int, Done] = {}
        position = events = 0
        for done in self._all_done():
            waiting[done.work.first] = done
            events += done.work.count
            self._progress.advance(self._plan.chain.name, events, self._plan.events)
            begun = time.perf_counter()
            while position < len(ranges) and ranges[position].first in waiting:
                self._merge(merger, waiting.pop(ranges[position].first))
                position += 1
            self._merging += time.perf_counter() - begun

    def _all_done(self) -> Iterator[Done]:
        """Every range: first those found finished, then the rest as they get done."""
        todo = []
        for work in self._plan.ranges:
            usages = self._plan.checkpoints.find(work)
            if usages is None:
                todo.append(work)
            else:
                yield Done(work, usages, 0.0)
        if todo:
            for done in self._executor.run(self._setup, todo, self._progress):
                self._account(done)
                yield done

    def _account(self, done: Done) -> None:
        self._computed += 1
        self._computing += done.seconds
        self._useful += sum(usage.seconds for usage in done.usages.values())

    def _merge(self, merger: Merger, done: Done) -> None:
        if done.content is None:
            try:
                content = self._plan.checkpoints.load(done.work)
            except DamagedPart as damage:
                self._progress.notice(f"{damage}: events {done.work} are computed again")
                self._plan.checkpoints.forget(done.work)
                done = self._setup.run_steps(done.work)
                self._setup.keep_range(done)
                self._merging -= done.seconds  # this much of the merge is computing
                self._account(done)
                assert done.content is not None
                content = done.content
        else:
            content = done.content
        self._meter.merge(dict(done.usages))
        merger.extend(*content)

    def _info(self, written: Mapping[str, Any], origin: Mapping[str, Any]) -> dict[str, Any]:
        plan, chain = self._plan, self._plan.chain
        writing = {n: u for n, u in self._meter.usages.items() if n.startswith("write:")}
        busy = self._computing + self._merging
        useful = self._useful + sum(usage.seconds for usage in writing.values())
        return {
            "format": 1,
            "chain": chain.name,
            "title": chain.title,
            "chain_sha256": chain.sha256,
            "seed": plan.seed,
            "events": plan.events,
            "collections": {name: chain.collections[name] for name in chain.keep},
            **written,
            "steps": [*self._step_records(), *self._write_records(writing)],
            "wall_seconds": time.perf_counter() - self._began,
            "overhead_fraction": max(0.0, 1.0 - useful / busy) if busy > 0 else 0.0,
            "peak_rss_bytes": max(u.peak_rss_bytes for u in self._meter.usages.values()),
            "executor": self._executor.name,
            "workers": self._executor.workers,
            "ranges": len(plan.ranges),
            "range_events": plan.range_size,
            "computed_ranges": self._computed,
            "fingerprint": dict(plan.fingerprint),
            "provenance": dict(origin),
        }

    def _step_records(self) -> Iterator[dict[str, Any]]:
        for named in self._plan.chain.steps:
            check = self._plan.chain.checks.get(named.name, Usage())
            yield {
                "name": named.name,
                "use": named.use,
                "distribution": named.distribution,
                "version": named.version,
                **self._meter.usage(named.name).to_dict(),
                "check_seconds": check.seconds,
            }

    def _write_records(self, writing: Mapping[str, Usage]) -> Iterator[dict[str, Any]]:
        version = self._plan.fingerprint.get("version of fiducial-io", "unknown")
        for name, usage in writing.items():
            output = self._plan.chain.outputs.get(name.removeprefix("write:"))
            yield {
                "name": name,
                "use": "npz" if output is None else output.format,
                "distribution": "fiducial-framework" if output is None else "fiducial-io",
                "version": version,
                **usage.to_dict(),
                "check_seconds": 0.0,
            }


def _files_of(info: Mapping[str, Any] | None) -> list[str]:
    """The files that the run before has left in OUT."""
    if info is None:
        return []
    names = [record.get("path") for record in info.get("outputs", {}).values()]
    return [name for name in names if isinstance(name, str) and Path(name).name == name]
