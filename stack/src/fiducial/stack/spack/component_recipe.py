"""The Spack recipe of a component, written from its pyproject.toml.

A version that is still being made ("unreleased" in CHANGELOG.md) has no checksum: it can only be
installed from a working tree (``spack develop``, which environments/ declare). A released one is
pinned by the SHA-256 of its source archive, kept in spack-repo/releases.yaml.

What Spack needs beyond Python's metadata stands in the same file, in ``tool.fiducial.recipe``:
``smoke`` (a test that uses the installed package), ``variants`` (a description per extra) and
``omitted`` (extras that Spack does not offer, each with the reason).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from packaging.requirements import Requirement
from packaging.version import Version

from fiducial.stack.errors import InputError, Mistake, Mistakes
from fiducial.stack.spack.names import class_name, spack_name
from fiducial.stack.spack.ranges import spack_range
from fiducial.stack.workspace import Component, Workspace


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
    description: str


def dependency(requirement: Requirement, workspace: Workspace, when: str = "") -> Dependency:
    """The ``depends_on`` of a requirement; extras of our own components become variants.

    Raises InputError for a marker or an extra that Spack has no word for.
    """
    ours = requirement.name in workspace.components
    if requirement.marker is not None:
        raise InputError(f"'{requirement}' has a marker", None, "state it without one")
    if requirement.extras and not ours:
        raise InputError(f"'{requirement}' asks for extras", None, "name what they bring instead")
    versions = spack_range(requirement.specifier)
    variants = "".join(f"+{extra}" for extra in sorted(requirement.extras))
    spec = spack_name(requirement.name) + (f"@{versions}" if versions else "") + variants
    return Dependency(spec, when)


def render_component(workspace: Workspace, component: Component, released: dict[str, str]) -> str:
    """The text of the recipe. ``released`` maps versions to the SHA-256 of their archives.

    Raises Mistakes with everything in the component's metadata that cannot be said in Spack.
    """
    mistakes: list[Mistake] = []
    where = f"{component.name}: project.dependencies"
    depends = [Dependency(f"python@{spack_range(component.requires_python)}", kind="build, run")]

    def add(rows: tuple[Requirement, ...], when: str, kind: str = "run") -> None:
        for row in rows:
            try:
                found = dependency(row, workspace, when)
            except InputError as error:
                mistakes.append(Mistake(where, str(error)))
                continue
            depends.append(Dependency(found.spec, found.when, kind))

    project = tomllib.loads((component.directory / "pyproject.toml").read_text(encoding="utf-8"))
    add(tuple(Requirement(row) for row in project["build-system"]["requires"]), "", "build")
    add(component.dependencies, "")
    recipe = project.get("tool", {}).get("fiducial", {}).get("recipe", {})
    described, omitted = recipe.get("variants", {}), recipe.get("omitted", {})
    variants = []
    for extra, rows in sorted(component.extras.items()):
        if extra in omitted:
            continue
        if extra not in described:
            key = f"{component.name}: tool.fiducial.recipe.variants"
            hint = "say what it brings, or under 'omitted' why Spack does not offer it"
            mistakes.append(Mistake(key, f"extra '{extra}' has no description", hint))
        variants.append(Variant(extra, described.get(extra, "")))
        add(rows, f"+{extra}")
    smoke, key = recipe.get("smoke", "").strip(), f"{component.name}: tool.fiducial.recipe.smoke"
    if not smoke:
        mistakes.append(Mistake(key, "no smoke test", "a few lines of Python that use the package"))
    if '"""' in smoke or "\\" in smoke:
        mistakes.append(Mistake(key, 'holds \'"""\' or a backslash', "write it without them"))
    if mistakes:
        raise Mistakes(mistakes, "the recipes")
    package = spack_name(component.name)
    return template("component.py.j2").render(
        component=component,
        package=package,
        class_name=class_name(package),
        archive=f"{component.name}/{component.name.replace('-', '_')}",
        source=component.directory.relative_to(workspace.root).as_posix(),
        versions=_newest_first({component.version: None, **released}),
        variants=variants,
        dependencies=depends,
        smoke=smoke,
    )


def _newest_first(versions: Mapping[str, str | None]) -> dict[str, str | None]:
    return dict(sorted(versions.items(), key=lambda row: Version(row[0]), reverse=True))


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
