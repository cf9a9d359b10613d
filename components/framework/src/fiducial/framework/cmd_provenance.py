"""Where an event file or a run came from, and the command that makes it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from fiducial.core.errors import InputError
from fiducial.core.files import write_atomically
from fiducial.framework.runner import open_run

panel = "Run physics"


def provenance(
    source: Annotated[Path, typer.Argument(help="an event file, or the directory of a run")],
    write_chain: Annotated[
        Path | None, typer.Option(help="also write the chain as it was run to this file")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="write no file")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Print which chain, seed, lock and versions made a file, and the command that remakes it.

    Example: fiducial provenance zh/events.root
    """
    record = find_provenance(source)
    if write_chain is not None and not dry_run:
        if write_chain.exists():
            raise InputError(f"{write_chain} exists", hint="choose another name")
        write_atomically(write_chain, str(record["chain_text"]))
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(f"chain      {record['chain']} (sha256 {record['chain_sha256']})")
    typer.echo(f"events     {record['events']}")
    typer.echo(f"seed       {record['seed']}")
    for step in record["steps"]:
        origin = f"{step['distribution']} {step['version']}"
        typer.echo(f"step       {step['name']}: {step['use']} ({origin})")
    typer.echo(f"lock       {record['lock_sha256'] or 'none: not run from a stack'}")
    typer.echo(f"stack      {record['stack'] or 'none'}")
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    typer.echo(f"versions   {versions}")
    typer.echo(f"remake     {record['command']}")


def find_provenance(source: Path) -> dict[str, Any]:
    """The provenance in an event file or in a run's directory."""
    if source.is_dir():
        record = open_run(source).info.get("provenance")
    elif source.name == "run.json":
        record = open_run(source.parent).info.get("provenance")
    elif source.is_file():
        from fiducial.io import read_provenance

        record = read_provenance(source)
    else:
        raise InputError(f"no file or directory {source}", hint="check the path")
    wanted = {"chain", "chain_sha256", "chain_text", "events", "seed", "steps", "command"}
    if not isinstance(record, dict) or not wanted <= set(record):
        raise InputError(
            f"{source} carries no provenance of a run",
            hint="only files that 'fiducial run' has written carry it",
        )
    return record
