"""Commands that are imported when they run: their help is read from source, not executed.

A command is named by ``module:object``, ours by a table, others by entry point. Listing them
must not import them: a physics component would take seconds. So the help line and the panel are
read from the syntax tree: the object's docstring, the ``help`` of its ``typer.Typer(...)``, or
the module's docstring, and the module's constant ``panel``. Neglected: help text that is
computed; it is shown by ``fiducial COMMAND --help``, which imports the one command.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

GROUP = "fiducial.commands"
DEFAULT_PANEL = "More commands"


@dataclass(frozen=True)
class CommandInfo:
    """Where a command lives; ``owner`` is the distribution that brings it."""

    name: str
    target: str
    owner: str

    def load(self) -> Any:
        """Import the command: a ``typer.Typer``, or a function."""
        module, _, attribute = self.target.partition(":")
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        return found


@dataclass(frozen=True)
class CommandHelp:
    """What the list of commands shows."""

    panel: str
    summary: str


def find_plugins(group: str = GROUP) -> list[CommandInfo]:
    """Commands of the installed distributions, by name; the first of a name wins."""
    found: dict[str, CommandInfo] = {}
    for point in importlib.metadata.entry_points(group=group):
        owner = point.dist.name if point.dist else "unknown"
        found.setdefault(point.name, CommandInfo(point.name, point.value, owner))
    return [found[name] for name in sorted(found)]


def find_source(module: str) -> Path:
    """The source file of ``module``, found without importing it or its parents."""
    path: list[str] | None = None
    spec = None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:count]), path)
        if spec is None:
            raise ModuleNotFoundError(f"No module named '{'.'.join(parts[:count])}'")
        path = list(spec.submodule_search_locations or [])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"module '{module}' has no source file")
    return Path(spec.origin)


def read_help(info: CommandInfo) -> CommandHelp:
    """The help line and panel of a command, from its source.

    Raises ModuleNotFoundError, SyntaxError, OSError or AttributeError where the command is broken.
    """
    module, _, attribute = info.target.partition(":")
    tree = ast.parse(find_source(module).read_bytes())
    panel, summary = DEFAULT_PANEL, None
    defined = False
    for node in tree.body:
        names: list[str] = []
        value: ast.expr | None = None
        if isinstance(node, ast.FunctionDef):
            if node.name == attribute:
                defined, summary = True, ast.get_docstring(node) or summary
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            value = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names, value = [node.target.id], node.value
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= any((alias.asname or alias.name) == attribute for alias in node.names)
        if "panel" in names and isinstance(value, ast.Constant):
            panel = str(value.value)
        if attribute in names:
            defined, summary = True, _help_argument(value) or summary
    if not defined:
        raise AttributeError(f"module '{module}' has no '{attribute}'")
    text = summary or ast.get_docstring(tree) or ""
    return CommandHelp(panel, text.strip().split("\n\n")[0].replace("\n", " "))


def _help_argument(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Call):
        for keyword in value.keywords:
            if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return None
