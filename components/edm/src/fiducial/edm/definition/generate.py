"""From models to Python: one module a type, one of the components, and their index.

The result is a mapping of file names to texts; only the command writes. It depends on nothing
but the models, so that generating twice gives the same bytes.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from fiducial.edm.behaviours import BEHAVIOURS
from fiducial.edm.definition.layout import Layout, python_name
from fiducial.edm.definition.model import Component, Member, Model
from fiducial.edm.schema import ColumnSpec, MemberSpec, TypeSchema, VectorSpec

__all__ = ["difference", "environment", "generate", "module_name"]

WIDTH = 100


def module_name(type_name: str) -> str:
    """``edm4hep::MCParticle`` is in ``mc_particle.py``."""
    bare = type_name.partition("::")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", bare).lower()


def _bare(type_name: str) -> str:
    return type_name.partition("::")[2]


def _wrap(text: str, indent: int) -> str:
    """A sentence broken into lines, the first of which stands behind three quotes."""
    lines = textwrap.wrap(text, WIDTH - indent - 6, break_long_words=False)
    return ("\n" + " " * indent).join(lines)


def _literal(text: str, indent: int, used: int) -> str:
    """A string literal, in several pieces where it does not fit into the line behind ``used``."""
    quoted = _quote(text)
    if indent + used + len(quoted) + 1 <= WIDTH:
        return quoted
    pieces = textwrap.wrap(text, WIDTH - indent - 8, break_long_words=False, drop_whitespace=False)
    inner = " " * (indent + 4)
    return "(\n" + "".join(f"{inner}{_quote(piece)}\n" for piece in pieces) + " " * indent + ")"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _tuple(items: Sequence[object]) -> str:
    inner = ", ".join(_quote(item) if isinstance(item, str) else repr(item) for item in items)
    return f"({inner},)" if len(items) == 1 else f"({inner})"


def _column(spec: ColumnSpec) -> str:
    """The Python expression that makes ``spec``."""
    parts = [_quote(spec.name), _quote(spec.dtype)]
    if spec.shape:
        parts.append(_tuple(spec.shape))
    if spec.default:
        parts.append(f"default={spec.default!r}")
    if spec.folded:
        parts.append(f"folded={_quote(spec.folded)}")
    return f"ColumnSpec({', '.join(parts)})"


def _imports(start: str, name: str) -> str:
    """``from … import name`` in one line, or in three where it is too long."""
    line = f"{start} import {name}"
    return line if len(line) <= WIDTH else f"{start} import (\n    {name},\n)"


def _unit(part: MemberSpec | VectorSpec | Member) -> str:
    return f" [{part.unit}]" if part.unit else ""


def _sentence(text: str) -> str:
    """A description as the first line of a docstring."""
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def _columns(columns: Sequence[ColumnSpec]) -> str:
    """Columns as a table shows them: `momentum.x` `.y` `.z` float64."""
    first = columns[0]
    dtype = first.dtype + "".join(f"[{n}]" for n in first.shape)
    stem, _, last = first.name.rpartition(".")
    if all(c.dtype == first.dtype and c.name.rpartition(".")[0] == stem for c in columns) and stem:
        rest = " ".join(f"`.{c.name.rpartition('.')[2]}`" for c in columns[1:])
        return f"`{stem}.{last}` {rest} {dtype}"
    if len(columns) == 1:
        return dtype
    return ", ".join(f"`{c.name}` {c.dtype}" + "".join(f"[{n}]" for n in c.shape) for c in columns)


def _bare_type(type_name: str) -> str:
    """A type of a member as a table shows it: without namespaces."""
    return type_name.replace("edm4hep::", "").replace("std::", "")


def environment() -> jinja2.Environment:
    """The templates and the filters that they use."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "bare": _bare,
        "wrap": _wrap,
        "literal": _literal,
        "quote": _quote,
        "tuple": _tuple,
        "bare_type": _bare_type,
        "columns": _columns,
        "column": _column,
        "imports": _imports,
        "unit": _unit,
        "sentence": _sentence,
        "module": module_name,
        "python": python_name,
    }
    return made


def _components_used(schema: TypeSchema, layout: Layout) -> list[str]:
    """Components whose view classes the module of this type imports."""
    used = {m.type for m in schema.members if m.is_component}
    return sorted(_bare(name) for name in used if name in layout.components)


def generate(models: Sequence[Model]) -> dict[str, str]:
    """The generated package of validated models: file name to text."""
    layout = Layout(models)
    templates = environment()
    schemas = list(layout.schemas())
    sources = {entry.name: model.file for model in models for entry in model.datatypes}
    sources |= {link.name: model.file for model in models for link in model.links}
    viewed: list[Component] = [c for m in models for c in m.components if not layout.folded(c)]
    files = {
        "components.py": templates.get_template("components.py.j2").render(
            components=viewed, layout=layout, sources=[m.file for m in models if m.components]
        )
    }
    for schema in schemas:
        files[module_name(schema.name) + ".py"] = templates.get_template("datatype.py.j2").render(
            schema=schema,
            source=sources[schema.name],
            behaviour=BEHAVIOURS.get(schema.name),
            components=_components_used(schema, layout),
        )
    files["__init__.py"] = templates.get_template("init.py.j2").render(
        schemas=schemas, components=viewed, sources=[m.file for m in models]
    )
    return files


def difference(expected: Mapping[str, str], directory: Path) -> list[str]:
    """What keeps the files in ``directory`` from being the expected ones, one sentence each."""
    found = {path.name: path for path in sorted(directory.glob("*.py"))}
    problems = [f"{name} is missing" for name in expected if name not in found]
    problems += [f"{name} is not generated by the model" for name in found if name not in expected]
    for name, text in expected.items():
        if name in found and found[name].read_text(encoding="utf-8") != text:
            problems.append(f"{name} differs from what the model generates")
    return sorted(problems)
