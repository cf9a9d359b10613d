"""``fiducial deploy``: check a published stack out, verified, and switch to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fiducial.stack.cli.options import (
    AsJson,
    DryRun,
    RepositoryPath,
    Trust,
    open_repository,
    size,
    trusted_keys,
)

panel = "Deliver"


def deploy(
    repository: RepositoryPath,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where stacks are deployed.")],
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="What this channel points to.")
    ] = None,
    release: Annotated[
        str | None, typer.Option("--release", metavar="ID", help="This release.")
    ] = None,
    allow_failed: Annotated[
        bool, typer.Option("--allow-failed", help="With --release: also one whose verdict failed.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Remake the first events there; exit 1 if they differ."),
    ] = False,
    python: Annotated[
        Path | None,
        typer.Option("--python", metavar="FILE", help="The host's interpreter (default: found)."),
    ] = None,
    trust: Trust = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check a published stack out of a repository, verified, and switch DIR/current to it.

    Until the switch, and after any failure, the old version stays in use. Example:

        fiducial deploy --repository /srv/stacks --channel nightly --to /opt/stacks --check
    """
    from fiducial.stack.deploy import deploy as carry_out
    from fiducial.stack.deploy import plan_deploy
    from fiducial.stack.deploy_check import check_deployed, require_identical
    from fiducial.stack.host_binding import host_binder
    from fiducial.stack.progress import make_progress

    trusted = trusted_keys(trust)
    store = open_repository(repository)
    plan = plan_deploy(store, to, trusted, channel, release, allow_failed)
    if dry_run:
        record = {
            "stack": plan.judged.release.stack,
            "channel_revision": plan.revision,
            "version": str(plan.version),
            "present": plan.version.exists(),
            "files": len(plan.tree.files),
            "bytes": plan.tree.bytes,
        }
        text = f"would deploy {record['stack']} to {plan.version} ({size(plan.tree.bytes)})"
        typer.echo(json.dumps(record, indent=1) if as_json else text)
        return
    checks = []
    with make_progress(as_json) as progress:
        done = carry_out(plan, store, host_binder(python), progress)
        if check:
            checks = check_deployed(plan.version, plan.judged.results, progress, plan.cache)
    if as_json:
        record = done.to_dict() | {"checks": [item.to_dict() for item in checks]}
        typer.echo(json.dumps(record, indent=1))
    else:
        stack = plan.judged.release.stack
        what = "checked out" if done.checked_out else "was there, verified"
        typer.echo(f"{stack}: {what} ({size(done.written_bytes)} written)")
        for item in checks:
            same = "identical" if item.identical else "DIFFERENT"
            typer.echo(f"{item.chain}: first {item.events} events {same} ({item.seconds:.1f} s)")
        typer.echo(f"use it: source {plan.to / 'setup.sh'}")
    require_identical(checks)
