"""The workspace: the checkout that holds the components and the environments.

It is found from the working directory upwards (or by FIDUCIAL_WORKSPACE). A component is known
by its pyproject.toml alone: name, version, what it needs. Nothing of it is imported.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from fiducial.stack.errors import InputError, Mistake, Mistakes, did_you_mean

PREFIX = "fiducial-"


@dataclass(frozen=True)
class Component:
    """One distribution of the workspace, as its pyproject.toml states it."""

    name: str
    version: str
    directory: Path
    licence: str
    summary: str
    requires_python: str
    dependencies: tuple[Requirement, ...]
    extras: dict[str, tuple[Requirement, ...]]

    def needs(self, extras: frozenset[str] = frozenset()) -> list[Requirement]:
        """Direct requirements with those of ``extras``."""
        return [*self.dependencies, *(r for extra in sorted(extras) for r in self.extras[extra])]


@dataclass(frozen=True)
class Workspace:
    """A checkout."""

    root: Path

    @property
    def environments(self) -> Path:
        """Where the environments are defined."""
        return self.root / "environments"

    @cached_property
    def components(self) -> dict[str, Component]:
        """Every component by distribution name; all mistakes of their metadata at once."""
        mistakes: list[Mistake] = []
        found: dict[str, Component] = {}
        paths = [*sorted(self.root.glob("components/*/pyproject.toml"))]
        paths += [self.root / "validation/pyproject.toml", self.root / "stack/pyproject.toml"]
        for path in paths:
            if path.is_file():
                component = read_component(path, self.root, mistakes)
                if component is not None:
                    found[component.name] = component
        if mistakes:
            raise Mistakes(mistakes, "the components' metadata")
        return dict(sorted(found.items()))

    def component(self, name: str) -> Component:
        """The component called ``name``."""
        try:
            return self.components[name]
        except KeyError:
            raise InputError(
                f"no component '{name}'", None, did_you_mean(name, self.components)
            ) from None

    def environment_names(self) -> list[str]:
        """Names of the environments that the wheel builder can make."""
        return sorted(path.parent.name for path in self.environments.glob("*/wheels.in"))


def find_workspace(start: Path | None = None) -> Workspace:
    """The workspace that holds ``start`` (the working directory by default)."""
    named = os.environ.get("FIDUCIAL_WORKSPACE")
    if start is None and named:
        root = Path(named).resolve()
        if not _is_workspace(root):
            raise InputError(
                f"FIDUCIAL_WORKSPACE={named} is not a workspace",
                "it has no environments/ and components/",
            )
        return Workspace(root)
    here = (Path.cwd() if start is None else start).resolve()
    for root in (here, *here.parents):
        if _is_workspace(root):
            return Workspace(root)
    raise InputError(
        f"no Fiducial workspace at or above {here}",
        "it is known by its environments/ and components/",
        "change to a checkout, or set FIDUCIAL_WORKSPACE",
    )


def _is_workspace(root: Path) -> bool:
    return (root / "environments").is_dir() and (root / "components").is_dir()


def read_component(path: Path, root: Path, mistakes: list[Mistake]) -> Component | None:
    """The component that the metadata file ``path`` states; None where it has mistakes."""
    where = str(path.relative_to(root))
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        mistakes.append(Mistake(where, f"not readable TOML ({error})"))
        return None
    before = len(mistakes)

    def requirements(key: str, rows: list[str]) -> tuple[Requirement, ...]:
        parsed = []
        for row in rows:
            try:
                parsed.append(Requirement(row))
            except InvalidRequirement as error:
                mistakes.append(Mistake(f"{where}: {key}", f"bad requirement '{row}' ({error})"))
        return tuple(parsed)

    name = canonicalize_name(str(project.get("name", "")))
    version = str(project.get("version", ""))
    if not name.startswith(PREFIX):
        mistakes.append(Mistake(f"{where}: project.name", f"'{name}' does not begin with {PREFIX}"))
    try:
        version = str(Version(version))
    except InvalidVersion:
        mistakes.append(Mistake(f"{where}: project.version", f"'{version}' is not a version"))
    try:
        requires_python = str(SpecifierSet(project.get("requires-python", "")))
    except InvalidSpecifier as error:
        requires_python = ""
        mistakes.append(Mistake(f"{where}: project.requires-python", str(error)))
    dependencies = requirements("project.dependencies", project.get("dependencies", []))
    extras: dict[str, tuple[Requirement, ...]] = {
        canonicalize_name(extra): requirements(f"project.optional-dependencies.{extra}", rows)
        for extra, rows in project.get("optional-dependencies", {}).items()
    }
    if len(mistakes) > before:
        return None
    licence = project.get("license", "")
    return Component(
        name=name,
        version=version,
        directory=path.parent,
        licence=licence if isinstance(licence, str) else licence.get("text", ""),
        summary=str(project.get("description", "")),
        requires_python=requires_python,
        dependencies=dependencies,
        extras=extras,
    )
