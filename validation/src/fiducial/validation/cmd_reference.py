"""``fiducial reference``: list, show, bless and verify the references of the verdict."""

import datetime
import getpass
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from fiducial import framework
from fiducial.core.errors import InputError, NegativeAnswer, did_you_mean
from fiducial.validation import places
from fiducial.validation.blessing import (
    Blessing,
    Proposal,
    Sample,
    blessing_seed,
    needs_run,
    propose,
    sample_of,
    selected,
    undeclared,
)
from fiducial.validation.page import measured
from fiducial.validation.references import ReferenceStore
from fiducial.validation.run import tables_of

panel = "Physics validation"
app = typer.Typer(no_args_is_help=True, help="References that reference chains are compared with.")
console = Console() if sys.stdout.isatty() else Console(width=150)

References = Annotated[
    Path | None, typer.Option("--references", help="Directory of references (default: shipped).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _store(references: Path | None) -> ReferenceStore:
    return ReferenceStore(references or places.references_directory())


@app.command("list")
def list_(references: References = None, as_json: AsJson = False) -> None:
    """List all references.

    Example: fiducial reference list
    """
    store = _store(references)
    if as_json:
        typer.echo(json.dumps({key: e.model_dump() for key, e in store.entries.items()}, indent=1))
        return
    table = RichTable("observable", "kind", "value", "events", "blessed by", "on", "sha256")
    for key, entry in store.entries.items():
        value = measured(store.read(key).model_dump())
        events = str(entry.events) if entry.events else ""
        table.add_row(key, entry.kind, value, events, entry.who, entry.when[:10], entry.sha256[:12])
    console.print(table)
    typer.echo(f"{len(store.entries)} references, manifest {store.sha256}")


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="chain.observable")],
    references: References = None,
    as_json: AsJson = False,
) -> None:
    """Show one reference: its value, its source, who blessed it and why.

    Example: fiducial reference show z_pole.thrust_mean
    """
    store = _store(references)
    if key not in store.entries:
        raise InputError(f"no reference '{key}'", hint=did_you_mean(key, list(store.entries)))
    reference, entry = store.read(key), store.entries[key]
    if as_json:
        document = {"reference": reference.model_dump(), "manifest": entry.model_dump()}
        typer.echo(json.dumps(document, indent=1))
        return
    table = RichTable(show_header=False, box=None)
    rows = {
        "reference": key, "value": measured(reference.model_dump()), "kind": reference.kind,
        "source": reference.source, "entries": str(reference.entries or ""),
        "content": ", ".join(reference.content), **entry.model_dump(exclude={"kind"}),
    }  # fmt: skip
    for name, value in rows.items():
        if value not in (None, ""):
            table.add_row(f"[bold]{name}[/]", str(value))
    console.print(table)


@app.command()
def verify(references: References = None, as_json: AsJson = False) -> None:
    """Check every reference against the manifest, and the manifest against its seal.

    Example: fiducial reference verify
    """
    store = _store(references)
    problems = store.problems()
    if as_json:
        found = [{"where": p.where, "problem": p.problem, "hint": p.hint} for p in problems]
        typer.echo(json.dumps({"references": len(store.entries), "sha256": store.sha256,
                               "problems": found}, indent=1))  # fmt: skip
    if problems:
        raise NegativeAnswer("\n".join(str(problem) for problem in problems))
    if not as_json:
        typer.echo(f"{len(store.entries)} references are as they were blessed ({store.sha256})")


@app.command()
def bless(
    patterns: Annotated[
        list[str] | None, typer.Argument(help="chain or chain.observable; all where none is given")
    ] = None,
    why: Annotated[
        str, typer.Option(help="Why this reference is right, or what has changed.")
    ] = "",
    who: Annotated[str | None, typer.Option(help="Who blesses (default: your login).")] = None,
    from_: Annotated[
        list[Path] | None, typer.Option("--from", help="Finished run to bless from; repeatable.")
    ] = None,
    scale: Annotated[str | None, typer.Option(help="Run the chain at this scale first.")] = None,
    events: Annotated[int | None, typer.Option(help="Run the chain for so many events.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of that run (default: derived).")] = None,
    workers: Annotated[int, typer.Option(help="Processes for that run.", min=1)] = 1,
    prune: Annotated[bool, typer.Option(help="Remove references that nothing declares.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, write nothing.")] = False,
    references: References = None,
    as_json: AsJson = False,
) -> None:
    """Make references: show new beside old, then write what has changed.

    References from a run bind the lock of the stack it ran in: bless inside a stack (source its
    setup.sh), or from a run made there.

    Example: fiducial reference bless zh_recoil --events 100000 --why "first reference" --dry-run
    """
    if len(why.split()) < 3:
        raise InputError(
            "no reason given" if not why.strip() else f"'{why}' is no reason",
            "a reference stands for a decision",
            "say with --why, in three words or more, why the new value is right",
        )
    store = _store(references)
    chosen = selected(patterns or [])
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat()
    blessing = Blessing(who or getpass.getuser(), now, why.strip())
    proposals: list[Proposal] = []
    with tempfile.TemporaryDirectory(prefix="fiducial-bless-") as scratch:
        for chain, observables in chosen.items():
            sample = None
            if needs_run(observables):
                if not (dry_run or from_ or os.environ.get("FIDUCIAL_LOCK_SHA256")):
                    raise _unbound(chain)
                sample = _sample(chain, from_ or [], scale, events, seed, workers, Path(scratch))
                if sample.lock_sha256 is None and not dry_run:
                    raise _unbound(chain)
            proposals += [propose(chain, o, sample, store, blessing) for o in observables]
    removed = undeclared(store) if prune else []
    _show(proposals, removed, as_json)
    if not dry_run:
        changed = {p.key: (p.entry, p.new) for p in proposals if p.changed}
        store.with_references(changed, tuple(removed))
        if not as_json:
            typer.echo(f"{len(changed)} written, {len(removed)} removed; manifest {store.sha256}")


def _unbound(chain: str) -> InputError:
    return InputError(
        f"{chain} cannot be blessed from a run outside of a stack",
        "a reference binds the lock of the software that made it",
        "source the setup.sh of a stack and bless there, or give --from with a run made there",
    )


def _sample(
    chain: str, given: list[Path], scale: str | None, events: int | None, seed: int | None,
    workers: int, scratch: Path,
) -> Sample:  # fmt: skip
    places_to_look = [
        place for path in given for place in (path, path / chain, path / "runs" / chain)
    ]
    for path in places_to_look:
        if (path / "run.json").exists():
            run = framework.open_run(path)
            if run.info["chain"] == chain:
                return sample_of(run, tables_of(run), chain)
    if scale is None and events is None:
        raise InputError(
            f"nothing to bless {chain} from",
            f"no run of it in {', '.join(map(str, given))}" if given else None,
            "give --scale or --events to run it, or --from with a finished run",
        )
    path = places.chains_directory() / f"{chain}.yaml"
    own = framework.load_chain(path)
    with framework.Bar() as bar:
        run = framework.run(
            path, events, scratch / chain, "processes" if workers > 1 else "inprocess", workers,
            blessing_seed(own.seed) if seed is None else seed,
            scale=scale if events is None else None, progress=bar,
        )  # fmt: skip
    return sample_of(run, tables_of(run), chain)


def _show(proposals: list[Proposal], removed: list[str], as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps({"changes": [_record(p) for p in proposals], "removed": removed}, indent=1)
        )
        return
    table = RichTable("observable", "old", "new", "kind", "p (new run, old reference)", "")
    for p in proposals:
        old = measured(p.old.model_dump()) if p.old else "–"
        change = "unchanged" if not p.changed else "changed" if p.old else "new"
        against = f"{p.outcome.p_value:.2g}" if p.outcome else ""
        table.add_row(p.key, old, measured(p.new.model_dump()), p.new.kind, against, change)
    for key in removed:
        table.add_row(key, "", "", "", "", "removed")
    console.print(table)


def _record(p: Proposal) -> dict[str, Any]:
    return {
        "observable": p.key, "changed": p.changed, "sha256": p.entry.sha256, "kind": p.new.kind,
        "old": {"estimate": p.old.estimate, "error": p.old.error} if p.old else None,
        "new": {"estimate": p.new.estimate, "error": p.new.error},
        "p_value": p.outcome.p_value if p.outcome else None,
    }  # fmt: skip
