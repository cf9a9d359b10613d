"""``fiducial recipes``: the Spack recipes that are generated from the workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fiducial.stack.spack.recipes import RecipeChange

panel = "Make stacks"
app = typer.Typer(
    help="Generate the Spack recipes of components and locked wheels, or check them. "
    "Example: fiducial recipes check",
    no_args_is_help=True,
)


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Say which recipes disagree with what they are generated from (exit 1 if any).

    Example:

        fiducial recipes check
    """
    from fiducial.stack.errors import NegativeAnswer
    from fiducial.stack.spack.recipes import compare
    from fiducial.stack.workspace import find_workspace

    changes = compare(find_workspace())
    _say(changes, as_json, written=False)
    if changes:
        raise NegativeAnswer(
            f"{len(changes)} recipes are not what they are generated from",
            None,
            "renew them with: fiducial recipes sync",
        )


@app.command()
def sync(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Write every generated recipe anew from pyproject.toml files and the wheel locks.

    Wheels that are new in a lock are read once, which needs the package index. Example:

        fiducial recipes sync --dry-run
    """
    from fiducial.stack.spack.recipes import apply, compare
    from fiducial.stack.spack.wheel_metadata import fetch
    from fiducial.stack.workspace import find_workspace

    changes = compare(find_workspace(), read=fetch)
    if not dry_run:
        apply(changes)
    _say(changes, as_json, written=not dry_run)


def _say(changes: list[RecipeChange], as_json: bool, written: bool) -> None:
    if as_json:
        rows = [
            {"recipe": change.name, "kind": change.kind, "lines": change.difference()}
            for change in changes
        ]
        typer.echo(json.dumps({"written": written, "changes": rows}, indent=1))
        return
    if not changes:
        typer.echo("all recipes are what they are generated from")
    for change in changes:
        typer.echo(f"{change.name}: {change.kind}")
        if change.kind == "differs":
            for line in change.difference()[:20]:
                typer.echo(f"    {line}")
    if written and changes:
        typer.echo(f"wrote {len(changes)} recipes")
