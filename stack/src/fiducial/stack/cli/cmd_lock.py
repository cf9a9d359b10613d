"""``fiducial lock``: the exact packages of an environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fiducial.stack.errors import NegativeAnswer

panel = "Make stacks"


def lock(
    environment: Annotated[
        str | None, typer.Argument(metavar="ENV", help="The environment (default: base).")
    ] = None,
    builder: Annotated[
        str, typer.Option("--builder", help="Whose lock: wheels or spack.")
    ] = "wheels",
    every: Annotated[
        bool, typer.Option("--all", help="Every environment that this builder can lock.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the lock is fresh (exit 1 if not).")
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest versions that fit (wheels).")
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

    Whether a lock is fresh is told without a network and without Spack. Examples:

        fiducial lock base --check
        fiducial lock --all --builder spack
    """
    from fiducial.stack.errors import InputError, did_you_mean
    from fiducial.stack.workspace import find_workspace

    if builder not in ("wheels", "spack"):
        hint = did_you_mean(builder, ("wheels", "spack"))
        raise InputError(f"no builder '{builder}' has locks", None, hint)
    if every and environment is not None:
        raise InputError(f"--all and {environment} at once", None, "name one, or say --all")
    if builder == "spack":
        from fiducial.stack.cli.spack_locks import lock_with_spack

        if upgrade:
            why = "Spack takes the newest versions that fit each time"
            raise InputError("--upgrade is for wheels", why, "leave it out, or say --anew")
        names = [] if every else [environment or "base"]
        lock_with_spack(names, check, anew, dry_run, as_json)
        return
    known = find_workspace().environment_names() if every else [environment or "base"]
    ordered = sorted(known, key=lambda name: (name != "base", name))  # others take its versions
    results = [_lock_wheels(name, check, upgrade, anew, dry_run, as_json) for name in ordered]
    if as_json:
        records = [record for record, _ in results]
        typer.echo(json.dumps(records if every else records[0], indent=1))
    for _, problem in results:
        if problem is not None:
            raise problem


def _lock_wheels(
    environment: str, check: bool, upgrade: bool, anew: bool, dry_run: bool, as_json: bool
) -> tuple[dict[str, object], NegativeAnswer | None]:
    """Check or renew one wheel lock: what to answer in JSON, and the refusal of a stale one."""
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
    if not as_json:
        _say(plan, written, packages)
    if not check or plan.fresh:
        return record, None
    return record, NegativeAnswer(
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
