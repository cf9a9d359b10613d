"""Whether working copies still satisfy those who import them, and what is to be run again.

Decided from files alone, before anything is laid over a stack. First what a working copy needs
and the stack lacks, which is refused; then ranges, names, entry points and the data model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fiducial.stack.errors import Mistake, Mistakes
from fiducial.stack.manifest import Manifest
from fiducial.stack.overlay.chains import Chain, reference_chains
from fiducial.stack.overlay.entry_points import check_entry_points
from fiducial.stack.overlay.findings import Finding
from fiducial.stack.overlay.interface import compare_names
from fiducial.stack.overlay.ranges import check_ranges, missing_needs
from fiducial.stack.overlay.schema import compare_schemas
from fiducial.stack.overlay.usage import Text, Use, uses_of
from fiducial.stack.overlay.view import View, import_roots
from fiducial.stack.overlay.working_copy import Copy


@dataclass(frozen=True)
class Checked:
    """The outcome: findings, the packages affected, the chains to run again."""

    findings: tuple[Finding, ...]
    dependents: tuple[str, ...]
    chains: tuple[Chain, ...]
    new: tuple[str, ...]
    """Working copies of components that the stack does not have."""

    @property
    def broken(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.broken)

    def to_dict(self) -> dict[str, Any]:
        return {
            "broken": len(self.broken),
            "findings": [finding.to_dict() for finding in self.findings],
            "dependents": list(self.dependents),
            "chains": [chain.name for chain in self.chains],
            "new": list(self.new),
        }


def check(
    prefix: Path, manifest: Manifest, copies: dict[str, Copy], advance: Callable[[int], None]
) -> Checked:
    """Check ``copies`` over the stack at ``prefix``; ``advance`` is told each one that is done.

    Raises Mistakes: what they need and nobody has, all at once.
    """
    stack, view = View(prefix, manifest, {}), View(prefix, manifest, copies)
    missing: list[Mistake] = [mistake for name in copies for mistake in missing_needs(view, name)]
    if missing:
        raise Mistakes(missing, f"working copies over {manifest.stack}")
    findings: list[Finding] = []
    every = reference_chains(stack, view)
    for name in copies:
        findings += check_ranges(view, name)
        if name in stack.packages:
            findings += _check_interface(stack, view, name, every)
        advance(1)
    names = set(copies)
    chains = tuple(chain for chain in every if chain.packages & names)
    new = tuple(name for name in copies if name not in stack.packages)
    return Checked(tuple(findings), tuple(sorted(view.dependents(names))), chains, new)


def _check_interface(stack: View, view: View, name: str, chains: list[Chain]) -> list[Finding]:
    old, new = dict(stack.files(name, ".py")), dict(view.files(name, ".py"))
    roots = import_roots(list(old))
    uses, texts = _uses(view, name, roots)
    found = list(compare_names(name, roots, old, new, uses))
    found += check_entry_points(stack, view, name, import_roots(list(new)), new, chains)
    models = dict(stack.files(name, ".yaml")), dict(view.files(name, ".yaml"))
    return found + list(compare_schemas(name, *models, uses, texts))


def _uses(view: View, name: str, roots: list[str]) -> tuple[list[Use], list[Text]]:
    """How the others use ``roots``. Wheels of others import no component."""
    uses: list[Use] = []
    texts: list[Text] = []
    for other in view.names():
        package = view.packages.get(other)
        if other == name or (other not in view.copies and package and package.kind == "wheel"):
            continue
        if package is not None and package.kind == "interpreter":
            continue
        for _, path in view.files(other, ".py"):
            found = uses_of(roots, other, path)
            uses += found[0]
            texts += found[1]
    return uses, texts
