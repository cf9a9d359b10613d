"""The Spack recipe of a component, written from its pyproject.toml and those of its releases.

A released version is pinned by the SHA-256 of its source archive; what it needs is what its own
metadata says (``releases``), so that a directive that not every version shares holds ``when`` it
does. A version that is still being made has no checksum: it can only be installed from a working
tree (``spack develop``), and Spack prefers the newest release to it.

What Spack needs beyond Python's metadata stands in the same file, in ``tool.fiducial.recipe``:
``smoke`` (a test that uses the installed package), ``variants`` (a description per extra) and
``omitted`` (extras that Spack does not offer, each with the reason).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from packaging.requirements import Requirement

from fiducial.stack.errors import InputError, Mistake, Mistakes
from fiducial.stack.spack.names import class_name, spack_name
from fiducial.stack.spack.ranges import spack_range
from fiducial.stack.spack.releases import ReleasedArchive, metadata_path
from fiducial.stack.spack.versions import conditions, in_order
from fiducial.stack.workspace import PREFIX, Component, Workspace, read_component


@dataclass(frozen=True)
class Dependency:
    """One ``depends_on`` line: a Spack spec, when it holds, and which kind it is."""

    spec: str
    when: str = ""
    kind: str = "run"


@dataclass(frozen=True)
class Variant:
    """One ``variant`` line, from an extra."""

    name: str
    when: str = ""


@dataclass(frozen=True)
class Facts:
    """What the recipe says of one version."""

    dependencies: tuple[Dependency, ...]
    variants: tuple[str, ...]
    descriptions: Mapping[str, str]
    smoke: str


def dependency(requirement: Requirement, when: str = "") -> Dependency:
    """The ``depends_on`` of a requirement; extras of our own components become variants.

    Raises InputError for a marker or an extra that Spack has no word for.
    """
    if requirement.marker is not None:
        raise InputError(f"'{requirement}' has a marker", None, "state it without one")
    if requirement.extras and not requirement.name.startswith(PREFIX):
        raise InputError(f"'{requirement}' asks for extras", None, "name what they bring instead")
    versions = spack_range(requirement.specifier)
    variants = "".join(f"+{extra}" for extra in sorted(requirement.extras))
    spec = spack_name(requirement.name) + (f"@{versions}" if versions else "") + variants
    return Dependency(spec, when)


def read_facts(component: Component, metadata: Path, mistakes: list[Mistake]) -> Facts:
    """What ``metadata``, the pyproject.toml of a version of ``component``, has for the recipe."""
    where = f"{component.name} {component.version}"
    depends = [Dependency(f"python@{spack_range(component.requires_python)}", kind="build, run")]

    def add(rows: tuple[Requirement, ...], when: str, kind: str = "run") -> None:
        for row in rows:
            try:
                found = dependency(row, when)
            except InputError as error:
                mistakes.append(Mistake(f"{where}: project.dependencies", str(error)))
                continue
            depends.append(Dependency(found.spec, found.when, kind))

    project = tomllib.loads(metadata.read_text(encoding="utf-8"))
    add(tuple(Requirement(row) for row in project["build-system"]["requires"]), "", "build")
    add(component.dependencies, "")
    recipe = project.get("tool", {}).get("fiducial", {}).get("recipe", {})
    described, omitted = recipe.get("variants", {}), recipe.get("omitted", {})
    variants = []
    for extra, rows in sorted(component.extras.items()):
        if extra in omitted:
            continue
        if extra not in described:
            hint = "say what it brings, or under 'omitted' why Spack does not offer it"
            key = f"{where}: tool.fiducial.recipe.variants"
            mistakes.append(Mistake(key, f"extra '{extra}' has no description", hint))
        variants.append(extra)
        add(rows, f"+{extra}")
    smoke, key = recipe.get("smoke", "").strip(), f"{where}: tool.fiducial.recipe.smoke"
    if not smoke:
        mistakes.append(Mistake(key, "no smoke test", "a few lines of Python that use the package"))
    if '"""' in smoke or "\\" in smoke:
        mistakes.append(Mistake(key, 'holds \'"""\' or a backslash', "write it without them"))
    return Facts(tuple(depends), tuple(variants), described, smoke)


def render_component(
    workspace: Workspace, component: Component, releases: tuple[ReleasedArchive, ...] = ()
) -> str:
    """The text of the recipe.

    Raises Mistakes with everything in the component's metadata that cannot be said in Spack.
    """
    mistakes: list[Mistake] = []
    current = component.directory / "pyproject.toml"
    released = {row.version: row.sha256 for row in releases}
    facts: dict[str, Facts] = {}
    if component.version not in released:
        facts[component.version] = read_facts(component, current, mistakes)
    for version in released:
        path = metadata_path(workspace, component.name, version)
        old = read_component(path, workspace.root, mistakes) if path.is_file() else None
        if old is None:
            hint = "restore it from git"
            mistakes.append(Mistake(f"{component.name} {version}", f"{path.name} is gone", hint))
        else:
            facts[version] = read_facts(old, path, mistakes)
    if mistakes:
        raise Mistakes(mistakes, "the recipes")
    order = in_order(facts)
    package = spack_name(component.name)
    described: dict[str, str] = {}
    for version in order:
        described |= facts[version].descriptions
    return template("component.py.j2").render(
        component=component,
        package=package,
        class_name=class_name(package),
        # a version of its own, and never another, or the hashes of all versions would move
        archive=_archive(component.name, next((v for v in order if v in released), order[-1])),
        source=component.directory.relative_to(workspace.root).as_posix(),
        versions=[
            (version, released.get(version), _preferred(version, order, released))
            for version in reversed(order)
        ],
        variants=conditions({version: row.variants for version, row in facts.items()}),
        descriptions=described,
        dependencies=_depends(facts),
        smoke=conditions({version: [row.smoke] for version, row in facts.items()}),
    )


def _archive(name: str, version: str) -> str:
    return f"{name}/{name.replace('-', '_')}-{version}.tar.gz"


def _preferred(version: str, order: list[str], released: Mapping[str, str]) -> bool:
    """Whether Spack must be told to take this version and not a newer one without an archive."""
    last = next((v for v in reversed(order) if v in released), None)
    return version == last != order[-1]


def _depends(facts: Mapping[str, Facts]) -> list[Dependency]:
    rows = conditions({version: row.dependencies for version, row in facts.items()})
    return [Dependency(row.spec, when + row.when, row.kind) for row, when in rows]


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("fiducial.stack.spack"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # what comes out is Python
    )


def template(name: str) -> Template:
    """A template of this package."""
    return _templates().get_template(name)
