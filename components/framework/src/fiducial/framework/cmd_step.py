"""Look at steps: which are installed, and what settings one takes."""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from fiducial.core.errors import FiducialError
from fiducial.framework.chain import kind_of
from fiducial.framework.registry import STEPS, load_registration, load_step, registrations

panel = "Run physics"

app = typer.Typer(
    help="List steps and show their settings. Example: fiducial step show fastsim",
    no_args_is_help=True,
)

JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list")
def list_steps(as_json: JsonOption = False) -> None:
    """List the installed steps; one that cannot be imported says why.

    Example: fiducial step list
    """
    records: list[dict[str, Any]] = []
    for registration in registrations(STEPS):
        record: dict[str, Any] = {
            "name": registration.name,
            "distribution": f"{registration.distribution} {registration.version}",
        }
        try:
            step = load_registration(registration)
            record |= {"kind": kind_of(step), "summary": step.summary, "problem": None}
        except FiducialError as error:
            record |= {"kind": None, "summary": None, "problem": str(error)}
        records.append(record)
    if as_json:
        typer.echo(json.dumps(records, indent=1))
        return
    if not records:
        typer.echo("no step is installed; fiducial-generators and others bring them")
        return
    table = RichTable("step", "kind", "what it does", "from")
    for record in records:
        summary = record["summary"] or record["problem"]
        table.add_row(
            record["name"], record["kind"] or "-", escape(summary), record["distribution"]
        )
    Console().print(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="name of an installed step")],
    as_json: JsonOption = False,
) -> None:
    """Show what a step does and its settings: type, default, meaning.

    Example: fiducial step show gun
    """
    step = load_step(name)
    schema = step.model_json_schema(by_alias=True)
    settings = [_setting(key, entry, schema) for key, entry in schema.get("properties", {}).items()]
    record = {
        "name": name,
        "kind": kind_of(step),
        "summary": step.summary,
        "description": inspect.getdoc(step) or "",
        "class": f"{step.__module__}:{step.__qualname__}",
        "settings": settings,
    }
    if as_json:
        typer.echo(json.dumps({**record, "schema": schema}, indent=1))
        return
    typer.echo(f"{name} ({record['kind']}): {step.summary}\n\n{record['description']}\n")
    if not settings:
        typer.echo("takes no settings")
        return
    shown = ["name", "type", "default"]
    if any(entry["meaning"] for entry in settings):  # else the description above tells it
        shown.append("meaning")
    table = RichTable("setting", *shown[1:])
    for entry in settings:
        table.add_row(*(escape(entry[key]) for key in shown))
    Console().print(table)


def _setting(key: str, entry: dict[str, Any], schema: dict[str, Any]) -> dict[str, str]:
    required = key in schema.get("required", ())
    default = "required" if required else json.dumps(entry.get("default"))
    return {
        "name": key,
        "type": _type(entry, schema),
        "default": default,
        "meaning": entry.get("description", ""),
    }


def _type(entry: dict[str, Any], schema: dict[str, Any]) -> str:
    """A JSON schema's type in words: ``number > 0``, ``list of integer``, ``a | b``."""
    if "$ref" in entry:
        target = schema.get("$defs", {}).get(entry["$ref"].rpartition("/")[2], {})
        return _type(target, schema)
    if "properties" in entry:
        fields = entry["properties"].items()
        return "{" + ", ".join(f"{key}: {_type(field, schema)}" for key, field in fields) + "}"
    if "allOf" in entry and len(entry["allOf"]) == 1:
        return _type(entry["allOf"][0], schema)
    for key in ("anyOf", "oneOf"):
        if key in entry:
            return " | ".join(dict.fromkeys(_type(option, schema) for option in entry[key]))
    if "enum" in entry:
        return " | ".join(json.dumps(choice) for choice in entry["enum"])
    if "const" in entry:
        return json.dumps(entry["const"])
    kind = str(entry.get("type", "anything"))
    if kind == "array":
        if "prefixItems" in entry:
            return "[" + ", ".join(_type(item, schema) for item in entry["prefixItems"]) + "]"
        return f"list of {_type(entry.get('items', {}), schema)}"
    if kind == "object" and isinstance(entry.get("additionalProperties"), dict):
        return f"mapping to {_type(entry['additionalProperties'], schema)}"
    limits = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    return " ".join([kind, *(f"{sign} {entry[k]}" for k, sign in limits.items() if k in entry)])
