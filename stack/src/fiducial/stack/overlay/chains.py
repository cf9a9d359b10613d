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

RUNNERS = ("fiducial-framework", "fiducial-validation")


@dataclass(frozen=True)
class Chain:
    """A reference chain and the packages that have a part in it."""

    name: str
    packages: frozenset[str]
    unknown: tuple[str, ...] = ()
    """Steps that no package of the view brings."""


def reference_chains(view: View) -> list[Chain]:
    """The chains of every package that brings chains, sorted by name."""
    steps = view.entry_points("fiducial.steps")
    found: dict[str, Chain] = {}
    for owner in sorted(set(view.entry_points("fiducial.chains").values())):
        for name, path in _yaml_files(view, owner):
            if "/observables/" in f"/{name}":
                continue
            data = yaml.safe_load(path.read_bytes())
            if not isinstance(data, dict) or "chain" not in data or "steps" not in data:
                continue
            used = [str(step.get("use")) for step in data["steps"] if isinstance(step, dict)]
            packages = {steps[step] for step in used if step in steps}
            framework = {name for name in RUNNERS[:1] if name in view.names()}
            parts = view.closure(packages | framework) | (set(RUNNERS[1:]) & set(view.names()))
            unknown = tuple(step for step in used if step not in steps)
            chain = str(data["chain"])
            found[chain] = Chain(chain, frozenset(parts), unknown)
    return [found[name] for name in sorted(found)]


def _yaml_files(view: View, owner: str) -> Iterator[tuple[str, Path]]:
    """The YAML files of a package; of a working copy also those beside its source."""
    yield from view.files(owner, ".yaml")
    if owner in view.copies:
        folder = view.copies[owner].folder
        for path in sorted((folder / "chains").rglob("*.yaml")):
            yield path.relative_to(folder).as_posix(), path
