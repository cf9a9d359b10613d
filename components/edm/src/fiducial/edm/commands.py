"""`fiducial edm`: look at the data model, check it, and generate its Python and its page."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from fiducial.core.errors import InputError, NegativeAnswer, did_you_mean
from fiducial.core.files import environment_problem, replace_directory, write_atomically
from fiducial.edm.definition.document import document
from fiducial.edm.definition.generate import difference, generate
from fiducial.edm.definition.layout import Layout
from fiducial.edm.definition.load import project_models, read_models
from fiducial.edm.schema import TypeSchema

panel = "Event data"

app = typer.Typer(
    help="Look at, check and generate the event data model. Example: fiducial edm show MCParticle",
    no_args_is_help=True,
)

GENERATED = Path(__file__).parent / "generated"

JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="say what would be written")]


def _schema_record(schema: TypeSchema) -> dict[str, Any]:
    return {
        "name": schema.name,
        "description": schema.description,
        "collection": schema.collection,
        "schema_version": schema.version,
        "columns": {
            c.name: {"dtype": c.dtype, "shape": list(c.shape), "unit": m.unit, "default": c.default}
            for m in schema.members
            for c in m.columns
        },
        "vectors": {
            v.name: {c.name: {"dtype": c.dtype, "shape": list(c.shape)} for c in v.columns}
            for v in schema.vectors
        },
        "relations": {
            r.name: {"targets": list(r.targets), "many": r.many} for r in schema.relations
        },
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"no such file: {path}", hint="check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text", str(error), "a model is YAML in UTF-8") from None
    except OSError as error:
        raise environment_problem(f"cannot read {path}", error) from error


def _find(name: str) -> TypeSchema:
    schemas = {schema.name: schema for schema in Layout(project_models()).schemas()}
    bare = {full.partition("::")[2]: schema for full, schema in schemas.items()}
    if found := schemas.get(name) or bare.get(name):
        return found
    raise InputError(f"no type {name!r} in the data model", hint=did_you_mean(name, list(bare)))


@app.command()
def show(
    name: Annotated[
        str | None, typer.Argument(help="a type, as MCParticle; all, if absent")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the types of the data model, or the columns of one.

    Example: fiducial edm show ReconstructedParticle
    """
    if name is None:
        schemas = list(Layout(project_models()).schemas())
        if as_json:
            typer.echo(json.dumps([_schema_record(schema) for schema in schemas], indent=1))
            return
        width = max(len(schema.name) for schema in schemas)
        for schema in schemas:
            typer.echo(f"{schema.name:{width}}  {schema.description}")
        return
    schema = _find(name)
    if as_json:
        typer.echo(json.dumps(_schema_record(schema), indent=1))
        return
    typer.echo(f"{schema.name}: {schema.description}")
    rows = []
    for member in schema.members:
        for column in member.columns:
            shape = "".join(f"[{n}]" for n in column.shape)
            first = column is member.columns[0]
            unit = f"[{member.unit}]" if member.unit else ""
            text = member.description if first else ""
            rows.append((column.name, f"{column.dtype}{shape}", unit, text))
    for vector in schema.vectors:
        unit = f"[{vector.unit}]" if vector.unit else ""
        rows.append((vector.name, f"list of {vector.type}", unit, vector.description))
    for relation in schema.relations:
        kind = "many" if relation.many else "one"
        rows.append((relation.name, f"{kind} {relation.target}", "", relation.description))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        padded = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        typer.echo(f"  {padded}  {row[3]}".rstrip())


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="models of yours, which may use EDM4hep's types")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check model files, or that the generated Python is what the project's model gives.

    Ends with 1 where it is not. Example: fiducial edm check my_model.yaml
    """
    models = project_models()
    own = read_models({str(path): _text(path) for path in files or []}, models)
    problems = [] if own else difference(generate(models), GENERATED)
    names = [d.name for model in own or models for d in model.datatypes]
    types = [*names, *(link.name for model in own or models for link in model.links)]
    if as_json:
        typer.echo(json.dumps({"types": types, "problems": problems}, indent=1))
    elif not problems:
        typer.echo(f"{len(types)} types are consistent")
    if problems:
        raise NegativeAnswer(
            "the generated Python is not what the model gives",
            "; ".join(problems),
            "fiducial edm generate",
        )


@app.command("generate")
def generate_command(
    out: Annotated[
        Path, typer.Option(help="folder to replace", show_default="the package's own")
    ] = GENERATED,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Generate the Python of the project's model.

    Example: fiducial edm generate --dry-run
    """
    files = generate(project_models())
    changes = difference(files, out) if out.is_dir() else [f"{name} is missing" for name in files]
    if changes and not dry_run:
        if out.exists() and any(path.suffix != ".py" for path in out.iterdir() if path.is_file()):
            raise InputError(f"{out} holds other files than Python", hint="give another folder")
        _replace(out, files)
    _report(out, changes, dry_run, as_json)


def _replace(out: Path, files: Mapping[str, str]) -> None:
    """Put a folder with ``files`` in the place of ``out``, all or nothing."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".edm-", dir=out.parent) as scratch:
            staged = Path(scratch) / out.name
            staged.mkdir()
            for name, text in files.items():
                (staged / name).write_text(text, encoding="utf-8")
            replace_directory(staged, out)
    except OSError as error:
        raise environment_problem(f"cannot write {out}", error) from error


@app.command()
def docs(
    out: Annotated[Path, typer.Option(help="page to write")] = Path("docs/reference/edm.md"),
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the reference page of the data model.

    Example: fiducial edm docs --out docs/reference/edm.md
    """
    page = document(project_models())
    changed = not out.is_file() or out.read_text(encoding="utf-8") != page
    if changed and not dry_run:
        if not out.parent.is_dir():
            raise InputError(f"no folder {out.parent}", hint="make it, or give another --out")
        write_atomically(out, page)
    _report(
        out, [f"{out.name} differs from what the model gives"] if changed else [], dry_run, as_json
    )


def _report(out: Path, changes: list[str], dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(
            json.dumps(
                {"out": str(out), "changes": changes, "written": bool(changes) and not dry_run},
                indent=1,
            )
        )
    elif not changes:
        typer.echo(f"{out} is up to date")
    else:
        verb = "would write" if dry_run else "wrote"
        typer.echo("\n".join([f"{verb} {out}:", *(f"  {change}" for change in changes)]))
