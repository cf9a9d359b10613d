"""Run a chain: events through its steps, into files, with the same answer anywhere."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from fiducial.framework.executors import make_executor
from fiducial.framework.plan import Action, RunPlan, decide, examine, plan_run
from fiducial.framework.progress import Bar, JsonLines, Progress, Quiet
from fiducial.framework.runner import RunResult, execute

panel = "Run physics"


class ProgressStyle(StrEnum):
    """How progress is told."""

    AUTO = "auto"
    BAR = "bar"
    JSON = "json"
    NONE = "none"


def run(
    chain: Annotated[
        str, typer.Argument(help="name of an installed chain, or path of a YAML file")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="directory for the answer")],
    scale: Annotated[
        str | None,
        typer.Option(help="how many events, by a scale of the chain [default: its first]"),
    ] = None,
    events: Annotated[int | None, typer.Option("--events", "-n", help="how many events")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the run [default: the chain's]")] = None,
    executor: Annotated[
        str,
        typer.Option(
            help="inprocess, processes, dask, dask:tcp://HOST:PORT, or jobqueue:SYSTEM (slurm, …)"
        ),
    ] = "inprocess",
    workers: Annotated[
        int | None, typer.Option("--workers", "-j", help="how many [default: the machine's cores]")
    ] = None,
    range_size: Annotated[
        int | None, typer.Option("--range", help="events a unit of work [default: the chain's]")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="reuse what OUT holds of this run, compute the rest")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="replace what OUT holds, once the new run is complete")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="check everything, say what would be done, and stop")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print run.json (or the plan)")] = False,
    progress: Annotated[
        ProgressStyle, typer.Option(help="json: one object a line on standard error")
    ] = ProgressStyle.AUTO,
) -> None:
    """Run a chain, and keep events, tables and their provenance in a directory.

    Example: fiducial run zh_recoil --scale smoke --out zh --executor processes --workers 2

    The answer is the same, bit for bit, for any executor, number of workers and range. An
    interrupted run goes on where it stopped when the same command is given again.
    """
    workplace = make_executor(executor, workers)
    plan = plan_run(chain, events, out, scale=scale, seed=seed, range_size=range_size)
    if dry_run:
        situation = examine(plan)
        action, notice = decide(plan, situation, resume=resume, force=force)
        _show_plan(plan, action, notice, workplace.name, as_json)
        return
    with ExitStack() as stack:
        listener = _listener(progress, stack)
        try:
            result = execute(plan, workplace, resume=resume, force=force, progress=listener)
        except KeyboardInterrupt:
            listener.notice("interrupted: the finished ranges are kept; run again to go on")
            raise
    if as_json:
        typer.echo(json.dumps(dict(result.info), indent=1))
    else:
        _show_result(result)


def _listener(style: ProgressStyle, stack: ExitStack) -> Progress:
    if style is ProgressStyle.JSON:
        return JsonLines()
    if style is ProgressStyle.BAR or (style is ProgressStyle.AUTO and sys.stderr.isatty()):
        return stack.enter_context(Bar())
    return Notices() if style is ProgressStyle.AUTO else Quiet()


class Notices(Quiet):
    """Says only what the user should know, where standard error is no terminal."""

    def notice(self, text: str) -> None:
        """Print the notice."""
        typer.echo(f"note: {text}", err=True)


def _show_plan(
    plan: RunPlan, action: Action, notice: str | None, executor: str, as_json: bool
) -> None:
    finished = sum(plan.checkpoints.find(work) is not None for work in plan.ranges)
    kept = finished if action is Action.CONTINUE else 0
    record: dict[str, Any] = {
        "chain": plan.chain.name,
        "events": plan.events,
        "seed": plan.seed,
        "range_events": plan.range_size,
        "ranges": len(plan.ranges),
        "finished_ranges": kept,
        "executor": executor,
        "out": str(plan.out),
        "action": action.value,
        "writes": [*plan.files.values(), "tables.npz", "run.json"],
        "steps": [f"{s.name} ({s.use}, {s.distribution} {s.version})" for s in plan.chain.steps],
    }
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(f"{plan.chain.name}: would {action.value}")
    for key in ("events", "seed", "ranges", "finished_ranges", "executor", "out"):
        typer.echo(f"  {key.replace('_', ' '):16} {record[key]}")
    typer.echo(f"  {'writes':16} {', '.join(record['writes'])}")
    for line in record["steps"]:
        typer.echo(f"  {'step':16} {line}")
    if notice:
        typer.echo(f"note: {notice}", err=True)


def _show_result(result: RunResult) -> None:
    info = result.info
    table = RichTable(title=f"{info['chain']}: {info['events']} events", title_justify="left")
    for name in ("step", "events in", "out", "seconds", "events/s", "peak RSS"):
        table.add_column(name, justify="left" if name == "step" else "right")
    for step in info["steps"]:
        rate = step["events_in"] / step["seconds"] if step["seconds"] > 0 else 0.0
        table.add_row(
            step["name"],
            str(step["events_in"]) if step["events_in"] else "",
            str(step["events_out"]) if step["events_out"] else "",
            f"{step['seconds']:.2f}",
            f"{rate:,.0f}" if rate else "",
            f"{step['peak_rss_bytes'] / 2**20:.0f} MiB",
        )
    console = Console()
    console.print(table)
    console.print(
        f"{info['wall_seconds']:.2f} s in all, {100 * info['overhead_fraction']:.1f} % of the work"
        f" not in steps; {info['ranges']} ranges on {info['workers']} x {info['executor']}",
        highlight=False,
    )
    console.print(f"content {info['content_sha256']}", highlight=False)
    console.print(f"in {result.directory}", highlight=False, soft_wrap=True)
