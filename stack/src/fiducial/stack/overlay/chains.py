"""Which reference chains use a component: through the packages of their steps.

A chain is YAML; its steps are entry points of packages, and a package brings all that it needs.
Every chain is run by the framework and judged by the validation, so it uses these too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from fiducial.stack.overlay.view import View

STEPS = "fiducial.steps"
FRAMEWORK, VALIDATION = "fiducial-framework", "fiducial-validation"


@dataclass(frozen=True)
class Chain:
    """A reference chain: its file, its steps, and the packages that have a part in it."""

    name: str
    owner: str
    path: Path
    steps: frozenset[str]
    packages: frozenset[str]


def reference_chains(stack: View, view: View) -> list[Chain]:
    """The chains of every package that brings chains, sorted by name.

    A step that only the stack below brings counts too: a chain that uses it is concerned.
    """
    steps = stack.entry_points(STEPS) | view.entry_points(STEPS)
    found: dict[str, Chain] = {}
    for owner in sorted(set(view.entry_points("fiducial.chains").values())):
        for name, path in _yaml_files(view, owner):
            if "/observables/" in f"/{name}":
                continue
            data = yaml.safe_load(path.read_bytes())
            if not isinstance(data, dict) or "chain" not in data or "steps" not in data:
                continue
            used = {str(step.get("use")) for step in data["steps"] if isinstance(step, dict)}
            parts = {steps[step] for step in used if step in steps} | {FRAMEWORK}
            packages = view.closure(parts & set(view.names())) | {VALIDATION}
            chain = str(data["chain"])
            found[chain] = Chain(chain, owner, path, frozenset(used), frozenset(packages))
    return [found[name] for name in sorted(found)]


def _yaml_files(view: View, owner: str) -> Iterator[tuple[str, Path]]:
    """The YAML files of a package; of a working copy also those beside its source."""
    yield from view.files(owner, ".yaml")
    if owner in view.copies:
        folder = view.copies[owner].folder
        for path in sorted((folder / "chains").rglob("*.yaml")):
            yield path.relative_to(folder).as_posix(), path
