"""``fiducial diff``: what differs between two stacks or locks, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fiducial.stack.cli.options import AsJson

panel = "Look"

_WHAT = "A stack (prefix or manifest.json), a wheels.lock or a spack.lock."


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help=_WHAT)],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    verbose: Annotated[
        bool,
        typer.Option("-v", "--verbose", "--files", help="Every package, path and file."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two stacks or locks: what came, went and moved, and the root cause of each hash.

    Two of a kind are compared in full, two of different kinds by their versions. Lower versions
    are flagged. Exit 1 if they differ. Examples:

        fiducial diff /opt/stacks/base build/stacks/base

        fiducial diff <(git show HEAD~1:environments/base/spack.lock) environments/base/spack.lock
    """
    from fiducial.stack.cli.diff_text import comparison_lines, spack_lines
    from fiducial.stack.diff.documents import compare, open_document
    from fiducial.stack.diff.record import to_record
    from fiducial.stack.spack.lock_diff import LockDiff

    found = compare(open_document(before), open_document(after))
    if as_json:
        typer.echo(json.dumps(to_record(found), indent=1))
    else:
        lines = (
            spack_lines(found, verbose)
            if isinstance(found, LockDiff)
            else comparison_lines(found, verbose)
        )
        typer.echo("\n".join(lines))
    if not found.identical:
        raise typer.Exit(1)
