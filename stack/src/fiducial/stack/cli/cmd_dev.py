"""``fiducial dev``: local development on a published stack."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fiducial.stack.cli.options import AsJson, DryRun

if TYPE_CHECKING:
    from fiducial.stack.overlay.check import Checked
    from fiducial.stack.overlay.record import Overlay

panel = "Make stacks"
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Lay working copies of components over a published stack, and see what they break.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
Place = Annotated[
    Path, typer.Option("--overlay", metavar="DIR", help="The overlay's folder.", show_default=True)
]
_HERE = Path(".fiducial-dev")


@app.command()
def use(
    path: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Folders of components (default: those in use)."),
    ] = None,
    stack: Annotated[
        Path | None,
        typer.Option("--stack", metavar="PREFIX", help="The stack (default: the one in use)."),
    ] = None,
    overlay: Place = _HERE,
    run: Annotated[
        bool, typer.Option("--run", help="Run the chains that use them again, and compare.")
    ] = False,
    scale: Annotated[
        str, typer.Option("--scale", help="With --run: smoke, standard or full.")
    ] = "smoke",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Lay working copies over a stack, check who they break, name the chains to run again.

    The stack is not written to. Exit 1 where an interface is broken or a chain fails. Example:

        fiducial dev use components/edm --run
        source .fiducial-dev/setup.sh
    """
    from fiducial.stack.errors import InputError, did_you_mean
    from fiducial.stack.manifest import read_manifest
    from fiducial.stack.overlay.check import check
    from fiducial.stack.overlay.make import describe_stack, make_overlay
    from fiducial.stack.overlay.record import NAME, Overlay, read_overlay
    from fiducial.stack.overlay.rerun import rerun
    from fiducial.stack.overlay.view import View
    from fiducial.stack.overlay.working_copy import read_copies
    from fiducial.stack.progress import make_progress
    from fiducial.stack.validate import SCALES

    if scale not in SCALES:
        raise InputError(f"no scale {scale!r}", None, did_you_mean(scale, SCALES))
    old = read_overlay(overlay) if (overlay / NAME).is_file() else None
    named = _stack(stack, old)
    manifest = read_manifest(named)
    copies = read_copies(path or [])
    if old is not None:
        others = [copy for copy in old.copies if copy.name not in copies]
        for copy in others:
            if not Path(copy.path, "pyproject.toml").is_file():
                raise InputError(
                    f"the working copy of {copy.name} is gone", copy.path,
                    f"fiducial dev drop {copy.name}, or name where it is now",
                )  # fmt: skip
        kept = [Path(copy.path) for copy in others]
        copies = read_copies([*(path or []), *kept])
    if not copies:
        raise InputError(
            "no working copy is named, and none is in use", None,
            "name the folder of a component: fiducial dev use components/edm",
        )  # fmt: skip
    runs: list[Any] = []
    with make_progress(as_json) as progress:
        with progress.phase("check", len(copies)) as task:
            checked = check(named.resolve(), manifest, copies, task.advance)
        names = [chain.name for chain in checked.chains]
        described = describe_stack(named, manifest)
        planned = Overlay(stack=described, copies=tuple(c.record() for c in copies.values()))
        if not dry_run:
            with progress.phase("overlay"):
                minor = View(named, manifest, {}).minor
                planned = make_overlay(overlay, described, minor, copies)
            if run and names:
                runs = rerun(overlay, planned, names, scale, progress)
    if as_json:
        record = {
            "overlay": str(overlay.absolute()), "label": planned.label, "dry_run": dry_run,
            **planned.model_dump(include={"stack", "copies"}), **checked.to_dict(),
            "runs": [item.to_dict() for item in runs],
        }  # fmt: skip
        typer.echo(json.dumps(record, indent=1))
    else:
        _tell(overlay, planned, checked, [str(item) for item in runs], run, dry_run)
    _judge(checked, [item for item in runs if item.failures])


def _stack(named: Path | None, old: Overlay | None) -> Path:
    """The stack that is meant: named, else the overlay's own, else the shell's."""
    from fiducial.stack.errors import InputError

    if named is not None:
        return named
    if old is not None:
        return Path(old.stack.named)
    shell = os.environ.get("FIDUCIAL_PREFIX")
    if shell:
        return Path(shell)
    raise InputError(
        "no stack is named, and this shell is set up for none", None,
        "source the setup.sh of a stack, or give --stack PREFIX",
    )  # fmt: skip


def _tell(
    root: Path, overlay: Overlay, checked: Checked, runs: list[str], run: bool, dry_run: bool
) -> None:
    laid = ", ".join(f"{copy.name} {copy.version}" for copy in overlay.copies)
    typer.echo(f"{'would lay' if dry_run else 'laid'} {laid} over {overlay.stack.id}")
    for name in checked.new:
        typer.echo(f"{name} is new to {overlay.stack.id}: nobody there depends on it")
    for finding in sorted(checked.findings, key=lambda finding: not finding.broken):
        typer.echo(f"{'BROKEN' if finding.broken else 'changed'}  {finding}")
        for place in finding.places[:8]:
            typer.echo(f"    used by {place}")
        if len(finding.places) > 8:
            typer.echo(f"    and {len(finding.places) - 8} more (all with --json)")
    typer.echo("dependents: " + (", ".join(checked.dependents) or "none"))
    chains = " ".join(chain.name for chain in checked.chains)
    if runs:
        for line in runs:
            typer.echo(line)
    elif not checked.chains:
        typer.echo("no reference chain uses them")
    elif not run or dry_run:
        typer.echo(f"--run would run again: {chains}")
    if not dry_run:
        typer.echo(f"use it: source {root / 'setup.sh'}   (or run {root / 'bin'}/…)")


def _judge(checked: Checked, failed: list[Any]) -> None:
    from fiducial.stack.errors import NegativeAnswer

    reasons = []
    if checked.broken:
        count = len(checked.broken)
        reasons.append(f"{count} interface{'s are' if count != 1 else ' is'} broken")
    if failed:
        reasons.append(f"chains fail: {', '.join(item.name for item in failed)}")
    if reasons:
        raise NegativeAnswer("; ".join(reasons))


@app.command()
def status(overlay: Place = _HERE, as_json: AsJson = False) -> None:
    """Tell what is laid over which stack, and whether both are still what they were.

    Exit 1 where the stack moved or a working copy is gone or has other metadata. Example:

        fiducial dev status
    """
    from fiducial.stack.errors import NegativeAnswer, StackError
    from fiducial.stack.overlay.record import moved, read_overlay
    from fiducial.stack.overlay.working_copy import read_copy

    found = read_overlay(overlay)
    reason = moved(found.stack)
    rows: list[dict[str, str | None]] = []
    for copy in found.copies:
        trouble: str | None = None
        try:
            now = read_copy(Path(copy.path)).record()
            if now.metadata_sha256 != copy.metadata_sha256:
                trouble = "its pyproject.toml changed"
        except StackError as error:
            trouble = str(error)
        rows.append({"name": copy.name, "version": copy.version, "path": copy.path,
                     "trouble": trouble})  # fmt: skip
    troubles = [f"{row['name']}: {row['trouble']}" for row in rows if row["trouble"]]
    if as_json:
        record = {"overlay": str(overlay.absolute()), "label": found.label, "moved": reason,
                  "stack": found.stack.model_dump(), "copies": rows}  # fmt: skip
        typer.echo(json.dumps(record, indent=1))
    else:
        typer.echo(f"{overlay} stands on {found.stack.id} ({found.stack.named})")
        for row in rows:
            typer.echo(f"{row['name']} {row['version']}: {row['path']}")
    problems = ([reason] if reason else []) + troubles
    if problems:
        raise NegativeAnswer("; ".join(problems), None, "make it anew: fiducial dev use")


@app.command()
def drop(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Components, like edm.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them: no overlay.")] = False,
    overlay: Place = _HERE,
    as_json: AsJson = False,
) -> None:
    """Take working copies away again; the stack's own components are seen as before.

    The working copies themselves are left alone. Example:

        fiducial dev drop edm
    """
    from fiducial.stack.errors import InputError
    from fiducial.stack.manifest import read_manifest
    from fiducial.stack.overlay.make import make_overlay, remove_overlay
    from fiducial.stack.overlay.record import moved, read_overlay
    from fiducial.stack.overlay.view import View
    from fiducial.stack.overlay.working_copy import read_copies

    found = read_overlay(overlay)
    if everything == bool(name):
        raise InputError("name components or --all, one of them", None, "fiducial dev drop --all")
    left = () if everything else found.without(name or [])
    label = found.stack.id
    if left:
        reason = moved(found.stack)
        if reason is not None:
            raise InputError(reason, None, "drop --all, or make it anew: fiducial dev use")
        prefix = Path(found.stack.prefix)
        minor = View(prefix, read_manifest(prefix), {}).minor
        copies = read_copies([Path(copy.path) for copy in left])
        label = make_overlay(overlay, found.stack, minor, copies).label
    else:
        remove_overlay(overlay)
    if as_json:
        record = {"overlay": str(overlay.absolute()) if left else None, "label": label,
                  "copies": [copy.name for copy in left]}  # fmt: skip
        typer.echo(json.dumps(record, indent=1))
    elif left:
        typer.echo(f"left over {found.stack.id}: {', '.join(copy.name for copy in left)}")
        typer.echo(f"in shells that use it: source {overlay / 'setup.sh'}")
    else:
        typer.echo(
            f"no overlay is left; in shells that used it: source {found.stack.named}/setup.sh"
        )
