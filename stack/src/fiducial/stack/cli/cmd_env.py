"""``fiducial env``: the environments of the workspace."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

panel = "Make stacks"

app = typer.Typer(help="List the environments of the workspace, or show one.", no_args_is_help=True)


def _describe(name: str) -> dict[str, Any]:
    from fiducial.stack.environment import load_environment
    from fiducial.stack.errors import StackError
    from fiducial.stack.lock import moved_inputs
    from fiducial.stack.lockfile import read_lock
    from fiducial.stack.workspace import find_workspace

    workspace = find_workspace()
    environment = load_environment(workspace, name)
    record: dict[str, Any] = {
        "name": name,
        "title": environment.title,
        "python": environment.python,
        "components": {
            component: workspace.components[component].version
            for component in environment.components
        },
        "requirements": [str(requirement) for requirement in environment.requirements],
        "pins": [vars(pin) for pin in environment.pins],
        "lock": "missing",
    }
    if environment.lock_path.exists():
        try:
            lock = read_lock(environment.lock_path)
        except StackError as error:
            return {**record, "lock": "altered", "problem": str(error)}
        record["lock"] = "stale" if moved_inputs(lock, environment) else "fresh"
        record["packages"], record["lock_sha256"] = len(lock.packages), lock.sha256
    return record


@app.command("list")
def list_environments(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """List the environments with the state of their locks.

    Example:

        fiducial env list
    """
    from fiducial.stack.workspace import find_workspace

    rows = [_describe(name) for name in find_workspace().environment_names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        count = f"{row['packages']} packages" if "packages" in row else ""
        typer.echo(f"{row['name']:{width}}  lock {row['lock']:8}  {count:13} {row['title']}")


@app.command()
def show(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show what an environment consists of, and why its pins are there.

    Example:

        fiducial env show base
    """
    row = _describe(environment)
    if as_json:
        typer.echo(json.dumps(row, indent=1))
        return
    typer.echo(f"{row['name']}: {row['title']}")
    typer.echo(f"python {row['python']}, lock {row['lock']} {row.get('lock_sha256', '')}".rstrip())
    typer.echo("components:")
    for name, version in row["components"].items():
        typer.echo(f"  {name} {version}")
    typer.echo("third-party requirements:")
    for requirement in row["requirements"]:
        typer.echo(f"  {requirement}")
    typer.echo("pins:")
    for pin in row["pins"]:
        typer.echo(f"  {pin['package']}{pin['specifier']}: {pin['reason']}")
