"""``fiducial diff``: what differs between two stacks, and why."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fiducial.stack.diff import FileChange, StackDiff

panel = "Look"

_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="A prefix or its manifest.json.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    files: Annotated[bool, typer.Option("--files", help="Name every file that differs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Compare two stacks: packages added, removed, changed, and why each hash moved.

    Exit 1 if they differ. Example:

        fiducial diff /opt/stacks/base build/stacks/base
    """
    from fiducial.stack.diff import diff as compare
    from fiducial.stack.diff import load

    found = compare(load(before), load(after))
    if as_json:
        record = {"identical": found.identical, **dataclasses.asdict(found)}
        typer.echo(json.dumps(record, indent=1))
    else:
        _say(found, files)
    if not found.identical:
        raise typer.Exit(1)


def _say(found: StackDiff, every_file: bool) -> None:
    if found.identical:
        typer.echo(f"{found.before} and {found.after} are identical")
        return
    typer.echo(f"{found.before} -> {found.after}")
    for name, (old, new) in found.inputs.items():
        typer.echo(f"  {name}: {old} -> {new}")
    for change in found.packages:
        versions = " -> ".join(dict.fromkeys(v for v in (change.before, change.after) if v))
        count = len(change.files)
        typer.echo(f"{_MARKS[change.kind]} {change.name} {versions}: {change.why} ({count} files)")
        _list(change.files, every_file)
    if found.files:
        typer.echo(f"~ files of the stack itself ({len(found.files)})")
        _list(found.files, every_file)


def _list(changes: tuple[FileChange, ...], every_file: bool) -> None:
    sources = [change for change in changes if "/__pycache__/" not in change.path]
    shown = changes if every_file else sources[:5]
    for change in shown:
        typer.echo(f"    {_MARKS[change.kind]} {change.path}")
    if len(shown) < len(changes):
        typer.echo(f"    … and {len(changes) - len(shown)} more (--files names them)")
