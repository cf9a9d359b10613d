"""``fiducial mirror``: a source mirror for sites without a network, filled and checked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fiducial.stack.cli.options import AsJson, DryRun, size

if TYPE_CHECKING:
    from fiducial.stack.spack.mirror_state import Finding
    from fiducial.stack.spack.obtain_sources import NotHad
    from fiducial.stack.spack.wanted_sources import Wanted
    from fiducial.stack.workspace import Workspace

panel = "Make stacks"
app = typer.Typer(
    no_args_is_help=True,
    help="Fill a folder with all sources of an environment, for sites without a network.",
)
_SHOWN = 20
Mirror = Annotated[Path, typer.Argument(metavar="DIR", help="The mirror's folder.")]


@app.command()
def create(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
    folder: Mirror,
    builder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only for this builder: 'wheels' or 'spack' (default: each that has a lock).",
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Keep in the checkout what Spack told about files, so that the next mirror "
            "can be filled without Spack.",
        ),
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Fill DIR with everything that ENV needs: a Spack source mirror, and wheels for uv.

    Every file is held to the checksum of the locks. What is there is not fetched again; a run
    that was killed is taken up where it was. Example:

        fiducial mirror create base /media/disk/mirror
    """
    from fiducial.stack.progress import make_progress
    from fiducial.stack.spack.program import find_spack
    from fiducial.stack.spack.source_mirror import fill
    from fiducial.stack.spack.wanted_sources import BUILDERS, want
    from fiducial.stack.workspace import find_workspace

    start = time.monotonic()
    workspace = find_workspace()
    wanted = want(workspace, environment, (builder,) if builder is not None else BUILDERS)
    if dry_run:
        _foresee(wanted, folder, as_json)
        return
    with make_progress(as_json) as progress:
        done = fill(workspace, wanted, folder, find_spack, progress)
    if record and done.learned:
        _record(workspace, list(done.learned))
    result: dict[str, Any] = {
        "mirror": str(folder.absolute()),
        "environment": environment,
        "complete": True,
        "files": done.files,
        "bytes": done.bytes,
        "fetched": done.fetched,
        "fetched_bytes": done.fetched_bytes,
        "developed": list(wanted.developed),
        "seconds": round(time.monotonic() - start, 2),
    }
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    typer.echo(
        f"{folder} is complete for {environment}: {done.files} files, {size(done.bytes)} "
        f"({done.fetched} fetched, {size(done.fetched_bytes)}, in {result['seconds']} s)"
    )
    if wanted.developed:
        names = ", ".join(wanted.developed)
        typer.echo(f"not in it, since they are built from the checkout: {names}")


def _foresee(wanted: Wanted, folder: Path, as_json: bool) -> None:
    from fiducial.stack.spack.mirror_layout import claimable
    from fiducial.stack.spack.mirror_state import inspect_files

    claimable(folder)
    state = inspect_files(folder, wanted.sources)
    lacking = len(wanted.sources) - len(state.sizes)
    record = {
        "environment": wanted.environment,
        "files": len(wanted.sources),
        "present": len(state.sizes),
        "to_fetch": lacking,
        "by_spack": [node.label for node in wanted.unknown],
        "developed": list(wanted.developed),
    }
    text = f"would fetch {lacking} of {len(wanted.sources)} files of {wanted.environment}"
    if wanted.unknown:
        text += f", and let Spack fetch those of {len(wanted.unknown)} packages"
    typer.echo(json.dumps(record, indent=1) if as_json else text)


def _record(workspace: Workspace, files: list[Any]) -> None:
    from fiducial.stack.spack.spack_sources import learn
    from fiducial.stack.spack.wanted_sources import builtin_path, write_builtin

    if write_builtin(workspace, learn(files)):
        typer.echo(f"kept what Spack told in {builtin_path(workspace)}", err=True)


@app.command()
def check(
    folder: Mirror,
    repair: Annotated[
        bool, typer.Option("--repair", help="Fetch what is missing or corrupt; remake links.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="With --repair: remove files that the index does not know."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute every checksum of a mirror; name what is missing, corrupt or superfluous.

    Exit code 1 where something is. Example:

        fiducial mirror check /media/disk/mirror --repair
    """
    from fiducial.stack.errors import InputError, NegativeAnswer
    from fiducial.stack.progress import make_progress
    from fiducial.stack.spack.mirror_layout import open_mirror
    from fiducial.stack.spack.source_mirror import check as look
    from fiducial.stack.spack.source_mirror import repair as mend

    if prune and not repair:
        raise InputError("--prune removes files", "without --repair nothing is changed", "say both")
    not_had: list[NotHad] = []
    with make_progress(as_json) as progress:
        if repair:
            state, not_had = mend(folder, _workspace(), prune, progress)
        else:
            _, state = look(folder, progress)
    index = open_mirror(folder)
    record = {
        "mirror": str(folder.absolute()),
        "environments": sorted(index.environments),
        "files": len(index.files),
        "bytes": state.bytes,
        "whole": not state.findings,
        "findings": [finding.to_dict() for finding in state.findings],
        "not_had": [{"label": row.label, "why": row.why} for row in not_had],
    }
    if as_json:
        typer.echo(json.dumps(record, indent=1))
    elif not state.findings:
        names = ", ".join(sorted(index.environments))
        count = f"{len(index.files)} files, {size(state.bytes)}"
        typer.echo(f"{folder} is whole and complete for {names}: {count}")
    if state.findings:
        raise NegativeAnswer(_tell(folder, state.findings, [str(row) for row in not_had], repair))


def _tell(folder: Path, findings: tuple[Finding, ...], not_had: list[str], repair: bool) -> str:
    lines = [str(finding) for finding in findings[:_SHOWN]]
    if len(findings) > _SHOWN:
        lines.append(f"and {len(findings) - _SHOWN} more")
    lines += [f"not repaired: {row}" for row in not_had[:_SHOWN]]
    text = f"{folder} is not as its index says:\n" + "\n".join(f"  {line}" for line in lines)
    kinds = {finding.kind for finding in findings}
    if "absent" in kinds:
        text += f"\ncomplete it with: fiducial mirror create ENV {folder}"
    elif kinds - {"superfluous"} and not repair:
        text += f"\nrepair it with: fiducial mirror check {folder} --repair"
    elif "superfluous" in kinds:
        text += (
            f"\nremove what is superfluous with: fiducial mirror check {folder} --repair --prune"
        )
    return text


def _workspace() -> Workspace | None:
    """The checkout, if this is run in one: released components are made again from it."""
    from fiducial.stack.errors import InputError
    from fiducial.stack.workspace import find_workspace

    try:
        return find_workspace()
    except InputError:
        return None
