"""The Spack side of ``fiducial lock``: check the committed locks, or make them anew."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from fiducial.stack.spack.spack_lock import NewLock
    from fiducial.stack.workspace import Workspace


@dataclass
class _Outcome:
    """What is known of one environment's lock."""

    name: str
    moved: list[str] = field(default_factory=list)
    packages: int | None = None
    made: NewLock | None = None


def lock_with_spack(
    names: Sequence[str], check: bool, anew: bool, dry_run: bool, as_json: bool
) -> None:
    """Check or renew the Spack locks of ``names`` (all that have one, where empty)."""
    from fiducial.stack.errors import NegativeAnswer
    from fiducial.stack.spack.spack_environment import lockable_names
    from fiducial.stack.workspace import find_workspace

    workspace = find_workspace()
    outcomes = [_look(workspace, name) for name in names or lockable_names(workspace)]
    stale = [row for row in outcomes if row.moved or anew]
    if stale and not check:
        _make(workspace, stale, write=not dry_run)
    if as_json:
        typer.echo(json.dumps([_record(row, check or dry_run) for row in outcomes], indent=1))
    else:
        for row in outcomes:
            _say(row, check or dry_run)
    if check and any(row.moved for row in outcomes):
        bad = [row.name for row in outcomes if row.moved]
        which = "--all" if len(bad) > 1 else bad[0]
        raise NegativeAnswer(
            f"{len(bad)} Spack lock{'s are' if len(bad) > 1 else ' is'} stale: {', '.join(bad)}",
            None,
            f"renew with: fiducial lock {which} --builder spack",
        )


def _look(workspace: Workspace, name: str) -> _Outcome:
    from fiducial.stack.errors import InputError, Mistakes
    from fiducial.stack.spack.spack_environment import load_spack_environment
    from fiducial.stack.spack.spack_lock import check_lock

    environment = load_spack_environment(workspace, name)
    try:
        return _Outcome(name, packages=len(check_lock(workspace, name).nodes))
    except Mistakes as found:
        return _Outcome(name, [str(mistake) for mistake in found.mistakes])
    except InputError as error:
        if environment.developed:
            raise
        return _Outcome(name, [str(error).split(": make it with")[0]])  # absent, or unreadable


def _make(workspace: Workspace, rows: list[_Outcome], write: bool) -> None:
    """Concretize several environments at once: each keeps one core busy.

    Each lock is written as soon as it is made; a failure leaves the others to be made.
    """
    from fiducial.stack.progress import make_progress
    from fiducial.stack.spack.program import end_all, find_spack
    from fiducial.stack.spack.spack_lock import make_lock

    spack = find_spack()

    def make(row: _Outcome) -> None:
        row.made = make_lock(workspace, row.name, spack)
        row.packages = len(row.made.lock.nodes)
        if write:
            row.made.write()
        task.advance()

    with make_progress() as progress, progress.phase("concretize", len(rows)) as task:
        first, *others = rows
        make(first)  # alone: it brings Spack's index of recipes up to date
        with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
            futures = [pool.submit(make, row) for row in others]
            try:
                wait(futures)
            except BaseException:  # an interrupt
                pool.shutdown(wait=False, cancel_futures=True)
                end_all()
                raise
        for future in futures:
            future.result()


def _record(row: _Outcome, only_looked: bool) -> dict[str, object]:
    return {
        "environment": row.name,
        "builder": "spack",
        "fresh": not row.moved,
        "written": row.made is not None and not only_looked,
        "packages": row.packages,
        "moved": row.moved,
    }


def _say(row: _Outcome, only_looked: bool) -> None:
    if row.moved:
        typer.echo(f"{row.name}: no fresh Spack lock:")
        for text in row.moved:
            typer.echo(f"  {text}")
    if row.made is not None and only_looked:
        typer.echo(f"{row.name}: would write a lock of {row.packages} packages")
    elif row.made is not None:
        typer.echo(f"wrote {row.made.environment.lock_path} ({row.packages} packages)")
    elif not row.moved:
        typer.echo(f"{row.name}: the Spack lock is fresh ({row.packages} packages)")
