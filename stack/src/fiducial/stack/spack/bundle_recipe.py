"""The recipe ``fiducial``: all components of a distribution, and engines beside them.

``spack-repo/distributions.yaml`` says which version of each component belongs to a version of the
distribution. Each is a released one, and each allows the others: one that does not is refused
here, not by a solver at a site. The version ``main`` takes what it is given, for development. The
version is that of the list and no date, so that the same components have the same hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from fiducial.stack.errors import Mistake, Mistakes, did_you_mean
from fiducial.stack.spack.component_recipe import template
from fiducial.stack.spack.names import spack_name
from fiducial.stack.spack.releases import VERSION, ReleasedArchive, metadata_path
from fiducial.stack.spack.versions import conditions, in_order
from fiducial.stack.workspace import Component, Workspace, read_component
from fiducial.stack.yaml_files import read_rows

EXTRAS = {
    "fiducial-core": ("cuda",),
    "fiducial-framework": ("dask",),
    "fiducial-generators": ("pythia8",),
}
"""Extras of components that are variants of the bundle too."""
MAIN = "main"
"""The version that takes any components."""
OPTIONAL = {"fiducial-validation": "validation"}
"""Components that the bundle may leave out, and the variant that takes them."""


@dataclass(frozen=True)
class Part:
    """A component in the bundle: its Spack spec, and the variant that takes it."""

    spec: str
    variant: str = ""


def distributions_path(workspace: Workspace) -> Path:
    """Where the versions of the distribution are listed."""
    return workspace.root / "spack-repo" / "distributions.yaml"


def render_distributions(distributions: Mapping[str, Mapping[str, str]]) -> str:
    """The text of distributions.yaml."""
    lines = [
        "# Versions of the distribution (the recipe `fiducial`): components that go together",
        "# (`fiducial component release --distribution VERSION` adds one).",
    ]
    for version in in_order(distributions):
        lines.append(f'"{version}":')
        lines += [f'  {name}: "{row}"' for name, row in sorted(distributions[version].items())]
    return "\n".join(lines) + "\n"


def read_distributions(
    workspace: Workspace, releases: list[ReleasedArchive]
) -> dict[str, dict[str, str]]:
    """Versions of the distribution, each with its components' versions; all mistakes at once."""
    path = distributions_path(workspace)
    data = read_rows(path, "versions to components")
    mistakes: list[Mistake] = []
    known = {(row.component, row.version) for row in releases}
    for version, row in data.items():
        if not isinstance(version, str) or not VERSION.fullmatch(version):
            hint = 'write it in quotes: "0.1.0"'
            mistakes.append(Mistake(path.name, f"{version!r} is no version", hint))
        listed = len(mistakes)
        for name, chosen in row.items():
            where = f"{path.name}: {version}"
            if name not in workspace.components:
                hint = did_you_mean(str(name), workspace.components)
                mistakes.append(Mistake(where, f"no component '{name}'", hint))
            elif (name, chosen) not in known:
                have = ", ".join(v for n, v in sorted(known) if n == name) or "none"
                problem = f"{name} {chosen} is not released"
                mistakes.append(Mistake(where, problem, f"released: {have}"))
        if len(mistakes) == listed:
            mistakes += _disagreements(workspace, f"{path.name}: {version}", row)
    if mistakes:
        raise Mistakes(mistakes, "the distributions")
    return data


def _disagreements(workspace: Workspace, where: str, row: Mapping[str, str]) -> list[Mistake]:
    """Components of a distribution that need others, or other versions, than it has."""
    mistakes: list[Mistake] = []
    for name, version in row.items():
        path = metadata_path(workspace, name, version)
        released = read_component(path, workspace.root, mistakes) if path.is_file() else None
        if released is None:
            mistakes.append(Mistake(where, f"{path.name} is gone", "restore it from git"))
            continue
        for requirement in released.needs(frozenset(released.extras)):
            needed = canonicalize_name(requirement.name)
            if needed not in workspace.components:
                continue
            if row.get(needed, "") not in requirement.specifier:
                has = f"it has {row[needed]}" if needed in row else "it has none"
                mistakes.append(Mistake(where, f"{name} {version} needs {requirement}", has))
    return mistakes


def render_bundle(workspace: Workspace, distributions: Mapping[str, Mapping[str, str]]) -> str:
    """The text of the recipe."""
    rows = {
        version: [_part(workspace.components[name], f"@={chosen}") for name, chosen in row.items()]
        for version, row in distributions.items()
    }
    order = in_order(rows)
    rows[MAIN] = [_part(component, "") for component in workspace.components.values()]
    found = conditions(rows, [*order, MAIN])
    parts = [(p.spec, when + (f"+{p.variant}" if p.variant else "")) for p, when in found]
    extras = [
        (f"{spack_name(name)}+{extra}", extra) for name, row in EXTRAS.items() for extra in row
    ]
    return template("bundle.py.j2").render(  # type: ignore[no-any-return]
        versions=list(reversed(order)), parts=parts, extras=extras
    )


def _part(component: Component, version: str) -> Part:
    return Part(f"{spack_name(component.name)}{version}", OPTIONAL.get(component.name, ""))
