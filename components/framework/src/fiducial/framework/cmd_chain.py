"""Look at chains: which are installed, what one does, whether a file is valid."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from fiducial.core.config import dump, load
from fiducial.core.errors import FiducialError
from fiducial.framework.catalog import installed_chains
from fiducial.framework.chain import Chain, kind_of, load_chain
from fiducial.framework.chain_model import ChainFile

panel = "Run physics"

app = typer.Typer(
    help="List, show and check chains. Example: fiducial chain check my_chain.yaml",
    no_args_is_help=True,
)

ChainArgument = Annotated[
    str, typer.Argument(help="name of an installed chain, or path of a YAML file")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list")
def list_chains(as_json: JsonOption = False) -> None:
    """List the installed chains.

    Example: fiducial chain list --json
    """
    records: list[dict[str, Any]] = []
    for found in installed_chains():
        record: dict[str, Any] = {
            "name": found.name,
            "distribution": f"{found.distribution} {found.version}",
            "path": str(found.path),
        }
        try:
            chain = load(found.path, ChainFile)  # the steps are not imported for a list
            record |= {"title": chain.title, "scales": dict(chain.scales)}
        except FiducialError as error:
            record |= {"title": None, "scales": {}, "problem": str(error)}
        records.append(record)
    if as_json:
        typer.echo(json.dumps(records, indent=1))
        return
    if not records:
        typer.echo("no chain is installed; fiducial-validation brings the reference chains")
        return
    table = RichTable("chain", "title", "scales (events)", "from")
    for record in records:
        scales = ", ".join(f"{name} {events}" for name, events in record["scales"].items())
        title = record["title"] if record["title"] is not None else "cannot be read (chain check)"
        table.add_row(record["name"], escape(title), scales, record["distribution"])
    Console().print(table)


@app.command()
def show(chain: ChainArgument, as_json: JsonOption = False) -> None:
    """Show a chain: its steps with all settings, what they read and make, its outputs.

    Example: fiducial chain show zh_recoil
    """
    record = describe(load_chain(chain, check=False))
    if as_json:
        typer.echo(json.dumps(record, indent=1))
        return
    typer.echo(f"{record['chain']}: {record['title']}")
    scales = ", ".join(f"{name} {events}" for name, events in record["scales"].items())
    typer.echo(f"seed {record['seed']}; scales {scales}; {record['range']} events a range")
    for step in record["steps"]:
        typer.echo(f"\n{step['name']}: {step['kind']} {step['use']} ({step['from']})")
        typer.echo(f"  reads {', '.join(step['inputs']) or 'nothing'}")
        typer.echo(f"  makes {', '.join(step['outputs']) or 'no collection'}")
        for key, value in step["with"].items():
            text = json.dumps(value)
            typer.echo(f"  {key}: {text if len(text) <= 100 else text[:97] + '...'}")
    for name, output in record["outputs"].items():
        typer.echo(f"\noutput {name}: {json.dumps(output)}")


@app.command()
def check(chain: ChainArgument, as_json: JsonOption = False) -> None:
    """Check a chain as a run would, without running it; all mistakes at once.

    Example: fiducial chain check my_chain.yaml
    """
    loaded = load_chain(chain)
    if as_json:
        typer.echo(json.dumps({"valid": True, "chain_sha256": loaded.sha256}, indent=1))
    else:
        typer.echo(f"{loaded.name} is valid ({len(loaded.steps)} steps, sha256 {loaded.sha256})")


def describe(chain: Chain) -> dict[str, Any]:
    """A chain as plain data, with what each step reads and makes."""
    return {
        "chain": chain.name,
        "title": chain.title,
        "chain_sha256": chain.sha256,
        "seed": chain.seed,
        "scales": dict(chain.scales),
        "range": chain.range_size(),
        "steps": [
            {
                "name": s.name,
                "use": s.use,
                "kind": kind_of(type(s.step)),
                "from": f"{s.distribution} {s.version}",
                "inputs": list(s.step.inputs),
                "outputs": dict(s.step.outputs),
                "with": dump(s.step),
            }
            for s in chain.steps
        ],
        "outputs": {name: dump(output) for name, output in chain.outputs.items()},
    }
