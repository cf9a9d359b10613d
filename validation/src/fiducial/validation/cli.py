"""``python -m fiducial.validation run``: what a built stack runs to prove itself."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table as RichTable

from fiducial import framework
from fiducial.validation import cmd_reference
from fiducial.validation.page import measured, p_text, pull_text
from fiducial.validation.run import execute, plan
from fiducial.validation.verdict import ALPHA

app = typer.Typer(
    no_args_is_help=True, add_completion=False,
    help="Run the reference chains and compare them with their references.",
)  # fmt: skip
app.add_typer(cmd_reference.app, name="reference")


@app.callback()
def _group() -> None:
    """Run the reference chains and compare them with their references."""


@app.command()
def run(
    out: Annotated[Path, typer.Option(help="Directory for results.json, plots and pages.")],
    scale: Annotated[str, typer.Option(help="smoke, standard or full.")] = "smoke",
    chain: Annotated[list[str] | None, typer.Option(help="Only this chain; repeatable.")] = None,
    references: Annotated[Path | None, typer.Option(help="Directory of references.")] = None,
    alpha: Annotated[float, typer.Option(help="Family-wise false-alarm rate.")] = ALPHA,
    seed: Annotated[int | None, typer.Option(help="Seed (default: each chain's own).")] = None,
    executor: Annotated[
        str, typer.Option(help="inprocess, processes, dask[:address], …")
    ] = "inprocess",
    workers: Annotated[int | None, typer.Option(help="Workers of the executor.")] = None,
    resume: Annotated[bool, typer.Option(help="Reuse finished ranges of an earlier run.")] = False,
    progress: Annotated[
        Literal["bar", "json", "none"], typer.Option(help="How to tell where the run stands.")
    ] = "bar",
    as_json: Annotated[bool, typer.Option("--json", help="Print results.json.")] = False,
) -> None:
    """Run the reference chains; exit 0 if the verdict is passed, 1 if it is failed.

    Example: python -m fiducial.validation run --scale smoke --out validation-smoke
    """
    decided = plan(scale, chain or (), references, alpha, seed)
    options: dict[str, Any] = {"executor": executor, "workers": workers, "resume": resume}
    if progress == "bar":
        with framework.Bar() as bar:
            results = execute(decided, out, progress=bar, **options)
    else:
        listener = framework.JsonLines() if progress == "json" else framework.Quiet()
        results = execute(decided, out, progress=listener, **options)
    if as_json:
        typer.echo(json.dumps(results, indent=1))
    else:
        _summary(results, out)
    raise typer.Exit(0 if results["passed"] else 1)


def _summary(results: dict[str, Any], out: Path) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=150)
    table = RichTable("observable", "this run", "reference", "pull", "p adjusted", "")
    for chain in results["chains"]:
        for o in chain["observables"]:
            verdict = "[green]passed[/]" if o["passed"] else f"[bold red]{o['failure']}[/]"
            table.add_row(
                f"{chain['name']}.{o['name']}", measured(o["value"]), measured(o["reference"]),
                pull_text(o["pull"]), p_text(o["p_adjusted"]), verdict,
            )  # fmt: skip
    console.print(table)
    for failure in results["failures"]:
        name = f"{failure['chain']}.{failure['observable']}"
        console.print(
            f"[bold red]{name}[/]: {failure['failure']}: {failure['detail']}", soft_wrap=True
        )
    verdict = "passed" if results["passed"] else "FAILED"
    console.print(f"{verdict}: {results['comparisons']} comparisons; report {out / 'index.html'}")


def main() -> None:
    """The program: errors that know their exit code are printed as text."""
    try:
        app(standalone_mode=True, prog_name="python -m fiducial.validation")
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if not isinstance(code, int):
            raise
        typer.echo(f"error: {error}", err=True)
        sys.exit(code)
