"""``fiducial publish``: put a stack into a repository, and move a channel if its verdict allows."""

from __future__ import annotations

import json
from pathlib import Path
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


def publish(
    stack: Annotated[Path, typer.Argument(metavar="STACK", help="The stack's folder.")],
    repository: RepositoryPath,
    verdict: Annotated[
        Path | None,
        typer.Option(
            "--verdict",
            metavar="FILE",
            help="Signed verdict, results.json beside it (default: in STACK.validation).",
        ),
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Move this channel to it.")
    ] = None,
    references: Annotated[
        str | None,
        typer.Option(
            "--references", metavar="SHA256", help="Demand a verdict against these references."
        ),
    ] = None,
    key: KeyFile = None,
    trust: Trust = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Publish a stack with its verdict; a channel moves only if the verdict passed.

    A stack that failed is published for inspection, its channel stays, and the exit code
    is 1. Publishing twice changes nothing. Example:

        fiducial publish build/stacks/base --repository /srv/stacks --channel nightly
    """
    from fiducial.stack.progress import make_progress
    from fiducial.stack.publish import VERDICT, plan_publish
    from fiducial.stack.publish import publish as carry_out
    from fiducial.stack.refusals import Refused

    folder = stack.resolve()
    verdict = verdict or folder.with_name(folder.name + ".validation") / VERDICT
    trusted = trusted_keys(trust, key)
    signer = None if dry_run else signing_key(key)
    exists = (repository / "repository.json").exists()
    store = open_repository(repository) if exists else None
    plan = plan_publish(folder, verdict, store, trusted, channel, references)
    if signer is None:
        record = {
            "stack": plan.release.stack,
            "files": plan.release.files,
            "bytes": plan.bytes,
            "channel": plan.channel.to_dict() if plan.channel else None,
            "obstacles": [failure.to_dict() for failure in plan.obstacles],
        }
        text = f"would publish {plan.release.stack}: {plan.release.files} files, {size(plan.bytes)}"
        typer.echo(json.dumps(record, indent=1) if as_json else text)
    else:
        store = store or open_repository(repository, create=True)
        with make_progress(as_json) as progress:
            done = carry_out(plan, store, signer, trusted, progress)
        if as_json:
            typer.echo(json.dumps(done.to_dict(), indent=1))
        else:
            _say(done.to_dict())
    if channel is not None and plan.obstacles:
        raise Refused(f"moving channel {channel} to {plan.release.stack}", plan.obstacles)


def _say(done: dict[str, object]) -> None:
    if not done["changed"]:
        typer.echo(f"{done['stack']}: published already, nothing changed")
    else:
        new, total = size(int(str(done["new_bytes"]))), size(int(str(done["bytes"])))
        typer.echo(
            f"{done['stack']}: release revision {done['release_revision']}, "
            f"{done['new_objects']} of {done['objects']} objects new ({new} of {total})"
        )
    if done["mended_objects"]:
        typer.echo(f"{done['mended_objects']} damaged objects of the repository were mended")
    if done["channel"] and not done["obstacles"]:
        moved = "moved to it" if done["channel_moved"] else "stands at it already"
        typer.echo(f"channel {done['channel']} {moved} (revision {done['channel_revision']})")
