"""``fiducial key``: the keys that sign verdicts, releases and channels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fiducial.stack.cli.options import AsJson, Trust, trusted_keys

panel = "Deliver"

app = typer.Typer(
    help="Make a signing key, or show the keys that are trusted.", no_args_is_help=True
)


@app.command()
def new(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where (default: your own key).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a signing key, readable by you alone, and its public half beside it.

    Example:

        fiducial key new
    """
    from fiducial.stack.keys import create_private_key, default_key_path, public_path

    path = file or default_key_path()
    key = create_private_key(path)
    record = {"key_id": key.key_id, "private": str(path), "public": str(public_path(path))}
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(f"key {key.key_id}")
    typer.echo(f"private: {path} (keep it; it signs)")
    typer.echo(f"public:  {public_path(path)} (give it to whoever shall trust what you sign)")


@app.command()
def trusted(trust: Trust = None, as_json: AsJson = False) -> None:
    """List the public keys that are trusted.

    Example:

        fiducial key trusted --trust keys/
    """
    ids = sorted(trusted_keys(trust))
    typer.echo(json.dumps(ids, indent=1) if as_json else "\n".join(ids))
