"""``fiducial validate``: run a stack's reference chains inside it, and sign what came out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fiducial.stack.cli.options import AsJson, DryRun, KeyFile, signing_key

if TYPE_CHECKING:
    from fiducial.stack.validate import Validated

panel = "Make stacks"


def validate(
    stack: Annotated[Path, typer.Argument(metavar="STACK", help="The stack's folder.")],
    scale: Annotated[
        str, typer.Option("--scale", help="How many events: smoke, standard or full.")
    ] = "standard",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="For results (default: STACK.validation)."),
    ] = None,
    chain: Annotated[
        list[str] | None,
        typer.Option("--chain", metavar="NAME", help="Only this chain; moves no channel."),
    ] = None,
    key: KeyFile = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run a stack's reference chains inside it and sign the verdict; exit 1 if it failed.

    The stack runs with its own interpreter in a clean environment. Example:

        fiducial validate build/stacks/base --scale smoke
    """
    from fiducial.stack.errors import InputError, NegativeAnswer, did_you_mean
    from fiducial.stack.progress import make_progress
    from fiducial.stack.validate import SCALES, command_line
    from fiducial.stack.validate import validate as run_validation
    from fiducial.stack.verify import verify

    if scale not in SCALES:
        raise InputError(f"no scale {scale!r}", None, did_you_mean(scale, SCALES))
    out = out or stack.resolve().with_name(stack.resolve().name + ".validation")
    chains = chain or []
    if dry_run:
        manifest = verify(stack)
        command = command_line(stack.resolve(), scale, out.resolve(), chains)
        plan = {"stack": manifest.stack, "command": command, "out": str(out)}
        typer.echo(json.dumps(plan, indent=1) if as_json else f"would run: {' '.join(command)}")
        return
    signer = signing_key(key)
    with make_progress(as_json) as progress:
        done = run_validation(stack, scale, out, signer, progress, chains)
    if as_json:
        typer.echo(json.dumps(done.to_dict(), indent=1))
    else:
        _say(done)
    if not done.verdict.passed:
        failures = "; ".join(done.verdict.predicate.failures[:5])
        raise NegativeAnswer(f"{done.verdict.stack} failed its validation", failures)


def _say(done: Validated) -> None:
    predicate = done.verdict.predicate
    for chain in predicate.chains:
        sound = chain.observables - chain.failed
        typer.echo(f"{chain.name}: {chain.events} events, {sound}/{chain.observables} observables")
    typer.echo(f"{done.verdict.stack}: {'passed' if predicate.passed else 'FAILED'}")
    typer.echo(f"signed by key {done.verdict.key_id[:12]}: {done.out / 'verdict.dsse.json'}")
