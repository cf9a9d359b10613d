"""How a package uses the names of another: read from its syntax trees, nothing is imported.

``from fiducial.edm import EventBatch as B`` and then ``B.concatenate([a, b], x=1)`` is a use of
``fiducial.edm.EventBatch.concatenate`` with one positional argument and one keyword. What is
called on an object whose type is not written there (``batch.keep(names)``) is a use *by name*.
Neglected: names bound anew in an inner scope, ``getattr`` with a computed name, and ``eval``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Call:
    """The arguments of a call; ``open`` where a ``*`` or ``**`` hides some of them."""

    positional: int
    keywords: frozenset[str]
    open: bool


@dataclass(frozen=True)
class Use:
    """One use: ``name`` is a dotted path, or one member's name where the object is unknown."""

    name: str
    package: str
    path: Path
    line: int
    call: Call | None = None
    member: bool = False

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Text:
    """A string constant, which may name a column or a type of the data model."""

    value: str
    package: str
    path: Path
    line: int


def uses_of(roots: list[str], package: str, path: Path) -> tuple[list[Use], list[Text]]:
    """Every use of ``roots`` ("fiducial.edm") in the file ``path`` of ``package``.

    Nothing, where the file imports none of them. A file that cannot be parsed uses nothing that
    Python could run.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return [], []
    names = dict(_bindings(tree, roots))
    found = list(_imports(tree, roots, package, path))
    if not found:
        return [], []
    visitor = _Visitor(names, roots, package, path)
    visitor.visit(tree)
    return found + visitor.uses, visitor.texts


def _inside(name: str, roots: list[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _bindings(tree: ast.AST, roots: list[str]) -> Iterator[tuple[str, str]]:
    """What a name of the file stands for, where it leads into ``roots``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, alias.name
                elif any(root.split(".")[0] == alias.name.split(".")[0] for root in roots):
                    yield alias.name.split(".")[0], alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if _inside(full, roots):
                    yield alias.asname or alias.name, full


def _imports(tree: ast.AST, roots: list[str], package: str, path: Path) -> Iterator[Use]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _inside(alias.name, roots):
                    yield Use(alias.name, package, path, node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
                if _inside(full, roots):
                    yield Use(full, package, path, alias.lineno)


class _Visitor(ast.NodeVisitor):
    """Collects uses through bound names, members of unknown objects, and strings."""

    def __init__(self, names: dict[str, str], roots: list[str], package: str, path: Path) -> None:
        self.names, self.roots, self.package, self.path = names, roots, package, path
        self.uses: list[Use] = []
        self.texts: list[Text] = []

    def visit_Call(self, node: ast.Call) -> None:
        call = Call(
            sum(not isinstance(argument, ast.Starred) for argument in node.args),
            frozenset(keyword.arg for keyword in node.keywords if keyword.arg is not None),
            any(isinstance(argument, ast.Starred) for argument in node.args)
            or any(keyword.arg is None for keyword in node.keywords),
        )
        self._reference(node.func, call)
        for child in [*node.args, *node.keywords]:
            self.visit(child)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._reference(node, None)

    def visit_Name(self, node: ast.Name) -> None:
        self._reference(node, None)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.texts.append(Text(node.value, self.package, self.path, node.lineno))

    def _reference(self, node: ast.expr, call: Call | None) -> None:
        parts: list[str] = []
        base = node
        while isinstance(base, ast.Attribute):
            parts.insert(0, base.attr)
            base = base.value
        if isinstance(base, ast.Name) and base.id in self.names:
            name = ".".join([self.names[base.id], *parts])
            if _inside(name, self.roots):
                self.uses.append(Use(name, self.package, self.path, node.lineno, call))
            return
        if parts and isinstance(node, ast.Attribute):
            line = node.end_lineno or node.lineno
            self.uses.append(Use(parts[-1], self.package, self.path, line, call, member=True))
            for inner in parts[:-1]:
                self.uses.append(Use(inner, self.package, self.path, line, None, member=True))
        if not isinstance(base, ast.Name):
            self.visit(base)
