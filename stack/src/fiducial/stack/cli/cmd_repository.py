"""``fiducial repository``: look into a repository, check it, promote, collect."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fiducial.stack.cli.options import (
    AsJson,
    DryRun,
    KeyFile,
    RepositoryPath,
    Trust,
    open_repository,
    signing_key,
    size,
    trusted_keys,
)

panel = "Deliver"

app = typer.Typer(
    help="List, verify, promote within or clean up a repository.", no_args_is_help=True
)


@app.command("list")
def list_contents(repository: RepositoryPath, trust: Trust = None, as_json: AsJson = False) -> None:
    """List the channels and releases, with the verdict of each.

    Example:

        fiducial repository list --repository /srv/stacks
    """
    from fiducial.stack.channel import standing

    store, trusted = open_repository(repository), trusted_keys(trust)
    channels = [standing(store, name, trusted).to_dict() for name in store.channels()]
    releases = []
    for stack in store.releases():
        release, record = store.release(stack, trusted)
        row = release.model_dump(include={"stack", "passed", "scale", "files", "bytes"})
        releases.append(row | {"revision": record.revision, "when": record.when})
    if as_json:
        typer.echo(json.dumps({"channels": channels, "releases": releases}, indent=1))
        return
    for row in channels:
        typer.echo(f"channel {row['channel']}: {row['release']} (revision {row['revision']})")
    for row in releases:
        passed = "passed" if row["passed"] else "FAILED"
        typer.echo(f"{row['stack']}: {passed} at {row['scale']}, {size(row['bytes'])}")


@app.command()
def verify(repository: RepositoryPath, trust: Trust = None, as_json: AsJson = False) -> None:
    """Check every signature, verdict, manifest and object; exit 1 naming what is wrong.

    Example:

        fiducial repository verify --repository /srv/stacks
    """
    from fiducial.stack.progress import make_progress
    from fiducial.stack.refusals import refuse_if

    store, trusted = open_repository(repository), trusted_keys(trust)
    with make_progress(as_json) as progress, progress.phase("verify the repository") as task:
        failures = store.verify(trusted, task.advance)
    if as_json:
        typer.echo(json.dumps([failure.to_dict() for failure in failures], indent=1))
    refuse_if(store.location, failures)
    if not as_json:
        typer.echo(f"{store.location}: sound")


@app.command()
def promote(
    release: Annotated[str, typer.Argument(metavar="ID", help="A published release.")],
    repository: RepositoryPath,
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="Which channel.")],
    key: KeyFile = None,
    trust: Trust = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Move a channel to a release that is published already; going back is a move too.

    Example:

        fiducial repository promote base-0123456789ab --repository /srv/stacks --channel latest
    """
    from fiducial.stack.publish import promote as carry_out
    from fiducial.stack.release import judge

    store, trusted = open_repository(repository), trusted_keys(trust, key)
    if dry_run:
        judge(store, release, trusted)
        moved, revision = False, None
    else:
        _, record = carry_out(store, release, channel, signing_key(key), trusted)
        moved, revision = record is not None, record.revision if record else None
    row = {"channel": channel, "release": release, "moved": moved, "revision": revision}
    if as_json:
        typer.echo(json.dumps(row, indent=1))
    elif dry_run:
        typer.echo(f"would move channel {channel} to {release}")
    else:
        text = f"moved to {release} (revision {revision})" if moved else f"stands at {release}"
        typer.echo(f"channel {channel} {text}")


@app.command()
def gc(
    repository: RepositoryPath,
    trust: Trust = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove what dead publishers left and what no release needs.

    Example:

        fiducial repository gc --repository /srv/stacks --dry-run
    """
    store = open_repository(repository)
    done = store.gc(trusted_keys(trust), dry_run)
    if as_json:
        typer.echo(json.dumps(vars(done), indent=1))
        return
    verb = "would remove" if dry_run else "removed"
    typer.echo(f"{verb} {done.objects} objects ({size(done.bytes)}), {done.transactions} leftovers")
