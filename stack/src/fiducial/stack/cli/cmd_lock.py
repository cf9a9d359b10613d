"""``fiducial lock``: the exact packages of an environment."""

from __future__ import annotations

import json
from typing import Annotated

import typer

panel = "Make stacks"


def lock(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")] = "base",
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the lock is fresh (exit 1 if not).")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest versions that fit.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Ignore the lock that is there, also if damaged.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Resolve an environment into exact, hashed packages, or check the committed lock.

    A fresh lock needs no network to be checked. Example:

        fiducial lock base --check
    """
    from fiducial.stack.environment import load_environment
    from fiducial.stack.errors import EnvironmentProblem, NegativeAnswer
    from fiducial.stack.lock import LockPlan, moved_inputs, plan_lock, write_lock
    from fiducial.stack.lockfile import read_lock
    from fiducial.stack.workspace import find_workspace

    definition = load_environment(find_workspace(), environment)
    unresolved: EnvironmentProblem | None = None
    try:
        plan = plan_lock(definition, upgrade, anew)
    except EnvironmentProblem as error:
        if not check or not definition.lock_path.exists():
            raise
        unresolved, old = error, read_lock(definition.lock_path)
        plan = LockPlan(definition, old, tuple(moved_inputs(old, definition)), (), b"")
    written = not (plan.fresh or check or dry_run)
    packages = len(plan.old.packages) if plan.fresh and plan.old else None
    if written:
        packages = len(write_lock(plan).packages)
    if as_json:
        record = {
            "environment": environment,
            "fresh": plan.fresh,
            "written": written,
            "lock_sha256": plan.sha256 if plan.data != b"" else None,
            "packages": packages,
            "moved": [
                {"input": move.label, "added": move.added, "removed": move.removed}
                for move in plan.moves
            ],
            "changes": [vars(change) for change in plan.changes],
        }
        typer.echo(json.dumps(record, indent=1))
    else:
        _say(plan, written, packages)
    if check and not plan.fresh:
        raise NegativeAnswer(
            f"the lock of {environment} is stale",
            f"which packages would change is unknown: {unresolved.why}" if unresolved else None,
            f"renew it with: fiducial lock {environment}",
        )


def _say(plan: object, written: bool, packages: int | None) -> None:
    from fiducial.stack.lock import LockPlan

    assert isinstance(plan, LockPlan)
    name = plan.environment.name
    if plan.fresh:
        typer.echo(f"{name}: the lock is fresh ({packages} packages, sha256 {plan.sha256})")
        return
    if plan.moves:
        typer.echo("Moved since the lock was made:")
    for move in plan.moves:
        typer.echo(f"  {move}")
    typer.echo(f"{len(plan.changes)} packages {'changed' if written else 'would change'}:")
    for change in plan.changes:
        typer.echo(f"  {change}")
    if written:
        typer.echo(
            f"wrote {plan.environment.lock_path} ({packages} packages, sha256 {plan.sha256})"
        )
