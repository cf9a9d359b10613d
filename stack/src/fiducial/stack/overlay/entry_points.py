"""Entry points: what a component offers by name (steps, commands, chains) and no longer does.

A step that a reference chain uses and that is gone breaks the chain; so does an entry point that
leads to no object of the working copy. Other entry points that are gone are information: who
types a command cannot be read from a stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fiducial.stack.overlay.chains import STEPS, Chain
from fiducial.stack.overlay.findings import Finding, Place
from fiducial.stack.overlay.interface import Api
from fiducial.stack.overlay.view import View

_GROUPS = (STEPS, "fiducial.commands", "fiducial.chains", "console_scripts")


def check_entry_points(
    stack: View, view: View, name: str, roots: list[str], files: Mapping[str, Path],
    chains: list[Chain],
) -> Iterator[Finding]:  # fmt: skip
    """Entry points of component ``name`` that are gone, or that lead to nothing."""
    offered = view.copies[name].entry_points
    for group in _GROUPS:
        before = {point for point, owner in stack.entry_points(group).items() if owner == name}
        after = view.entry_points(group)
        for point in sorted(before - after.keys()):
            places = tuple(_users(point, chains)) if group == STEPS else ()
            yield Finding("names", name, f"{group}: {point}", "removed", bool(places), places)
    apis: dict[str, Api] = {}
    for group, points in offered.items():
        for point, value in points.items():
            target = value.partition("[")[0].strip().replace(":", ".")
            for root in roots:
                if f"{target}.".startswith(f"{root}."):
                    if root not in apis:
                        apis[root] = Api(root, files)
                    if apis[root].find(target) is None:
                        what = f"leads to {value}, which is not there"
                        yield Finding("names", name, f"{group}: {point}", what, broken=True)


def _users(step: str, chains: list[Chain]) -> Iterator[Place]:
    pattern = re.compile(rf"\buse:\s*[\"']?{re.escape(step)}\b")
    for chain in chains:
        if step in chain.steps:
            rows = chain.path.read_text(encoding="utf-8").splitlines()
            line = next((n for n, row in enumerate(rows, 1) if pattern.search(row)), 1)
            yield Place(chain.owner, chain.path, line, f"chain {chain.name}")
