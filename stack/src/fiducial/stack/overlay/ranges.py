"""Version ranges: whether a working copy fits those who need it, and finds what it needs itself.

Also what it imports without saying so: a module-level import that neither the standard library,
nor the stack, nor another working copy has.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fiducial.stack.errors import Mistake
from fiducial.stack.overlay.findings import Finding
from fiducial.stack.overlay.view import View, import_roots


def _holds(requirement: Requirement, minor: str, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    python = {"python_version": minor, "python_full_version": f"{minor}.0"}
    return any(requirement.marker.evaluate({**python, "extra": extra}) for extra in extras)


def extras_asked(view: View, name: str) -> set[str]:
    """The extras of ``name`` that the others ask for."""
    return {
        canonicalize_name(extra)
        for other in view.names()
        if other != name
        for row in view.requirements(other)
        if canonicalize_name(row.name) == name and _holds(row, view.minor, {""})
        for extra in row.extras
    }


def check_ranges(view: View, name: str) -> Iterator[Finding]:
    """Those who need ``name`` in another version, or with an extra that it has no more."""
    component = view.copies[name].component
    for other in view.names():
        if other == name:
            continue
        for row in view.requirements(other):
            if canonicalize_name(row.name) != name or not _holds(row, view.minor, {""}):
                continue
            if not row.specifier.contains(component.version, prereleases=True):
                what = f"{other} needs {name}{row.specifier}, this is {component.version}"
                yield Finding("range", name, other, what, broken=True)
            for extra in sorted(row.extras):
                if canonicalize_name(extra) not in component.extras:
                    what = f"{other} needs its extra '{extra}', which it has no more"
                    yield Finding("range", name, other, what, broken=True)


def missing_needs(view: View, name: str) -> Iterator[Mistake]:
    """What the working copy of ``name`` needs and the view does not have."""
    copy = view.copies[name]
    where = f"{copy.folder}/pyproject.toml"
    extras = {"", *extras_asked(view, name)}
    for row in view.requirements(name):
        if not _holds(row, view.minor, extras):
            continue
        other = canonicalize_name(row.name)
        version = view.version(other)
        if version is None:
            yield Mistake(
                where, f"needs {other}{row.specifier}, which {view.manifest.stack} does not have",
                "lock and build a stack that has it",
            )  # fmt: skip
        elif not row.specifier.contains(version, prereleases=True):
            yield Mistake(
                where, f"needs {other}{row.specifier}, {view.manifest.stack} has {version}",
                "widen the range, or build a stack that has it",
            )  # fmt: skip
    yield from _missing_imports(view, name)


def _missing_imports(view: View, name: str) -> Iterator[Mistake]:
    known = set(sys.stdlib_module_names) | {"fiducial"}
    known |= {entry.name.split(".")[0] for entry in view.site.iterdir()}
    for copy in view.copies:
        files = [inside for inside, _ in view.files(copy, ".py")]
        known |= {root.split(".")[0] for root in import_roots(files)}
    for _, path in view.files(name, ".py"):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", 0) or 0
            yield Mistake(f"{path}:{line}", f"cannot be parsed ({getattr(error, 'msg', error)})")
            continue
        for node in tree.body:
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for module in modules:
                if module.split(".")[0] not in known:
                    yield Mistake(
                        f"{path}:{node.lineno}",
                        f"imports {module}, which {view.manifest.stack} does not have",
                        "make it an optional import, or build a stack that has it",
                    )
