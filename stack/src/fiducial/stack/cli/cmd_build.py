"""``fiducial build``: an environment into a stack."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

panel = "Make stacks"


def build(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")] = "base",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="PREFIX", help="Where to make it (default: build/stacks/ENV)."
        ),
    ] = None,
    interpreter: Annotated[
        str,
        typer.Option(help="'host': use the host's CPython; 'bundled': copy one into the stack."),
    ] = "host",
    python: Annotated[
        str | None, typer.Option(help="The CPython to build with (default: this one).")
    ] = None,
    builder: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="'wheels': binary wheels, by uv; 'spack': recipes, by Spack."
        ),
    ] = "wheels",
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="With Spack: where packages are kept between builds (default: your cache).",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", help="With Spack: processes a package may use."),
    ] = None,
    mirror: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR|URL", help="With Spack: a source mirror to take first; repeatable."
        ),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="With Spack: run the tests of every package too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be built; write nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer in JSON; progress as JSON lines on stderr.")
    ] = False,
) -> None:
    """Build an environment into a self-contained, relocatable stack with its manifest.

    Nothing is built where nothing moved. Examples:

        fiducial build base --out /opt/stacks/base
        fiducial build base --builder spack --out /opt/stacks/base-spack --test
    """
    from fiducial.stack.build import build as carry_out
    from fiducial.stack.build_plan import plan_build
    from fiducial.stack.builders import BuildSettings
    from fiducial.stack.manifest import File
    from fiducial.stack.progress import make_progress
    from fiducial.stack.workspace import find_workspace

    start = time.monotonic()
    workspace = find_workspace()
    prefix = out if out is not None else workspace.root / "build" / "stacks" / environment
    settings = BuildSettings(store, jobs, tuple(mirror or ()), test)
    plan = plan_build(workspace, environment, prefix, interpreter, python, builder, settings)
    record = {
        "stack": plan.stack,
        "prefix": str(plan.prefix),
        "environment": environment,
        "builder": {
            "name": plan.builder.name,
            "version": plan.builder.version,
            "tools": plan.tools,
        },
        "lock_sha256": plan.lock.sha256,
        "interpreter": interpreter,
        "python": plan.python.executable,
        "fresh": plan.fresh,
        "reason": plan.reason,
        "built": not plan.fresh and not dry_run,
        "packages": len(plan.wheels) + len(plan.sources),
    }
    if not dry_run:
        with make_progress(json_lines=as_json) as progress:
            manifest = carry_out(plan, progress)
        files = [entry for entry in manifest.entries().values() if isinstance(entry, File)]
        record |= {
            "manifest_sha256": manifest.sha256,
            "files": len(files),
            "bytes": sum(entry.size for entry in files),
        }
    record["seconds"] = round(time.monotonic() - start, 2)
    if as_json:
        typer.echo(json.dumps(record, indent=1))
    elif dry_run:
        verb = "is up to date" if plan.fresh else f"would be built ({plan.reason})"
        typer.echo(f"{plan.stack} at {plan.prefix} {verb}: {record['packages']} packages")
    elif plan.fresh:
        typer.echo(f"{plan.stack} at {plan.prefix} is up to date: nothing moved")
    else:
        typer.echo(
            f"built {plan.stack} at {plan.prefix} in {record['seconds']} s: "
            f"{record['packages']} packages, {record['files']} files"
        )
        typer.echo(f"use it with: . {plan.prefix}/setup.sh")
