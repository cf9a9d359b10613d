"""``fiducial component``: release components, make archives again, find forgotten versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

panel = "Make stacks"
app = typer.Typer(
    help="Release components: pin source archives, make them again, say what changed since. "
    "Example: fiducial component check",
    no_args_is_help=True,
)
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="The components.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def release(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every component.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Pin versions anew that nobody was given yet.")
    ] = False,
    distribution: Annotated[
        str,
        typer.Option(metavar="VERSION", help="List what the components now are as this version."),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be released; write nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Release components at the versions that they have: date the changelog, pin the archive.

    Commit what it writes together with the recipes. Example:

        fiducial component release fiducial-core && fiducial recipes sync
    """
    import datetime

    from fiducial.stack.spack.release_plan import plan_release, write_release
    from fiducial.stack.workspace import find_workspace

    workspace = find_workspace()
    chosen = _choose(names, everything, list(workspace.components))
    plan = plan_release(workspace, chosen, datetime.date.today(), again, distribution)
    if not dry_run:
        write_release(plan)
    if as_json:
        record = {
            "written": bool(plan.texts) and not dry_run,
            "distribution": distribution or None,
            "released": [vars(row) for row in plan.new],
            "standing": [f"{row.component} {row.version}" for row in plan.standing],
        }
        typer.echo(json.dumps(record, indent=1))
        return
    for row in plan.standing:
        typer.echo(f"{row.component} {row.version}: stands released as it is")
    verb = "would be released" if dry_run else "released"
    for row in plan.new:
        typer.echo(f"{row.component} {row.version}: {verb}, sha256 {row.sha256}")
    if distribution:
        typer.echo(f"distribution {distribution}: {len(workspace.components)} components")
    if plan.texts and not dry_run:
        typer.echo("Now renew the recipes (fiducial recipes sync) and commit all of it at once.")


@app.command()
def archive(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the archives go.")],
    names: Names = None,
    as_json: Json = False,
) -> None:
    """Make the source archives of all released versions again, to the byte.

    Example:

        fiducial component archive build/archives
    """
    from fiducial.stack.files import sha256_file
    from fiducial.stack.spack.releases import make_archive, released_archives
    from fiducial.stack.workspace import find_workspace

    workspace = find_workspace()
    wanted = {workspace.component(name).name for name in names or workspace.components}
    rows = []
    for released in released_archives(workspace):
        if released.component not in wanted:
            continue
        target = directory / released.filename
        standing = target.is_file() and sha256_file(target) == released.sha256
        if not standing:
            make_archive(workspace, released, target)
        rows.append({"file": str(target), "sha256": released.sha256, "made": not standing})
        if not as_json:
            verb = "stands" if standing else "made"
            typer.echo(f"{released.filename}: {verb}, sha256 {released.sha256}")
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
    elif not rows:
        typer.echo("no version is released yet")


@app.command()
def check(as_json: Json = False) -> None:
    """Say which components changed since the release of the version they have (exit 1 if any).

    Example:

        fiducial component check
    """
    from fiducial.stack.errors import NegativeAnswer
    from fiducial.stack.spack.releases import drifted, released_archives
    from fiducial.stack.workspace import find_workspace

    workspace = find_workspace()
    found = drifted(workspace)
    if as_json:
        rows = [
            {"component": d.component.name, "version": d.component.version, "files": d.files}
            for d in found
        ]
        typer.echo(json.dumps(rows, indent=1))
    elif not found:
        count = len(released_archives(workspace))
        typer.echo(f"no component changed under a released version ({count} releases)")
    else:
        for drift in found:
            shown = ", ".join(drift.files[:5]) or "its source changed"
            more = f" and {len(drift.files) - 5} more" if len(drift.files) > 5 else ""
            typer.echo(f"{drift.component.name} {drift.component.version}: {shown}{more}")
    if found:
        raise NegativeAnswer(
            f"{len(found)} components changed since their version was released",
            None,
            "raise the version in pyproject.toml, and begin its section in CHANGELOG.md",
        )


def _choose(names: list[str] | None, everything: bool, known: list[str]) -> list[str]:
    from fiducial.stack.errors import InputError

    if bool(names) == everything:
        raise InputError("name components, or say --all", None, f"components: {', '.join(known)}")
    return known if everything else list(names or ())
