"""``fiducial quickstart``: from the lock to a validated, published, deployed, reported stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fiducial.stack.cli.options import AsJson, DryRun

if TYPE_CHECKING:
    from fiducial.stack.quickstart import Outcome

panel = "Make stacks"


def quickstart(
    workdir: Annotated[
        Path | None,
        typer.Option("--workdir", metavar="DIR", help="Where it all lies [build/quickstart]."),
    ] = None,
    environment: Annotated[
        str, typer.Option("--environment", metavar="ENV", help="Which environment.")
    ] = "base",
    scale: Annotated[
        str, typer.Option("--scale", help="How many events: smoke, standard or full.")
    ] = "smoke",
    channel: Annotated[
        str, typer.Option("--channel", metavar="NAME", help="The channel to move.")
    ] = "nightly",
    revalidate: Annotated[
        bool, typer.Option("--revalidate", help="Run the chains though a verdict is there.")
    ] = False,
    builder: Annotated[
        str, typer.Option("--builder", metavar="NAME", help="Which builder: wheels or spack.")
    ] = "wheels",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Lock, build, validate, publish, deploy and report a stack; exit 1 if its verdict failed.

    A second run does again only what moved. Example:

        fiducial quickstart --scale smoke
    """
    from fiducial.stack.deploy_check import require_identical
    from fiducial.stack.errors import InputError, NegativeAnswer, did_you_mean
    from fiducial.stack.progress import make_progress
    from fiducial.stack.quickstart import Settings, describe_plan, run_quickstart
    from fiducial.stack.validate import SCALES
    from fiducial.stack.workspace import find_workspace

    if scale not in SCALES:
        raise InputError(f"no scale {scale!r}", None, did_you_mean(scale, SCALES))
    workspace = find_workspace()
    folder = (workdir or workspace.root / "build" / "quickstart").absolute()
    settings = Settings(folder, environment, scale, channel, revalidate, builder)
    if dry_run:
        rows = describe_plan(workspace, settings)
        typer.echo(json.dumps(rows, indent=1) if as_json else "\n".join(rows))
        return
    with make_progress(as_json) as progress:
        outcome = run_quickstart(workspace, settings, progress)
    if as_json:
        typer.echo(json.dumps(outcome.to_dict(), indent=1))
    else:
        _say(outcome)
    if not outcome.passed:
        failures = "; ".join(outcome.failures[:5])
        raise NegativeAnswer(
            f"{outcome.stack} failed its validation", failures, f"see {outcome.report}"
        )
    require_identical(outcome.checks)


def _say(outcome: Outcome) -> None:
    from rich.console import Console
    from rich.table import Table

    from fiducial.stack.report.numbers import seconds

    table = Table(title=outcome.stack, title_justify="left", title_style="bold")
    table.add_column("phase")
    table.add_column("outcome", overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    for phase in outcome.phases:
        table.add_row(phase.name, phase.outcome, seconds(phase.seconds))
    total = sum(phase.seconds for phase in outcome.phases)
    table.add_section()
    word = "[green]passed[/]" if outcome.passed else "[bold red]FAILED[/]"
    table.add_row("all", word, seconds(total))
    Console().print(table)
    typer.echo(f"report: {outcome.report}")
    if outcome.passed:
        typer.echo(f"use it: source {outcome.settings.path('site', 'current', 'setup.sh')}")
