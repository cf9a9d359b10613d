"""``fiducial report``: one page that says what was built and what was proven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fiducial.stack.cli.options import AsJson, DryRun, Trust, open_repository, trusted_keys

panel = "Look"


def report(
    stack: Annotated[
        Path | None, typer.Argument(metavar="[STACK]", help="The stack's folder.")
    ] = None,
    validation: Annotated[
        Path | None,
        typer.Option(
            "--validation", metavar="DIR", help="Its validation (default: STACK.validation)."
        ),
    ] = None,
    repository: Annotated[
        Path | None, typer.Option("--repository", metavar="DIR", help="Instead: from here …")
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="… what this channel points to")
    ] = None,
    release: Annotated[
        str | None, typer.Option("--release", metavar="ID", help="… or this release.")
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option("--published", metavar="FILE", help="What fiducial publish --json said."),
    ] = None,
    deployed: Annotated[
        Path | None,
        typer.Option("--deployed", metavar="FILE", help="What fiducial deploy --json said."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page.")] = Path(
        "report.html"
    ),
    trust: Trust = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write one HTML page on a stack: verdict, observables, time, contents, provenance.

    It opens from disk, without network or script. Example:

        fiducial report build/stacks/base --out build/report.html
    """
    from fiducial.stack.channel import existing
    from fiducial.stack.errors import InputError
    from fiducial.stack.files import write_atomically
    from fiducial.stack.report.collect import collect
    from fiducial.stack.report.evidence import from_folder, from_repository, read_delivery
    from fiducial.stack.report.page import render

    trusted = trusted_keys(trust)
    delivery = {
        name: read_delivery(path)
        for name, path in (("published", published), ("deployed", deployed))
        if path is not None
    }
    if stack is not None and repository is None:
        folder = stack.resolve()
        results = validation or folder.with_name(folder.name + ".validation")
        evidence = from_folder(folder, results, trusted, delivery)
    elif repository is not None and stack is None:
        store = open_repository(repository)
        if channel is not None and release is None:
            pointer = existing(store, channel, trusted).pointer
            release = pointer.release if pointer else None
        if release is None:
            raise InputError("name a channel or a release", hint="--channel or --release")
        evidence = from_repository(store, trusted, release, delivery)
    else:
        raise InputError("name a stack's folder or a repository, one of them")
    view = collect(evidence)
    page = render(view)
    if not dry_run:
        write_atomically(out, page)
    record = {
        "stack": view.stack,
        "passed": view.passed,
        "observables": view.observables,
        "bytes": len(page.encode()),
        "report": str(out),
        "written": not dry_run,
    }
    verb = "would write" if dry_run else "wrote"
    typer.echo(json.dumps(record, indent=1) if as_json else f"{verb} {out.resolve()}")
